"""Which repositories the bot brings to the practices unasked, how many at a time, and by which checks."""

from typing import Annotated

from pydantic import AfterValidator, Field

from bot.domain.repositories.onboarding import SAFE_CHECKS
from bot.settings.section import Section
from bot.settings.values.texts import Name


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
    at_once: int = Field(3, ge=1, le=1000, description="How many repositories are under way at a time.")
    checks: list[SafeCheck] = Field(
        list(SAFE_CHECKS),
        min_length=1,
        max_length=len(SAFE_CHECKS),
        description="Checks that commits are made for.",
    )
