"""By which way a fix comes to what runs: as the ledger tells of the image under whose name that runs."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bot.domain.packages.ledger.clocks import Passage
from bot.domain.packages.ledger.entries import LedgerEntry
from bot.domain.running.causes import ExposureCause, Way, way_of
from bot.store.pages.ledger.entries import ExposedImage
from bot.store.pages.ledger.exposed import Exposure
from bot.views.running.exposed import image_name


@dataclass
class WaysOfFixes:
    """Finds ways by the names of images; each entry is worked out once, where its image runs with the CVE."""

    images: Sequence[ExposedImage]
    entry_of: Callable[[ExposedImage, str], LedgerEntry | None]
    _ways: dict[tuple[int, str], Way | None] = field(default_factory=dict)

    def images_of(self, name: str, repository: str) -> Sequence[int]:
        """The images that what runs under a name may be, by their positions: a name with a tag goes before one
        without, and that before the repository that builds it."""
        names = name.partition("@")[0], image_name(name), f"of {repository}"
        return next((self._by_name[each] for each in names if each in self._by_name), ())

    def way(self, images: Sequence[int], cve: str, exposures: Sequence[Exposure]) -> Way:
        """What the ledger tells alike of all these images, else when the fix was published and no more."""
        ways = {self._way_to(each, cve) for each in images}
        way = ways.pop() if len(ways) == 1 else None
        return way if way is not None else _published_way(exposures)

    def _way_to(self, image: int, cve: str) -> Way | None:
        key = image, cve
        if key not in self._ways:
            entry = self.entry_of(self.images[image], cve)
            self._ways[key] = way_of(entry.clocks) if entry is not None else None
        return self._ways[key]

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[int]]:
        by_name = defaultdict[str, list[int]](list)
        for position, image in enumerate(self.images):
            for name in (image.name, image_name(image.name), f"of {image.repository}"):
                by_name[name].append(position)
        return dict(by_name)


def _published_way(exposures: Sequence[Exposure]) -> Way:
    if not all(each.fixed_in for each in exposures):
        return ((ExposureCause.NO_FIX, Passage.WAITING, None),)
    times = [each.fixed_at for each in exposures]
    fixed_at = None if None in times else max(at for at in times if at is not None)
    return (ExposureCause.NO_FIX, Passage.PASSED, fixed_at), (ExposureCause.IMAGE, Passage.UNKNOWN, None)
