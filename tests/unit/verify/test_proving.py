"""What becomes of a rebuild whose new images cannot be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from bot.domain.bases.observation import Observation
from bot.domain.clock import ManualClock
from bot.domain.images.builder import Builder
from bot.domain.images.image import ProducedImage
from bot.domain.images.produced import Claim, Source
from bot.domain.images.tags import TagRule
from bot.domain.images.trust import Lack
from bot.domain.images.verdict import Verdict
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Rebuild, State
from bot.reconcile.loop import Loop
from bot.verify.images.ports import ImagesPort
from bot.verify.images.stage import Observed
from bot.verify.proving.stage import NothingRequired, Proving, ProvingOptions, ProvingStore, tick
from tests.builders import NOON, rebuild
from tests.fakes.queue import FakeQueue

SHOP = ProducedImage(1, 1, "contoso/shop", Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD))
CONTESTED = replace(SHOP, is_contested=True)


class AllRequired(NothingRequired):
    """Where a rule asks for the signature of every image."""

    def requires(self, name: str) -> bool:
        return True

    async def lack(self, place: Base, digest: str, builder: Builder | None) -> Lack | None:
        raise AssertionError("no digest is known to ask about")


@dataclass
class World:
    """One rebuild that is built, with a step to go."""

    proving: FakeQueue[Proving] = field(default_factory=FakeQueue)

    async def observations_since(self, last: int) -> Sequence[tuple[int, Observation]]:
        return ()

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None:
        self.proving.settle(1, after.due_at, replace(self.proving[1], rebuild=after))


async def proved(image: ProducedImage, trust: NothingRequired) -> Rebuild:
    world = World()
    built = rebuild(state=State.PROVING, steps=1, built_at=NOON)
    world.proving.add(Proving(built, (image,), ()), NOON)
    store, registries = cast(ProvingStore, world), cast(ImagesPort, world)
    await tick(store, registries, Observed(), ProvingOptions(), Loop(ManualClock(NOON)), trust=trust)
    return world.proving[1].rebuild


async def test_an_image_of_which_it_is_not_known_who_produces_it_is_not_taken_for_signed() -> None:
    after = await proved(CONTESTED, AllRequired())
    assert (after.state, after.proof) == (State.FAILED, Verdict.UNTRUSTED)
    assert after.reason == (
        "built, but it cannot be told whether ghcr.io/contoso/shop:latest is signed as trust.rules require, which "
        "is as good as not: another repository says that it produces this image; say in the settings under images "
        "who produces it"
    )


async def test_where_nothing_is_required_its_steps_begin_unproven() -> None:
    after = await proved(CONTESTED, NothingRequired())
    assert (after.state, after.proof) == (State.STEPPING, Verdict.UNKNOWN)


async def test_one_that_stands_on_nothing_known_lacks_no_signature() -> None:
    assert (await proved(SHOP, AllRequired())).state is State.STEPPING
