"""What a summary of the fleet says of a span of time, counted by the database."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.notice import Topic
from bot.domain.clock import Clock
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.rebuild import AWAITING, RebuildState
from bot.store.engine.codec import load
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.pages.fleet.fleet import counts
from bot.store.pages.fleet.needs import needs_in
from bot.store.pages.fleet.practices import fleet_practices
from bot.store.pages.images.gates import unfixed_in
from bot.store.rows.bases.tables import notices
from bot.store.rows.images.contradictions import open_contradictions
from bot.store.rows.images.images import images
from bot.store.rows.repositories.repositories import limit_to, standing_days, standings
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuilds import is_current, read_rebuilds
from bot.store.rows.rollouts.rollouts import titles_of
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.stores import Stores
from bot.views.fleet.fleet import Standing
from bot.views.fleet.needs import NeedReason, NeedsYou
from bot.views.fleet.summary import Lag, RolledOut, Stuck, Summary

if TYPE_CHECKING:
    from bot.store.pages.running.report import ExposureReportStore

_MOST_ROLLOUTS = 5
_TOLD = (
    RebuildState.SUCCEEDED,
    RebuildState.BUILT,
    RebuildState.MERGED,
    RebuildState.FAILED,
    RebuildState.CANCELLED,
)
_MOST_STUCK = 10
_STUCK = (NeedReason.FAILED, NeedReason.UNMERGED, NeedReason.NOT_READY)


class SummaryStore(Store):
    """Reads what a summary says, and writes nothing; `exposure` sums up what runs, where that is told."""

    def __init__(
        self, database: Database, worker: Worker, clock: Clock, exposure: "ExposureReportStore | None" = None
    ) -> None:
        super().__init__(database, worker, clock)
        self._exposure = exposure

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        if not stores.options.has_sources:
            return cls(*stores.given)
        from bot.store.pages.running.report import ExposureReportStore

        return cls(*stores.given, stores[ExposureReportStore])

    async def summary(
        self, since: datetime, until: datetime | None = None, only: Collection[str] | None = None
    ) -> Summary:
        """Reads what happened from `since` up to then, else to now, and how things stand. What runs is summed up of
        the whole fleet alone, for the last week until then."""
        until = until or self._clock.now()
        async with self._database.reading() as connection:
            summary = await summarize_fleet(connection, since, until, only)
        if self._exposure is None or only is not None:
            return summary
        return replace(summary, exposure=await self._exposure.report(until=until))


async def summarize_fleet(
    connection: AsyncConnection, since: datetime, until: datetime, only: Collection[str] | None = None
) -> Summary:
    """Of a span of time; with `only`, as if the fleet had these repositories alone, without a trend."""
    mine = limit_to(rebuilds.c.repository_id, only)
    rolled_out = await _rolled_out(connection, since, until, mine)
    needs = await needs_in(connection, until, only)
    stuck, stuck_in_all = await _stuck(connection, needs)
    planned = select(func.count()).where(rebuilds.c.state.in_(AWAITING), *mine)
    return Summary(
        since,
        until,
        await counts(connection, *limit_to(standings.c.repository_id, only)),
        {} if only is not None else await _counted_on(connection, since),
        await _titled(connection, rolled_out[:_MOST_ROLLOUTS]),
        len(rolled_out),
        sum(row.succeeded for row in rolled_out),
        sum(row.failed for row in rolled_out),
        stuck,
        stuck_in_all,
        await _lag(connection, since, until),
        await _noticed(connection, Topic.WITHDRAWN),
        await _noticed(connection, Topic.END_OF_LIFE),
        int(await connection.scalar(planned) or 0),
        await fleet_practices(connection, until, only),
        await unfixed_in(connection, *limit_to(images.c.repository_id, only)),
        sum(row.unproven for row in rolled_out),
        sum(row.merged for row in rolled_out),
        await open_contradictions(connection, only),
        needs,
    )


async def _counted_on(connection: AsyncConnection, since: datetime) -> dict[Standing, int]:
    """Reads the standings of the last day that was counted before or at the beginning."""
    day = select(func.max(standing_days.c.day)).where(standing_days.c.day <= since.date()).scalar_subquery()
    rows = await connection.execute(select(standing_days).where(standing_days.c.day == day))
    return {Standing(row.standing): row.repositories for row in rows}


async def _rolled_out(
    connection: AsyncConnection, since: datetime, until: datetime, mine: Sequence[ColumnElement[bool]]
) -> Sequence[Any]:
    """A row for each rollout of which rebuilds ended within the span, the largest first."""

    def number(state: RebuildState) -> ColumnElement[int]:
        return func.sum(case((rebuilds.c.state == state.value, 1), else_=0))

    succeeded, failed = (
        number(RebuildState.SUCCEEDED).label("succeeded"),
        number(RebuildState.FAILED).label("failed"),
    )
    cancelled = number(RebuildState.CANCELLED).label("cancelled")
    unproven, merged = number(RebuildState.BUILT).label("unproven"), number(RebuildState.MERGED).label("merged")
    ended = (
        select(rebuilds.c.rollout_id, succeeded, failed, cancelled, unproven, merged)
        .where(
            rebuilds.c.ended_at > since,
            rebuilds.c.ended_at <= until,
            is_current(),
            *mine,
            rebuilds.c.state.in_([state.value for state in _TOLD]),
        )
        .group_by(rebuilds.c.rollout_id)
        .order_by(func.count().desc(), rebuilds.c.rollout_id.desc())
    )
    return (await connection.execute(ended)).all()


async def _titled(connection: AsyncConnection, rows: Sequence[Any]) -> tuple[RolledOut, ...]:
    titles = await titles_of(connection, [row.rollout_id for row in rows])
    return tuple(
        RolledOut(
            *(row.rollout_id, titles[row.rollout_id]),
            *(row.succeeded, row.failed, row.cancelled, row.unproven, row.merged),
        )
        for row in rows
    )


async def _stuck(connection: AsyncConnection, needs: NeedsYou) -> tuple[tuple[Stuck, ...], int]:
    """Of what needs a person the pull requests that nobody merges, and the failures, the longest first, each with
    whom it waits for."""
    groups = [group for group in needs.groups if group.reason in _STUCK]
    since = {need.rebuild: need.since for group in groups for need in group.first if need.rebuild and need.since}
    longest = sorted(since, key=lambda id_: (since[id_], id_))[:_MOST_STUCK]
    stuck_rebuilds = {each.id: each for each in await read_rebuilds(connection, rebuilds.c.id.in_(longest))}
    names = {rebuild.repository for rebuild in stuck_rebuilds.values()}
    configs = await connection.execute(
        select(repositories.c.name, repositories.c.config).where(repositories.c.name.in_(names))
    )
    owners = {row.name: load(row.config, RepositoryConfig).owners for row in configs}
    stuck = tuple(
        Stuck(stuck_rebuilds[id_], since[id_], owners.get(stuck_rebuilds[id_].repository, ()))
        for id_ in longest
        if id_ in stuck_rebuilds
    )
    return stuck, sum(group.number for group in groups)


async def _lag(connection: AsyncConnection, since: datetime, until: datetime) -> Lag | None:
    """How long after the feed's news images with a .NET release came, within the span."""
    rows = await connection.execute(
        select(notices.c.since, notices.c.until).where(
            notices.c.topic == Topic.RELEASE_LAG.value, notices.c.until > since, notices.c.until <= until
        )
    )
    lags = [(row.until - row.since).total_seconds() for row in rows]
    return Lag(len(lags), timedelta(seconds=median(lags))) if lags else None


async def _noticed(connection: AsyncConnection, topic: Topic) -> tuple[str, ...]:
    """What open notices say, the oldest first."""
    rows = await connection.execute(
        select(notices.c.text)
        .where(notices.c.topic == topic.value, notices.c.cleared_at.is_(None))
        .order_by(notices.c.since, notices.c.id)
    )
    return tuple(rows.scalars())
