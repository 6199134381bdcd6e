"""What of a text or value from outside does not have the shape that is read, in words."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def misfit(error: "ValidationError") -> str:
    """Words the first defect with its place and counts the rest: `files.0.url: Field required (and 2 more)`."""
    defects = error.errors(include_url=False, include_context=False, include_input=False)
    place = ".".join(str(part) for part in defects[0]["loc"])
    fault = defects[0]["msg"].removeprefix("Value error, ")
    more = f" (and {len(defects) - 1} more)" if len(defects) > 1 else ""
    return f"{place}: {fault}{more}" if place else f"{fault}{more}"
