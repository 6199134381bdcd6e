"""How far each repository has come with onboarding; a row that is declined stays for good."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, String, Text

from bot.domain.repositories.onboarding import Onboarding, OnboardingState
from bot.store.rows.moment import Moment
from bot.store.rows.tables import leased

onboardings = leased(
    "onboardings",
    Column("repository_id", ForeignKey("repositories.id"), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", String(255)),
    Column("number", Integer),
    Column("url", Text),
    Column("merged", Integer, nullable=False, server_default="0"),
    Column("left", Integer, nullable=False, server_default="0"),
    Column("made_from", String(16)),
    Column("changed_at", Moment, nullable=False),
    Column("error", Text),
)
"""`changed_at` is when its state or its pull request changed last, `left` how many findings are left to people."""


def onboarding_of(row: Any) -> Onboarding:
    """From a row of the table."""
    return Onboarding(
        OnboardingState(row.state),
        row.reason,
        row.asked_by,
        row.number,
        row.url,
        row.merged,
        row.left,
        row.made_from,
    )
