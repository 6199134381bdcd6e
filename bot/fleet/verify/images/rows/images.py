"""Images and what they stand on: what the looks at images read and write."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.observation import NotJudged, Observation, PlatformImage
from bot.domain.images.image import Builder, ProducedImage
from bot.domain.images.named_bases import NamedBase, NamedBases
from bot.domain.images.standing import LAW, Declaration, ImageStanding, behind_since, state_of
from bot.domain.reference import Base
from bot.fleet.verify.images.ports import KnownImage, Look
from bot.reconcile.work import Claimed
from bot.store.engine.codec import dump, load, readable
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import insert_missing, lock
from bot.store.rows.bases.bases import bases_named_by, has_name_among, look_at_bases, look_at_once
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.bases.tables import base_of, bases, manifests, observations
from bot.store.rows.images.contradictions import news_of_contradictions
from bot.store.rows.images.images import (
    IMAGES_WITH_REPOSITORY,
    contested_images,
    image_of,
    images,
    not_judged_in,
    standings_of,
    unpacked_layers,
)
from bot.store.rows.inventories.read_inventories import runtimes_in
from bot.store.rows.inventories.wanted import ShownImage, TwoLooks, want_image
from bot.store.rows.repositories.audits import audit_again
from bot.store.rows.repositories.tables import repositories

_AT_A_TIME = 2_000
COMPARED_AT_ONCE = 100
"""Images that are judged in one go, which holds up all else in the process."""
_BY_NAME = IMAGES_WITH_REPOSITORY.order_by(images.c.registry, images.c.repository, repositories.c.name, images.c.id)
_Declared = dict[str, tuple[Declaration, ...]]


class ImagesStore(Store):
    """`bot.fleet.verify.images.ports.ImagesStore` on the database."""

    @property
    def images(self) -> DueRows[ProducedImage]:
        return DueRows(
            self._database,
            self._worker,
            images,
            self._image,
            lambda row: f"{row['registry']}/{row['repository']}:{row['found'] or row['tag']}",
        )

    async def _image(self, claimed: Claimed) -> ProducedImage:
        async with self._database.reading() as connection:
            query = select(repositories.c.name).where(repositories.c.id == claimed.row["repository_id"])
            name = (await connection.execute(query)).scalar_one()
        return image_of(SimpleNamespace(**claimed.row), name, ())

    async def images_of(self, repository: str) -> list[ProducedImage]:
        """Reads the images that a repository produces, in the order of names."""
        return await self._read_images(repositories.c.name == repository)

    async def images_named(self, registry: str, repository: str) -> list[ProducedImage]:
        """The image of that name, once for each repository that says to produce it, in the order of these."""
        return await self._read_images((images.c.registry == registry) & (images.c.repository == repository))

    async def _read_images(self, which: ColumnElement[bool]) -> list[ProducedImage]:
        query = _BY_NAME.where(which)
        async with self._database.reading() as connection:
            contested = await contested_images(connection)
            rows = (await connection.execute(query)).all()
        return readable(rows, lambda row: image_of(row, row.name, contested), lambda row: f"image {row.id}")

    async def named_bases(self, image: ProducedImage) -> NamedBases:
        async with self._database.reading() as connection:
            bases_by_home = await bases_named_by(connection, [image.repository_id])
        return NamedBases.of(bases_by_home.get(image.repository_id, ()), image.claim.built_from)

    async def runtimes_inside(self, digests: Collection[str]) -> dict[str, tuple[str, ...]]:
        async with self._database.reading() as connection:
            return await runtimes_in(connection, digests)

    async def unpacked_since(self, last: int) -> list[tuple[int, str, str]]:
        query = select(unpacked_layers).where(unpacked_layers.c.id > last).order_by(unpacked_layers.c.id)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.limit(_AT_A_TIME))
            return [(row.id, row.digest, row.content) for row in rows]

    async def shown_digests(self, wanted_bases: Collection[Base]) -> dict[Base, str]:
        """Reads the digest that each of these bases showed last."""
        if not wanted_bases:
            return {}
        query = select(bases).where(has_name_among(wanted_bases), bases.c.digest.is_not(None))
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return {base_of(row): row.digest for row in rows}

    async def record_look(self, image: ProducedImage, look: Look, due_at: datetime) -> None:
        """Keeps what was read, and gives the lease back; raises `LeaseLost` where it is no longer ours."""
        async with self._database.transaction() as connection:
            await self._keep_documents(connection, look)
            values = self._values(image, look)
            looks = await self._looks(connection, image)
            await self._look_at_bases(connection, image, look)
            await settle(connection, images, self._worker, image.id, due_at=due_at, values=values)
            await self._want_packages(connection, image, look, looks)
            await audit_again(connection, [image.repository_id], self._clock.now())

    async def keep_look(self, image: ProducedImage, look: Look) -> None:
        """Keeps what was read of an image outside of its regular look."""
        async with self._database.transaction() as connection:
            await self._keep_documents(connection, look)
            await self._look_at_bases(connection, image, look)
            await lock(connection, images, [image.id])
            looks = await self._looks(connection, image)
            await connection.execute(
                update(images).where(images.c.id == image.id).values(**self._values(image, look))
            )
            await self._want_packages(connection, image, look, looks)
            await audit_again(connection, [image.repository_id], self._clock.now())

    def _values(self, image: ProducedImage, look: Look) -> dict[str, Any]:
        """What the image shows now; a digest that is looked at again was seen when it was seen first."""
        values = _columns_of(look, self._clock.now())
        is_same = image.digest == look.image.digest and image.seen_at is not None
        return {**values, "seen_at": image.seen_at} if is_same else values

    async def _look_at_bases(self, connection: AsyncConnection, image: ProducedImage, look: Look) -> None:
        """Has the watch look at once at the bases that are this image, and at those of which it shows a build that
        nobody saw."""
        now = self._clock.now()
        await look_at_bases(connection, image.claim.name, look.image.digest, now)
        unseen = {each.built_from for each in look.standings if each.built_from is not None}
        await look_at_once(connection, unseen, now)

    async def _looks(self, connection: AsyncConnection, image: ProducedImage) -> TwoLooks:
        before: datetime | None = await connection.scalar(select(images.c.looked_at).where(images.c.id == image.id))
        return TwoLooks(self._clock.now(), before)

    async def _want_packages(
        self, connection: AsyncConnection, image: ProducedImage, look: Look, looks: TwoLooks
    ) -> None:
        shown_images = [
            ShownImage(image.claim.registry, image.claim.repository, platform) for platform in look.image.platforms
        ]
        await want_image(connection, image.id, look.image.digest, shown_images, looks)

    async def _keep_documents(self, connection: AsyncConnection, look: Look) -> None:
        now = self._clock.now()
        for digest, body in sorted(look.image.fetched.items()):
            row = insert_missing(connection, manifests, digest=digest, body=zlib.compress(body), fetched_at=now)
            await connection.execute(row)
        for layer, content in sorted(look.unpacked.items()):
            layer_row = insert_missing(connection, unpacked_layers, digest=layer, content=content, read_at=now)
            await connection.execute(layer_row)

    async def record_unmoved(self, unmoved: Sequence[ProducedImage], due_at: datetime) -> None:
        """Stores in one statement that these images were looked at and showed nothing new."""
        statement = (
            update(images)
            .where(images.c.id == bindparam("image"), images.c.lease_owner == self._worker.name)
            .values(
                due_at=due_at,
                looked_at=self._clock.now(),
                attempts=0,
                error=None,
                lease_owner=None,
                lease_until=None,
            )
        )
        async with self._database.transaction() as connection:
            await lock(connection, images, {image.id for image in unmoved})
            await connection.execute(statement, [{"image": image.id} for image in unmoved])

    async def observations_since(self, last: int) -> list[tuple[int, Observation]]:
        query = (
            select(observations.c.id, observations.c.observation)
            .where(observations.c.id > last)
            .order_by(observations.c.id)
            .limit(_AT_A_TIME)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return readable(
            rows, lambda row: (row.id, load(row.observation, Observation)), lambda row: f"observation {row.id}"
        )

    async def known_images(self, after: int) -> list[KnownImage]:
        query = (
            select(images)
            .where(images.c.id > after, images.c.platforms.is_not(None))
            .order_by(images.c.id)
            .limit(COMPARED_AT_ONCE)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
            bases_by_home = await bases_named_by(connection, {row.repository_id for row in rows})
            stored_images = readable(
                rows, lambda row: _known_image(row, bases_by_home), lambda row: f"image {row.id}"
            )
            digests = [each.digest for image in stored_images for each in image.platforms if image.brings_a_runtime]
            runtimes = await runtimes_in(connection, digests)
        return [replace(image, runtimes=runtimes) if image.brings_a_runtime else image for image in stored_images]

    async def tell_contradictions(self) -> None:
        """Looks first, so that a tick with nothing to tell writes nothing."""
        now = self._clock.now()
        async with self._database.reading() as connection:
            new_incidents, ended_subjects = await news_of_contradictions(connection, now)
        if new_incidents or ended_subjects:
            async with self._database.transaction() as connection:
                await tell_incidents(connection, new_incidents, ended_subjects, now)

    async def save_standings(self, standings: Mapping[int, tuple[ImageStanding, ...]]) -> None:
        """All in one statement: where a base moves, what stands on it is told anew at once."""
        if not standings:
            return
        statement = (
            update(images)
            .where(images.c.id == bindparam("image"))
            .values(standings=bindparam("told"), behind_since=bindparam("behind"), state=bindparam("now"))
        )
        rows = [
            {
                "image": image,
                "told": dump(image_standings, tuple[ImageStanding, ...]),
                "behind": behind_since(image_standings),
                "now": state_of(image_standings).value,
            }
            for image, image_standings in standings.items()
        ]
        async with self._database.transaction() as connection:
            await lock(connection, images, standings.keys())
            await connection.execute(statement, rows)


def _known_image(row: Any, bases_by_home: Mapping[int, Sequence[NamedBase]]) -> KnownImage:
    return KnownImage(
        row.id,
        f"{row.registry}/{row.repository}",
        load(row.platforms, tuple[PlatformImage, ...]),
        load(row.declared, _Declared),
        standings_of(row),
        NamedBases.of(bases_by_home.get(row.repository_id, ()), row.built_from),
        law=row.law,
        not_judged=not_judged_in(row),
    )


def _columns_of(look: Look, now: datetime) -> dict[str, Any]:
    return {
        "found": look.tag,
        "digest": look.image.digest,
        "seen_at": now,
        "looked_at": now,
        "platforms": dump(look.image.platforms, tuple[PlatformImage, ...]),
        "not_judged": dump(look.image.not_judged, tuple[NotJudged, ...]),
        "declared": dump(dict(look.image.declared), _Declared),
        "standings": dump(look.standings, tuple[ImageStanding, ...]),
        "behind_since": behind_since(look.standings),
        "state": state_of(look.standings).value,
        "law": LAW,
        "sourced_from": look.image.sourced_from,
        "builder": None if look.image.builder is None else dump(look.image.builder, Builder),
        "judged_by": look.image.judged_by,
        "judged_until": look.image.judged_until,
        "error": None,
    }
