"""What the operator says of the practices that the fleet is audited by, and which repositories are brought to
them."""

from typing import Annotated

from pydantic import AfterValidator, Field

from bot.domain.repositories.onboarding import SAFE_CHECKS
from bot.settings.section import Section
from bot.settings.values.numbers import WholeNumber
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
    admission: list[Name] = Field(
        [],
        max_length=1000,
        description="Globs over owner/name: whose clusters admit verified images alone.",
    )
    opens_issues: bool = Field(
        False,
        description="Whether failing practices alone open a repository's issue; they join an open one anyway.",
    )


def _safe(check: str) -> str:
    if check not in SAFE_CHECKS:
        raise ValueError(f"no edit makes {check[:60]!r} hold safely; write some of {', '.join(SAFE_CHECKS)}")
    return check


SafeCheck = Annotated[str, AfterValidator(_safe)]


class OnboardingSettings(Section):
    """Pull requests that bring repositories to the practices; docs/operate/onboarding.md tells more."""

    repositories: list[Name] = Field(
        [], max_length=1000, description="Globs over owner/name: who is brought along unasked."
    )
    at_once: WholeNumber = Field(3, ge=1, le=1000, description="How many repositories are under way at a time.")
    checks: list[SafeCheck] = Field(
        list(SAFE_CHECKS),
        min_length=1,
        max_length=len(SAFE_CHECKS),
        description="Checks that commits are made for.",
    )
