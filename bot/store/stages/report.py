"""Messages that are due, and what they are about: what `report` reads and writes."""

from typing import Any

from sqlalchemy import Row, func, select

from bot.domain.bases.change import Change
from bot.domain.bases.notice import Topic
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import State
from bot.domain.rollouts.rollout import Rollout
from bot.reconcile.work import Claimed
from bot.report.news import IncidentNews, NoticeNews
from bot.report.ports import DueMessage
from bot.report.rollout_message import headline
from bot.report.stops import FailedRebuild, PauseNews, QuarantineNews
from bot.store.engine.codec import load
from bot.store.engine.due_rows import DueRows
from bot.store.engine.queue import settle
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.rows.notices import users_of
from bot.store.rows.rollouts import rollout_of
from bot.store.rows.tables import (
    bases,
    changes,
    incidents,
    notices,
    outbox,
    pauses,
    quarantines,
    rebuilds,
    repositories,
)

_MOST_FAILURES = 20
"""In one message; who needs more asks `rollout show`."""


class ReportStore(Store):
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

    async def rollout(self, id: int) -> Rollout:  # noqa: A002 - the word of the language
        async with self._database.reading() as connection:
            return await rollout_of(connection, id)

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
            moved = await connection.execute(
                select(changes.c.change).where(changes.c.rollout_id == row.rollout_id).order_by(changes.c.id)
            )
            title = headline([load(change, Change) for change in moved.scalars()])
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


async def _message_of(claimed: Claimed) -> DueMessage:
    row = claimed.row
    return DueMessage(
        row["id"], row["key"], row["wanted"], row["sent"], row["remote"], row["attempts"], row["created_at"]
    )
