"""What is amiss with a text, value or name from outside, in words.

Of a value: what does not have the shape that is read. Of a name: which of those that are known may have been meant.
"""

from collections.abc import Iterable
from difflib import get_close_matches
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


_MOST = 3
_LONGEST = 200
"""Of a name: comparing longer ones takes long, and nobody mistypes them."""


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Returns up to three known names, the likeliest first: those that have it as a part, else those spelt nearly.

    Of names with an owner the last parts are compared: what they share makes them not alike.

    >>> nearest("shop", ["contoso/shop", "contoso/shop-api", "contoso/ledger"])
    ['contoso/shop', 'contoso/shop-api']
    >>> nearest("contoso/shpo", ["contoso/shop", "contoso/ledger"])
    ['contoso/shop']
    """
    needle = name[:_LONGEST].lower()
    by_lower = {each.lower(): each for each in names}
    matches = sorted(
        (each for each in by_lower if needle and f"/{needle}" in f"/{each}"), key=lambda each: len(each)
    )
    if not matches:
        by_last: dict[str, list[str]] = {}
        for each in sorted(by_lower):
            by_last.setdefault(_last(each), []).append(each)
        close = get_close_matches(_last(needle), by_last, _MOST, 0.75)
        matches = [each for last in close for each in by_last[last]]
    return [by_lower[each] for each in matches[:_MOST]]


def did_you_mean(name: str, names: Iterable[str], otherwise: str) -> str:
    """Words the nearest names as advice; `otherwise` is what to do where none is near."""
    near = nearest(name, names)
    return f"did you mean {' or '.join(near)}?" if near else otherwise


def _last(name: str) -> str:
    return name.rpartition("/")[2]
