"""The entries of the ledger, worked out from what packages are exposed to, what holds them and what lies below."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.images.standing import ImageStanding
from bot.domain.packages.ledger.entries import LedgerEntry, entry_of, places_of
from bot.domain.packages.ledger.known import AffectedImage, DeployedImage, Held
from bot.domain.repositories.naming import Naming, what_is_named
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

    def of_image(self, image: ExposedImage) -> dict[str, LedgerEntry]:
        """Those of one image, by CVE."""
        return {cve: self._entry(image, cve, self._where(image, cve)) for cve in self._cves(image)}

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
            return tuple(self.histories.first_seen_before(number, place.since) for _, number in image.inventories)
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
        below = self.fixes.of(image.standings, cve, where)
        held = held_by_all([self.histories.held(number, cve) for _, number, _ in where])
        asked = _Asked(image, cve, frozenset(platform for platform, _, _ in where), held)
        affected = AffectedImage(
            image.name,
            image.repository,
            below.packages,
            below.fix,
            below.base,
            held,
            below.mirror,
            below.own_bases,
            tuple(self._deployed(each, asked) for each in image.deployed),
        )
        return entry_of(affected)

    def _deployed(self, place: Deployment, asked: "_Asked") -> DeployedImage:
        """Since when the place has the fix is told by what it named before, as far as that has it too.

        Where nobody knows what that was, or what it held, the place may have named an earlier build with the fix
        before any but the one that brought it.
        """
        has_fix = self._has_fix(place, asked)
        since, is_older, named = place.since, place.is_older, place.digest
        is_first = place.named_before is not None
        for before in place.named_before or () if has_fix else ():
            had_fix = self._had_fix(before, since, asked)
            if not had_fix:
                is_first = had_fix is False
                break
            since, is_older, named = before.since, before.is_older, before.digest
        is_first = is_first or self._brought_fix(named, asked)
        return DeployedImage(str(place), place.repository, has_fix, since, is_older or not is_first)

    def _has_fix(self, place: Deployment, asked: "_Asked") -> bool | None:
        """Another digest than the image's has the fix too where it is that of a platform, or of a build since.

        One that was never seen may have it too where it is named since the last build without was seen.
        """
        has_fix = _names_it(place, asked.image)
        if has_fix is not False:
            return has_fix
        if place.digest is not None and place.digest in self.pinned:
            return self._build_has_fix(place.digest, asked)
        numbers = (number for platform, number in asked.image.inventories if platform in asked.platforms)
        lacked = [at for number in numbers if (at := self.histories.last_seen_with(number, asked.cve)) is not None]
        return None if place.since is not None and place.since > max(lacked, default=place.since) else False

    def _had_fix(self, before: Naming, until: datetime | None, asked: "_Asked") -> bool | None:
        """Whether what a place named `until` then had the fix at last; None where that is not known."""
        image, held = asked.image, asked.held
        if before.digest is not None and before.digest != image.digest:
            return self._build_has_fix(before.digest, asked)
        if before.digest is not None:
            return held.is_affected is False or None
        if what_is_named(before.tag, None) not in image.tags or held.free_since is None or until is None:
            return None
        return held.free_since <= until

    def _build_has_fix(self, digest: str, asked: "_Asked") -> bool | None:
        """Of the platforms that have the CVE or had it, a whole build has to be known."""
        build = self.pinned.get(digest)
        if build is None:
            return None
        held = held_by_all([self.histories.held(number, asked.cve) for _, number in build.inventories])
        if held.is_affected is False and not build.has_all(asked.platforms):
            return None
        return None if held.is_affected is None else not held.is_affected

    def _brought_fix(self, digest: str | None, asked: "_Asked") -> bool:
        """Whether that build, or else what the image shows, is the one that brought the fix."""
        build = self.pinned.get(digest or "") if digest != asked.image.digest else None
        named = asked.image.inventories if build is None else build.inventories
        return any(self.histories.brought_fix(number, asked.cve) for _, number in named)


@dataclass(frozen=True, slots=True)
class _Asked:
    """An image and a CVE that it `held` on these platforms, or holds."""

    image: ExposedImage
    cve: str
    platforms: frozenset[str]
    held: Held


def _names_it(place: Deployment, image: ExposedImage) -> bool | None:
    """A digest is that of the image or it is not; a tag is the image's where it was seen under that."""
    if place.digest is not None:
        return place.digest == image.digest
    return True if what_is_named(place.tag, None) in image.tags else None
