"""Writes what is inside the bases and images of the fleet into the tables, and what publishers say of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert, select, update

from bot.domain.clock import ManualClock
from bot.domain.images.standing import ImageStanding
from bot.domain.packages.changes import PackageChange
from bot.domain.packages.cves.publication import DumpMark
from bot.domain.packages.package import Package
from bot.domain.reference import Base
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.watch.vulnerabilities.tick import KeptDump
from bot.store.engine.codec import dump, load
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.writing import chunks
from bot.store.rows.bases.tables import bases, observations
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventories,
    inventory_packages,
    observed_inventories,
    package_changes,
)
from bot.store.rows.inventories.read_inventories import package_ids
from bot.store.rows.inventories.vulnerabilities import dumps
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading
from sandbox.stored_fleet.inventories import (
    PLATFORM,
    TOLD,
    distribution,
    inventory_row,
    moves,
    packages_of,
    packages_of_application,
    platform_digest,
)
from sandbox.stored_fleet.publications import Publication, publications
from sandbox.stored_fleet.vulnerabilities import PUBLISHERS, vulnerabilities

_PUBLISHED = timedelta(days=16)
"""So long ago publishers told of what they fixed."""
_REMEMBERED = 300
"""Of so many images it is known what was inside the one before."""


@dataclass(slots=True)
class _Rows:
    """What is to be written, put together from publications and images; `ids` are those of all packages."""

    ids: Mapping[Package, int]
    inventories: list[dict[str, Any]] = field(default_factory=list)
    packages: list[dict[str, Any]] = field(default_factory=list)
    observed: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    def add_inventory(
        self,
        digest: str,
        shown: Publication,
        at: datetime,
        own: Collection[Package] = (),
        previous: int | None = None,
    ) -> int:
        number = len(self.inventories) + 1
        self.inventories.append(
            inventory_row(number, digest, distribution(shown.base), at) | {"previous_id": previous}
        )
        held = {self.ids[each] for each in (*packages_of(shown), *own)}
        self.packages += [{"inventory_id": number, "package_id": each, "since": at} for each in sorted(held)]
        return number

    def add_base(self, all_: Sequence[Publication], seen: Mapping[str, int]) -> None:
        """`seen` are the ids of the observations of its publications, by digest."""
        previous: int | None = None
        numbers: dict[str, int] = {}
        for each in all_[-TOLD - 1 :]:
            previous = self.add_inventory(platform_digest(each.digest), each, each.at, previous=previous)
            numbers[each.digest] = previous
            observation = {"observation_id": seen[each.digest], "platform": PLATFORM}
            self.observed.append({**observation, "inventory_id": previous})
        for before, after, changes in moves(all_):
            told = {
                "compared_at": after.at,
                "changes": dump(changes, tuple[PackageChange, ...]),
                "is_complete": True,
                "due_at": after.at,
            }
            compared = {"before_id": numbers[before.digest], "after_id": numbers[after.digest]}
            self.changes.append({"observation_id": seen[after.digest], "platform": PLATFORM, **compared, **told})

    def add_image(self, row: Any, all_: Sequence[Publication], own: Collection[Package]) -> None:
        """`all_` are the publications of its base up to the one that it stands on."""
        previous: int | None = None
        digest = platform_digest(row.digest)
        if len(all_) > 1 and row.id <= _REMEMBERED:
            previous = self.add_inventory(f"{digest[:-1]}~", all_[-2], all_[-2].at + timedelta(hours=3), own)
        number = self.add_inventory(digest, all_[-1], all_[-1].at + timedelta(hours=2), own, previous)
        self.images.append({"image_id": row.id, "platform": PLATFORM, "inventory_id": number})


@dataclass(frozen=True, slots=True)
class Inside:
    """Goes by what the fleet's tables hold already; `mark` becomes part of texts that images can hold."""

    database: Database
    now: datetime
    mark: str

    async def write(self) -> None:
        """Writes what is inside bases and images, and publishes vulnerabilities of it."""
        named = select(bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag)
        columns = (images.c.id, images.c.repository_id, images.c.digest, images.c.standings)
        built = select(*columns).where(images.c.digest.is_not(None)).order_by(images.c.id)
        async with self.database.reading() as connection:
            shown = {
                row.id: publications(Base(row.registry, row.repository, row.tag), self.now)
                for row in await connection.execute(named)
            }
            seen = (await connection.execute(select(observations.c.id, observations.c.digest))).all()
            found = (
                await connection.execute(built.where(images.c.digest.is_not(None)).order_by(images.c.id))
            ).all()
        rows = _Rows(await self._package_ids(shown.values(), {row.repository_id for row in found}))
        for all_ in shown.values():
            rows.add_base(all_, {row.digest: row.id for row in seen})
        by_digest = {each.digest: all_[: place + 1] for all_ in shown.values() for place, each in enumerate(all_)}
        for row in found:
            standing = load(row.standings, tuple[ImageStanding, ...])[0]
            own = packages_of_application(row.repository_id, self.mark)
            rows.add_image(row, by_digest[standing.publications[0].digest], own)
        await self._insert(inventories, rows.inventories)
        await self._insert(inventory_packages, rows.packages)
        await self._insert(observed_inventories, rows.observed)
        await self._insert(image_inventories, rows.images)
        await self._insert(package_changes, rows.changes)
        await self._publish()

    async def _package_ids(
        self, shown: Collection[Sequence[Publication]], repositories: Collection[int]
    ) -> Mapping[Package, int]:
        every = {each for all_ in shown for publication in all_ for each in packages_of(publication)}
        every |= {each for number in repositories for each in packages_of_application(number, self.mark)}
        in_order = sorted(every, key=lambda each: each.sort_key)
        ids: dict[Package, int] = {}
        async with self.database.transaction() as connection:
            for each in in_order:
                [ids[each]] = await package_ids(connection, [each], self.now)
        return ids

    async def _insert(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        async with self.database.transaction() as connection:
            for some in chunks(rows):
                await connection.execute(insert(table), some)

    async def _publish(self) -> None:
        """Each publisher's dump is read through the store, which finds who is exposed."""
        clock = ManualClock(self.now - _PUBLISHED)
        store = VulnerabilitiesStore(self.database, Worker("sandbox"), clock)
        sources = [DumpSource(each, place) for each, place in PUBLISHERS.items()]
        await store.follow_dumps(sources)
        await store.dumps.claim(clock.now(), len(sources))
        wanted = await store.wanted_packages()
        for source in sources:
            reading = DumpReading(tuple(vulnerabilities(source.ecosystem, self.now, self.mark)))
            kept = KeptDump(source, DumpMark("1"), wanted, reading)
            await store.keep_dump(kept, self.now + timedelta(hours=2))
        async with self.database.transaction() as connection:
            read = {"checked_at": self.now - timedelta(minutes=50), "fetched_at": self.now - timedelta(hours=4)}
            await connection.execute(update(dumps).values(**read))
