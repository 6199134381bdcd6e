"""The entries of the ledger, worked out from what packages are exposed to, what holds them and what lies below."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cmp_to_key

from bot.domain.bases.dotnet_image import MICROSOFT
from bot.domain.bases.mirrors import mirror_prefix
from bot.domain.images.standing import ImageStanding
from bot.domain.packages.ledger import (
    AffectedImage,
    BelowImage,
    DeployedImage,
    Held,
    LedgerEntry,
    PublishedFix,
    entry_of,
    places_of,
)
from bot.domain.packages.versions import BadVersion, compare_versions
from bot.domain.reference import Base
from bot.store.pages.ledger.below import BasesBelow, Below
from bot.store.pages.ledger.exposed import CveFacts, Exposed, Exposure
from bot.store.pages.ledger.histories import Histories
from bot.store.pages.ledger.pinned import Pinned
from bot.store.pages.ledger.shown_since import ShownSince
from bot.views.bases.images import Deployment
from bot.views.bases.ledger import CveRow


@dataclass(frozen=True, slots=True)
class ExposedImage:
    """An image with the inventory of each of its platforms that matters."""

    name: str
    tags: frozenset[str]
    digest: str | None
    repository: str
    standings: tuple[ImageStanding, ...]
    inventories: tuple[tuple[str, int], ...]
    deployed: tuple[Deployment, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What entries are worked out from; `brings` are the types and names of packages in inventories of bases,
    `pinned` the builds that manifests name by digest."""

    exposed: Exposed
    histories: Histories
    bases: BasesBelow
    brings: Mapping[int, frozenset[tuple[str, str]]]
    pinned: Pinned
    images: tuple[ExposedImage, ...]
    shown_since: ShownSince

    def row(self, cve: str, entries: Iterable[tuple[LedgerEntry, int]]) -> CveRow:
        """Each entry stands for so many images."""
        facts = self.exposed.cves.get(cve, CveFacts(cve))
        severity = facts.severity.value if facts.severity is not None else None
        places = places_of(entries)
        return CveRow(cve, facts.title, severity, facts.rated_by, facts.score, facts.publishers, places)

    def rows(self) -> list[CveRow]:
        """All CVEs that images have or had. Images of which the same holds are looked at once, and counted."""
        alike: dict[Hashable, list[ExposedImage]] = {}
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

    def _likeness(self, image: ExposedImage) -> Hashable:
        """What tells an image from one whose clocks stand alike for every CVE."""
        inside = tuple(
            (platform, self.histories.likeness(number), self.bases.below(image.standings, platform))
            for platform, number in image.inventories
        )
        return inside, frozenset(self._place_likeness(each, image) for each in image.deployed)

    def _place_likeness(self, place: Deployment, image: ExposedImage) -> Hashable:
        names_it = _names_it(place, image)
        if names_it is not False:
            return names_it
        build = self.pinned.get(place.digest or "")
        if build is None:
            return False
        held = ((platform, self.histories.likeness(number)) for platform, number in build.inventories)
        return build.is_whole, frozenset(held)

    def _cves(self, image: ExposedImage) -> frozenset[str]:
        return frozenset(cve for _, number in image.inventories for cve in self.histories.cves_of(number))

    def _entry(self, image: ExposedImage, cve: str) -> LedgerEntry:
        """Of the platforms on which the image has the CVE, or had it."""
        where = [
            (platform, number, exposures)
            for platform, number in image.inventories
            if (exposures := self.histories.last_exposures(number, cve))
        ]
        return entry_of(self._affected(image, cve, where))

    def _affected(
        self, image: ExposedImage, cve: str, where: Sequence[tuple[str, int, list[Exposure]]]
    ) -> AffectedImage:
        exposures = [each for _, _, several in where for each in several]
        platforms = frozenset(platform for platform, _, _ in where)
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
            tuple(self._deployed(each, image, cve, platforms) for each in image.deployed),
        )

    def _deployed(
        self, place: Deployment, image: ExposedImage, cve: str, platforms: Collection[str]
    ) -> DeployedImage:
        """Another digest than the image's has the fix too where it is that of a platform, or of a build since.

        Of the `platforms` that have the CVE or had it, a whole build has to be known.
        """
        has_fix = _names_it(place, image)
        build = self.pinned.get(place.digest or "")
        if has_fix is False and build is not None:
            is_affected = _all([self.histories.held(number, cve) for _, number in build.inventories]).is_affected
            is_told = is_affected is not None and (is_affected or build.has_all(platforms))
            has_fix = not is_affected if is_told else None
        return DeployedImage(str(place), place.repository, has_fix)

    def _base(self, below: Below, cve: str, exposures: Sequence[Exposure]) -> BelowImage | None:
        if below.base is None:
            return None
        is_microsofts = below.base.registry == MICROSOFT
        who = "Microsoft" if is_microsofts else f"whoever publishes {below.base.name}"
        return self._below(below.base, below.platform, below.inventory, who, cve, exposures)

    def _mirror(self, below: Below, cve: str, exposures: Sequence[Exposure]) -> BelowImage | None:
        if below.mirror is None or below.base is None:
            return None
        base, inventory = below.mirror
        who = f"whoever fills {mirror_prefix(base, below.base)}"
        return self._below(base, below.platform, inventory, who, cve, exposures)

    def _own(self, sides: Sequence[tuple[Below, Sequence[Exposure]]], cve: str) -> tuple[BelowImage, ...]:
        by_name: dict[str, list[BelowImage]] = {}
        for below, exposures in sides:
            for base, inventory, who in below.own:
                held = self._below(base, below.platform, inventory, who, cve, exposures)
                by_name.setdefault(str(base), []).append(held)
        return tuple(each for several in by_name.values() if (each := _worst(several)) is not None)

    def _below(
        self, base: Base, platform: str, inventory: int | None, who: str, cve: str, exposures: Sequence[Exposure]
    ) -> BelowImage:
        held = self.histories.held(inventory, cve)
        if held.is_affected is False:
            held = Held(False, self.shown_since.free_since(self.histories, base, platform, cve))
        names = self.brings.get(inventory, frozenset()) if inventory is not None else frozenset()
        wanted = {(each.affected.type, name) for each in exposures for name in each.affected.names}
        brings = held.is_affected is not False or bool(names & wanted)
        return BelowImage(str(base), who, held, brings)


def _fix(exposures: Sequence[Exposure]) -> PublishedFix:
    """Fixed where every package is; at the time of the last of them, of which the first record counts.

    Where records name several versions of a package, only the newest is free by all of them.
    """
    by_package: dict[tuple[str, str], list[Exposure]] = {}
    for each in exposures:
        by_package.setdefault((each.package.name, each.package.version), []).append(each)
    publishers = ", ".join(dict.fromkeys(each.publisher for each in exposures))
    versions: dict[str, None] = {}
    times: list[tuple[datetime, bool]] = []
    for several in by_package.values():
        fixed = [each for each in several if each.fixed_in]
        if not fixed:
            return PublishedFix(publishers)
        newest = max(fixed, key=cmp_to_key(_by_version)).fixed_in
        versions[newest] = None
        known = [
            (each.fixed_at, each.is_seen) for each in fixed if each.fixed_at is not None and each.fixed_in == newest
        ]
        times += [min(known)] if known else []
    at, is_seen = max(times, default=(None, False))
    return PublishedFix(publishers, tuple(versions), at, is_seen)


def _by_version(one: Exposure, other: Exposure) -> int:
    """Orders by the fixed versions, as far as a rule tells which is newer."""
    try:
        return compare_versions(one.package.type, one.fixed_in, other.fixed_in)
    except BadVersion:
        return 0


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


def _names_it(place: Deployment, image: ExposedImage) -> bool | None:
    """A digest is that of the image or it is not; a tag is the image's where it was seen under that."""
    if place.digest is not None:
        return place.digest == image.digest
    return True if (place.tag or "latest") in image.tags else None
