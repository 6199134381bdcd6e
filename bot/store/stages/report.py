"""Messages that are due, and what they are about: what `report` reads and writes."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, select

from bot.domain.bases.notice import Topic
from bot.domain.clock import Clock
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import AWAITING, Action, State
from bot.plan.pace import Pace
from bot.reconcile.work import Claimed
from bot.report.news import IncidentNews, NoticeNews
from bot.report.ports import DueMessage
from bot.report.rollout_message import headline
from bot.report.rollout_news import MOST_NAMED, SHOWN_FIRST, RolloutNews
from bot.report.stops import FailedRebuild, PauseNews, QuarantineNews
from bot.store.engine.database import Database
from bot.store.engine.due_rows import DueRows
from bot.store.engine.queue import Worker, settle
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.rows.notices import users_of
from bot.store.rows.rebuilds import read_rebuilds
from bot.store.rows.rollouts import changes_of, open_pauses, set_aside
from bot.store.rows.tables import (
    bases,
    incidents,
    notices,
    outbox,
    pauses,
    quarantines,
    rebuilds,
    repositories,
    rollouts,
)
from bot.store.stages.waits import read_through

_MOST_FAILURES = 20
"""In one message; who needs more asks `rollout show`."""
_PRESSING = case({state.value: place for place, state in enumerate(SHOWN_FIRST)}, value=rebuilds.c.state, else_=99)


class ReportStore(Store):
    """`pace` is what bounds rollouts."""

    def __init__(self, database: Database, worker: Worker, clock: Clock, pace: Pace) -> None:
        super().__init__(database, worker, clock)
        self._pace = pace

    @property
    def messages(self) -> DueRows[DueMessage]:
        """Those that the channel does not have in their newest words."""
        untold = [outbox.c.wanted > outbox.c.told]
        return DueRows(self._database, self._worker, outbox, _message_of, lambda row: str(row["key"]), where=untold)

    async def message_sent(self, message: DueMessage, fingerprint: str, remote: dict[str, Any] | None) -> None:
        """What was announced while the message was on its way stays due."""
        async with self._database.transaction() as connection:
            await settle(
                connection,
                outbox,
                self._worker,
                message.id,
                due_at=self._clock.now(),
                values={"told": message.wanted, "sent": fingerprint, "remote": remote, "error": None},
            )

    async def rollout(self, id: int) -> RolloutNews:  # noqa: A002 - the word of the language
        """Counted by the database; only the rebuilds that are named are read."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(rollouts).where(rollouts.c.id == id))).one()
            counts = (await connection.execute(_states_of(id))).all()
            names = await connection.scalar(_repositories_of(id))
            named = await read_rebuilds(
                connection, *_current(id), first=(_PRESSING, rebuilds.c.id), limit=MOST_NAMED
            )
            standing = [pause for pause in await open_pauses(connection) if pause.rollout in (None, id)]
            states = Counter({State(item.state): item.count for item in counts if not item.told})
            awaits = any(states[state] for state in AWAITING)
            through = await read_through(connection, self._pace, self._clock.now()) if awaits else {}
            return RolloutNews(
                id,
                row.opened_at,
                await changes_of(connection, id),
                int(names or 0),
                states,
                tuple(named),
                sum(item.count for item in counts if item.told),
                row.ended_at,
                standing[0] if standing else None,
                await set_aside(connection, id),
                through.get(id),
            )

    async def opened_by(self, id: int) -> datetime | None:  # noqa: A002 - the word of the language
        """When the last of what waits of a rollout will probably have begun."""
        async with self._database.reading() as connection:
            return (await read_through(connection, self._pace, self._clock.now())).get(id)

    async def incident(self, id: int) -> IncidentNews:  # noqa: A002 - the word of the language
        async with self._database.reading() as connection:
            row = (await connection.execute(select(incidents).where(incidents.c.id == id))).one()
        return IncidentNews(row.subject.partition(":")[2], row.opened_at, row.cleared_at, row.detail)

    async def pause(self, id: int) -> PauseNews:  # noqa: A002 - the word of the language
        """With the failures of its rollout, the latest first."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(pauses).where(pauses.c.id == id))).one()
            if row.rollout_id is None:
                return PauseNews(None, "", row.since, row.who, row.reason, row.until)
            failed = await connection.execute(
                select(repositories.c.name, rebuilds.c.url, rebuilds.c.reason)
                .join(repositories, repositories.c.id == rebuilds.c.repository_id)
                .where(
                    rebuilds.c.rollout_id == row.rollout_id,
                    rebuilds.c.state == State.FAILED,
                    rebuilds.c.retried_as.is_(None),
                )
                .order_by(rebuilds.c.ended_at.desc(), rebuilds.c.id)
                .limit(_MOST_FAILURES)
            )
            title = headline(await changes_of(connection, row.rollout_id))
            failures = tuple(FailedRebuild(item.name, item.url, item.reason) for item in failed)
        return PauseNews(row.rollout_id, title, row.since, row.who, row.reason, row.until, failures)

    async def quarantine(self, id: int) -> QuarantineNews:  # noqa: A002 - the word of the language
        async with self._database.reading() as connection:
            row = (
                await connection.execute(
                    select(quarantines, bases.c.registry, bases.c.repository, bases.c.tag)
                    .join(bases, bases.c.id == quarantines.c.base_id)
                    .where(quarantines.c.id == id)
                )
            ).one()
            waiting = await connection.scalar(select(func.count()).where(rebuilds.c.quarantine_id == id))
        base = Base(row.registry, row.repository, row.tag)
        outcome = row.outcome or ""
        return QuarantineNews(
            base, row.digest, row.since, row.who, row.reason, row.until, outcome, int(waiting or 0)
        )

    async def notice(self, id: int) -> list[NoticeNews]:  # noqa: A002 - the word of the language
        """All notices that were told together under this one's id, each with the repositories that use its base."""
        async with self._database.reading() as connection:
            rows = (
                await connection.execute(
                    select(notices, bases.c.registry, bases.c.repository, bases.c.tag)
                    .join(bases, bases.c.id == notices.c.base_id)
                    .where(notices.c.told_with == id)
                    .order_by(notices.c.id)
                )
            ).all()
            users = await users_of(connection, {row.base_id for row in rows})

        def news(row: Row[Any]) -> NoticeNews:
            base = Base(row.registry, row.repository, row.tag)
            concerned = tuple(users.get(row.base_id, ()))
            topic = Topic(row.topic)
            return NoticeNews(topic, base, row.since, row.text, row.cleared_at, row.outcome or "", concerned)

        return readable(rows, news, lambda row: f"notice {row.id}")


def _current(rollout: int) -> list[ColumnElement[bool]]:
    """The rebuilds of a rollout that nothing has taken the place of."""
    return [
        rebuilds.c.rollout_id == rollout,
        rebuilds.c.retried_as.is_(None),
        rebuilds.c.state != State.SUPERSEDED.value,
    ]


def _states_of(rollout: int) -> Select[Any]:
    """How many are in each state; who opted out is told of nothing."""
    is_told = case(
        (and_(rebuilds.c.action == Action.NOTIFY.value, rebuilds.c.state != State.SKIPPED.value), 1), else_=0
    ).label("told")
    counts = select(rebuilds.c.state, is_told, func.count().label("count")).where(*_current(rollout))
    return counts.group_by(rebuilds.c.state, is_told)


def _repositories_of(rollout: int) -> Select[Any]:
    return select(func.count(rebuilds.c.repository_id.distinct())).where(*_current(rollout))


async def _message_of(claimed: Claimed) -> DueMessage:
    row = claimed.row
    return DueMessage(
        row["id"], row["key"], row["wanted"], row["sent"], row["remote"], row["attempts"], row["created_at"]
    )
