"""Statements about fresh images: what attesting reads and writes."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, select

from bot.fleet.verify.attesting.tick import DueAttestation
from bot.reconcile.work import Claimed
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.rows.images.gates import make_images_due
from bot.store.rows.images.images import IMAGES_WITH_REPOSITORY, contested_images, image_of, images
from bot.store.rows.schema import DueTable, LongText, Moment, ShortText, falls_due, leased

attestations = leased(
    "attestations",
    Column("image_id", ForeignKey(images.c.id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("digest", ShortText(160)),
    Column("attached_at", Moment),
    Column("considered_at", Moment),
    Column("error", LongText),
)
"""`digest` is what the last statement was attached to; `considered_at` when the image was last judged."""
falls_due(attestations, DueTable())
"""The rows of an installation that signs statements no more stay, and are due: no figure tells of them."""


class AttestingStore(Store):
    """`bot.fleet.verify.attesting.tick.AttestingStore` on the database."""

    @property
    def attestations(self) -> DueRows[DueAttestation]:
        return DueRows(
            self._database,
            self._worker,
            attestations,
            self._attestation,
            lambda row: f"statement about image {row['image_id']}",
        )

    async def _attestation(self, claimed: Claimed) -> DueAttestation:
        query = IMAGES_WITH_REPOSITORY.where(images.c.id == claimed.row["image_id"])
        async with self._database.reading() as connection:
            contested = await contested_images(connection)
            row = (await connection.execute(query)).one()
        return DueAttestation(claimed.id, image_of(row, row.name, contested))

    async def make_due(self) -> None:
        """A row for each image that has none, and at once what was seen with another digest since."""
        is_moved = (
            select(images.c.id)
            .where(images.c.id == attestations.c.image_id, images.c.seen_at > attestations.c.considered_at)
            .exists()
        )
        await make_images_due(self._database, attestations, is_moved, self._clock.now())

    async def settle_attestation(self, attestation: DueAttestation, due_at: datetime, *, attached: bool) -> None:
        """Notes that the image was considered, and which digest a statement was attached to."""
        now = self._clock.now()
        values: dict[str, object] = {"considered_at": now, "error": None}
        if attached:
            values |= {"digest": attestation.image.digest, "attached_at": now}
        async with self._database.transaction() as connection:
            await settle(connection, attestations, self._worker, attestation.id, due_at=due_at, values=values)
