"""One image, read by its digest and judged by all that bases have shown."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.bases.observation import PlatformImage
from bot.domain.images.image import ProducedImage, declared_of
from bot.domain.images.named_bases import NamedBases
from bot.domain.images.standing import LAW, ImageStanding, Publication, as_claims
from bot.domain.platform import is_left_out
from bot.domain.reference import Base
from bot.fleet.verify.images.confirming import confirm, confirmed_before
from bot.fleet.verify.images.ports import ImagesPort, ImagesStore, KnownImage, Look
from bot.images.standing.deciding import Witnesses, standing_of
from bot.images.standing.declared import of_dockerfile
from bot.images.standing.observed_layers import ObservedLayers


@dataclass(slots=True)
class Observed:
    """All layers that bases have shown, as far as this process has read them; kept from tick to tick.

    `platforms` are those that the operator wants judged, all where there are none.
    """

    platforms: frozenset[str] = frozenset()
    layers: ObservedLayers = field(default_factory=ObservedLayers)
    last: int = 0
    last_unpacked: int = 0
    compared_until: int = 0
    """Up to which observation all images were compared."""
    tried: dict[int, tuple[str, frozenset[str]]] = field(default_factory=dict)
    """Of images by id, the digest of which nothing more could be proved, and what its layers claimed then: a
    publication that is gone from its registry proves nothing, however often it is asked for."""

    async def catch_up(self, store: ImagesStore) -> None:
        """Reads what was observed since, and which layers were read."""
        while observations := await store.observations_since(self.last):
            for number, observation in observations:
                self.layers.add(observation)
                self.last = number
        while contents := await store.unpacked_since(self.last_unpacked):
            self.layers.unpacked |= {layer: content for _, layer, content in contents}
            self.last_unpacked = contents[-1][0]


def judge(image: KnownImage, observed: Observed, confirmed: Collection[str] = ()) -> tuple[ImageStanding, ...]:
    """Judges what each platform stands on; by the text of a Dockerfile too, where that names one base only.

    `confirmed` are digests of platforms of bases whose whole layers it has, beyond those known from before. What
    was read for an earlier edition of the law proves nothing by this one.
    """
    confirmed_digests = confirmed_before(image.standings).union(confirmed)
    final = image.named_bases.final
    from_dockerfile = tuple(of_dockerfile(base) for base in final) if len(final) == 1 else ()
    standings = [
        ImageStanding(
            not_judged.name,
            unjudged=not_judged.reason,
            is_left_out=is_left_out(not_judged.name, observed.platforms),
        )
        for not_judged in image.not_judged
    ]
    for platform in image.platforms:
        witnesses = Witnesses(
            image.named_bases,
            (*declared_of(platform, image.declared), *from_dockerfile),
            image.runtimes.get(platform.digest, ()),
            confirmed_digests,
            image.name,
        )
        if is_left_out(platform.platform, observed.platforms):
            standings.append(ImageStanding(platform.platform, is_left_out=True, unjudged=_LEFT_OUT))
        else:
            standings.append(standing_of(platform, observed.layers, witnesses))
    return tuple(standings) if image.law == LAW else as_claims(standings)


_LEFT_OUT = "images.platforms leaves it out"


async def look_at(
    image: ProducedImage, place: Base, digest: str, store: ImagesStore, registries: ImagesPort, observed: Observed
) -> Look:
    """Reads an image of the fleet by its digest and says what it stands on. Raises `Failure`."""
    return await read_and_judge(place, digest, await store.named_bases(image), store, registries, observed)


async def read_and_judge(
    place: Base,
    digest: str,
    named_bases: NamedBases,
    store: ImagesStore,
    registries: ImagesPort,
    observed: Observed,
) -> Look:
    """Reads any image by its digest, which is seen at `place`, and says what it stands on. Raises `Failure`."""
    layers = observed.layers

    def below(platform: PlatformImage) -> Sequence[Publication]:
        match = layers.match(platform, apart_from=place.name)
        return match.publications if match is not None else ()

    seen_image = await registries.read(place, digest, named_bases, below)
    runtimes = await store.runtimes_inside([each.digest for each in seen_image.platforms])
    confirmed = await confirm(place, seen_image.platforms, layers, registries, named_bases.final)
    seen_image = replace(seen_image, fetched={**seen_image.fetched, **confirmed.fetched})
    known_image = KnownImage(
        0,
        place.name,
        seen_image.platforms,
        seen_image.declared,
        (),
        named_bases,
        runtimes,
        not_judged=seen_image.not_judged,
    )
    return Look(place.tag, seen_image, judge(known_image, observed, confirmed.digests), confirmed.unpacked)
