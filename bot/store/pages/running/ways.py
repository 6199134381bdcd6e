"""By which way a fix comes to what runs: as the ledger tells of the image under whose name that runs."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from bot.domain.packages.ledger.clocks import Passage
from bot.domain.packages.ledger.entries import LedgerEntry
from bot.domain.running.causes import ExposureCause, Way, way_of
from bot.store.pages.ledger.entries import ExposedImage
from bot.store.pages.ledger.exposed import Exposure
from bot.views.running.exposed import image_name


class EntriesOfImages(Protocol):
    """As `Ledger` has them."""

    @property
    def images(self) -> Sequence[ExposedImage]: ...

    def entry(self, image: ExposedImage, cve: str) -> LedgerEntry | None: ...

    def likeness_now(self, image: ExposedImage) -> Hashable: ...

    def has_now(self, image: ExposedImage, cve: str) -> bool: ...


@dataclass
class WaysOfFixes:
    """Finds ways by the names of images. An entry is worked out where its image runs with the CVE, once for all
    images that show the same on the same bases, as long as these have it."""

    ledger: EntriesOfImages
    _ways: dict[tuple[int, str], Way | None] = field(default_factory=dict)
    _alike: dict[tuple[int, str], Way | None] = field(default_factory=dict)
    _published: dict[int, Way] = field(default_factory=dict)
    _equal: dict[Way, Way] = field(default_factory=dict)

    def images_of(self, name: str, repository: str) -> Sequence[int]:
        """The images that what runs under a name may be, by their positions: a name with a tag goes before one
        without, and that before the repository that builds it."""
        names = name.partition("@")[0], image_name(name), f"of {repository}"
        return next((self._by_name[each] for each in names if each in self._by_name), ())

    def way(self, images: Sequence[int], cve: str, exposures: Sequence[Exposure]) -> Way:
        """What the ledger tells alike of all these images, else when the fix was published and no more. Of equal
        ways one is given."""
        ways = {self._way_to(each, cve) for each in images}
        way = ways.pop() if len(ways) == 1 else None
        if way is not None:
            return way
        key = id(exposures)
        if key not in self._published:
            self._published[key] = self._one_of(_published_way(exposures))
        return self._published[key]

    def _way_to(self, image: int, cve: str) -> Way | None:
        alike = self._likenesses[image], cve
        if alike in self._alike:
            return self._alike[alike]
        own = image, cve
        if own in self._ways:
            return self._ways[own]
        shown = self.ledger.images[image]
        entry = self.ledger.entry(shown, cve)
        way = self._one_of(way_of(entry.clocks)) if entry is not None else None
        if self.ledger.has_now(shown, cve):
            self._alike[alike] = way
        else:
            self._ways[own] = way
        return way

    def _one_of(self, way: Way) -> Way:
        return self._equal.setdefault(way, way)

    @cached_property
    def _likenesses(self) -> Sequence[int]:
        """The same number for images of which the same holds of CVEs that they have."""
        numbers: dict[Hashable, int] = {}
        return [numbers.setdefault(self.ledger.likeness_now(image), len(numbers)) for image in self.ledger.images]

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[int]]:
        by_name = defaultdict[str, list[int]](list)
        for position, image in enumerate(self.ledger.images):
            for name in (image.name, image_name(image.name), f"of {image.repository}"):
                by_name[name].append(position)
        return dict(by_name)


def _published_way(exposures: Sequence[Exposure]) -> Way:
    if not all(each.fixed_in for each in exposures):
        return ((ExposureCause.NO_FIX, Passage.WAITING, None),)
    times = [each.fixed_at for each in exposures]
    fixed_at = None if None in times else max(at for at in times if at is not None)
    return (ExposureCause.NO_FIX, Passage.PASSED, fixed_at), (ExposureCause.IMAGE, Passage.UNKNOWN, None)
