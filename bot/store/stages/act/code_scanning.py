"""Findings for code scanning: what `act.code_scanning` reads and writes."""

from datetime import datetime

from sqlalchemy import select

from bot.act.code_scanning import DueScan, Scanned
from bot.domain.repositories.repository import Identity
from bot.reconcile.work import Claimed
from bot.store.engine.codec import load
from bot.store.engine.due_rows import DueRows
from bot.store.engine.queue import settle
from bot.store.engine.store import Store
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.repositories.audits import audits, unpacked
from bot.store.rows.repositories.code_scans import code_scans
from bot.store.rows.rollouts.rollouts import ALL_PAUSED
from bot.store.rows.tables import repositories
from bot.watch.registry.incident import Incident


class CodeScanningStore(Store):
    @property
    def scans(self) -> DueRows[DueScan]:
        """Those of the fleet that were judged, while the bot is not paused as a whole."""
        judged = (
            select(audits.c.repository_id)
            .join(repositories, repositories.c.id == audits.c.repository_id)
            .where(audits.c.findings.is_not(None), repositories.c.listed.is_(True))
        )
        where = [code_scans.c.repository_id.in_(judged), ~ALL_PAUSED]
        return DueRows(
            *(self._database, self._worker, code_scans, self._read),
            lambda row: f"code scan {row['repository_id']}",
            where=where,
        )

    async def _read(self, claimed: Claimed) -> DueScan:
        async with self._database.reading() as connection:
            row = (
                await connection.execute(
                    select(
                        *(repositories.c.name, repositories.c.node_id, repositories.c.default_branch),
                        *(audits.c.files, audits.c.findings),
                    )
                    .join(audits, audits.c.repository_id == repositories.c.id)
                    .where(repositories.c.id == claimed.row["repository_id"])
                )
            ).one()
        files = load(row.files, dict[str, str])
        home = Identity(row.name, row.node_id)
        return DueScan(claimed.id, home, row.default_branch, files, unpacked(row.findings), claimed.row["uploaded"])

    async def settle_scan(self, item: DueScan, scanned: Scanned, due_at: datetime) -> None:
        async with self._database.transaction() as connection:
            values = {"uploaded": scanned.uploaded, "refused": None, "error": None}
            await settle(connection, code_scans, self._worker, item.id, due_at=due_at, values=values)
            await tell_incidents(connection, [], [_subject(item)], self._clock.now())

    async def refuse_scan(self, item: DueScan, why: str, due_at: datetime) -> None:
        async with self._database.transaction() as connection:
            values = {"refused": why}
            await settle(
                connection, code_scans, self._worker, item.id, due_at=due_at, succeeded=False, values=values
            )
            owner, now = item.repository.name.partition("/")[0], self._clock.now()
            text = (
                f"findings cannot be uploaded at {owner} ({why}); code scanning must be switched on and licensed "
                "there, and the App needs security_events: write"
            )
            await tell_incidents(connection, [Incident(_subject(item), now, text)], [], now)


def _subject(item: DueScan) -> str:
    """Names one incident for each owner, as licences and rights are given."""
    return f"code-scanning:{item.repository.name.partition('/')[0].lower()}"
