"""Bases and how late upstream brings what they wait for, each as one page shows it."""

from typing import Any, Self

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.mirrors import mirror_prefix
from bot.domain.bases.notice import Topic
from bot.domain.bases.observation import NotJudged, Observation
from bot.domain.clock import Clock
from bot.domain.feeds.document import silence
from bot.store.engine.codec import load, readable
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.bases.measured import MeasuredStore, MirrorLagsStore, PromisesStore
from bot.store.pages.images.images import images_on
from bot.store.pages.ledger.cves_of_moves import CvesOfMoves
from bot.store.pages.rows import (
    MOST_CHANGES,
    MOST_ROWS,
    base_rows,
    latest_changes,
    notice_rows,
)
from bot.store.rows.bases.bases import has_base_name
from bot.store.rows.bases.mirrors import IS_IN_TROUBLE, behind, lags_of_mirrors, took_by
from bot.store.rows.bases.tables import base_of, bases, changes, documents, notices, observations
from bot.store.rows.inventories.vulnerabilities import dumps
from bot.store.rows.news import newest_times
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.quarantines import open_quarantines
from bot.store.rows.rollouts.tables import quarantines
from bot.store.stores import Stores
from bot.views.bases.base import BasePage, Bases
from bot.views.bases.promises import records
from bot.views.bases.upstream import FeedRow, MirrorRow, Upstream, feed_name
from bot.views.paging import Cut, page_of
from bot.views.rows import NoticeRow

_MOST_LAGS = 40
_MOST_USERS = 24
_MOST_NOTICES = 200
_LAGS = (Topic.RELEASE_LAG.value, Topic.SIBLING_LAG.value)
_IS_OPEN = (notices.c.cleared_at.is_(None), notices.c.topic.not_in(_LAGS))
"""Of notices that somebody is to know of."""


class BasePagesStore(MeasuredStore):
    """Reads the pages of bases and of upstream, and writes nothing."""

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        return cls(*stores.given, stores[PromisesStore], stores[MirrorLagsStore], stores[CvesOfMoves])

    def __init__(
        self,
        database: Database,
        worker: Worker,
        clock: Clock,
        promises: PromisesStore,
        mirror_lags: MirrorLagsStore,
        cves: CvesOfMoves,
    ) -> None:
        super().__init__(database, worker, clock, promises, mirror_lags)
        self._cves = cves

    async def bases(self, text: str, cut: Cut) -> Bases:
        """Reads a page of the bases in use whose name holds `text`, what is in trouble first."""
        conditions: list[ColumnElement[bool]] = [bases.c.used.is_(True)]
        if text:
            name = bases.c.registry + "/" + bases.c.repository + ":" + bases.c.tag
            conditions.append(name.icontains(text, autoescape=True))
        async with self._database.reading() as connection:
            total = await connection.scalar(select(func.count()).select_from(bases).where(*conditions))
            rows = await connection.execute(
                select(bases, _users_of_base())
                .where(*conditions)
                .order_by(case((IS_IN_TROUBLE, 0), else_=1), bases.c.repository, bases.c.tag, bases.c.registry)
                .limit(cut.per_page)
                .offset(cut.offset)
            )
            read = rows.all()
            page = page_of(await base_rows(connection, read, self._clock.now().date()), int(total or 0), cut)
            mine = notices.c.base_id.in_([row.id for row in read])
            open_ = await notice_rows(connection, _MOST_NOTICES, [notices.c.since], mine, *_IS_OPEN)
        by_base: dict[str, tuple[NoticeRow, ...]] = {}
        for notice in open_:
            by_base[notice.base] = (*by_base.get(notice.base, ()), notice)
        return Bases(page, by_base)

    async def base(self, name: str) -> BasePage | None:
        """Reads what the page of one base shows; None where no base has that whole name."""
        today = self._clock.now().date()
        async with self._database.reading() as connection:
            row = (await connection.execute(select(bases, _users_of_base()).where(has_base_name(name)))).first()
            if row is None:
                return None
            users = await connection.execute(
                select(repositories.c.name)
                .where(repositories.c.id.in_(select(usages.c.repository_id).where(usages.c.base_id == row.id)))
                .order_by(repositories.c.name)
                .limit(_MOST_USERS)
            )
            mine = notices.c.base_id == row.id
            lags = await notice_rows(
                connection,
                _MOST_LAGS,
                [notices.c.since.desc()],
                mine,
                notices.c.topic.in_(_LAGS),
                notices.c.until.is_not(None),
            )
            quarantine_rows = await open_quarantines(connection, quarantines.c.base_id == row.id)
            copies = await connection.execute(
                select(bases, _users_of_base())
                .where(bases.c.upstream_id == row.id, bases.c.used.is_(True))
                .order_by(bases.c.registry, bases.c.repository)
                .limit(MOST_ROWS)
            )
            return BasePage(
                (await base_rows(connection, [row], today))[0],
                await latest_changes(connection, MOST_CHANGES, changes.c.base_id == row.id, cves=self._cves),
                lags[::-1],
                await notice_rows(
                    connection,
                    MOST_ROWS,
                    [notices.c.since],
                    mine,
                    *_IS_OPEN,
                ),
                quarantine_rows[0] if quarantine_rows else None,
                tuple(users.scalars()),
                await images_on(connection, base_of(row), _MOST_USERS, self._clock.now()),
                await took_by(connection, row.id, row.upstream_id) if row.upstream_id is not None else None,
                await base_rows(connection, copies.all(), today),
                await _not_judged(connection, row.observation_id),
            )

    async def upstream(self) -> Upstream:
        """Reads what the page about upstream shows: promises, lags, mirrors, feeds and dumps."""
        measured = await self._promises.lags()
        took = await self._mirror_lags.took()
        async with self._database.reading() as connection:
            count = await connection.scalar(select(func.count()).select_from(documents))
            feeds = await connection.execute(
                select(documents)
                .order_by(documents.c.error.is_(None), documents.c.kind, documents.c.url.desc())
                .limit(MOST_ROWS)
            )
            late = await behind(connection)
            lags = await lags_of_mirrors(connection, self._clock.now())
            read = await _dump_rows(connection)
            return Upstream(
                records(measured, self._clock.now()),
                await notice_rows(
                    connection,
                    _MOST_LAGS,
                    [notices.c.since.desc()],
                    notices.c.topic.in_(_LAGS),
                    notices.c.until.is_not(None),
                    bases.c.upstream_id.is_(None),
                ),
                await notice_rows(
                    connection,
                    MOST_ROWS,
                    [notices.c.topic, notices.c.since],
                    notices.c.cleared_at.is_(None),
                    notices.c.topic.not_in(_LAGS),
                ),
                (
                    *(FeedRow(row.url, row.kind, row.checked_at, row.fetched_at, row.error) for row in feeds),
                    *read,
                ),
                int(count or 0) + len(read),
                tuple(
                    MirrorRow(
                        place,
                        sum(mirror_prefix(each.base, each.upstream) == place for each in late),
                        lag,
                        took.get(place),
                    )
                    for place, lag in sorted(lags.items())
                ),
                tuple(
                    line
                    for source, newest in sorted((await newest_times(connection)).items())
                    if (line := silence(source, newest, self._clock.now())) is not None
                ),
            )


async def _not_judged(connection: AsyncConnection, observation: int | None) -> tuple[NotJudged, ...]:
    rows = await connection.execute(select(observations).where(observations.c.id == observation))
    loaded_observations = readable(
        rows, lambda row: load(row.observation, Observation), lambda row: f"observation {row.id}"
    )
    return loaded_observations[0].not_judged if loaded_observations else ()


async def _dump_rows(connection: AsyncConnection) -> tuple[FeedRow, ...]:
    dump = dumps.c
    columns = (dump.place, dump.ecosystem, dump.checked_at, dump.fetched_at, dump.error)
    rows = await connection.execute(select(*columns).order_by(dump.ecosystem))
    return tuple(
        FeedRow(row.place, feed_name(row.ecosystem), row.checked_at, row.fetched_at, row.error) for row in rows
    )


def _users_of_base() -> Any:
    return (
        select(func.count(usages.c.repository_id.distinct()))
        .where(usages.c.base_id == bases.c.id)
        .scalar_subquery()
        .label("repositories")
    )
