"""The layers of everything that bases have shown, to be asked which of it an image stands on.

A tree for each platform, keyed layer by layer from the bottom: an image is looked up by walking as far as its own
layers lead, so the whole history costs no more than the image has layers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.evidence import Strength
from bot.domain.images.standing import Doubt, Publication
from bot.domain.platform import usual_name
from bot.domain.reference import Base

_SHORT = 12


@dataclass(slots=True)
class _Node:
    """A layer on top of those that lead to it; `shown` are the publications that end here, by their number."""

    above: dict[str, "_Node"] = field(default_factory=dict)
    shown: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LayerMatch:
    """The longest run of an image's layers that is all of a base's.

    It is proved by the digests of the layers as the registry holds them, or by what those were seen to unpack to.
    Else `doubt` says why it is claimed; `unread` are the layers, bottom first, that would have to be read.
    """

    publications: tuple[Publication, ...]
    layers: int
    doubt: Doubt | None = None
    unread: tuple[str, ...] = ()

    @property
    def strength(self) -> Strength:
        return Strength.PROVED if self.doubt is None else Strength.CLAIMED


class ObservedLayers:
    """All publications of all bases. Observations are added in the order in which they were made, each base's own
    order is what counts."""

    def __init__(self, observations: Iterable[Observation] = ()) -> None:
        self._publications: list[Publication] = []
        self._unpacked: dict[str, _Node] = {}
        self._whole: dict[str, _Node] = {}
        self._short: dict[str, _Node] = {}
        self._newest: dict[Base, tuple[str, list[int]]] = {}
        self._numbers_by_digest: dict[str, list[int]] = {}
        self._of_base: dict[Base, list[int]] = {}
        self._images: dict[str, PlatformImage] = {}
        self.unpacked: dict[str, str] = {}
        """Of layers that were read whole, by digest, what they hold: the digest of that."""
        for observation in observations:
            self.add(observation)

    def add(self, observation: Observation) -> None:
        """A base shows another digest: what it showed before ends now. Without a digest it was withdrawn."""
        digest, before = self._newest.get(observation.base, ("", []))
        if observation.digest == digest:
            return
        for number in before:
            self._publications[number] = replace(self._publications[number], until=observation.at)
        if observation.digest is None:
            self._newest.pop(observation.base, None)
            return
        added = [self._add(observation, observation.digest, image) for image in observation.platforms]
        self._newest[observation.base] = (observation.digest, added)

    def _add(self, observation: Observation, digest: str, image: PlatformImage) -> int:
        number = len(self._publications)
        platform = usual_name(image.platform)
        self._publications.append(Publication(observation.base, observation.at, digest, platform, image.digest))
        self._images[image.digest] = _more_telling(image, self._images.get(image.digest))
        self._of_base.setdefault(observation.base, []).append(number)
        for named_digest in {digest, image.digest}:
            self._numbers_by_digest.setdefault(named_digest, []).append(number)
        if image.diff_ids:
            _grow(self._unpacked, platform, image.diff_ids, number)
        if all(len(layer) > _SHORT for layer in image.layers):
            _grow(self._whole, platform, image.layers, number)
        _grow(self._short, platform, image.short_layers, number)
        return number

    def match(self, image: PlatformImage, *, apart_from: str | None = None) -> LayerMatch | None:
        """What `image` stands on by its layers; None where no base's layers are all at its bottom.

        `apart_from` is the image's own name, `registry/repository`, where it is a base itself: every image has all
        of its own layers.
        """
        platform = usual_name(image.platform)
        read = [self.unpacked.get(layer, "") for layer in image.layers]
        unpacked = self._longest(self._unpacked, platform, read, apart_from)
        whole = self._longest(self._whole, platform, image.layers, apart_from)
        depth = max(unpacked[0], whole[0])
        matching_numbers = sorted(
            {number for count, numbers in (unpacked, whole) if count == depth for number in numbers}
        )
        proved = LayerMatch(self._all(matching_numbers), depth)
        configured = self._longest(self._unpacked, platform, image.diff_ids, apart_from)
        short = self._longest(self._short, platform, image.short_layers, apart_from)
        if configured[0] > max(depth, short[0]):
            unread = tuple(layer for layer in image.layers[: configured[0]] if layer not in self.unpacked)
            return LayerMatch(self._all(configured[1]), configured[0], Doubt.PACKED_ANEW, unread)
        if short[0] > depth:
            return LayerMatch(self._all(short[1]), short[0], Doubt.FEW_DIGITS)
        return proved if depth else None

    def image_of(self, publication: Publication) -> PlatformImage:
        """What the platform's manifest of a publication stands for."""
        return self._images[publication.platform_digest]

    def declared(self, publication: Publication, variable: str = "DOTNET_VERSION") -> str | None:
        """The version that a publication declares in a variable; None where it declares none, or was not asked."""
        versions = self.image_of(publication).versions or ()
        return next((each.value for each in versions if each.name == variable), None)

    def shown_by(self, base: Base) -> tuple[Publication, ...]:
        """All that the base has shown, each platform, the oldest first."""
        return self._all(self._of_base.get(base, ()))

    def _all(self, numbers: Iterable[int]) -> tuple[Publication, ...]:
        return tuple(self._publications[number] for number in numbers)

    def named(self, digest: str, platform: str) -> tuple[Publication, ...]:
        """The publications that `digest` names, as their index or as the manifest of `platform`."""
        publications = (self._publications[number] for number in self._numbers_by_digest.get(digest, ()))
        return tuple(each for each in publications if each.platform == usual_name(platform))

    def first_shown(self, base: Base, digest: str) -> datetime | None:
        """Returns when a base first showed that digest; None where it was never seen to."""
        publications = (self._publications[number] for number in self._numbers_by_digest.get(digest, ()))
        return min((each.at for each in publications if each.base == base and each.digest == digest), default=None)

    def current(self, base: Base) -> tuple[Publication, ...]:
        """What the base shows now, each platform; empty where it was never seen or is withdrawn."""
        return tuple(self._publications[number] for number in self._newest.get(base, ("", []))[1])

    def _longest(
        self, trees: dict[str, _Node], platform: str, layers: Sequence[str], apart_from: str | None
    ) -> tuple[int, list[int]]:
        node = trees.get(platform)
        best: tuple[int, list[int]] = (0, [])
        for depth, layer in enumerate(layers, start=1):
            node = node.above.get(layer) if node is not None else None
            if node is None:
                break
            if node.shown and (numbers := self._of_others(node.shown, apart_from)):
                best = (depth, numbers)
        return best

    def _of_others(self, numbers: list[int], apart_from: str | None) -> list[int]:
        if apart_from is None:
            return numbers
        return [number for number in numbers if self._publications[number].base.name != apart_from]


def _more_telling(image: PlatformImage, earlier: PlatformImage | None) -> PlatformImage:
    """One image as it was observed twice: not every observation has all of its configuration."""
    if earlier is None:
        return image
    versions = image.versions if image.versions is not None else earlier.versions
    return replace(image, versions=versions, history=image.history or earlier.history)


def _grow(trees: dict[str, _Node], platform: str, layers: Sequence[str], number: int) -> None:
    node = trees.setdefault(platform, _Node())
    for layer in layers:
        node = node.above.setdefault(layer, _Node())
    if layers:
        node.shown.append(number)
