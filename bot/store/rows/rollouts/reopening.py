"""Rebuilds whose pull request was closed, as rows: which are still looked at, and what goes on in their place."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import AHEAD
from bot.domain.rollouts.rebuild import WITHOUT_EFFECT, Action, Rebuild, RebuildState
from bot.domain.rollouts.reopening import LOOKED_AT_FOR, NOT_BEFORE, that_goes_on
from bot.store.rows.rollouts.rebuilds import read_rebuilds
from bot.store.rows.rollouts.tables import rebuilds


def may_be_opened_again(now: datetime) -> ColumnElement[bool]:
    """Those that ended because their pull request was closed, lately or by a clock that was ahead, and that nobody
    has called off or taken up again."""
    ended_at = rebuilds.c.ended_at
    return and_(
        rebuilds.c.state == RebuildState.CANCELLED.value,
        rebuilds.c.action == Action.PULL_REQUEST.value,
        *(ended_at > now - LOOKED_AT_FOR, or_(ended_at <= now - NOT_BEFORE, ended_at > now + AHEAD)),
        *(rebuilds.c.pull_request.is_not(None), rebuilds.c.node_id.is_not(None), rebuilds.c.merge_commit.is_(None)),
        *(rebuilds.c.call_off.is_(None), rebuilds.c.retried_as.is_(None)),
    )


async def goes_on_later(connection: AsyncConnection, closed: Rebuild) -> Rebuild | None:
    """The later rebuild of its repository that goes on with its bases, None where there is none."""
    home = select(rebuilds.c.repository_id).where(rebuilds.c.id == closed.id).scalar_subquery()
    conditions = (
        rebuilds.c.repository_id == home,
        rebuilds.c.id > closed.id,
        rebuilds.c.state.not_in(WITHOUT_EFFECT),
    )
    return that_goes_on(closed, await read_rebuilds(connection, *conditions))
