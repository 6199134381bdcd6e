"""SBOMs of the fleet's images: what registries showed, and what people imported."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.package import Distribution, ImagePlace, Sbom, SbomOrigin
from bot.domain.reference import Reference
from bot.fleet.verify.inventory.sboms import SbomLook
from bot.reconcile.work import Claimed
from bot.store.engine.codec import dump
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import image_inventories, inventories, sbom_looks, sbom_packages, sboms
from bot.store.rows.inventories.read_inventories import package_ids


@dataclass(frozen=True, slots=True)
class FleetImage:
    """What an image of the fleet shows on one platform; `inventory` is its row."""

    inventory: int
    platform: str
    place: ImagePlace


class SbomStore(Store):
    """`bot.fleet.verify.inventory.sboms.SbomStore` on the database."""

    def looks(self, platforms: Collection[str]) -> DueRows[SbomLook]:
        of_platforms = select(inventories.c.id).where(inventories.c.platform.in_(platforms))
        return DueRows(
            self._database,
            self._worker,
            sbom_looks,
            self._look,
            lambda row: f"SBOMs of {row['registry']}/{row['repository']}",
            where=[sbom_looks.c.looked_at.is_(None), sbom_looks.c.inventory_id.in_(of_platforms)],
        )

    async def _look(self, claimed: Claimed) -> SbomLook:
        row = claimed.row
        query = select(inventories.c.digest).where(inventories.c.id == row["inventory_id"])
        async with self._database.reading() as connection:
            digest = (await connection.execute(query)).scalar_one()
        place = ImagePlace(row["registry"], row["repository"], digest, row["index_digest"])
        return SbomLook(row["id"], place, row["is_last"])

    async def save_sboms(self, look: SbomLook, new_sboms: Sequence[Sbom], again_at: datetime | None) -> None:
        now = self._clock.now()
        values = {"looked_at": now if again_at is None else None, "is_last": True, "error": None}
        of = select(sbom_looks.c.inventory_id).where(sbom_looks.c.id == look.id)
        async with self._database.transaction() as connection:
            await settle(connection, sbom_looks, self._worker, look.id, due_at=again_at or now, values=values)
            inventory = (await connection.execute(of)).scalar_one()
            await _replace(connection, inventory, new_sboms, sboms.c.origin != SbomOrigin.FILE.value, now)

    async def images_shown(self, reference: Reference) -> list[FleetImage]:
        """What the fleet's image of this name, and of the digest where one is given, showed last."""
        conditions: list[ColumnElement[bool]] = [
            images.c.registry == reference.registry,
            images.c.repository == reference.repository,
        ]
        if reference.digest is not None:
            conditions.append(or_(images.c.digest == reference.digest, inventories.c.digest == reference.digest))
        else:
            tag = reference.base.tag
            conditions.append(or_(images.c.found == tag, images.c.tag == tag))
        return await self._shown_images(*conditions)

    async def all_shown(self) -> list[FleetImage]:
        """Reads the images that the fleet showed last, all of them."""
        return await self._shown_images()

    async def _shown_images(self, *conditions: ColumnElement[bool]) -> list[FleetImage]:
        query = (
            select(
                *(images.c.registry, images.c.repository, inventories.c.id),
                *(inventories.c.platform, inventories.c.digest, images.c.digest),
            )
            .join(image_inventories, image_inventories.c.inventory_id == inventories.c.id)
            .join(images, images.c.id == image_inventories.c.image_id)
            .where(*conditions)
            .order_by(inventories.c.id, images.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        fleet_images = [
            FleetImage(number, platform, ImagePlace(registry, repository, digest, index))
            for registry, repository, number, platform, digest, index in rows
        ]
        return list({(each.inventory, each.place.name): each for each in fleet_images}.values())

    async def import_sbom(self, inventory: int, sbom: Sbom) -> None:
        """Keeps a document that somebody brought; the same one again takes its place."""
        is_same = (sboms.c.origin == SbomOrigin.FILE.value) & (sboms.c.document == sbom.document)
        async with self._database.transaction() as connection:
            await _replace(connection, inventory, [sbom], is_same, self._clock.now())


async def _replace(
    connection: AsyncConnection,
    inventory: int,
    new_sboms: Sequence[Sbom],
    is_replaced: ColumnElement[bool],
    now: datetime,
) -> None:
    await connection.execute(delete(sboms).where(sboms.c.inventory_id == inventory, is_replaced))
    for sbom in new_sboms:
        ids = await package_ids(connection, sbom.inventory.packages, now)
        statement = insert(sboms).values(
            inventory_id=inventory,
            document=sbom.document,
            origin=sbom.origin.value,
            strength=sbom.strength.value,
            told=sbom.signer_text,
            judged_by=sbom.judged_by,
            judged_until=sbom.judged_until,
            distribution=dump(sbom.inventory.distribution, Distribution | None),
            problems=list(sbom.inventory.problems),
            at=now,
        )
        number = (await connection.execute(statement.returning(sboms.c.id))).scalar_one()
        for part in chunks([{"sbom_id": number, "package_id": each} for each in sorted(ids)]):
            await connection.execute(insert(sbom_packages), part)
