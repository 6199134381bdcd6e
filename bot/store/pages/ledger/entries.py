"""The entries of the ledger, worked out from what packages are exposed to, and the images as it looks at them."""

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.images.standing import ImageStanding
from bot.domain.packages.cves.marks import NO_MARK
from bot.domain.packages.ledger.clocks import AffectedImage, DeployedImage, Held, RunningBuilds, RunsOfImage
from bot.domain.packages.ledger.entries import AlikeEntries, LedgerEntry, entry_of, places_of
from bot.domain.repositories.usage import Naming, what_is_named
from bot.store.engine.among import is_among
from bot.store.engine.codec import load, readable
from bot.store.engine.writing import chunks
from bot.store.pages.images.deployed import deployments_of
from bot.store.pages.ledger.below import BasesBelow
from bot.store.pages.ledger.exposed import CveFacts, Exposed
from bot.store.pages.ledger.fixes_below import AffectedPlatform, FixesBelow, held_by_all
from bot.store.pages.ledger.histories import Histories
from bot.store.pages.ledger.pinned import Pinned, PinnedBuild
from bot.store.pages.ledger.running import Running, RunningDigest
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import repositories
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
    running: Running | None = None
    """None where no source tells what runs."""

    def row(self, cve: str, entries: Iterable[tuple[LedgerEntry, int]]) -> CveRow:
        """Sums up where the fix of one CVE is; each entry stands for so many images."""
        facts = self.exposed.cves.get(cve, CveFacts(cve))
        severity = facts.severity.value if facts.severity is not None else None
        places = places_of(entries)
        mark = self.exposed.marks.get(cve, NO_MARK)
        return CveRow(cve, facts.title, severity, facts.rated_by, facts.score, facts.publishers, places, mark)

    def rows(self) -> list[CveRow]:
        """All CVEs that images have or had. Images of which the same holds are looked at once, and counted."""
        entries_by_cve: dict[str, list[tuple[LedgerEntry, int]]] = {}
        for several in self.alike():
            for cve, entry in self.of_image(several[0]).items():
                entries_by_cve.setdefault(cve, []).append((entry, len(several)))
        return [self.row(cve, entries) for cve, entries in entries_by_cve.items()]

    def alike(self) -> Iterable[Sequence[ExposedImage]]:
        """Gives images of which the same holds for every CVE together."""
        alike: dict[Hashable, list[ExposedImage]] = {}
        for image in self.images:
            alike.setdefault(self._likeness(image), []).append(image)
        return alike.values()

    def of_image(self, image: ExposedImage) -> dict[str, LedgerEntry]:
        """Gives the entries of one image, by CVE."""
        return {cve: self._entry(image, cve, self._list_platforms(image, cve)) for cve in self._cves(image)}

    def entry(self, image: ExposedImage, cve: str) -> LedgerEntry | None:
        """Gives the entry of one image and one CVE; None where it never had that."""
        platforms = self._list_platforms(image, cve)
        return self._entry(image, cve, platforms) if platforms else None

    def likeness_now(self, image: ExposedImage) -> Hashable:
        """Gives what tells an image from one whose fixes come by the same way, as long as both have the CVE: what
        is deployed or runs makes no difference until then."""
        held = ((platform, id(self.histories.exposed_now(number))) for platform, number in image.inventories)
        return id(image.standings), tuple(held)

    def has_now(self, image: ExposedImage, cve: str) -> bool:
        """Whether all that the image shows has the CVE, or may have it."""
        return all(cve in self.histories.exposed_now(number) for _, number in image.inventories)

    def entries(self, cve: str) -> list[LedgerEntry]:
        """Gives the entries of all images that have the CVE or had it."""
        alike = AlikeEntries()
        return [
            self._entry(image, cve, platforms, alike)
            for image in self.images
            if (platforms := self._list_platforms(image, cve))
        ]

    def _likeness(self, image: ExposedImage) -> Hashable:
        """Gives what tells an image from one whose clocks stand alike for every CVE."""
        inside = tuple(
            (platform, self.histories.likeness(number), self.bases.below(image.standings, platform))
            for platform, number in image.inventories
        )
        places = frozenset(self._place_likeness(each, image) for each in image.deployed)
        return inside, places, frozenset(self._build_likeness(each.build) for each in self._runs(image))

    def _place_likeness(self, place: Deployment, image: ExposedImage) -> Hashable:
        names_it = _names_it(place, image)
        if names_it is not False:
            return names_it
        build = self.pinned.get(place.digest or "")
        if build is None:
            return tuple(self.histories.first_seen_before(number, place.since) for _, number in image.inventories)
        return self._build_likeness(build)

    def _build_likeness(self, build: PinnedBuild | None) -> Hashable:
        if build is None:
            return None
        likenesses = ((platform, self.histories.likeness(number)) for platform, number in build.inventories)
        return build.is_whole, frozenset(likenesses)

    def _runs(self, image: ExposedImage) -> tuple[RunningDigest, ...]:
        if self.running is None:
            return ()
        numbers = (number for _, number in image.inventories)
        return self.running.of(image.name.rpartition(":")[0], image.tags, image.digest, numbers)

    def _cves(self, image: ExposedImage) -> frozenset[str]:
        return frozenset(cve for _, number in image.inventories for cve in self.histories.cves_of(number))

    def _list_platforms(self, image: ExposedImage, cve: str) -> list[AffectedPlatform]:
        """The platforms on which the image has the CVE, or had it."""
        return [
            (platform, number, exposures)
            for platform, number in image.inventories
            if (exposures := self.histories.last_exposures(number, cve))
        ]

    def _entry(
        self,
        image: ExposedImage,
        cve: str,
        platforms: Sequence[AffectedPlatform],
        alike: AlikeEntries | None = None,
    ) -> LedgerEntry:
        below = self.fixes.of(image.standings, cve, platforms)
        holding = held_by_all([self.histories.held(number, cve) for _, number, _ in platforms])
        question = _Question(image, cve, frozenset(platform for platform, _, _ in platforms), holding)
        affected = AffectedImage(
            image.name,
            image.repository,
            below.packages,
            below.fix,
            below.base,
            holding,
            below.mirror,
            below.own_bases,
            tuple(self._deployed(each, question) for each in image.deployed),
            self._running(question),
        )
        has_places = image.deployed or affected.runs is not None
        if alike is None or (has_places and holding.is_affected is False):
            return entry_of(affected)
        is_run = affected.runs is not None and bool(affected.runs.builds or affected.runs.hole)
        return alike.of(affected, (id(below), holding, bool(image.deployed), is_run))

    def _running(self, question: "_Question") -> RunsOfImage | None:
        """The builds of the image that run; what the image shows now has the fix once the image does."""
        if self.running is None:
            return None
        builds = (
            RunningBuilds(
                each.places,
                not question.held.is_affected
                if each.digest == question.image.digest and question.held.is_affected is not None
                else self._holds_fix(each.build, question),
                *(each.since, each.is_older),
            )
            for each in self._runs(question.image)
        )
        return RunsOfImage(tuple(builds), self.running.hole)

    def _deployed(self, place: Deployment, question: "_Question") -> DeployedImage:
        """Since when the place has the fix is told by what it named before, as far as that has it too.

        Where nobody knows what that was, or what it held, the place may have named an earlier build with the fix
        before any but the one that brought it.
        """
        has_fix = self._has_fix(place, question)
        since, is_older, digest = place.since, place.is_older, place.digest
        is_first = place.named_before is not None
        for before in place.named_before or () if has_fix else ():
            had_fix = self._had_fix(before, since, question)
            if not had_fix:
                is_first = had_fix is False
                break
            since, is_older, digest = before.since, before.is_older, before.digest
        is_first = is_first or self._brought_fix(digest, question)
        return DeployedImage(str(place), place.repository, has_fix, since, is_older or not is_first)

    def _has_fix(self, place: Deployment, question: "_Question") -> bool | None:
        """Another digest than the image's has the fix too where it is that of a platform, or of a build since.

        One that was never seen may have it too where it is named since the last build without was seen.
        """
        has_fix = _names_it(place, question.image)
        if has_fix is not False:
            return has_fix
        if place.digest is not None and place.digest in self.pinned:
            return self._build_has_fix(place.digest, question)
        numbers = (number for platform, number in question.image.inventories if platform in question.platforms)
        lacked = [
            last_seen
            for number in numbers
            if (last_seen := self.histories.last_seen_with(number, question.cve)) is not None
        ]
        return None if place.since is not None and place.since > max(lacked, default=place.since) else False

    def _had_fix(self, before: Naming, until: datetime | None, question: "_Question") -> bool | None:
        """Whether what a place named `until` then had the fix at last; None where that is not known."""
        image, holding = question.image, question.held
        if before.digest is not None and before.digest != image.digest:
            return self._build_has_fix(before.digest, question)
        if before.digest is not None:
            return holding.is_affected is False or None
        if what_is_named(before.tag, None) not in image.tags or holding.free_since is None or until is None:
            return None
        return holding.free_since <= until

    def _build_has_fix(self, digest: str, question: "_Question") -> bool | None:
        """Of the platforms that have the CVE or had it, a whole build has to be known."""
        return self._holds_fix(self.pinned.get(digest), question)

    def _holds_fix(self, build: PinnedBuild | None, question: "_Question") -> bool | None:
        if build is None:
            return None
        holding = held_by_all([self.histories.held(number, question.cve) for _, number in build.inventories])
        if holding.is_affected is False and not build.has_all(question.platforms):
            return None
        return None if holding.is_affected is None else not holding.is_affected

    def _brought_fix(self, digest: str | None, question: "_Question") -> bool:
        """Whether that build, or else what the image shows, is the one that brought the fix."""
        build = self.pinned.get(digest or "") if digest != question.image.digest else None
        inventories = question.image.inventories if build is None else build.inventories
        return any(self.histories.brought_fix(number, question.cve) for _, number in inventories)


@dataclass(frozen=True, slots=True)
class _Question:
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


_IMAGES_AT_ONCE = 5_000
"""Rows of a kilobyte: so many are read at once."""
_IMAGES = (
    select(
        *(images.c[name] for name in ("id", "registry", "repository", "tag", "found", "digest")),
        cast(images.c.standings, String).label("standings"),
        repositories.c.name,
    )
    .join(repositories, repositories.c.id == images.c.repository_id)
    .where(is_among(images.c.id, "images"))
    .order_by(images.c.id)
)


async def read_images(
    connection: AsyncConnection, inventories_by_image: Mapping[int, Sequence[tuple[str, int]]]
) -> tuple[ExposedImage, ...]:
    """Reads the images with these ids, each with the inventories of its platforms."""
    run_at = await deployments_of(connection, inventories_by_image)
    standings = _Standings()
    exposed_images: list[ExposedImage] = []
    for ids in chunks(sorted(inventories_by_image), _IMAGES_AT_ONCE):
        rows = await connection.execute(_IMAGES, {"images": ids})
        exposed_images += readable(
            rows.all(),
            lambda row: _image(row, standings, inventories_by_image[row.id], run_at.get(row.id, ())),
            lambda row: f"image {row.id}",
        )
    return tuple(exposed_images)


class _Standings(dict[str | None, tuple[ImageStanding, ...]]):
    """By their JSON, each read once: there may be thousands of images that stand alike."""

    def __missing__(self, text: str | None) -> tuple[ImageStanding, ...]:
        self[text] = load(json.loads(text or "null") or [], tuple[ImageStanding, ...])
        return self[text]


def _image(
    row: Any,
    standings: Mapping[str | None, tuple[ImageStanding, ...]],
    platform_inventories: Sequence[tuple[str, int]],
    run_at: Sequence[Deployment],
) -> ExposedImage:
    return ExposedImage(
        f"{row.registry}/{row.repository}:{row.found or row.tag}",
        frozenset(tag for tag in (row.found, row.tag) if tag),
        row.digest,
        row.name,
        standings[row.standings],
        tuple(sorted(platform_inventories)),
        tuple(run_at),
    )
