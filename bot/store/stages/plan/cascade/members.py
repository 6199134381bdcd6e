"""How each repository among own bases stands: what it waits for, builds or has built."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.advisory import Severity
from bot.domain.images.verdict import Verdict
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import AWAITING, ENDED, Action, State, Target
from bot.plan.cascade.frontier import Member, Progress
from bot.plan.cascade.shown import LastBuild
from bot.plan.waves.advance import SEVERE
from bot.store.engine.codec import load
from bot.store.engine.readable import readable
from bot.store.rows.tables import bases, changes, observations, rebuilds, usages

_UNPLANNED_FOR = timedelta(minutes=5)
"""Whatever cannot be planned for so long is waited for no longer."""
_IS_BUILDING = (State.OPEN, State.DISPATCHED, State.RUNNING, State.BUILDING, State.PROVING)


async def open_rebuilds(connection: AsyncConnection, concerned: Collection[int]) -> list[Any]:
    """Reads all rebuilds that have not ended of these repositories, and all that are held."""
    columns = (
        *(rebuilds.c.id, rebuilds.c.repository_id, rebuilds.c.rollout_id, rebuilds.c.state, rebuilds.c.action),
        *(rebuilds.c.released_at, rebuilds.c.waits_for, rebuilds.c.waits_since, rebuilds.c.planned_at),
        *(rebuilds.c.severity, rebuilds.c.went_ahead),
    )
    before = rebuilds.alias()
    went_ahead = (
        select(func.count())
        .where(
            before.c.repository_id == rebuilds.c.repository_id,
            before.c.rollout_id == rebuilds.c.rollout_id,
            before.c.went_ahead.is_(True),
        )
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(*columns, went_ahead.label("earlier_ones")).where(rebuilds.c.state.not_in(ENDED))
    )
    return [row for row in rows if row.repository_id in concerned or row.waits_for is not None]


def members_of(rows: Sequence[Any], failed: Collection[int]) -> tuple[dict[int, Member], frozenset[int]]:
    """How each repository stands, and those that are held."""
    members = {number: Member(Progress.FAILED) for number in failed}
    held: set[int] = set()
    for row in rows:
        number, state = row.repository_id, State(row.state)
        if state in AWAITING and row.released_at is None and row.action != Action.NOTIFY.value:
            since = row.waits_since or row.planned_at
            severe = row.severity is not None and Severity(row.severity) in SEVERE
            due = Member(Progress.DUE, since, severe, row.earlier_ones > 0)
            before = members.get(number)
            if before is not None and before.progress is Progress.DUE and before.since is not None:
                due = replace(due, since=min(since, before.since), is_severe=severe or before.is_severe)
            members[number] = due
            if row.waits_for is not None:
                held.add(number)
        elif state in (*AWAITING, *_IS_BUILDING) and row.action != Action.NOTIFY.value:
            members.setdefault(number, Member(Progress.UNDER_WAY))
            if members[number].progress is Progress.FAILED:
                members[number] = Member(Progress.UNDER_WAY)
    return members, frozenset(held)


async def last_builds(
    connection: AsyncConnection, parents: Collection[int]
) -> tuple[dict[int, LastBuild], frozenset[int]]:
    """The last build of each producer, and the producers of which the last rebuild failed before it was built."""
    is_no_notice = rebuilds.c.action != Action.NOTIFY.value
    was_built = and_(
        rebuilds.c.built_at.is_not(None),
        or_(rebuilds.c.proof.is_(None), rebuilds.c.proof.in_([Verdict.PROVED.value, Verdict.UNKNOWN.value])),
    )
    has_failed = and_(rebuilds.c.state == State.FAILED.value, ~was_built, rebuilds.c.retried_as.is_(None))
    newest = (
        select(func.max(rebuilds.c.id))
        .where(
            is_no_notice,
            rebuilds.c.repository_id.in_(sorted(parents)),
            or_(was_built, has_failed, rebuilds.c.state == State.MERGED.value),
        )
        .group_by(rebuilds.c.repository_id)
    )
    rows = await connection.execute(
        select(
            *(rebuilds.c.id, rebuilds.c.repository_id, rebuilds.c.state, rebuilds.c.targets, rebuilds.c.built_at),
            *(rebuilds.c.attempted_at, rebuilds.c.merged_at, rebuilds.c.proof),
        ).where(rebuilds.c.id.in_(newest))
    )
    mine = rows.all()
    failed = frozenset(
        row.repository_id
        for row in mine
        if row.state == State.FAILED.value
        and (row.built_at is None or (row.proof is not None and Verdict(row.proof).fails))
    )
    builds = readable(
        [row for row in mine if row.repository_id not in failed],
        lambda row: (
            row.repository_id,
            LastBuild(row.merged_at or row.attempted_at, load(row.targets, tuple[Target, ...])),
        ),
        lambda row: f"rebuild {row.id}",
    )
    return dict(builds), failed


async def bases_of_producers(
    connection: AsyncConnection, parents: Collection[int]
) -> tuple[dict[int, frozenset[Base]], dict[Base, str | None], dict[Base, datetime | None]]:
    """The bases that producers follow, and of all bases what they show and since when."""
    if not parents:
        return {}, {}, {}
    rows = (await connection.execute(select(bases).where(bases.c.used.is_(True)))).all()
    named = {row.id: Base(row.registry, row.repository, row.tag) for row in rows}
    followed = await connection.execute(
        select(usages.c.repository_id, usages.c.base_id)
        .where(usages.c.base_id.is_not(None), usages.c.repository_id.in_(parents))
        .distinct()
    )
    of: dict[int, set[Base]] = {}
    for row in followed:
        if row.base_id in named:
            of.setdefault(row.repository_id, set()).add(named[row.base_id])
    return (
        {number: frozenset(some) for number, some in of.items()},
        {named[row.id]: row.digest for row in rows},
        {named[row.id]: row.moved_at for row in rows},
    )


async def everything_is_planned(connection: AsyncConnection, now: datetime) -> bool:
    """Whether everything that was observed has been planned, but for what cannot be."""
    since = now - _UNPLANNED_FOR
    unassessed = select(observations.c.id).where(observations.c.assessed.is_(False), observations.c.at >= since)
    unplanned = select(changes.c.id).where(changes.c.planned.is_(False), changes.c.at >= since)
    for query in (unassessed, unplanned):
        if await connection.scalar(query.limit(1)) is not None:
            return False
    return True
