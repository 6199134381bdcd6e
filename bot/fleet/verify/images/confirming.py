"""What layers only claim, looked at until it is proved: with the base's registry, or in the layers themselves.

Recorded history knows the first digits of compressed layers alone. The documents of a publication are fetched by
their digest when an image first seems to stand on it, and kept. An engine that packs layers anew when it pushes
leaves the base's blobs behind; its configuration says what they unpack to, as any configuration can. Such layers
are read once, and what they hold is kept by their digest.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.domain.bases.observation import PlatformImage
from bot.domain.images.standing import Basis, Doubt, ImageStanding, Publication
from bot.domain.reference import Base
from bot.images.standing.observed_layers import ObservedLayers

MOST = 8
"""Publications that are compared for one platform of an image: those of expected bases first, then what bases
show now, then the newest."""


class PublishedPort(Protocol):
    """A registry, as far as it still has what a base showed."""

    async def published(self, publication: Publication) -> tuple[PlatformImage | None, Mapping[str, bytes]]:
        """The layers of a publication with the documents that were not kept before; None where they are not to be
        had. Raises `Failure` for what passes."""
        ...

    async def unpacked(self, place: Base, layer: str) -> str | None:
        """The digest of what a layer of the image holds; None where it cannot be read, or not now: so much was read
        of late. Raises `Failure` for what passes."""
        ...


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The digests of platforms whose layers are all at the bottom of an image, and what was fetched for that:
    documents, and of layers what they hold."""

    digests: frozenset[str] = frozenset()
    fetched: Mapping[str, bytes] = field(default_factory=dict)
    unpacked: Mapping[str, str] = field(default_factory=dict)


async def confirm(
    place: Base,
    platforms: Sequence[PlatformImage],
    layers: ObservedLayers,
    registries: PublishedPort,
    expected: Collection[Base] = (),
) -> Confirmed:
    """Compares whatever is claimed by layers alone, and adds to `layers` what they are seen to hold.

    Raises `Failure` where a registry gives no answer.
    """
    digests: set[str] = set()
    documents_fetched: dict[str, bytes] = {}
    contents_by_layer: dict[str, str] = {}
    for image in platforms:
        match = layers.match(image, apart_from=place.name)
        if match is not None and match.doubt is Doubt.PACKED_ANEW:
            contents_by_layer |= await _read_layers(place, match.unread, registries)
            layers.unpacked |= contents_by_layer
            match = layers.match(image, apart_from=place.name)
        if match is None or match.doubt is not Doubt.FEW_DIGITS:
            continue
        for publication in _candidates(match.publications, expected)[:MOST]:
            base_image, documents = await registries.published(publication)
            documents_fetched |= documents
            if base_image is not None and _is_below(base_image, image):
                digests.add(publication.platform_digest)
    return Confirmed(frozenset(digests), documents_fetched, contents_by_layer)


async def _read_layers(place: Base, unread: Sequence[str], registries: PublishedPort) -> dict[str, str]:
    """What layers hold, from the bottom up to the first that cannot be read."""
    contents_by_layer: dict[str, str] = {}
    for layer in unread:
        content = await registries.unpacked(place, layer)
        if content is None:
            break
        contents_by_layer[layer] = content
    return contents_by_layer


def _candidates(publications: Iterable[Publication], expected: Collection[Base]) -> list[Publication]:
    """One publication for each digest of a platform, the likeliest first: an image that was just rebuilt stands on
    what its base shows now."""
    newest = sorted(publications, key=lambda each: each.at, reverse=True)
    likeliest = sorted(newest, key=lambda each: (each.base not in expected, each.until is not None))
    by_digest: dict[str, Publication] = {}
    for publication in likeliest:
        by_digest.setdefault(publication.platform_digest, publication)
    return list(by_digest.values())


def confirmed_before(standings: Sequence[ImageStanding]) -> frozenset[str]:
    """The digests of platforms that were proved by layers: an image's layers stay what they are."""
    return frozenset(
        publication.platform_digest
        for standing in standings
        if standing.are_layers_proved
        for publication in standing.publications
    )


def open_claims(standings: Sequence[ImageStanding]) -> frozenset[str]:
    """The digests of platforms that layers claim and that can still be proved."""
    return frozenset(
        publication.platform_digest
        for standing in standings
        if standing.basis is Basis.LAYERS and not standing.are_layers_proved
        for publication in standing.publications
    )


def _is_below(base_image: PlatformImage, image: PlatformImage) -> bool:
    return bool(base_image.layers) and image.layers[: len(base_image.layers)] == base_image.layers
