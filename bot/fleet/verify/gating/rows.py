"""What the gate says of images: what its stage, and rebuilds that are proved, read and write."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.document import FeedKind
from bot.domain.packages.cves.detected import DetectedVulnerability
from bot.domain.packages.gate import Excused, Gated, GateOutcome
from bot.fleet.verify.gating.ports import DueGate, ToldImage
from bot.fleet.verify.images.rows.told_images import ShownInventories, shown_before, shown_now, told_images
from bot.images.vulnerabilities import KeptData
from bot.reconcile.work import Claimed
from bot.store.engine.codec import dump
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import insert_missing, upsert
from bot.store.rows.bases.tables import documents
from bot.store.rows.images.gates import gates, let_through, make_images_due
from bot.store.rows.images.images import IMAGES_WITH_REPOSITORY, image_of, images
from bot.store.rows.images.scan_reports import scan_report_digests, scan_reports
from bot.store.rows.inventories.inventories import image_inventories, inventories
from bot.store.rows.inventories.kept_data import kept_data
from bot.store.rows.inventories.vulnerabilities import dumps

MOST_KEPT = 50
"""Vulnerabilities of each sort that are kept of one image by name; all are counted."""
_JUDGED_AT_MOST_EVERY = timedelta(minutes=15)
"""However often the data changes."""
_ADVISING = (
    FeedKind.DOTNET_RELEASES,
    FeedKind.DOTNET_CVE,
    FeedKind.MSRC_BULLETIN,
    FeedKind.GITHUB_ADVISORIES,
)


class GatingStore(Store):
    """`bot.fleet.verify.gating.ports.GateStore` on the database."""

    @property
    def gates(self) -> DueRows[DueGate]:
        return DueRows(
            self._database, self._worker, gates, self._gate, lambda row: f"gate of image {row['image_id']}"
        )

    async def _gate(self, claimed: Claimed) -> DueGate:
        query = IMAGES_WITH_REPOSITORY.where(images.c.id == claimed.row["image_id"])
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one()
        return DueGate(claimed.id, image_of(row, row.name, ()))

    async def make_due(self, mark: str) -> None:
        now = self._clock.now()
        async with self._database.reading() as connection:
            is_other = await _is_other(connection, mark, now)
        await make_images_due(self._database, gates, is_other, now)

    async def forget_gates(self) -> None:
        async with self._database.reading() as connection:
            if (await connection.execute(select(gates.c.id).limit(1))).first() is None:
                return
        async with self._database.transaction() as connection:
            await connection.execute(delete(gates))
            await connection.execute(delete(let_through))

    async def told_images(self, images: Collection[int]) -> Mapping[int, ToldImage]:
        async with self._database.reading() as connection:
            return await told_images(connection, images)

    async def kept_data(self) -> KeptData:
        async with self._database.reading() as connection:
            return await kept_data(connection)

    async def keep_gated(self, image: int, facts: ToldImage | None, gated: Gated | None) -> None:
        now = self._clock.now()
        values = _values(facts, gated, now)
        async with self._database.transaction() as connection:
            noted = await _to_compare_with(connection, image, facts, gated)
            await connection.execute(upsert(connection, gates, ["image_id"], image_id=image, due_at=now, **values))
            await _note_let_through(connection, noted, gated)

    async def settle_gate(
        self, gate: DueGate, facts: ToldImage | None, gated: Gated | None, mark: str, due_at: datetime
    ) -> None:
        values = {**_values(facts, gated, self._clock.now()), "mark": mark, "error": None}
        async with self._database.transaction() as connection:
            noted = await _to_compare_with(connection, gate.image.id, facts, gated)
            await settle(connection, gates, self._worker, gate.id, due_at=due_at, values=values)
            await _note_let_through(connection, noted, gated)


async def _is_other(connection: AsyncConnection, mark: str, now: datetime) -> ColumnElement[bool]:
    """Whether the image, the settings or the data of a row that waits are others than those that were judged."""
    fetched_times = [
        await connection.scalar(select(func.max(dumps.c.fetched_at))),
        await connection.scalar(
            select(func.max(documents.c.fetched_at)).where(documents.c.kind.in_([each.value for each in _ADVISING]))
        ),
    ]
    moments = [each for each in fetched_times if each is not None]
    is_moved = (
        select(images.c.id).where(images.c.id == gates.c.image_id, images.c.digest != gates.c.digest).exists()
    )
    reported = (
        select(scan_reports.c.id)
        .join(scan_report_digests, scan_report_digests.c.report_id == scan_reports.c.id)
        .where(scan_report_digests.c.digest == gates.c.digest, scan_reports.c.kept_at > gates.c.judged_at)
        .exists()
    )
    of_platform = (
        select(scan_reports.c.id)
        .join(scan_report_digests, scan_report_digests.c.report_id == scan_reports.c.id)
        .join(inventories, scan_report_digests.c.digest.in_([inventories.c.digest, inventories.c.config_digest]))
        .join(image_inventories, image_inventories.c.inventory_id == inventories.c.id)
        .where(image_inventories.c.image_id == gates.c.image_id, scan_reports.c.kept_at > gates.c.judged_at)
        .exists()
    )
    reasons = [is_moved, gates.c.mark.is_distinct_from(mark), reported, of_platform]
    if moments:
        reasons.append(and_(gates.c.judged_at < max(moments), gates.c.judged_at < now - _JUDGED_AT_MOST_EVERY))
    return and_(gates.c.attempts == 0, or_(*reasons))


def _values(facts: ToldImage | None, gated: Gated | None, now: datetime) -> dict[str, Any]:
    if gated is None or facts is None:
        nothing = dict.fromkeys(("mode", "outcome", "told", "gated"))
        return {**nothing, "digest": facts and facts.digest, "blocking": 0, "unfixed": 0, "judged_at": now}
    return {
        "digest": facts.digest,
        "mode": gated.mode.value,
        "outcome": gated.outcome.value,
        "told": gated.told,
        "blocking": len(gated.blocking),
        "unfixed": len(gated.unfixed),
        "gated": dump(_shorten(gated), Gated),
        "judged_at": now,
    }


def _shorten(gated: Gated) -> Gated:
    def first(vulnerabilities: tuple[DetectedVulnerability, ...]) -> tuple[DetectedVulnerability, ...]:
        return tuple(sorted(vulnerabilities, key=lambda each: -each.severity.rank)[:MOST_KEPT])

    excuses: tuple[Excused, ...] = gated.excused[:MOST_KEPT]
    return Gated(
        gated.mode,
        gated.outcome,
        first(gated.blocking),
        first(gated.unfixed),
        excuses,
        gated.gaps[:MOST_KEPT],
        gated.is_pending,
        gated.is_compared,
        first(gated.unsure),
    )


async def _to_compare_with(
    connection: AsyncConnection, image: int, facts: ToldImage | None, gated: Gated | None
) -> ShownInventories | None:
    """What the next one is compared with: what passed, or what that which did not was compared with itself.

    It is read before what the gate says is written: what is held back is not followed to what was shown before it.
    """
    if facts is None or gated is None or gated.outcome is GateOutcome.UNKNOWN:
        return None
    has_passed = gated.outcome is GateOutcome.PASSED
    shown_inventories = (await (shown_now if has_passed else shown_before)(connection, [image])).get(image)
    return (
        None
        if shown_inventories is None or (has_passed and shown_inventories.digest != facts.digest)
        else shown_inventories
    )


async def _note_let_through(
    connection: AsyncConnection, shown_inventories: ShownInventories | None, gated: Gated | None
) -> None:
    """Keeps what the next one is compared with."""
    if shown_inventories is None or gated is None:
        return
    if gated.outcome is GateOutcome.PASSED:
        await connection.execute(delete(let_through).where(let_through.c.image_id == shown_inventories.image))
        owed = sorted([*each.found.identity] for each in gated.excused)
        await connection.execute(update(gates).where(gates.c.image_id == shown_inventories.image).values(owed=owed))
    for platform, inventory in sorted(shown_inventories.inventories.items()):
        row = insert_missing(
            connection,
            let_through,
            image_id=shown_inventories.image,
            platform=platform,
            digest=shown_inventories.digest,
            inventory_id=inventory,
        )
        await connection.execute(row)
