"""How large what is inside bases and images, and what was found, gets in a year of 1,000 repositories.

In each week bases move, images are built again, each shows another inventory of 200 packages, and what nobody shows
any more goes. `bench_store` measures all else that such a year leaves behind.
"""

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import ManualClock
from bot.domain.packages.changes import Direction, PackageChange
from bot.store.engine.codec import dump
from bot.store.engine.database import Database, open_database
from bot.store.engine.inserting import chunks
from bot.store.engine.queue.claiming import Worker
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventories,
    inventory_packages,
    observed_inventories,
    package_changes,
)
from bot.store.rows.repositories.audits import audits
from bot.store.rows.repositories.images import images
from bot.store.rows.tables import bases, observations, repositories
from bot.store.stores import Stores
from tests.bench.bench_inventory import BASES, NOON, PLATFORM, fill

IMAGES = 1_000
WEEKS = 52
MOVES, BUILDS = 90, 450
"""Of each week; a move is read on two platforms, as most images are built for."""
CHANGED = 12
"""Packages that a move changes: a full distribution's update seldom has more."""
FINDINGS_BYTES = 6_000
"""What the audit keeps of a repository, compressed."""
RETENTION = timedelta(days=400)
AIM_MEGABYTES = 700


@dataclass(frozen=True, slots=True)
class Year:
    """What was in the store at its end, and how many inventories it has seen."""

    megabytes: float
    seen: int
    kept: int


def run() -> list[tuple[str, str, str]]:
    """Rows: what, measured, aim."""
    with tempfile.TemporaryDirectory() as folder:
        year = asyncio.run(simulated_year(Path(folder) / "year.db"))
    measured = f"{year.megabytes:.0f} MB ({year.seen} inventories seen, {year.kept} kept)"
    return [(f"what is inside, after a year of {IMAGES} repositories", measured, f"at most {AIM_MEGABYTES} MB")]


async def simulated_year(path: Path, weeks: int = WEEKS) -> Year:
    """The file's size after all of its pages were written."""
    database = await open_database(f"sqlite:///{path}")
    try:
        await fill(database, IMAGES)
        fleet = _Fleet(database)
        await fleet.audit()
        for _ in range(weeks):
            await fleet.week()
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("ROLLBACK")
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            await connection.exec_driver_sql("BEGIN")
            kept = int(await connection.scalar(select(func.count()).select_from(inventories)) or 0)
        return Year(path.stat().st_size / 1e6, fleet.seen, kept)
    finally:
        await database.close()


class _Fleet:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = ManualClock(NOON)
        self._stores = Stores.of(database, Worker("bench"), self._clock)
        self._turn = 0
        self.seen = BASES + IMAGES

    async def audit(self) -> None:
        async with self._database.transaction() as connection:
            numbers = (await connection.execute(select(repositories.c.id))).scalars().all()
            values = {"due_at": NOON, "files": {}, "findings": bytes(FINDINGS_BYTES)}
            await connection.execute(insert(audits), [{"repository_id": each, **values} for each in numbers])

    async def week(self) -> None:
        self._clock.advance(timedelta(weeks=1))
        async with self._database.transaction() as connection:
            for _ in range(MOVES):
                await self._move(connection)
            await self._build(connection)
        task = await self._stores.retention.claim_forgetting()
        assert task is not None
        await self._stores.retention.forget(task, RETENTION)

    async def _move(self, connection: AsyncConnection) -> None:
        """The next base shows another image, whose packages on each platform are compared with those before."""
        base = self._turn % BASES + 1
        self._turn += 1
        now = self._clock.now()
        before = await connection.scalar(select(bases.c.observation_id).where(bases.c.id == base))
        seen = await connection.execute(
            insert(observations)
            .from_select(
                ["base_id", "previous_id", "at", "digest", "sight", "observation", "assessed"],
                select(
                    observations.c.base_id,
                    observations.c.id,
                    literal(now, observations.c.at.type),
                    literal(f"sha256:{self._turn:064x}"),
                    literal("moved"),
                    observations.c.observation,
                    literal(True),
                ).where(observations.c.id == before),
            )
            .returning(observations.c.id)
        )
        number = seen.scalar_one()
        await connection.execute(update(bases).where(bases.c.id == base).values(observation_id=number))
        [old] = (
            await connection.execute(
                select(observed_inventories.c.inventory_id).where(observed_inventories.c.observation_id == before)
            )
        ).scalars()
        [new] = await self._inventories(connection, [old])
        row = {"observation_id": number, "platform": PLATFORM, "inventory_id": new}
        await connection.execute(insert(observed_inventories).values(**row))
        for platform in (PLATFORM, "linux/arm64"):
            told = {"platform": platform, "before_id": old, "after_id": new, "changes": _changes()}
            values = {"observation_id": number, "compared_at": now, "is_complete": True, "due_at": now, **told}
            await connection.execute(insert(package_changes).values(**values))

    async def _build(self, connection: AsyncConnection) -> None:
        """The next images are built anew."""
        first = self._turn % IMAGES
        numbers = [(first + each) % IMAGES + 1 for each in range(BUILDS)]
        links = await connection.execute(
            select(image_inventories.c.image_id, image_inventories.c.inventory_id).where(
                image_inventories.c.image_id.in_(numbers)
            )
        )
        shown = {row.image_id: row.inventory_id for row in links}
        for (image, _), new in zip(
            shown.items(), await self._inventories(connection, list(shown.values())), strict=True
        ):
            link = image_inventories.c.image_id == image
            await connection.execute(update(image_inventories).where(link).values(inventory_id=new))
            await connection.execute(update(images).where(images.c.id == image).values(digest=f"sha256:{new:064x}"))

    async def _inventories(self, connection: AsyncConnection, before: list[int]) -> list[int]:
        """New ones that hold the same as these."""
        now = self._clock.now()
        first = int(await connection.scalar(select(func.max(inventories.c.id))) or 0) + 1
        new = list(range(first, first + len(before)))
        rows = [_inventory(number, old, now) for number, old in zip(new, before, strict=True)]
        for some in chunks(rows):
            await connection.execute(insert(inventories), some)
        held = (
            select(inventories.c.id, inventory_packages.c.package_id, inventory_packages.c.since)
            .join(inventory_packages, inventory_packages.c.inventory_id == inventories.c.previous_id)
            .where(inventories.c.id.in_(new))
            .order_by(inventories.c.id, inventory_packages.c.package_id)
        )
        await connection.execute(
            insert(inventory_packages).from_select(["inventory_id", "package_id", "since"], held)
        )
        self.seen += len(new)
        return new


def _inventory(number: int, before: int, now: datetime) -> dict[str, object]:
    return {
        "id": number,
        "digest": f"sha256:{number:064x}.",
        "platform": PLATFORM,
        "previous_id": before,
        "seen_at": now,
        "read_at": now,
        "distribution": {"id": "ubuntu", "version": "24.04"},
        "problems": [],
        "is_complete": True,
        "due_at": now,
    }


def _changes() -> object:
    moved = (
        PackageChange(
            "deb", f"libsomething{number}", "amd64", f"1.2.{number}-0ubuntu3", f"1.2.{number}-1", Direction.UP
        )
        for number in range(CHANGED)
    )
    return dump(tuple(moved), tuple[PackageChange, ...])
