"""What the operator says of the practices that the fleet is audited by."""

from typing import Annotated

from pydantic import AfterValidator, Field

from bot.settings.section import Section
from bot.settings.values.texts import Name


def _known(check: str) -> str:
    from bot.files.audit.rules import BY_CHECK

    if check not in BY_CHECK:
        raise ValueError(f"no check is called {check[:60]!r}; docs/practices.md lists them")
    return check


Check = Annotated[str, AfterValidator(_known)]


class AuditSettings(Section):
    """The practices that repositories are audited by; docs/practices.md lists the checks."""

    never_waived: list[Check] = Field(
        [], max_length=100, description="Checks that no repository may waive for itself."
    )
    code_scanning: list[Name] = Field(
        [], max_length=1000, description="Globs over owner/name: whose findings are uploaded to code scanning."
    )
    opens_issues: bool = Field(
        False,
        description="Whether failing practices alone open a repository's issue; they join an open one anyway.",
    )
