"""Findings for code scanning: what `act.code_scanning` reads and writes."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import Incident
from bot.fleet.act.code_scanning.tick import DueScan, UploadedFindings
from bot.reconcile.work import Claimed
from bot.store.engine.codec import load
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.repositories.audits import IS_SCANNED, audits, code_scans, unpacked
from bot.store.rows.repositories.repositories import IDENTITY, identity_of
from bot.store.rows.repositories.tables import repositories


class CodeScanningStore(Store):
    """`bot.fleet.act.code_scanning.tick.ScanStore` on the database."""

    @property
    def scans(self) -> DueRows[DueScan]:
        return DueRows(
            *(self._database, self._worker, code_scans, self._read_scan),
            lambda row: f"code scan {row['repository_id']}",
            where=[IS_SCANNED],
            ends_with_where=True,
        )

    async def _read_scan(self, claimed: Claimed) -> DueScan:
        async with self._database.reading() as connection:
            row = (
                await connection.execute(
                    select(
                        *(*IDENTITY, repositories.c.default_branch),
                        *(audits.c.files, audits.c.findings),
                    )
                    .join(audits, audits.c.repository_id == repositories.c.id)
                    .where(repositories.c.id == claimed.row["repository_id"])
                )
            ).one()
        files = load(row.files, dict[str, str])
        home = identity_of(row)
        last_upload = (claimed.row["uploaded"], claimed.row["upload"])
        return DueScan(claimed.id, home, row.default_branch, files, unpacked(row.findings), *last_upload)

    async def settle_scan(self, item: DueScan, result: UploadedFindings, due_at: datetime) -> None:
        async with self._database.transaction() as connection:
            values = {"uploaded": result.uploaded, "upload": result.upload, "refused": None, "error": None}
            await settle(connection, code_scans, self._worker, item.id, due_at=due_at, values=values)
            if not await _is_refused(connection, _owner(item)):
                await tell_incidents(connection, [], [_subject(item)], self._clock.now())

    async def refuse_scan(self, item: DueScan, reason: str, due_at: datetime) -> None:
        async with self._database.transaction() as connection:
            await settle(connection, code_scans, self._worker, item.id, due_at=due_at, values={"refused": reason})
            now = self._clock.now()
            text = (
                f"findings cannot be uploaded at {_owner(item)} ({reason}); code scanning must be switched on and "
                "licensed there, and the App needs security_events: write"
            )
            await tell_incidents(connection, [Incident(_subject(item), now, text)], [], now)

    async def forget_upload(self, item: DueScan, reason: str, due_at: datetime) -> None:
        async with self._database.transaction() as connection:
            values = {"uploaded": None, "upload": None, "error": reason}
            await settle(
                connection, code_scans, self._worker, item.id, due_at=due_at, succeeded=False, values=values
            )


def _subject(item: DueScan) -> str:
    """Names one incident for each owner, as licences and rights are given."""
    return f"code-scanning:{_owner(item).lower()}"


def _owner(item: DueScan) -> str:
    return item.repository.name.partition("/")[0]


async def _is_refused(connection: AsyncConnection, owner: str) -> bool:
    """Whether some repository of an owner still gives nothing of code scanning, whatever others do."""
    query = (
        select(code_scans.c.id)
        .join(repositories, repositories.c.id == code_scans.c.repository_id)
        .where(
            code_scans.c.refused.is_not(None),
            repositories.c.listed.is_(True),
            func.lower(repositories.c.name).startswith(f"{owner.lower()}/", autoescape=True),
        )
        .limit(1)
    )
    return await connection.scalar(query) is not None
