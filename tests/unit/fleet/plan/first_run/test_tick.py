"""The first run tells once how stale the fleet is, or brings it along."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pytest

from bot.domain.bases.change import Change
from bot.domain.bases.observation import Observation
from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.rollouts.pinning import BehindUsage, FleetBehind
from bot.domain.rollouts.policy import Match, Policy
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.rollout import Revisions
from bot.fleet.plan.catching_up import CatchUp, planned
from bot.fleet.plan.first_run.tick import FirstRunTally, tick
from tests.unit.fleet.plan.world import ASPNET, NOON, WEEKLY, digest, member, move, rebuild, usage

MOVE = move(to="z")
SHOP = BehindUsage(
    member(), usage("aspnet:10.0@a"), ASPNET, Observation(NOON, ASPNET, digest("z"), "10.0.9"), NOON, (MOVE,)
)
CART = BehindUsage(member(id=8, name="contoso/cart"), SHOP.usage, ASPNET, SHOP.observation, NOON, SHOP.moves)


class Store:
    """A fleet that was read as a whole, of which these usages are behind."""

    def __init__(self, *behind: BehindUsage) -> None:
        self.fleet = FleetBehind(behind, followed=9, left_alone=1, untold=2)
        self.served: set[tuple[int, Base, str]] = set()
        self.waiting: list[Rebuild] = []
        self.is_over, self.is_read, self.is_late = False, True, False
        self.ended: list[tuple[CatchUp | None, bool]] = []

    async def revisions(self) -> Revisions:
        return Revisions(3, 4)

    async def behind(self) -> FleetBehind:
        return self.fleet

    async def on_the_way(self, repositories: Collection[int]) -> Collection[tuple[int, Base, str]]:
        return {each for each in self.served if each[0] in repositories}

    async def open_rebuilds(self) -> Sequence[Rebuild]:
        return self.waiting

    async def changes_on_the_way(self, rebuilds: Sequence[Rebuild]) -> Mapping[int, Change]:
        return {1: MOVE.change} if rebuilds else {}

    async def is_first_run_over(self) -> bool:
        return self.is_over

    async def is_fleet_read(self) -> bool:
        return self.is_read

    async def end_first_run(self, plan: CatchUp | None, *, is_told: bool) -> int | None:
        if self.is_late:
            raise LeaseLost("another was faster")
        self.ended.append((plan, is_told))
        return None


async def ticked(store: Store, *, catches_up: bool) -> FirstRunTally:
    return await tick(store, Policy(), ManualClock(NOON), catches_up=catches_up)


async def test_it_is_told_how_stale_the_fleet_is_and_nothing_planned_where_that_is_not_wished() -> None:
    store = Store(SHOP, CART)
    assert await ticked(store, catches_up=False) == FirstRunTally(behind=2, planned=0)
    assert store.ended == [(None, True)]


async def test_the_fleet_is_brought_along_where_that_is_wished() -> None:
    store = Store(SHOP, CART)
    assert await ticked(store, catches_up=True) == FirstRunTally(behind=2, planned=2)
    ((plan, is_told),) = store.ended
    assert plan is not None
    assert (len(plan.rebuilds), plan.revisions, is_told) == (2, Revisions(3, 4), True)


@pytest.mark.parametrize("catches_up", [False, True])
async def test_a_fleet_in_which_nothing_is_behind_is_not_told_of(catches_up: bool) -> None:
    store = Store()
    assert await ticked(store, catches_up=catches_up) == FirstRunTally()
    assert [is_told for _, is_told in store.ended] == [False]


FLOATING = replace(SHOP, member=member(WEEKLY), usage=usage("aspnet:10.0"))


@pytest.mark.parametrize(
    ("behind", "is_served", "is_told"), [(SHOP, False, False), (FLOATING, False, True), (FLOATING, True, False)]
)
async def test_after_a_loss_only_a_run_that_is_lacking_is_told_again(
    behind: BehindUsage, is_served: bool, is_told: bool
) -> None:
    """Of a pull request, and of a pin that was left behind before, the forge still tells."""
    store = Store(behind)
    if is_served:
        store.served = {(7, ASPNET, digest("z"))}
    await tick(store, Policy(), ManualClock(NOON), catches_up=False, is_first=False)
    assert store.ended == [(None, is_told)]


@pytest.mark.parametrize(("is_over", "is_read"), [(True, True), (False, False)])
async def test_it_waits_until_the_whole_fleet_was_read_and_happens_once(is_over: bool, is_read: bool) -> None:
    store = Store(SHOP)
    store.is_over, store.is_read = is_over, is_read
    assert await ticked(store, catches_up=True) == FirstRunTally()
    assert store.ended == []


async def test_where_another_worker_was_faster_nothing_is_counted() -> None:
    store = Store(SHOP)
    store.is_late = True
    assert await ticked(store, catches_up=True) == FirstRunTally()


async def caught_up(store: Store, only: Match = Match()) -> CatchUp:  # noqa: B008
    return await planned(store, Policy(), ManualClock(NOON), only)


async def test_only_the_repositories_that_were_asked_for_are_brought_along() -> None:
    found = await caught_up(Store(SHOP, CART), Match(repositories=("contoso/cart",)))
    assert [each.repository for each in found.rebuilds] == ["contoso/cart"]
    assert found.behind == FleetBehind((CART,), followed=9, left_alone=1, untold=2)


def severe(behind: BehindUsage, severity: Severity | None) -> BehindUsage:
    return replace(behind, moves=(replace(MOVE, change=replace(MOVE.change, severity=severity)),))


async def test_of_those_that_lack_a_severe_fix_all_is_brought_along_and_of_others_nothing() -> None:
    beside = replace(severe(SHOP, None), usage=usage("aspnet:10.0@b"))
    store = Store(severe(SHOP, Severity.HIGH), beside, severe(CART, Severity.LOW))
    found = await caught_up(store, Match(min_severity=Severity.HIGH))
    assert [each.repository for each in found.rebuilds] == ["contoso/shop"]
    assert {each.usage for each in found.behind.usages} == {SHOP.usage, beside.usage}


async def test_the_first_run_tells_of_all_and_brings_along_what_is_as_severe_as_the_operator_says() -> None:
    store = Store(severe(SHOP, Severity.CRITICAL), severe(CART, None))
    tally = await tick(store, Policy(), ManualClock(NOON), catches_up=True, at_least=Severity.HIGH)
    assert tally == FirstRunTally(behind=2, planned=1)
    ((plan, is_told),) = store.ended
    assert plan is not None
    assert ([each.repository for each in plan.rebuilds], is_told) == (["contoso/shop"], True)


async def test_what_a_rebuild_brings_already_is_told_and_not_planned_again() -> None:
    store = Store(SHOP, CART)
    store.served = {(7, ASPNET, digest("z")), (8, ASPNET, digest("y"))}
    found = await caught_up(store)
    assert found.on_the_way == ("contoso/shop",)
    assert [each.repository for each in found.rebuilds] == ["contoso/cart"]


async def test_a_rebuild_that_waits_is_taken_over() -> None:
    store = Store(SHOP)
    store.waiting = [rebuild()]
    (found,) = (await caught_up(store)).rebuilds
    assert found.supersedes == (1,)
