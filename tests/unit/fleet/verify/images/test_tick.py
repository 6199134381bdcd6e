"""Images that are due are looked at, and read no oftener than there is something to learn."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.bases.image import Head
from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.clock import ManualClock
from bot.domain.evidence import Strength
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage, SeenImage
from bot.domain.images.named_bases import NamedBases
from bot.domain.images.standing import Basis, ImageStanding, Publication, RuntimeInside
from bot.domain.reference import Base
from bot.fleet.verify.images.judging import Observed
from bot.fleet.verify.images.ports import Below, KnownImage, Look, nothing_below
from bot.fleet.verify.images.tick import ImagesOptions, tick
from bot.images.standing.observed_layers import ObservedLayers
from bot.reconcile.loop import Loop
from tests.builders import NOON
from tests.fakes.queue import FakeQueue
from tests.unit.images.standing.world import image, shown

SHOP = ProducedImage(1, 1, "contoso/shop", Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD))
DIGEST = "sha256:" + "d" * 64
BUILT = image("os", "aspnet", "own")
HISTORY = shown(image("os", "aspnet", short=True))
"""A publication of which twelve digits of each layer are recorded."""


@dataclass
class World:
    """One image, due at every look, and a registry that has it and no publication of its base."""

    images: FakeQueue[ProducedImage] = field(default_factory=FakeQueue)
    observations: list[Observation] = field(default_factory=lambda: [HISTORY])
    read_: int = 0
    asked: int = 0
    told_contradictions: int = 0
    digest: str = DIGEST
    observed: Observed = field(default_factory=Observed)
    below: Sequence[Publication] = ()

    def __post_init__(self) -> None:
        self.images.add(SHOP, NOON)

    async def look(self) -> None:
        await tick(self, self, self.observed, ImagesOptions(), Loop(ManualClock(NOON)))

    async def named_bases(self, image: ProducedImage) -> NamedBases:
        return NamedBases((), ())

    async def runtimes_inside(self, digests: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        return {}

    async def unpacked_since(self, last: int) -> Sequence[tuple[int, str, str]]:
        return ()

    async def record_look(self, item: ProducedImage, look: Look, due_at: datetime) -> None:
        now = replace(item, found_tag=look.tag, digest=look.image.digest, standings=look.standings)
        self.images.settle(1, NOON, now)

    async def record_unmoved(self, images: Sequence[ProducedImage], due_at: datetime) -> None:
        self.images.settle(1, NOON)

    async def observations_since(self, last: int) -> Sequence[tuple[int, Observation]]:
        return [(number, each) for number, each in enumerate(self.observations, 1) if number > last]

    async def known_images(self, after: int) -> Sequence[KnownImage]:
        known = self.images[1]
        if after or known.digest is None:
            return ()
        return (KnownImage(1, SHOP.claim.name, (BUILT,), {}, known.standings, NamedBases()),)

    async def save_standings(self, standings: Mapping[int, tuple[ImageStanding, ...]]) -> None:
        self.images[1] = replace(self.images[1], standings=standings[1])

    async def tell_contradictions(self) -> None:
        self.told_contradictions += 1

    async def head(self, base: Base) -> Head:
        return Head(self.digest, "")

    async def tags(self, registry: str, repository: str) -> Sequence[str]:
        return ()

    def wants_provenance(self, name: str) -> bool:
        return False

    async def read(self, place: Base, digest: str, named: NamedBases, below: Below = nothing_below) -> SeenImage:
        self.read_ += 1
        self.below = below(BUILT)
        return SeenImage(digest, (BUILT,))

    async def published(self, publication: Publication) -> tuple[PlatformImage | None, Mapping[str, bytes]]:
        self.asked += 1
        return None, {}

    async def unpacked(self, place: Base, layer: str) -> str | None:
        return None


async def test_an_image_that_a_publication_which_is_gone_claims_is_read_once_for_each_digest() -> None:
    world = World()
    for _ in range(3):
        await world.look()
    assert (world.read_, world.asked) == (1, 1)
    world.digest = "sha256:" + "e" * 64
    await world.look()
    await world.look()
    assert (world.read_, world.asked) == (2, 2)


async def test_it_is_read_again_once_other_layers_claim_it() -> None:
    world = World()
    await world.look()
    again = replace(HISTORY.platforms[0], digest="sha256:" + "a" * 64)
    world.observations.append(replace(HISTORY, digest="sha256:" + "b" * 64, platforms=(again,)))
    await world.look()
    await world.look()
    assert world.read_ == 2


async def test_what_its_layers_stand_on_is_known_when_its_labels_are_read() -> None:
    """They may have come with that."""
    world = World()
    await world.look()
    assert [each.digest for each in world.below] == [HISTORY.digest]


async def test_an_image_whose_packages_were_not_read_yet_is_judged_once_more_when_they_are() -> None:
    """They are read after its first look, and tell the runtime that it brings itself."""
    [publication] = ObservedLayers([HISTORY]).current(HISTORY.base)
    unproved = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (publication,), inside=RuntimeInside())
    proved = replace(unproved, inside=RuntimeInside("10.0.9", "its packages", is_current=True))
    for standing, hours, reads in ((unproved, 25, 1), (unproved, 49, 0), (proved, 25, 0)):
        world = World(observations=[])
        seen_at = NOON - timedelta(hours=hours)
        kept = replace(SHOP, found_tag="latest", digest=DIGEST, seen_at=seen_at, standings=(standing,))
        world.images[1] = kept
        await world.look()
        assert world.read_ == reads


async def test_people_are_told_of_contradictions_after_the_looks() -> None:
    world = World()
    await world.look()
    assert world.told_contradictions == 1


class ManyImages(World):
    """Of which two hundred are known, ten at a time; while they are read, other observations come in."""

    told_anew = 0

    async def known_images(self, after: int) -> Sequence[KnownImage]:
        self.observed.last += 1
        ids = range(after + 1, min(after + 10, 200) + 1)
        return [KnownImage(each, SHOP.claim.name, (BUILT,), {}, (), NamedBases()) for each in ids]

    async def save_standings(self, standings: Mapping[int, tuple[ImageStanding, ...]]) -> None:
        self.told_anew += len(standings)


async def test_others_get_their_turn_while_all_images_are_compared_anew() -> None:
    world, told = ManyImages(), []

    async def others() -> None:
        while True:
            told.append(world.told_anew)
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await world.look()
    beside.cancel()
    assert {*range(10, 201, 10)} <= set(told)


async def test_what_is_observed_while_images_are_compared_has_them_compared_again() -> None:
    world = ManyImages()
    await world.look()
    assert world.observed.compared_until < world.observed.last
