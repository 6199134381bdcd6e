"""The ledger, of the fleet and of one image, put together from what packages are exposed to and what holds them."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from statistics import median_low

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import Clock
from bot.domain.feeds.advisory import Severity, is_cve
from bot.domain.feeds.document import silence
from bot.domain.packages.cves.publication import CvePublication, ToldAffected, disagreements
from bot.domain.packages.cves.vulnerability import AffectedPackage
from bot.domain.packages.gate import MAX_AGE
from bot.domain.packages.ledger.clocks import Station
from bot.domain.packages.ledger.entries import LedgerEntry, StationTime, elsewhere, with_rebuilds
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.engine.among import is_among
from bot.store.engine.codec import load, readable
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.cve_pages import CvePagesStore
from bot.store.pages.images.read_platforms import count_images
from bot.store.pages.ledger.below import read_bases, read_names
from bot.store.pages.ledger.entries import ExposedImage, Ledger, read_images
from bot.store.pages.ledger.exposed import read_exposed, read_exposures_in
from bot.store.pages.ledger.fixes_below import FixesBelow
from bot.store.pages.ledger.gaps import gaps_of_fleet
from bot.store.pages.ledger.histories import Histories, add_shown, read_histories, read_histories_of, with_past
from bot.store.pages.ledger.kept import FleetLedger, is_kept, keep, read_kept
from bot.store.pages.ledger.pinned import read_builds, read_pinned
from bot.store.pages.ledger.running import read_running
from bot.store.pages.ledger.shown import ShownSince, as_shown, read_shown_again, read_shown_since
from bot.store.rows.bases.tables import changes, releases
from bot.store.rows.inventories.inventories import image_inventories
from bot.store.rows.inventories.vulnerabilities import (
    affected_packages,
    dumps,
    vulnerabilities,
    vulnerability_cves,
)
from bot.store.rows.news import newest_times
from bot.store.rows.rollouts.tables import rebuilds
from bot.views.images.ledger import (
    CveFilter,
    CvePage,
    CveRow,
    Cves,
    ImageGroup,
    count_severities,
    grouped,
    released_alone,
    rows_of,
    untold_page,
)
from bot.views.paging import Cut, page_of


async def read_beside(connection: AsyncConnection, cve: str, now: datetime) -> tuple[str, ...]:
    """A line for each record on which publications that tell of the CVE disagree, and for each that is silent."""
    cve_name = func.coalesce(vulnerability_cves.c.cve, vulnerabilities.c.name)
    rows = await connection.execute(
        select(dumps.c.ecosystem, vulnerabilities.c.name, affected_packages.c.affected)
        .join(vulnerabilities, vulnerabilities.c.dump_id == dumps.c.id)
        .join(affected_packages, affected_packages.c.vulnerability_id == vulnerabilities.c.id)
        .outerjoin(vulnerability_cves, vulnerability_cves.c.vulnerability_id == vulnerabilities.c.id)
        .where(cve_name == cve)
        .order_by(affected_packages.c.id)
    )
    statements = readable(
        rows,
        lambda row: ToldAffected(CvePublication(row.ecosystem), row.name, load(row.affected, AffectedPackage)),
        lambda row: f"record {row.name}",
    )
    newest_at = await newest_times(connection)
    publications = {each.publication for each in statements}
    silent = (silence(each, newest_at.get(each), now) for each in sorted(publications))
    return (*disagreements(statements), *filter(None, silent))


_MOST = 1_000
_PROVEN = (RebuildState.STEPPING.value, RebuildState.SUCCEEDED.value)


async def read_rebuild_time(connection: AsyncConnection) -> StationTime | None:
    """In the middle of the latest rebuilds whose image was seen on the new base; None where there are none.

    It begins with the first move that has set off their rollout.
    """
    built = (
        select(rebuilds.c.rollout_id, rebuilds.c.built_at)
        .where(rebuilds.c.state.in_(_PROVEN), rebuilds.c.built_at.is_not(None))
        .order_by(rebuilds.c.id.desc())
        .limit(_MOST)
        .subquery()
    )
    moved = (
        select(changes.c.rollout_id, func.min(changes.c.at).label("at"))
        .where(changes.c.rollout_id.in_(select(built.c.rollout_id)))
        .group_by(changes.c.rollout_id)
        .subquery()
    )
    rows = await connection.execute(
        select(built.c.built_at, moved.c.at).join(moved, moved.c.rollout_id == built.c.rollout_id)
    )
    lengths = [row.built_at - row.at for row in rows if row.built_at >= row.at]
    return StationTime(len(lengths), median_low(lengths), of_rebuilds=True) if lengths else None


_HOLDS = timedelta(minutes=1)
_RENEWED_AFTER = timedelta(minutes=10)
_MOST_KEPT = 4
"""CVEs with all of their images: those asked for last."""
_SHOWN = select(image_inventories).where(is_among(image_inventories.c.inventory_id, "inventories"))


@dataclass(frozen=True, slots=True)
class _OneCve:
    """One CVE with the entries of all of its images, those that wait first, as worked out at that time."""

    at: datetime
    row: CveRow
    entries: tuple[LedgerEntry, ...]
    took: Mapping[Station, StationTime]
    groups: tuple[ImageGroup, ...]
    not_known: int
    gaps: tuple[str, ...]
    notes: tuple[str, ...]


class LedgerStore(CvePagesStore):
    """What was worked out holds for a minute, for all who ask: of a large fleet it takes seconds.

    The list of all CVEs is kept for some minutes, so that no page waits for it.
    """

    def __init__(
        self,
        database: Database,
        worker: Worker,
        clock: Clock,
        max_age: timedelta = MAX_AGE,
        platforms: Collection[str] | None = None,
    ) -> None:
        super().__init__(database, worker, clock, max_age, platforms)
        self._working = asyncio.Lock()
        self._fleet: FleetLedger | None = None
        self._by_name: dict[str, _OneCve] = {}

    async def cves(self, cut: Cut, cve_filter: CveFilter = CveFilter()) -> Cves:  # noqa: B008
        """Of those that some image still waits for, the most severe first, one page of what is wanted."""
        async with self._working:
            if self._fleet is None or self._is_over(self._fleet.at):
                self._fleet = await self._kept(self._fleet) or await self._work_out_all()
            fleet = self._fleet
        fitting = tuple(filter(cve_filter.takes, fleet.rows))
        page = page_of(fitting[cut.offset : cut.offset + cut.per_page], len(fitting), cut)
        severities = count_severities(row.severity for row in fleet.rows)
        return Cves(page, fleet.not_known, fleet.gaps, severities, fleet.at)

    async def keep(self) -> None:
        """Works out the list of all CVEs and keeps it, where what is kept is some minutes old."""
        async with self._database.reading() as connection:
            is_new = await is_kept(connection, self._clock.now(), _RENEWED_AFTER)
        if not is_new:
            fleet = await self._work_out_all()
            async with self._database.transaction() as connection:
                await keep(connection, fleet)

    async def _kept(self, known: FleetLedger | None) -> FleetLedger | None:
        """What is kept, unless it is too old; `known` itself where that is kept still."""
        async with self._database.reading() as connection:
            return await read_kept(connection, self._clock.now(), known)

    async def cve(self, name: str, cut: Cut, stuck: str = "", who: str = "") -> CvePage | None:
        """One of them with its images, those that wait first; with `stuck` those alone that are stuck so, with
        `who` of these those that it can move. None where nobody has told of what is no name of a CVE."""
        async with self._working:
            one_cve = await self._one(name)
        if one_cve is None:
            return await self._untold(name)
        entries = one_cve.entries
        if stuck:
            alike = {
                image
                for group in one_cve.groups
                if group.state == stuck and (not who or who in group.movers)
                for image in group.images
            }
            entries = tuple(entry for entry in entries if entry.image.image in alike)
        image_rows = tuple(rows_of(entries[cut.offset : cut.offset + cut.per_page], one_cve.took))
        return CvePage(
            one_cve.row,
            page_of(image_rows, len(entries), cut),
            one_cve.not_known,
            one_cve.gaps,
            one_cve.notes,
        )

    async def groups(self, name: str) -> tuple[ImageGroup, ...]:
        """All images of one CVE, by where their fix is stuck and who can move it; none where nobody tells of it."""
        async with self._working:
            one_cve = await self._one(name)
        return () if one_cve is None else one_cve.groups

    async def gaps(self) -> tuple[str, ...]:
        """Why images may have CVEs that the kept data does not tell of; empty where there is no such reason."""
        async with self._database.reading() as connection:
            return await gaps_of_fleet(connection, self._max_age, self._clock.now())

    async def release_note(self, name: str) -> str:
        """What Microsoft's releases say of a CVE that nothing else tells of; changes of bases lead to it before an
        advisory does. Empty where they say nothing; few ask."""
        from bot.store.rows.bases.told_ways import read_releases

        async with self._database.reading() as connection:
            return released_alone(await read_releases(connection, select(releases)), name)

    async def _untold(self, name: str) -> CvePage | None:
        """Whether it is known then that it concerns no image; None for what is no name of a CVE either."""
        release_note = await self.release_note(name)
        if not release_note and not is_cve(name):
            return None
        async with self._database.reading() as connection:
            _, not_known = await count_images(connection, self._platforms)
            gaps = await gaps_of_fleet(connection, self._max_age, self._clock.now())
        return untold_page(name, not_known, gaps, release_note)

    async def _one(self, name: str) -> _OneCve | None:
        one_cve = self._by_name.get(name)
        return await self._work_out(name) if one_cve is None or self._is_over(one_cve.at) else one_cve

    async def _work_out_all(self) -> FleetLedger:
        now = self._clock.now()
        async with self._database.reading() as connection:
            ledger = await read_ledger(connection, None, self._platforms, now, looks_back=False)
            _, not_known = await count_images(connection, self._platforms)
            gaps = await gaps_of_fleet(connection, self._max_age, now)
        rows = await asyncio.to_thread(ledger.rows)
        opened = sorted((row for row in rows if row.places.open), key=_worst_first)
        return FleetLedger(now, tuple(opened), not_known, gaps)

    async def _work_out(self, name: str) -> _OneCve | None:
        async with self._database.reading() as connection:
            ledger = await read_ledger(connection, name, self._platforms, self._clock.now(), looks_back=True)
            _, not_known = await count_images(connection, self._platforms)
            gaps = await gaps_of_fleet(connection, self._max_age, self._clock.now())
            beside = await read_beside(connection, name, self._clock.now())
            rebuild_time = await read_rebuild_time(connection)
        if name not in ledger.exposed.cves:
            return None
        entries = tuple(sorted(await asyncio.to_thread(ledger.entries, name), key=_waiting_first))
        took = with_rebuilds(elsewhere(entries), rebuild_time)
        groups = await asyncio.to_thread(lambda: grouped(rows_of(entries, took)))
        row = ledger.row(name, ((entry, 1) for entry in entries))
        notes = tuple(note for note in beside if note not in gaps)
        one_cve = _OneCve(self._clock.now(), row, entries, took, groups, not_known, gaps, notes)
        latest = list(self._by_name.items())[1 - _MOST_KEPT :]
        self._by_name = {**{other: each for other, each in latest if other != name}, name: one_cve}
        return one_cve

    def _is_over(self, worked_out_at: datetime) -> bool:
        return not worked_out_at <= self._clock.now() < worked_out_at + _HOLDS


def _worst_first(row: CveRow) -> tuple[bool, int, int, str]:
    """What is known to be exploited comes before all else."""
    rank = Severity(row.severity).rank if row.severity is not None else -1
    return not row.mark.is_exploited, -rank, -row.places.open, row.cve


_ORDER = {station: number for number, station in enumerate(Station)}


def _waiting_first(entry: LedgerEntry) -> tuple[int, str, str]:
    last = len(_ORDER) + (1 if entry.is_over else 0)
    passed = _ORDER[entry.waits_at] if entry.waits_at is not None else last
    return passed, entry.image.image, entry.image.repository


async def read_ledger(
    connection: AsyncConnection,
    cve: str | None,
    platforms: Collection[str] | None,
    now: datetime,
    *,
    looks_back: bool,
) -> Ledger:
    """Reads the ledger of all CVEs, or of one; with `looks_back` also when bases had a fix."""
    exposed = await read_exposed(connection, cve)
    histories = await read_histories(connection, exposed, looks_back=looks_back)
    exposed_images = await _images(connection, histories)
    different = {id(image.standings): image.standings for image in exposed_images}.values()
    bases = await read_bases(connection, chain.from_iterable(different))
    shown_inventories = set(bases.shown.values())
    pinned = await read_pinned(connection, platforms, _list_earlier_digests(exposed_images) if looks_back else ())
    of_pinned = {number for build in pinned.values() for _, number in build.inventories}
    running = await read_running(connection, platforms, now)
    of_running = running.inventories if running is not None else frozenset()
    await add_shown(connection, histories, shown_inventories | of_pinned | of_running)
    names = {name for several in exposed.by_package.values() for each in several for name in each.affected.names}
    brings = await read_names(connection, shown_inventories, names)
    since = await read_shown_since(connection, bases.followed) if looks_back else ShownSince()
    fixes = FixesBelow(histories, bases, brings, since)
    return Ledger(exposed, histories, bases, fixes, pinned, exposed_images, running)


async def _images(connection: AsyncConnection, histories: Histories) -> tuple[ExposedImage, ...]:
    """Reads the images that hold, or held, something exposed on some platform."""
    platforms_of_image: dict[int, list[tuple[str, int]]] = {}
    links = await connection.execute(_SHOWN, {"inventories": histories.known})
    for link in links.all():
        platforms_of_image.setdefault(link.image_id, []).append((link.platform, link.inventory_id))
    again = await read_shown_again(connection, platforms_of_image)
    shown_platforms = {
        image: as_shown(histories, image, platforms, again) for image, platforms in platforms_of_image.items()
    }
    concerned_images = {
        image: platforms
        for image, platforms in shown_platforms.items()
        if any(histories.was_exposed(number) for _, number in platforms)
    }
    return await read_images(connection, concerned_images)


def _list_earlier_digests(exposed_images: Iterable[ExposedImage]) -> frozenset[str]:
    """The digests that places named before what they name now, which tells since when they have a fix."""
    places = (each for image in exposed_images for place in image.deployed for each in place.named_before or ())
    return frozenset(each.digest for each in places if each.digest is not None)


async def read_ledger_of(
    connection: AsyncConnection,
    number: int,
    image: ExposedImage,
    platforms: Collection[str] | None,
    now: datetime,
) -> Ledger:
    """`number` is that of its row. `platforms` are those that are read at all, None where all are. When a fix has
    passed below the image is not looked up."""
    bases = await read_bases(connection, image.standings)
    digests = {place.digest for place in image.deployed if place.digest is not None}
    pinned = await read_builds(connection, platforms, digests)
    shown_inventories = set(bases.shown.values())
    of_pinned = {number for build in pinned.values() for _, number in build.inventories}
    again = await read_shown_again(connection, [number])
    before = {row.previous_id for rows in again.values() for row in rows if row.previous_id is not None}
    mine = await with_past(connection, before.union(inventory for _, inventory in image.inventories))
    running = await read_running(connection, platforms, now)
    runs = running.of(image.name.rpartition(":")[0], image.tags, image.digest, mine) if running is not None else ()
    of_running = {number for each in runs if each.build is not None for _, number in each.build.inventories}
    numbers = mine | shown_inventories | of_pinned | of_running
    exposed = await read_exposures_in(connection, numbers)
    histories = await read_histories_of(connection, exposed, numbers)
    image = replace(image, inventories=tuple(as_shown(histories, number, image.inventories, again)))
    names = {name for several in exposed.by_package.values() for each in several for name in each.affected.names}
    brings = await read_names(connection, shown_inventories, names)
    fixes = FixesBelow(histories, bases, brings, ShownSince())
    return Ledger(exposed, histories, bases, fixes, pinned, (image,), running)
