"""Which rebuilds of a rollout a message tells of, and what it says of them together."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, and_, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rollouts.rebuild import Action, RebuildState, Target
from bot.fleet.report.messages.stops import FailedRebuild
from bot.store.engine.codec import load_text
from bot.store.engine.readable import readable
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuilds import is_current
from bot.store.rows.rollouts.tables import rebuilds

_MOST_FAILURES = 20
"""In one message; who needs more asks `rollout show`."""


def told_rebuilds(rollout: int, only: Collection[str] | None = None) -> list[ColumnElement[bool]]:
    """Selects the rebuilds of a rollout whose place nothing has taken, of these repositories alone or of all."""
    conditions = [
        rebuilds.c.rollout_id == rollout,
        is_current(),
        rebuilds.c.state != RebuildState.SUPERSEDED.value,
    ]
    if only is not None:
        repository_ids = select(repositories.c.id).where(repositories.c.name.in_(sorted(only)))
        conditions.append(rebuilds.c.repository_id.in_(repository_ids))
    return conditions


async def latest_failures(
    connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]]
) -> tuple[FailedRebuild, ...]:
    """Reads the rebuilds that have failed, the latest first."""
    failed = await connection.execute(
        select(repositories.c.name, rebuilds.c.url, rebuilds.c.reason)
        .join(repositories, repositories.c.id == rebuilds.c.repository_id)
        .where(*conditions, rebuilds.c.state == RebuildState.FAILED)
        .order_by(rebuilds.c.ended_at.desc(), rebuilds.c.id)
        .limit(_MOST_FAILURES)
    )
    return tuple(FailedRebuild(item.name, item.url, item.reason) for item in failed)


async def count_states(
    connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]]
) -> Sequence[Row[Any]]:
    """How many (`number`) are in each `state`, those that are only to be told of it (`is_told`) apart.

    Who opted out is told of nothing.
    """
    is_told = case(
        (and_(rebuilds.c.action == Action.NOTIFY.value, rebuilds.c.state != RebuildState.SKIPPED.value), 1), else_=0
    ).label("is_told")
    counts = select(rebuilds.c.state, is_told, func.count().label("number")).where(*conditions)
    return (await connection.execute(counts.group_by(rebuilds.c.state, is_told))).all()


async def count_repositories(connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]]) -> int:
    """Counts the repositories that are rebuilt."""
    return int(
        await connection.scalar(select(func.count(rebuilds.c.repository_id.distinct())).where(*conditions)) or 0
    )


async def count_bases(connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]]) -> int:
    """Counts the bases that these rebuilds bring up to date; many have the same targets, which are read once."""
    targets_text = cast(rebuilds.c.targets, Text).label("targets")
    rows = await connection.execute(
        select(targets_text, func.min(rebuilds.c.id).label("id")).where(*conditions).group_by(targets_text)
    )
    target_sets = readable(
        rows, lambda row: load_text(row.targets, tuple[Target, ...]), lambda row: f"rebuild {row.id}"
    )
    return len({target.base for targets in target_sets for target in targets})
