"""What people hear of rebuilds that a fault holds up: an incident of their owner, and one more after a day."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import Incident
from bot.domain.clock import is_yet_to_come
from bot.domain.repositories.repository import owner_of
from bot.domain.rollouts.rebuild import ENDED, RebuildState
from bot.domain.wording.words import counted
from bot.store.rows.bases.tables import incidents
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.steps import IS_TO_START, IS_UNDER_WAY, steps
from bot.store.rows.rollouts.tables import rebuilds

DELAYED = "delayed:"
WAITING = "stuck:"
"""What the subjects of incidents begin with; an owner's name follows. The second needs a person."""
_FAILED_OFTEN = 4
"""Attempts in a row: what passes within minutes is no news."""
IS_DELAYED = rebuilds.c.attempts >= _FAILED_OFTEN
"""Of a rebuild that has not ended: it fails again and again."""
_FOR_A_PERSON_AFTER = timedelta(days=1)


async def delay_news(connection: AsyncConnection, now: datetime) -> tuple[list[Incident], set[str]]:
    """The incidents that begin as the rows stand, and the subjects of those that are over: nothing fails there any
    more."""
    since = await _open_ones(connection)
    delayed = await _delayed(connection)
    opened = [Incident(f"{DELAYED}{owner}"[:255], now, detail) for owner, detail in delayed.items()]
    opened += [
        Incident(f"{WAITING}{owner}"[:255], now, f"for a day and longer: {detail}")
        for owner, detail in delayed.items()
        if now - since.get(f"{DELAYED}{owner}", now) >= _FOR_A_PERSON_AFTER
    ]
    news = [each for each in opened if each.subject not in since or is_yet_to_come(since[each.subject], now)]
    over = {subject for subject in since if subject.partition(":")[2] not in delayed}
    return news, over


async def _open_ones(connection: AsyncConnection) -> Mapping[str, datetime]:
    rows = await connection.execute(
        select(incidents.c.subject, incidents.c.opened_at).where(
            incidents.c.cleared_at.is_(None),
            or_(incidents.c.subject.startswith(DELAYED), incidents.c.subject.startswith(WAITING)),
        )
    )
    return {row.subject: row.opened_at for row in rows}


async def _delayed(connection: AsyncConnection) -> Mapping[str, str]:
    """By owner: how many rebuilds fail, alone or in a step, and what the one says that has failed most often."""
    of_rebuild = rebuilds.join(repositories, repositories.c.id == rebuilds.c.repository_id)
    reason = func.coalesce(rebuilds.c.hindered_by, rebuilds.c.reason).label("reason")
    alone = (
        select(repositories.c.name, reason, rebuilds.c.attempts, rebuilds.c.id)
        .select_from(of_rebuild)
        .where(IS_DELAYED, rebuilds.c.state.not_in(ENDED))
    )
    in_steps = (
        select(repositories.c.name, steps.c.reason, steps.c.attempts, rebuilds.c.id)
        .select_from(of_rebuild.join(steps, steps.c.rebuild_id == rebuilds.c.id))
        .where(
            steps.c.attempts >= _FAILED_OFTEN,
            or_(IS_TO_START, IS_UNDER_WAY),
            rebuilds.c.state == RebuildState.STEPPING.value,
        )
    )
    both = union_all(alone, in_steps).subquery()
    rows = await connection.execute(select(both).order_by(both.c.attempts.desc(), both.c.id))
    reasons: dict[str, list[str]] = {}
    for row in rows:
        reasons.setdefault(owner_of(row.name), []).append(f"{row.name}: {row.reason}")
    return {owner: f"{counted(len(each), 'rebuild')} cannot go on; {each[0]}" for owner, each in reasons.items()}
