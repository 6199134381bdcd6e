"""Steps that what runs decides: what is read of them and of what runs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import Clock
from bot.domain.evidence import ImageVerdict
from bot.domain.images.image import ProducedImage
from bot.domain.images.proof import may_stand_on
from bot.domain.images.standing import ImageState
from bot.domain.rollouts.arriving import Arrival, ArrivedBuild
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.steps import StepJob
from bot.store.engine.among import is_among
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.writing import chunks
from bot.store.pages.ledger.running import Running, read_running
from bot.store.rows.inventories.inventories import image_inventories, inventories, sbom_looks
from bot.store.rows.rollouts.rebuilds import read_rebuilds
from bot.store.rows.rollouts.step_store import StepStore
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.stores import Stores

_SHOWN = select(image_inventories.c.image_id, image_inventories.c.inventory_id).where(
    is_among(image_inventories.c.image_id, "images")
)
_SEEN = (
    select(sbom_looks.c.registry, sbom_looks.c.repository, inventories.c.id, inventories.c.seen_at)
    .join(inventories, inventories.c.id == sbom_looks.c.inventory_id)
    .where(is_among(sbom_looks.c.repository, "paths"))
)


class ArrivalStore(StepStore):
    """`bot.fleet.follow.steps.arriving.ArrivalStore` on the database."""

    def __init__(self, database: Database, worker: Worker, clock: Clock, platforms: Collection[str] | None) -> None:
        super().__init__(database, worker, clock)
        self._platforms = platforms

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        return cls(*stores.given, stores.options.platforms)

    async def arrivals(self, environment: str, jobs: Sequence[StepJob]) -> Mapping[int, Arrival]:
        """What runs is read once for all of them."""
        now = self._clock.now()
        async with self._database.reading() as connection:
            running = await read_running(connection, self._platforms, now, environment)
            of_id: dict[int, Rebuild] = {}
            for ids in chunks(sorted({job.step.rebuild for job in jobs})):
                of_id |= {each.id: each for each in await read_rebuilds(connection, rebuilds.c.id.in_(ids))}
            concerned = {job.step.id: _concerned(job, of_id[job.step.rebuild]) for job in jobs}
            seen = await _read_seen(connection, [image for images in concerned.values() for image in images])
        return {
            job.step.id: _arrival(job, of_id[job.step.rebuild], concerned[job.step.id], running, seen)
            for job in jobs
        }


def _concerned(job: StepJob, rebuild: Rebuild) -> Sequence[ProducedImage]:
    """The images that the rebuild is for, as where these are proved."""
    bases = {target.base for target in rebuild.targets}
    return [image for image in job.images if may_stand_on(image, bases)]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What images show now, by their ids, and what was seen under their names and since when: the ids of
    inventories."""

    shown: Mapping[int, frozenset[int]]
    under: Mapping[str, Mapping[int, datetime]]


async def _read_seen(connection: AsyncConnection, images: Sequence[ProducedImage]) -> _Seen:
    shown: dict[int, set[int]] = {}
    for image, number in await connection.execute(_SHOWN, {"images": {image.id for image in images}}):
        shown.setdefault(image, set()).add(number)
    under: dict[str, dict[int, datetime]] = {}
    paths = {image.claim.name.partition("/")[2] for image in images}
    for registry, repository, number, seen_at in await connection.execute(_SEEN, {"paths": paths}):
        under.setdefault(f"{registry}/{repository}", {})[number] = seen_at
    return _Seen({image: frozenset(numbers) for image, numbers in shown.items()}, under)


def _arrival(
    job: StepJob, rebuild: Rebuild, images: Sequence[ProducedImage], running: Running | None, seen: _Seen
) -> Arrival:
    began = rebuild.merge.at if rebuild.merge is not None else rebuild.attempted_at
    begun_at = began or rebuild.planned_at
    names = tuple(sorted({image.claim.name for image in images}))
    arrival = Arrival(job.step, names, begun_at, rebuild.built_at or begun_at, overtaken_by=job.overtaken_by)
    if running is None:
        return replace(arrival, is_told=False)
    is_proved = rebuild.proof is ImageVerdict.PROVED
    builds = {each.digest: each for image in images for each in _builds(image, images, running, seen, is_proved)}
    return replace(arrival, builds=tuple(builds.values()), hole=running.hole)


def _builds(
    image: ProducedImage, images: Sequence[ProducedImage], running: Running, seen: _Seen, is_proved: bool
) -> Iterator[ArrivedBuild]:
    """What runs of one image."""
    name = image.claim.name
    under, shown = seen.under.get(name, {}), seen.shown.get(image.id, frozenset())
    tags = {tag for each in images if each.claim.name == name for tag in (each.found_tag, each.place.tag) if tag}
    for each in running.of(name, tags, image.digest, {*under, *shown}):
        inside = (
            frozenset(number for _, number in each.build.inventories) if each.build is not None else frozenset()
        )
        times = [under[number] for number in inside if number in under]
        is_shown = each.digest == image.digest or (bool(inside) and inside <= shown)
        known_since = min(each.known_since, *times) if times else each.known_since
        is_current = image.state is ImageState.CURRENT
        build = ArrivedBuild(each.digest, each.places, known_since)
        yield replace(build, is_shown=is_shown, is_current=is_current, is_seen=bool(times)) if is_proved else build
