"""The ledger, put together from what packages are exposed to, what holds them, and what manifests name."""

import asyncio
import json
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.mirrors import place_of
from bot.domain.clock import Clock
from bot.domain.images.standing import Standing
from bot.domain.packages.ledger import (
    AffectedImage,
    BelowImage,
    DeployedImage,
    Fix,
    Held,
    LedgerEntry,
    Station,
    elsewhere,
    entry_of,
    places_of,
)
from bot.domain.reference import Base
from bot.store.engine.codec import load
from bot.store.engine.database import Database
from bot.store.engine.inserting import chunks
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.pages.ledger.below import Bases, Below, read_bases, read_names
from bot.store.pages.ledger.exposed import CveFacts, Exposed, Exposure, read_exposed
from bot.store.pages.ledger.histories import Histories, add_shown, read_histories
from bot.store.rows.inventories.inventories import image_inventories, inventories
from bot.store.rows.repositories.images import deployments, images
from bot.store.rows.repositories.tables import repositories
from bot.views.bases.images import Deployment
from bot.views.bases.ledger import CvePage, CveRow, Cves, row_of
from bot.views.paging import Cut, page_of

_MICROSOFT = "mcr.microsoft.com"
_HOLDS = timedelta(minutes=1)
_MOST_KEPT = 4
"""CVEs with all of their images: those asked for last."""


@dataclass(frozen=True, slots=True)
class _Image:
    """An image with the inventory of each of its platforms that matters."""

    name: str
    tags: frozenset[str]
    digest: str | None
    repository: str
    standings: tuple[Standing, ...]
    inventories: tuple[tuple[str, int], ...]
    deployed: tuple[Deployment, ...]


@dataclass(frozen=True, slots=True)
class _OneCve:
    """One CVE with the entries of all of its images, those that wait first, as worked out at that time."""

    at: datetime
    row: CveRow
    entries: tuple[LedgerEntry, ...]
    took: Mapping[Station, tuple[timedelta, int]]
    not_known: int


class LedgerStore(Store):
    """Reads only. What was worked out holds for a minute, for all who ask: of a large fleet it takes seconds."""

    def __init__(self, database: Database, worker: Worker, clock: Clock) -> None:
        super().__init__(database, worker, clock)
        self._working = asyncio.Lock()
        self._fleet: tuple[datetime, tuple[CveRow, ...], int] | None = None
        self._by_name: dict[str, _OneCve] = {}

    async def cves(self, cut: Cut) -> Cves:
        """Those that some image still waits for, the most severe first."""
        async with self._working:
            if self._fleet is None or self._is_over(self._fleet[0]):
                async with self._database.reading() as connection:
                    ledger = await _read(connection, None)
                    not_known = await _not_known(connection)
                rows = await asyncio.to_thread(ledger.rows)
                opened = sorted((row for row in rows if row.places.open), key=_worst_first)
                self._fleet = self._clock.now(), tuple(opened), not_known
            _, listed, not_known = self._fleet
        return Cves(page_of(listed[cut.offset : cut.offset + cut.per_page], len(listed), cut), not_known)

    async def cve(self, name: str, cut: Cut) -> CvePage | None:
        """One of them with its images, those that wait first; None where nobody has told of it."""
        async with self._working:
            found = self._by_name.get(name)
            if found is None or self._is_over(found.at):
                found = await self._work_out(name)
        if found is None:
            return None
        shown = tuple(row_of(entry, found.took) for entry in found.entries[cut.offset : cut.offset + cut.per_page])
        return CvePage(found.row, page_of(shown, len(found.entries), cut), found.not_known)

    async def _work_out(self, name: str) -> _OneCve | None:
        async with self._database.reading() as connection:
            ledger = await _read(connection, name)
            not_known = await _not_known(connection)
        if name not in ledger.exposed.cves:
            return None
        entries = tuple(sorted(await asyncio.to_thread(ledger.entries, name), key=_waiting_first))
        took = {place: (each.median, each.times) for place, each in elsewhere(entries).items()}
        row = ledger.row(name, ((entry, 1) for entry in entries))
        found = _OneCve(self._clock.now(), row, entries, took, not_known)
        latest = list(self._by_name.items())[1 - _MOST_KEPT :]
        self._by_name = {**{other: each for other, each in latest if other != name}, name: found}
        return found

    def _is_over(self, at: datetime) -> bool:
        return not at <= self._clock.now() < at + _HOLDS


def _worst_first(row: CveRow) -> tuple[int, int, str]:
    ranks = ("critical", "high", "moderate", "low")
    rank = ranks.index(row.severity) if row.severity in ranks else len(ranks)
    return rank, -row.places.open, row.cve


def _waiting_first(entry: LedgerEntry) -> tuple[int, str, str]:
    order = list(Station)
    place = order.index(entry.waits_at) if entry.waits_at is not None else len(order)
    return place + (1 if entry.is_over else 0), entry.image.image, entry.image.repository


@dataclass(frozen=True, slots=True)
class _Ledger:
    exposed: Exposed
    histories: Histories
    bases: Bases
    brings: Mapping[int, frozenset[tuple[str, str]]]
    images: tuple[_Image, ...]

    def row(self, cve: str, entries: Iterable[tuple[LedgerEntry, int]]) -> CveRow:
        """Each entry stands for so many images."""
        facts = self.exposed.cves.get(cve, CveFacts(cve))
        severity = facts.severity.value if facts.severity is not None else None
        places = places_of(entries)
        return CveRow(cve, facts.title, severity, facts.rated_by, facts.score, facts.publishers, places)

    def rows(self) -> list[CveRow]:
        """All CVEs that images have or had. Images of which the same holds are looked at once, and counted."""
        alike: dict[Hashable, list[_Image]] = {}
        for image in self.images:
            alike.setdefault(self._likeness(image), []).append(image)
        found: dict[str, list[tuple[LedgerEntry, int]]] = {}
        for several in alike.values():
            for cve in self._cves(several[0]):
                found.setdefault(cve, []).append((self._entry(several[0], cve), len(several)))
        return [self.row(cve, entries) for cve, entries in found.items()]

    def entries(self, cve: str) -> list[LedgerEntry]:
        """Those of all images that have it or had it."""
        return [self._entry(image, cve) for image in self.images if cve in self._cves(image)]

    def _likeness(self, image: _Image) -> Hashable:
        """What tells an image from one whose clocks stand alike for every CVE."""
        inside = tuple(
            (platform, self.histories.likeness(number), self.bases.below(image.standings, platform))
            for platform, number in image.inventories
        )
        return inside, frozenset(_deployed(each, image).is_current for each in image.deployed)

    def _cves(self, image: _Image) -> frozenset[str]:
        return frozenset(cve for _, number in image.inventories for cve in self.histories.cves_of(number))

    def _entry(self, image: _Image, cve: str) -> LedgerEntry:
        """Of the platforms on which the image has the CVE, or had it."""
        where = [
            (platform, number, exposures)
            for platform, number in image.inventories
            if (exposures := self.histories.last_exposures(number, cve))
        ]
        return entry_of(self._affected(image, cve, where))

    def _affected(self, image: _Image, cve: str, where: Sequence[tuple[str, int, list[Exposure]]]) -> AffectedImage:
        exposures = [each for _, _, several in where for each in several]
        sides = [(self.bases.below(image.standings, platform), several) for platform, _, several in where]
        return AffectedImage(
            image.name,
            image.repository,
            tuple(sorted({f"{each.package.name} {each.package.version}" for each in exposures})),
            _fix(exposures),
            _worst([self._base(below, cve, several) for below, several in sides]),
            _all([self.histories.held(number, cve) for _, number, _ in where]),
            _worst([each for below, several in sides if (each := self._mirror(below, cve, several)) is not None]),
            self._own(sides, cve),
            tuple(_deployed(each, image) for each in image.deployed),
        )

    def _base(self, below: Below, cve: str, exposures: Sequence[Exposure]) -> BelowImage | None:
        if below.base is None:
            return None
        is_microsofts = below.base.registry == _MICROSOFT
        who = "Microsoft" if is_microsofts else f"whoever publishes {below.base.name}"
        return self._below(below.base, below.inventory, who, cve, exposures)

    def _mirror(self, below: Below, cve: str, exposures: Sequence[Exposure]) -> BelowImage | None:
        if below.mirror is None or below.base is None:
            return None
        base, inventory = below.mirror
        return self._below(base, inventory, f"whoever fills {place_of(base, below.base)}", cve, exposures)

    def _own(self, sides: Sequence[tuple[Below, Sequence[Exposure]]], cve: str) -> tuple[BelowImage, ...]:
        by_name: dict[str, list[BelowImage]] = {}
        for below, exposures in sides:
            for base, inventory, who in below.own:
                by_name.setdefault(str(base), []).append(self._below(base, inventory, who, cve, exposures))
        return tuple(each for several in by_name.values() if (each := _worst(several)) is not None)

    def _below(
        self, base: Base, inventory: int | None, who: str, cve: str, exposures: Sequence[Exposure]
    ) -> BelowImage:
        held = self.histories.held(inventory, cve)
        names = self.brings.get(inventory, frozenset()) if inventory is not None else frozenset()
        wanted = {(each.affected.type, name) for each in exposures for name in each.affected.names}
        brings = held.is_affected is not False or bool(names & wanted)
        return BelowImage(str(base), who, held, brings)


def _fix(exposures: Sequence[Exposure]) -> Fix:
    """Fixed where every package is; at the time of the last of them, of which the first record counts."""
    by_package: dict[str, list[Exposure]] = {}
    for each in exposures:
        by_package.setdefault(each.package.name, []).append(each)
    publishers = ", ".join(dict.fromkeys(each.publisher for each in exposures))
    versions: dict[str, None] = {}
    times: list[datetime] = []
    for several in by_package.values():
        fixed = [each for each in several if each.affected.has_fix]
        if not fixed:
            return Fix(publishers)
        versions |= dict.fromkeys(each.fixed_in for each in fixed)
        known = [each.fixed_at for each in fixed if each.fixed_at is not None]
        times += [min(known)] if known else []
    return Fix(publishers, tuple(versions), max(times, default=None))


def _worst(some: Sequence[BelowImage | None]) -> BelowImage | None:
    """Of what platforms stand on: what has it, else what is not known, else the last that was free of it."""
    known = [each for each in some if each is not None]
    bringing = [each for each in known if each.brings] or known
    if len(known) < len(some) and not any(each.held.is_affected for each in bringing):
        return None
    for state in (True, None):
        found = next((each for each in bringing if each.held.is_affected is state), None)
        if found is not None:
            return found
    if not bringing:
        return None
    return replace(bringing[0], held=_all([each.held for each in bringing]))


def _all(some: Sequence[Held]) -> Held:
    """What holds of all platforms together: the last was free of it once all were."""
    for state in (True, None):
        found = next((each for each in some if each.is_affected is state), None)
        if found is not None:
            return found
    times = [each.free_since for each in some if each.free_since is not None]
    return Held(False, max(times, default=None))


def _deployed(place: Deployment, image: _Image) -> DeployedImage:
    """A digest is that of the image or it is not; a tag is the image's where it was seen under that."""
    if place.digest is not None:
        is_current: bool | None = place.digest == image.digest
    else:
        is_current = True if (place.tag or "latest") in image.tags else None
    return DeployedImage(str(place), place.repository, is_current)


async def _not_known(connection: AsyncConnection) -> int:
    """How many images have not been read on any platform, or not as a whole."""
    total = await connection.scalar(select(func.count()).select_from(images))
    number = func.count(image_inventories.c.image_id.distinct())
    read = select(number).join(inventories, inventories.c.id == image_inventories.c.inventory_id)
    known = await connection.scalar(read.where(inventories.c.read_at.is_not(None)))
    in_part = await connection.scalar(read.where(inventories.c.is_complete.is_(False)))
    return int(total or 0) - int(known or 0) + int(in_part or 0)


async def _read(connection: AsyncConnection, cve: str | None) -> _Ledger:
    exposed = await read_exposed(connection, cve)
    histories = await read_histories(connection, exposed, looks_back=cve is not None)
    found = await _images(connection, histories)
    bases = await read_bases(connection, (each for image in found for each in image.standings))
    shown = set(bases.shown.values())
    await add_shown(connection, histories, shown)
    names = {name for several in exposed.by_package.values() for each in several for name in each.affected.names}
    return _Ledger(exposed, histories, bases, await read_names(connection, shown, names), found)


async def _images(connection: AsyncConnection, histories: Histories) -> tuple[_Image, ...]:
    """Those that hold, or held, something exposed on some platform."""
    held: dict[int, list[tuple[str, int]]] = {}
    for numbers in chunks(sorted(histories.known)):
        links = await connection.execute(
            select(image_inventories).where(image_inventories.c.inventory_id.in_(numbers))
        )
        for link in links:
            held.setdefault(link.image_id, []).append((link.platform, link.inventory_id))
    run_at = await _deployments(connection, held)
    standings = _Standings()
    found: list[_Image] = []
    for numbers in chunks(sorted(held)):
        rows = await connection.execute(
            select(
                *(images.c[name] for name in ("id", "registry", "repository", "tag", "found", "digest")),
                cast(images.c.standings, String).label("standings"),
                repositories.c.name,
            )
            .join(repositories, repositories.c.id == images.c.repository_id)
            .where(images.c.id.in_(numbers))
            .order_by(images.c.id)
        )
        found += readable(
            rows,
            lambda row: _image(row, standings, held[row.id], run_at.get(row.id, ())),
            lambda row: f"image {row.id}",
        )
    return tuple(found)


class _Standings(dict[str | None, tuple[Standing, ...]]):
    """By their JSON, each read once: there may be thousands of images that stand alike."""

    def __missing__(self, text: str | None) -> tuple[Standing, ...]:
        self[text] = load(json.loads(text or "null") or [], tuple[Standing, ...])
        return self[text]


def _image(
    row: Any,
    standings: Mapping[str | None, tuple[Standing, ...]],
    held: Sequence[tuple[str, int]],
    run_at: Sequence[Deployment],
) -> _Image:
    return _Image(
        f"{row.registry}/{row.repository}:{row.found or row.tag}",
        frozenset(tag for tag in (row.found, row.tag) if tag),
        row.digest,
        row.name,
        standings[row.standings],
        tuple(sorted(held)),
        tuple(run_at),
    )


async def _deployments(connection: AsyncConnection, some: Collection[int]) -> Mapping[int, Sequence[Deployment]]:
    at = deployments.c
    found: dict[int, list[Deployment]] = {}
    for numbers in chunks(sorted(some)):
        rows = await connection.execute(
            select(images.c.id, repositories.c.name, at.path, at.line, at.tag, at.digest)
            .join(deployments, and_(at.registry == images.c.registry, at.repository == images.c.repository))
            .join(repositories, repositories.c.id == at.repository_id)
            .where(images.c.id.in_(numbers))
            .order_by(repositories.c.name, at.path, at.line)
        )
        for number, *place in rows:
            found.setdefault(number, []).append(Deployment(*place))
    return found
