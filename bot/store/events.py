"""Events from outside: each counts once, and makes rows due that would have been looked at later."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, Table, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.reach import Reach
from bot.domain.rollouts.rebuild import FOLLOWED
from bot.domain.rollouts.reopening import NOT_BEFORE
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, insert_missing, lock_where
from bot.store.rows.bases.tables import bases
from bot.store.rows.images.gates import gates
from bot.store.rows.images.images import images
from bot.store.rows.repositories.onboardings import IS_WORKED_ON, has_declined_lately, onboardings
from bot.store.rows.repositories.repositories import is_one_of
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuild_store import may_be_opened_again
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.tables import LISTING, deliveries, fleet_issues, tasks

_REMEMBERED = timedelta(days=3)
"""GitHub lets a delivery be sent again by hand for as long."""


class EventsStore(Store):
    """Takes in what webhooks and registries tell."""

    async def take(self, source: str, delivery: str, reach: Reach) -> bool:
        """Whether the event is new; then what it concerns is due now.

        Rows that rest after a failure go on resting, and a row that somebody works on is left alone: whatever is
        not seen now is seen when it is due anyway.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            seen_first = insert_missing(connection, deliveries, source=source, delivery=delivery, at=now)
            if await connection.scalar(seen_first.returning(deliveries.c.delivery)) is None:
                return False
            await connection.execute(delete(deliveries).where(deliveries.c.at < now - _REMEMBERED))
            if reach.fleet:
                await _pull(connection, tasks, now, tasks.c.name == LISTING)
            if reach.moved_branches:
                mine = and_(is_one_of(reach.moved_branches), repositories.c.listed.is_(True))
                await _pull(connection, repositories, now, mine)
            if reach.pushed:
                await _pull(connection, bases, now, bases.c.used.is_(True), or_(*_tags(reach)))
            if reach.followed:
                theirs = select(repositories.c.id).where(is_one_of(reach.followed))
                is_looked_at = or_(rebuilds.c.state.in_(FOLLOWED), may_be_opened_again(now))
                await _pull(connection, rebuilds, now, rebuilds.c.repository_id.in_(theirs), is_looked_at)
                of_theirs = onboardings.c.repository_id.in_(theirs)
                await _pull(connection, onboardings, now, of_theirs, IS_WORKED_ON)
                await _pull(connection, onboardings, now + NOT_BEFORE, of_theirs, has_declined_lately(now))
            if reach.pushed:
                await _pull(connection, gates, now, gates.c.image_id.in_(_images(reach)))
            if reach.followed:
                followed_names = select(repositories.c.name).where(is_one_of(reach.followed))
                await _pull(connection, fleet_issues, now, fleet_issues.c.repository.in_(followed_names))
        return True


def _images(reach: Reach) -> Select[tuple[int]]:
    """Images beside which something may have been attached: a VEX document, which counts at the gate."""
    pushed_names = {each.repository for each in reach.pushed}
    return select(images.c.id).where(images.c.repository.in_(pushed_names))


def _tags(reach: Reach) -> Sequence[ColumnElement[bool]]:
    return [
        and_(bases.c.repository == each.repository, *([bases.c.tag == each.tag] if each.tag else []))
        for each in reach.pushed
    ]


async def _pull(connection: AsyncConnection, table: Table, now: datetime, *where: ColumnElement[bool]) -> None:
    later = table.c.due_at > now, table.c.attempts == 0, table.c.lease_owner.is_(None)
    for ids in chunks(await lock_where(connection, table, *later, *where)):
        await connection.execute(update(table).where(table.c.id.in_(ids), *later).values(due_at=now))
