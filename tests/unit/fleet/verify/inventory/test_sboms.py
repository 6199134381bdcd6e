"""Registries are asked for SBOMs, once more where none is there yet."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from bot.domain.clock import ManualClock
from bot.domain.evidence import Strength
from bot.domain.failure import Failure, Trouble
from bot.domain.packages.package import ImagePlace, Inventory, Sbom, SbomOrigin
from bot.fleet.verify.inventory.sboms import SbomLook, SbomTally, tick
from bot.reconcile.loop import Loop
from tests.builders import NOON
from tests.fakes.queue import FakeQueue

PLACE = ImagePlace("registry.example", "shop", "sha256:image", "sha256:index")
FOUND = Sbom("sha256:1", SbomOrigin.REFERRER, Strength.CLAIMED, "not signed", Inventory())


@dataclass
class Store:
    queue: FakeQueue[SbomLook] = field(default_factory=FakeQueue)
    saved: list[tuple[Sequence[Sbom], datetime | None]] = field(default_factory=list)

    def looks(self, platforms: Collection[str]) -> FakeQueue[SbomLook]:
        return self.queue

    async def save_sboms(self, look: SbomLook, found: Sequence[Sbom], again_at: datetime | None) -> None:
        self.queue.settle(look.id, again_at or NOON + timedelta(days=30))
        self.saved.append((found, again_at))


@dataclass
class Registries:
    answer: Sequence[Sbom] | Failure

    async def sboms(self, place: ImagePlace) -> Sequence[Sbom]:
        assert place == PLACE
        if isinstance(self.answer, Failure):
            raise self.answer
        return self.answer


async def run(answer: Sequence[Sbom] | Failure, *, is_last: bool = False) -> tuple[Store, SbomTally]:
    store = Store()
    store.queue.add(SbomLook(1, PLACE, is_last), NOON)
    return store, await tick(store, Registries(answer), ["linux/amd64"], Loop(ManualClock(NOON)))


async def test_what_is_found_ends_the_asking() -> None:
    store, tally = await run([FOUND])
    assert (store.saved, tally) == ([([FOUND], None)], SbomTally(1))


@pytest.mark.parametrize(("is_last", "again_at"), [(False, NOON + timedelta(days=1)), (True, None)])
async def test_an_image_without_one_is_asked_again_a_day_later_and_then_no_more(
    is_last: bool, again_at: datetime | None
) -> None:
    store, _ = await run([], is_last=is_last)
    assert store.saved == [([], again_at)]


async def test_an_image_of_which_none_can_be_read_is_asked_again_too() -> None:
    """More may be attached than was looked at, and a build may attach one still."""
    unread = replace(FOUND, inventory=Inventory(problems=("51 artifacts refer to it, of which 50 were looked at",)))
    store, _ = await run([unread])
    assert store.saved == [([unread], NOON + timedelta(days=1))]


async def test_a_registry_that_fails_is_asked_again_and_nothing_is_concluded() -> None:
    store, tally = await run(Failure(Trouble.UNREACHABLE, "is down", where="registry.example"))
    assert (store.saved, tally.problems) == ([], ())
    assert store.queue.rows[1].due_at > NOON


async def test_a_registry_that_shows_us_none_has_none() -> None:
    store, _ = await run(Failure(Trouble.DENIED, "refused", where="registry.example"), is_last=True)
    assert store.saved == [((), None)]
