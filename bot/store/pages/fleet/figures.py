"""What metrics count in the store, and how the bot itself fares: queues, budgets, incidents, pauses."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Cause
from bot.domain.bases.notice import Topic
from bot.domain.repositories.finding import Outcome
from bot.domain.repositories.onboarding import OnboardingState
from bot.domain.rollouts.rebuild import ENDED, Action, RebuildState
from bot.store.engine.queue.leases import leased_tables
from bot.store.engine.store import Store
from bot.store.pages.bases.measured import MeasuredStore
from bot.store.pages.fleet.fleet import ages, counts
from bot.store.pages.images.gates import count_gates
from bot.store.pages.images.images import count_images
from bot.store.pages.rows import MOST_ROWS
from bot.store.rows.bases.mirrors import lags_of_mirrors
from bot.store.rows.bases.tables import bases, changes, documents, incidents, notices
from bot.store.rows.inventories.vulnerabilities import dumps
from bot.store.rows.repositories.audits import practice_days
from bot.store.rows.repositories.onboardings import count_onboardings
from bot.store.rows.rollouts.budgets import budgets, spendings
from bot.store.rows.rollouts.quarantines import open_quarantines
from bot.store.rows.rollouts.rollouts import OPEN, is_paused, open_pauses
from bot.store.rows.rollouts.tables import quarantines, rebuilds, rollouts, transitions
from bot.store.rows.schema import Moment, due_of
from bot.store.rows.tables import latest_entries
from bot.views.bases.promises import promises_by_family
from bot.views.bases.upstream import feed_name
from bot.views.fleet.figures import (
    BudgetRow,
    EndedRebuild,
    FeedFigures,
    Figures,
    Marks,
    News,
    Operations,
    QueueFigures,
    SeenChange,
    SeenLag,
)
from bot.views.fleet.status import IncidentRow

_OVERLAP = 500
"""So many rows before the last one are looked at again: on PostgreSQL a lower id may be committed later."""
_MOST_NEWS = 20_000
_LAGS = (Topic.RELEASE_LAG, Topic.SIBLING_LAG)


class FiguresStore(MeasuredStore):
    """Reads what metrics tell of the store, and writes nothing."""

    async def figures(self) -> Figures:
        """Counts what the metrics tell of the store."""
        now = self._clock.now()
        measured = await self._promises.lags()
        took = await self._mirror_lags.took()
        async with self._database.reading() as connection:
            opened = await connection.execute(
                select(rebuilds.c.state, func.count()).where(rebuilds.c.state.in_(OPEN)).group_by(rebuilds.c.state)
            )
            stopped = await connection.execute(
                select(is_paused(), func.count()).where(rollouts.c.ended_at.is_(None)).group_by(is_paused())
            )
            paused = {bool(row[0]): row[1] for row in stopped}
            looked = await connection.execute(
                select(bases.c.error.is_not(None), func.count())
                .where(bases.c.used.is_(True))
                .group_by(bases.c.error.is_not(None))
            )
            failing = {bool(row[0]): row[1] for row in looked}
            standing = await connection.execute(
                select(notices.c.topic, func.count())
                .where(notices.c.cleared_at.is_(None))
                .group_by(notices.c.topic)
            )
            by_topic = {row[0]: row[1] for row in standing}
            return Figures(
                standings={standing.value: number for standing, number in (await counts(connection)).items()},
                behind=await ages(connection, now),
                over_max_age=await _count(connection, rebuilds.c.state.in_(OPEN), rebuilds.c.overdue_at <= now),
                open_rebuilds=_by_state(opened),
                open_rollouts=paused.get(False, 0),
                paused_rollouts=paused.get(True, 0),
                bases=failing.get(False, 0),
                failing_bases=failing.get(True, 0),
                incidents=await _count(connection, incidents.c.cleared_at.is_(None)),
                notices={topic: by_topic.get(topic.value, 0) for topic in Topic},
                quarantines=await _count(connection, quarantines.c.until.is_(None)),
                queues=await queues(connection, now),
                feeds=await _feeds(connection, now),
                practices=await _practices(connection),
                images=await count_images(connection),
                gated=await count_gates(connection),
                onboardings=dict.fromkeys(OnboardingState, 0) | await count_onboardings(connection),
                mirrors=await lags_of_mirrors(connection, now),
                mirrors_took=took,
                promises=promises_by_family(measured, now),
            )

    async def marks(self) -> Marks:
        """Where counting begins: what is in the store already was counted by somebody before."""
        async with self._database.reading() as connection:
            return Marks(
                await _last(connection, transitions),
                await _last(connection, changes),
                await _last(connection, notices),
            )

    async def news(self, marks: Marks) -> News:
        """What was added since `marks`, and some rows before, which the caller has counted already."""
        async with self._database.reading() as connection:
            ended = await connection.execute(
                select(
                    transitions.c.id,
                    rebuilds.c.action,
                    transitions.c.after,
                    transitions.c.at,
                    func.coalesce(rebuilds.c.waits_since, rebuilds.c.planned_at).label("since"),
                )
                .join(rebuilds, rebuilds.c.id == transitions.c.rebuild_id)
                .where(transitions.c.id > marks.transition - _OVERLAP, transitions.c.after.in_(ENDED))
                .order_by(transitions.c.id)
                .limit(_MOST_NEWS)
            )
            change_rows = await connection.execute(
                select(changes.c.id, changes.c.cause)
                .where(changes.c.id > marks.change - _OVERLAP)
                .order_by(changes.c.id)
                .limit(_MOST_NEWS)
            )
            late = await connection.execute(
                select(notices.c.id, notices.c.topic, notices.c.since, notices.c.until)
                .join(bases, bases.c.id == notices.c.base_id)
                .where(
                    bases.c.upstream_id.is_(None),
                    notices.c.id > marks.notice - _OVERLAP,
                    notices.c.topic.in_([topic.value for topic in _LAGS]),
                    notices.c.until.is_not(None),
                )
                .order_by(notices.c.id)
                .limit(_MOST_NEWS)
            )
            return News(
                tuple(
                    EndedRebuild(
                        row.id, Action(row.action), RebuildState(row.after), max(row.at - row.since, timedelta())
                    )
                    for row in ended
                ),
                tuple(SeenChange(row.id, Cause(row.cause)) for row in change_rows),
                tuple(SeenLag(row.id, Topic(row.topic), max(row.until - row.since, timedelta())) for row in late),
            )


async def queues(connection: AsyncConnection, now: datetime) -> dict[str, QueueFigures]:
    """Counts how much is due and at work in each table that has a figure, by its name: in one statement."""
    rows = await connection.execute(_counted(leased_tables()), {"now": now})
    return {
        row.name: QueueFigures(row.due, row.leased, now - row.oldest if row.oldest is not None else timedelta())
        for row in rows
    }


@lru_cache(maxsize=1)
def _counted(_tables: tuple[Table, ...]) -> CompoundSelect[Any]:
    """Of all queues; put together once, for the tables that are leased."""
    return union_all(*(_counted_in(*queue) for queue in queues_of_tables()))


def queues_of_tables() -> list[tuple[str, Table, tuple[ColumnElement[bool], ...]]]:
    """The queues by name, each with the rows of its table that somebody works on."""
    dues = {table: due_of(table) for table in leased_tables()}
    return [(due.figure, table, due.where) for table, due in dues.items() if due.figure is not None]


async def _count(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> int:
    return int(await connection.scalar(select(func.count()).where(*conditions)) or 0)


async def _last(connection: AsyncConnection, table: Table) -> int:
    return int(await connection.scalar(select(func.max(table.c.id))) or 0)


def _by_state(rows: Iterable[Any]) -> dict[RebuildState, int]:
    numbers = {row[0]: row[1] for row in rows}
    return {state: numbers.get(state.value, 0) for state in RebuildState if not state.has_ended}


def _counted_in(name: str, table: Table, conditions: Sequence[ColumnElement[bool]]) -> Select[str, int, int, Any]:
    now = bindparam("now", type_=Moment())
    is_leased = and_(table.c.lease_until.is_not(None), table.c.lease_until > now)
    is_due = and_(table.c.due_at <= now, ~is_leased)
    return select(
        literal(name).label("name"),
        func.count(case((is_due, 1))).label("due"),
        func.count(case((is_leased, 1))).label("leased"),
        func.min(case((is_due, table.c.due_at))).label("oldest"),
    ).where(*conditions, or_(table.c.due_at <= now, table.c.lease_until.is_not(None)))


async def _practices(connection: AsyncConnection) -> dict[tuple[str, Outcome], int]:
    """Counts outcomes on the last day that was counted, which is today once the audit has run."""
    from bot.files.audit.rules import BY_CHECK

    last = select(func.max(practice_days.c.day)).scalar_subquery()
    rows = await connection.execute(select(practice_days).where(practice_days.c.day == last))
    counted = {(row.practice, Outcome(row.outcome)): row.repositories for row in rows}
    return {(check, outcome): counted.get((check, outcome), 0) for check in BY_CHECK for outcome in Outcome}


async def _feeds(connection: AsyncConnection, now: datetime) -> dict[str, FeedFigures]:
    rows = await connection.execute(
        select(
            documents.c.kind,
            func.max(documents.c.checked_at).label("newest"),
            func.count(documents.c.error).label("errors"),
        ).group_by(documents.c.kind)
    )
    read = await connection.execute(select(dumps.c.ecosystem, dumps.c.checked_at, dumps.c.error))
    return {
        **{row.kind: FeedFigures(None if row.newest is None else now - row.newest, row.errors) for row in rows},
        **{
            feed_name(row.ecosystem): FeedFigures(
                None if row.checked_at is None else now - row.checked_at, int(row.error is not None)
            )
            for row in read
        },
    }


class OperationsStore(Store):
    """Reads the page of the bot at work, and writes nothing."""

    async def operations(self) -> Operations:
        """Reads what the page about the bot itself shows: queues, budgets, incidents, pauses, and the newest
        orders."""
        now = self._clock.now()
        async with self._database.reading() as connection:
            troubles = await connection.execute(
                select(incidents)
                .order_by(incidents.c.cleared_at.is_not(None), incidents.c.opened_at.desc())
                .limit(MOST_ROWS // 2)
            )
            return Operations(
                await queues(connection, now),
                await _budgets(connection, now),
                tuple(IncidentRow(row.subject, row.opened_at, row.cleared_at, row.detail) for row in troubles),
                tuple(await open_pauses(connection)),
                await open_quarantines(connection),
                tuple(await latest_entries(connection, MOST_ROWS)),
            )


async def _budgets(connection: AsyncConnection, now: datetime) -> tuple[BudgetRow, ...]:
    in_minute = func.sum(case((spendings.c.at > now - timedelta(minutes=1), spendings.c.contents), else_=0))
    spent = (
        select(spendings.c.account, in_minute.label("minute"), func.sum(spendings.c.contents).label("hour"))
        .where(spendings.c.at > now - timedelta(hours=1))
        .group_by(spendings.c.account)
        .subquery()
    )
    rows = await connection.execute(
        select(budgets, spent.c.minute, spent.c.hour)
        .outerjoin(spent, spent.c.account == budgets.c.account)
        .order_by(budgets.c.account)
        .limit(MOST_ROWS)
    )
    return tuple(
        BudgetRow(row.account, row.minute or 0, row.hour or 0, row.room_at, row.stopped_until, row.stopped_because)
        for row in rows
    )
