"""The fleet issue: what `report.fleet_issue` reads and writes."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Failure, LeaseLost
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import AWAITING
from bot.domain.rollouts.rollout import Pause
from bot.domain.rollouts.witness import LONGEST_SAID, MOST_SAID, Said, SaidHold, SaidQuarantine, Witness
from bot.fleet.report.fleet_issue.body import Box, BoxRequest, FleetNews, WaitingRebuild
from bot.fleet.report.fleet_issue.tick import DueFleetIssue, Kept
from bot.fleet.report.witness.rows import waits_for_resume
from bot.reconcile.work import Claimed
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import insert_missing
from bot.store.orders.orders import hold_within, retry_within
from bot.store.pages.fleet.summary import summarize_fleet
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rollouts import OPEN, open_pauses
from bot.store.rows.rollouts.tables import quarantines, rebuilds
from bot.store.rows.tables import fleet_issues

_SPAN = timedelta(days=7)
_MOST_WAITING = 20


class FleetIssueStore(Store):
    """`bot.fleet.report.fleet_issue.tick.FleetIssueStore` on the database."""

    def queue(self, repository: str) -> DueRows[DueFleetIssue]:
        conditions = [fleet_issues.c.repository == repository]
        return DueRows(
            self._database,
            self._worker,
            fleet_issues,
            _read_due_issue,
            lambda row: f"fleet issue {row['id']}",
            where=conditions,
        )

    async def expect(self, repository: str) -> None:
        async with self._database.reading() as connection:
            row_id = await connection.scalar(
                select(fleet_issues.c.id).where(fleet_issues.c.repository == repository)
            )
        if row_id is None:
            row = insert_missing(
                connection, fleet_issues, repository=repository, heeded={}, due_at=self._clock.now()
            )
            async with self._database.transaction() as connection:
                await connection.execute(row)

    async def heed(self, item: DueFleetIssue, wording: int, box: Box, word: Word) -> bool:
        """Does what a box asks for, in one transaction with the note of it, so that a crash leaves both or
        neither."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            if str(box) in await _read_heeded(connection, item, wording):
                return False
        try:
            async with self._database.transaction() as connection:
                order = hold_within if box.request is BoxRequest.HOLD else retry_within
                await order(connection, box.repository, word, now)
                await self._note_heeded(connection, item, wording, box)
        except Failure:
            async with self._database.transaction() as connection:
                await self._note_heeded(connection, item, wording, box)
            raise
        return True

    async def _note_heeded(self, connection: AsyncConnection, item: DueFleetIssue, wording: int, box: Box) -> None:
        every = await connection.scalar(select(fleet_issues.c.heeded).where(fleet_issues.c.id == item.id)) or {}
        conditions = fleet_issues.c.id == item.id, fleet_issues.c.lease_owner == self._worker.name
        heeded = every | {str(wording): [*every.get(str(wording), ()), str(box)]}
        if (await connection.execute(update(fleet_issues).where(*conditions).values(heeded=heeded))).rowcount != 1:
            raise LeaseLost(f"fleet issue {item.id} is no longer leased to {self._worker.name}")

    async def news(self) -> FleetNews:
        now = self._clock.now()
        async with self._database.reading() as connection:
            summary = await summarize_fleet(connection, now - _SPAN, now)
            witness = None if await waits_for_resume(connection) else await _witness(connection, now)
            return FleetNews(summary, await _read_waiting(connection), await _count_waiting(connection), witness)

    async def settle_fleet_issue(self, item: DueFleetIssue, issue: Kept, due_at: datetime) -> None:
        """Boxes of earlier wordings are gone with them."""
        async with self._database.transaction() as connection:
            heeded = await connection.scalar(select(fleet_issues.c.heeded).where(fleet_issues.c.id == item.id))
            latest = {number: boxes for number, boxes in (heeded or {}).items() if int(number) >= issue.wording}
            values = {"number": issue.number, "url": issue.url, "wording": issue.wording, "heeded": latest}
            await settle(
                connection, fleet_issues, self._worker, item.id, due_at=due_at, values=values | {"error": None}
            )


async def _read_due_issue(claimed: Claimed) -> DueFleetIssue:
    row = claimed.row
    return DueFleetIssue(row["id"], row["repository"], row["number"], row["wording"])


async def _read_heeded(connection: AsyncConnection, item: DueFleetIssue, wording: int) -> list[str]:
    every = await connection.scalar(select(fleet_issues.c.heeded).where(fleet_issues.c.id == item.id))
    return list((every or {}).get(str(wording), ()))


def _subject(pause: Pause) -> str:
    return "everything" if pause.rollout is None else f"rollout {pause.rollout}"


async def _witness(connection: AsyncConnection, now: datetime) -> Witness:
    """What would be lost with the store: pauses, holds and quarantines that stand, each in a line."""
    said = [f"{_subject(pause)} paused by {pause.who}: {pause.reason}" for pause in await open_pauses(connection)]
    quarantined_rows = (
        await connection.execute(
            select(
                *(bases.c.registry, bases.c.repository, bases.c.tag),
                *(quarantines.c.digest, quarantines.c.who, quarantines.c.reason),
            )
            .join(bases, bases.c.id == quarantines.c.base_id)
            .where(quarantines.c.until.is_(None))
            .order_by(quarantines.c.id)
        )
    ).all()
    said += [
        f"{base_of(row).short}@{row.digest[:19]} quarantined by {row.who}: {row.reason}" for row in quarantined_rows
    ]
    held_rows = (
        await connection.execute(
            select(repositories.c.name, func.max(rebuilds.c.held_because).label("reason"))
            .join(repositories, repositories.c.id == rebuilds.c.repository_id)
            .where(rebuilds.c.state.in_(OPEN), rebuilds.c.held_because.is_not(None))
            .group_by(repositories.c.name)
            .order_by(repositories.c.name)
        )
    ).all()
    said += [f"{row.name} {row.reason}" for row in held_rows]
    to_put_back: tuple[Said, ...] = (
        *(SaidQuarantine(base_of(row), row.digest, row.who, row.reason) for row in quarantined_rows),
        *(SaidHold(row.name, row.reason) for row in held_rows),
    )
    lines = tuple(line[:LONGEST_SAID] for line in said[:MOST_SAID])
    return Witness(now.date(), lines, len(said), to_put_back[:MOST_SAID])


async def _read_waiting(connection: AsyncConnection) -> tuple[WaitingRebuild, ...]:
    """What has not begun, each repository once, what waits longest first."""
    longest = func.min(rebuilds.c.id)
    hold_reason = func.max(rebuilds.c.held_because)
    rows = await connection.execute(
        select(repositories.c.name, func.min(rebuilds.c.reason).label("reason"), hold_reason.label("held"))
        .join(repositories, repositories.c.id == rebuilds.c.repository_id)
        .where(rebuilds.c.state.in_(AWAITING))
        .group_by(repositories.c.name)
        .order_by(longest)
        .limit(_MOST_WAITING)
    )
    return tuple(WaitingRebuild(row.name, row.held or row.reason, row.held is not None) for row in rows)


async def _count_waiting(connection: AsyncConnection) -> int:
    number = select(func.count(rebuilds.c.repository_id.distinct())).where(rebuilds.c.state.in_(AWAITING))
    return int(await connection.scalar(number) or 0)
