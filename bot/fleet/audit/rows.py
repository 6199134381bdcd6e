"""Repositories with their files and findings: what the audit of the fleet reads and writes."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.finding import Finding, JudgedRepository, moves, outcomes
from bot.fleet.act.issue.sections import PRACTICES, practices_section
from bot.fleet.audit.tick import AuditOptions, DueAudit
from bot.reconcile.work import Claimed
from bot.store.engine.codec import load
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, insert_into, insert_missing, lock, upsert_rows
from bot.store.rows.images.produced import produced_configs
from bot.store.rows.repositories.audits import (
    audits,
    forget_scan,
    judged_otherwise,
    packed,
    practice_days,
    practice_weeks,
    practices,
    unpacked,
    want_scan,
)
from bot.store.rows.repositories.blobs import blobs_of
from bot.store.rows.repositories.issues import say, unsay
from bot.store.rows.repositories.repositories import IDENTITY, identity_of
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.tables import tasks

_TASK = "judge practices anew"


class AuditStore(Store):
    """`bot.fleet.audit.tick.AuditStore` on the database."""

    async def expect(self, mark: str) -> None:
        """Makes all repositories due that were judged under another mark; costs nothing while it stays the same."""
        now, mine = self._clock.now(), tasks.c.name == _TASK
        async with self._database.reading() as connection:
            known = await connection.scalar(select(tasks.c.mark).where(mine))
        if known == mark:
            return
        async with self._database.transaction() as connection:
            await connection.execute(insert_missing(connection, tasks, name=_TASK, due_at=now))
            await connection.execute(update(tasks).where(mine).values(mark=mark))
            ids = await judged_otherwise(connection, mark)
            await lock(connection, audits, ids)
            for chunk in chunks(ids):
                await connection.execute(
                    update(audits)
                    .where(audits.c.id.in_(chunk))
                    .values(due_at=now, attempts=0, lease_owner=None, lease_until=None)
                )

    @property
    def audits(self) -> DueRows[DueAudit]:
        return DueRows(
            self._database, self._worker, audits, self._read, lambda row: f"audit {row['repository_id']}"
        )

    async def _read(self, claimed: Claimed) -> DueAudit:
        row = claimed.row
        async with self._database.reading() as connection:
            query = select(*IDENTITY, repositories.c.default_branch).where(
                repositories.c.id == row["repository_id"]
            )
            of_repository = (await connection.execute(query)).one()
            home = identity_of(of_repository)
            produced = await produced_configs(connection, row["repository_id"], home.name)
        findings = unpacked(row["findings"]) if row["findings"] is not None else None
        files = load(row["files"], dict[str, str])
        return DueAudit(
            *(row["id"], row["repository_id"], home.name, files, produced),
            *(findings, row["mark"], row["error"], home.node_id, home.forge),
            default_branch=of_repository.default_branch,
        )

    async def contents(self, shas: Sequence[str]) -> dict[str, bytes]:
        async with self._database.reading() as connection:
            return await blobs_of(connection, shas)

    async def save(self, item: DueAudit, judged: JudgedRepository, options: AuditOptions, due_at: datetime) -> None:
        """Stores an audit; what opened and closed counts only between two by the same rules."""
        now, same_rules = self._clock.now(), item.mark == options.mark
        values = {"mark": options.mark, "error": None, "audited_at": now, "findings": packed(judged.findings)}
        async with self._database.transaction() as connection:
            await settle(connection, audits, self._worker, item.id, due_at=due_at, values=values)
            await _keep_outcomes(connection, item.repository, judged.findings)
            if item.before is not None and same_rules:
                await _count_moves(connection, _monday(now.date()), item.before, judged.findings)
            if options.uploads(item.name):
                await want_scan(connection, item.repository, now)
            else:
                await forget_scan(connection, item.repository)
            section = practices_section(judged.findings, opens_issue=options.opens_issues)
            if section is None:
                await unsay(connection, item.repository, PRACTICES, now)
            else:
                await say(connection, item.repository, section, now)

    async def count_day(self, *, is_news: bool) -> None:
        """Keeps how many repositories stand how today, where something changed or nobody counted today."""
        day = self._clock.now().date()
        async with self._database.reading() as connection:
            known = {
                (row.practice, row.outcome): row.repositories
                for row in await connection.execute(select(practice_days).where(practice_days.c.day == day))
            }
            if known and not is_news:
                return
            counted = select(practices.c.practice, practices.c.outcome, func.count().label("number"))
            rows = await connection.execute(counted.group_by(practices.c.practice, practices.c.outcome))
            numbers = {(row.practice, row.outcome): row.number for row in rows}
        numbers |= dict.fromkeys(known.keys() - numbers.keys(), 0)
        changed = [(key, number) for key, number in sorted(numbers.items()) if known.get(key) != number]
        if not changed:
            return
        async with self._database.transaction() as connection:
            rows_of_day = [
                {"day": day, "practice": practice, "outcome": outcome, "repositories": number}
                for (practice, outcome), number in changed
            ]
            key = ("day", "practice", "outcome")
            await connection.execute(upsert_rows(connection, practice_days, key, ["repositories"]), rows_of_day)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


async def _keep_outcomes(connection: AsyncConnection, repository: int, findings: Sequence[Finding]) -> None:
    """Writes those that changed alone."""
    mine = practices.c.repository_id == repository
    rows = await connection.execute(select(practices.c.practice, practices.c.outcome).where(mine))
    known = {row.practice: row.outcome for row in rows}
    wanted = {check: outcome.value for check, outcome in outcomes(findings).items()}
    if stale := sorted(check for check, outcome in known.items() if wanted.get(check) != outcome):
        await connection.execute(delete(practices).where(mine, practices.c.practice.in_(stale)))
    fresh = [
        {"repository_id": repository, "practice": check, "outcome": outcome}
        for check, outcome in sorted(wanted.items())
        if known.get(check) != outcome
    ]
    if fresh:
        await connection.execute(insert(practices), fresh)


async def _count_moves(
    connection: AsyncConnection, week: date, before: Sequence[Finding], after: Sequence[Finding]
) -> None:
    for check, moved in moves(before, after).items():
        made = insert_into(connection, practice_weeks).values(
            week=week, practice=check, opened=moved.opened, closed=moved.closed
        )
        more = {
            "opened": practice_weeks.c.opened + moved.opened,
            "closed": practice_weeks.c.closed + moved.closed,
        }
        await connection.execute(made.on_conflict_do_update(index_elements=["week", "practice"], set_=more))
