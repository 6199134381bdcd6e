"""The entries of the ledger, worked out from what packages are exposed to, what holds them and what lies below."""

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass

from bot.domain.images.standing import ImageStanding
from bot.domain.packages.ledger import AffectedImage, DeployedImage, LedgerEntry, entry_of, places_of
from bot.store.pages.ledger.below import BasesBelow
from bot.store.pages.ledger.exposed import CveFacts, Exposed
from bot.store.pages.ledger.fixes_below import AffectedPlatform, FixesBelow, held_by_all
from bot.store.pages.ledger.histories import Histories
from bot.store.pages.ledger.pinned import Pinned
from bot.views.images.images import Deployment
from bot.views.images.ledger import CveRow


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
    """What entries are worked out from; `pinned` are the builds that manifests name by digest."""

    exposed: Exposed
    histories: Histories
    bases: BasesBelow
    fixes: FixesBelow
    pinned: Pinned
    images: tuple[ExposedImage, ...]

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
            image = several[0]
            for cve in self._cves(image):
                entry = self._entry(image, cve, self._where(image, cve))
                found.setdefault(cve, []).append((entry, len(several)))
        return [self.row(cve, entries) for cve, entries in found.items()]

    def entries(self, cve: str) -> list[LedgerEntry]:
        """Those of all images that have it or had it."""
        return [self._entry(image, cve, where) for image in self.images if (where := self._where(image, cve))]

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

    def _where(self, image: ExposedImage, cve: str) -> list[AffectedPlatform]:
        """The platforms on which the image has the CVE, or had it."""
        return [
            (platform, number, exposures)
            for platform, number in image.inventories
            if (exposures := self.histories.last_exposures(number, cve))
        ]

    def _entry(self, image: ExposedImage, cve: str, where: Sequence[AffectedPlatform]) -> LedgerEntry:
        platforms = frozenset(platform for platform, _, _ in where)
        below = self.fixes.of(image.standings, cve, where)
        affected = AffectedImage(
            image.name,
            image.repository,
            below.packages,
            below.fix,
            below.base,
            held_by_all([self.histories.held(number, cve) for _, number, _ in where]),
            below.mirror,
            below.own_bases,
            tuple(self._deployed(each, image, cve, platforms) for each in image.deployed),
        )
        return entry_of(affected)

    def _deployed(
        self, place: Deployment, image: ExposedImage, cve: str, platforms: Collection[str]
    ) -> DeployedImage:
        """Another digest than the image's has the fix too where it is that of a platform, or of a build since.

        Of the `platforms` that have the CVE or had it, a whole build has to be known. Before a later build than the
        one that brought the fix, the place may have named an earlier one that has it too.
        """
        has_fix = _names_it(place, image)
        build = self.pinned.get(place.digest or "")
        named = image.inventories
        if has_fix is False and build is not None:
            named = tuple(build.inventories)
            is_affected = held_by_all([self.histories.held(number, cve) for _, number in named]).is_affected
            is_told = is_affected is not None and (is_affected or build.has_all(platforms))
            has_fix = not is_affected if is_told else None
        is_older = place.is_older or not any(self.histories.brought_fix(number, cve) for _, number in named)
        return DeployedImage(str(place), place.repository, has_fix, place.since, is_older)


def _names_it(place: Deployment, image: ExposedImage) -> bool | None:
    """A digest is that of the image or it is not; a tag is the image's where it was seen under that."""
    if place.digest is not None:
        return place.digest == image.digest
    return True if (place.tag or "latest") in image.tags else None
