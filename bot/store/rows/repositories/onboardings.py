"""How far each repository has come with onboarding; a row that is declined stays so, unless people open its pull
request again."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, ForeignKey, Integer, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.onboarding import MendedPlace, Onboarding, OnboardingState
from bot.domain.rollouts.reopening import LOOKED_AT_FOR, NOT_BEFORE
from bot.store.engine.codec import load
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rollouts import ALL_PAUSED
from bot.store.rows.schema import DueTable, LongText, Noted, ShortText, falls_due, leased, locked_after

onboardings = leased(
    "onboardings",
    Column("repository_id", ForeignKey("repositories.id"), nullable=False, unique=True),
    Column("state", ShortText(16), nullable=False),
    Column("reason", LongText, nullable=False),
    Column("asked_by", ShortText(255)),
    Column("number", Integer),
    Column("url", LongText),
    Column("merged", Integer, nullable=False, server_default="0"),
    Column("left", Integer, nullable=False, server_default="0"),
    Column("made_from", ShortText(16)),
    Column("proposed", JSON),
    Column("brought", JSON),
    Column("declined", JSON),
    Column("changed_at", Noted, nullable=False),
    Column("error", LongText),
)
"""`changed_at` is when its state or its pull request changed last, `left` how many findings are left to people."""
locked_after(onboardings, "steps")

_LOOKED_AT = [state.value for state in OnboardingState if state.is_under_way or state is OnboardingState.SET_ASIDE]
IN_FLEET = onboardings.c.repository_id.in_(select(repositories.c.id).where(repositories.c.listed.is_(True)))
"""Its repository has not left the fleet."""
IS_WORKED_ON = and_(onboardings.c.state.in_(_LOOKED_AT), IN_FLEET, ~ALL_PAUSED)
"""It has not come to an end, its repository is one of the fleet, and the bot is not paused as a whole."""


def has_declined_lately(now: datetime) -> ColumnElement[bool]:
    """Whether people have closed the pull request of late, and may open it again."""
    is_late = onboardings.c.changed_at > now - LOOKED_AT_FOR
    return and_(onboardings.c.state == OnboardingState.DECLINED.value, is_late, IN_FLEET, ~ALL_PAUSED)


def may_be_opened_again(now: datetime) -> ColumnElement[bool]:
    """Whether a repository has declined lately, and not just now."""
    return and_(has_declined_lately(now), onboardings.c.changed_at <= now - NOT_BEFORE)


falls_due(onboardings, DueTable("onboardings", (IS_WORKED_ON,), is_regular=True))


def onboarding_of(row: Any) -> Onboarding:
    """Loads the onboarding in a row of the table."""
    return Onboarding(
        OnboardingState(row.state),
        row.reason,
        row.asked_by,
        row.number,
        row.url,
        row.merged,
        row.left,
        row.made_from,
        load(row.proposed or [], tuple[MendedPlace, ...]),
        load(row.brought or [], tuple[MendedPlace, ...]),
        tuple(row.declined or ()),
    )


async def onboarding_in(connection: AsyncConnection, repository: int) -> Onboarding | None:
    """Reads how far the onboarding of one repository has come; None where nobody has asked for it."""
    row = (await connection.execute(select(onboardings).where(onboardings.c.repository_id == repository))).first()
    return onboarding_of(row) if row is not None else None


async def count_onboardings(
    connection: AsyncConnection, *conditions: ColumnElement[bool]
) -> dict[OnboardingState, int]:
    """Counts the repositories by how far their onboarding has come."""
    counted = select(onboardings.c.state, func.count()).where(*conditions).group_by(onboardings.c.state)
    return {OnboardingState(row[0]): row[1] for row in await connection.execute(counted)}
