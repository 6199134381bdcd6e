"""Which builds of images run, where and since when, as the ledger looks at them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.among import is_among
from bot.store.pages.ledger.pinned import PinnedBuild
from bot.store.pages.running.sources import read_sources
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.running.running import (
    place_columns,
    running_builds,
    running_contents,
    running_places,
    running_sources,
    runs,
)
from bot.views.running.unread import unread_at

_RUNS = (
    select(
        *(runs.c.build_id, runs.c.image, runs.c.since, runs.c.is_older),
        *(running_builds.c.digest, running_builds.c.seen_at),
        *(*place_columns, running_sources.c.name),
    )
    .join(running_builds, running_builds.c.id == runs.c.build_id)
    .join(running_places, running_places.c.id == runs.c.place_id)
    .join(running_sources, running_sources.c.id == running_places.c.source_id)
    .where(runs.c.until.is_(None), is_among(running_sources.c.id, "sources"))
    .order_by(running_sources.c.name, *place_columns, runs.c.id)
)
_CONTENTS = (
    select(running_contents.c.build_id, running_contents.c.kind, inventories.c.id, inventories.c.platform)
    .join(inventories, inventories.c.id == running_contents.c.inventory_id)
    .where(is_among(running_contents.c.build_id, "builds"))
)
_TAGS = select(images.c.registry, images.c.repository, images.c.tag, images.c.found).where(
    is_among(images.c.repository, "paths")
)


@dataclass(frozen=True, slots=True)
class RunningDigest:
    """A digest under one name, with all the places that run it; what is inside is None where nobody knows that.

    It began to run `since` then where it did so last, and is known by its runs since `known_since`."""

    digest: str
    name: str
    tag: str
    build: PinnedBuild | None
    places: tuple[str, ...]
    since: datetime
    is_older: bool
    known_since: datetime


@dataclass(frozen=True, slots=True)
class Running:
    """All that runs now; `hole` says what is not known of it."""

    hole: str
    by_name: Mapping[str, Sequence[RunningDigest]]
    by_inventory: Mapping[int, Sequence[RunningDigest]]
    tags: Mapping[str, frozenset[str]]
    """Those that images of a name are known under."""

    def of(
        self, name: str, tags: Collection[str], digest: str | None, numbers: Iterable[int]
    ) -> tuple[RunningDigest, ...]:
        """What runs of an image: what its inventories are inside of, and what goes by its name, but for what is
        known to be another image of that name."""
        others = self.tags.get(name, frozenset()).difference(tags)
        of_it = [each for each in self.by_name.get(name, ()) if each.tag not in others or each.digest == digest]
        of_it += [each for number in numbers for each in self.by_inventory.get(number, ())]
        return tuple(dict.fromkeys(of_it))

    @property
    def inventories(self) -> frozenset[int]:
        """Those of all that runs."""
        return frozenset(self.by_inventory)


async def read_running(
    connection: AsyncConnection, platforms: Collection[str] | None, now: datetime, environment: str | None = None
) -> Running | None:
    """Reads what runs now, in one environment where that is given; None where no source tells it. Of a whole image
    only these `platforms` count, None for all."""
    known = await read_sources(connection, environment)
    listed = {number: each for number, each in known.items() if each.is_listed}
    if not listed:
        return None
    sources = listed.values()
    rows = (await connection.execute(_RUNS, {"sources": listed})).all()
    contents: dict[int, set[tuple[str, int]]] = {}
    of_one: set[int] = set()
    for build, kind, number, platform in await connection.execute(_CONTENTS, {"builds": {row[0] for row in rows}}):
        if kind != "index":
            of_one.add(build)
        if kind != "index" or platforms is None or platform in platforms:
            contents.setdefault(build, set()).add((platform, number))
    builds = {
        build: PinnedBuild(build not in of_one, frozenset(inside)) for build, inside in contents.items() if inside
    }
    by_name, by_inventory = defaultdict[str, list[RunningDigest]](list), defaultdict[int, list[RunningDigest]](list)
    for each in _builds(rows, builds):
        by_name[each.name].append(each)
        for _, number in each.build.inventories if each.build is not None else ():
            by_inventory[number].append(each)
    tags: dict[str, set[str]] = {}
    paths = {name.partition("/")[2] for name in by_name}
    for registry, repository, tag, found in await connection.execute(_TAGS, {"paths": paths}):
        tags.setdefault(f"{registry}/{repository}", set()).update(each for each in (tag, found) if each)
    hole = next((line for source in sources for line in unread_at(source, now)), "")
    return Running(hole, by_name, by_inventory, {name: frozenset(each) for name, each in tags.items()})


def _builds(rows: Iterable[Any], builds: Mapping[int, PinnedBuild]) -> Iterable[RunningDigest]:
    alike: dict[tuple[int, str], list[Any]] = {}
    for row in rows:
        alike.setdefault((row.build_id, row.image.partition("@")[0]), []).append(row)
    for (build, image), several in alike.items():
        last = max(several, key=lambda row: row.since)
        name, _, tag = image.rpartition(":") if ":" in image.rpartition("/")[2] else (image, "", "")
        places = tuple(dict.fromkeys(f"{row.namespace}/{row.workload} in {row.name}" for row in several))
        times = last.since, any(row.is_older for row in several if row.since == last.since)
        known_since = min(last.seen_at, *(row.since for row in several))
        yield RunningDigest(last.digest, name, tag, builds.get(build), places, *times, known_since)
