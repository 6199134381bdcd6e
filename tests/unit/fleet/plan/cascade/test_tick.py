"""A tick of the cascade: who may go is let go, and layers are asked for only where they decide."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Target
from bot.fleet.plan.cascade.decisions import Due, RebuildProgress
from bot.fleet.plan.cascade.shown import LastBuild, Stood
from bot.fleet.plan.cascade.tick import CascadeInput, CascadeTally, Decided, tick
from tests.unit.fleet.plan.cascade.world import NOON, image, link, own, upstream

GOLDEN, SHOP = 1, 2
RUNTIME = upstream(0)
BUILD = LastBuild(NOON, (Target(RUNTIME, "sha256:a", "sha256:b", (1,)),))
FLEET = CascadeInput(
    releases=4,
    links=(link(1, SHOP, GOLDEN),),
    progress={image(SHOP): RebuildProgress.DUE},
    dues={20: Due(SHOP, frozenset({image(SHOP)}), NOON)},
    held_rebuilds=frozenset({20}),
    builds={image(GOLDEN): BUILD},
    bases_of={image(GOLDEN): frozenset({RUNTIME})},
    digests={RUNTIME: "sha256:b"},
    moved={own(GOLDEN): NOON},
)
PROVED = Stood(frozenset({RUNTIME}), "b", "b")
OLD = Stood(frozenset({RUNTIME}), "a", "b")


class World:
    """The store and the registries, whose layers tell `stood` of the golden image."""

    def __init__(self, fleet: CascadeInput | None = FLEET, stood: Stood | None = PROVED) -> None:
        self.input = fleet
        self.layers = {own(GOLDEN): stood} if stood is not None else {}
        self.asked: list[Mapping[Base, Collection[Base]]] = []
        self.saved: list[Decided] = []
        self.is_late = False

    async def fleet(self) -> CascadeInput | None:
        return self.input

    async def save(self, decided: Decided) -> int:
        if self.is_late:
            raise LeaseLost("another was faster")
        self.saved.append(decided)
        return len(decided.cascade.frontier)

    async def stood(self, asked: Mapping[Base, Collection[Base]]) -> Mapping[Base, Stood]:
        self.asked.append(asked)
        return self.layers

    async def tick(self, after: timedelta = timedelta(0)) -> CascadeTally:
        return await tick(self, self, ManualClock(NOON + after))


async def test_where_nothing_has_changed_nothing_is_decided() -> None:
    world = World(None)
    assert await world.tick() == CascadeTally()
    assert world.saved == []


async def test_who_waits_is_let_go_once_the_layers_of_its_parent_show_the_new_base() -> None:
    world = World()
    assert await world.tick() == CascadeTally(let_go=1)
    assert world.asked == [{own(GOLDEN): frozenset({RUNTIME})}]
    ((decided),) = world.saved
    assert decided.fleet is FLEET
    assert {*decided.cascade.frontier} == {20}


async def test_who_stands_on_a_parent_whose_layers_are_old_waits() -> None:
    assert await World(stood=OLD).tick() == CascadeTally(waiting=1)


async def test_where_layers_tell_nothing_the_time_since_the_build_decides() -> None:
    assert await World(stood=None).tick() == CascadeTally(let_go=1)
    early = replace(FLEET, moved={own(GOLDEN): NOON - timedelta(minutes=1)})
    assert await World(early, None).tick() == CascadeTally(waiting=1)


async def test_layers_of_a_parent_that_is_still_to_be_rebuilt_are_not_asked_for() -> None:
    world = World(replace(FLEET, progress={**FLEET.progress, image(GOLDEN): RebuildProgress.UNDER_WAY}))
    assert await world.tick() == CascadeTally(waiting=1)
    assert world.asked == []


async def test_layers_for_those_who_do_not_wait_are_not_asked_for() -> None:
    world = World(replace(FLEET, held_rebuilds=frozenset({21})))
    await world.tick()
    assert world.asked == []


async def test_those_that_failed_and_circles_that_were_cut_are_counted() -> None:
    failed = {image(SHOP): RebuildProgress.DUE, image(GOLDEN): RebuildProgress.FAILED}
    circle = (*FLEET.links, link(2, GOLDEN, SHOP))
    assert await World(replace(FLEET, progress=failed, links=circle)).tick() == CascadeTally(
        waiting=1, blocked=1, cycles=1
    )


async def test_where_somebody_was_faster_nothing_is_counted() -> None:
    world = World()
    world.is_late = True
    assert await world.tick() == CascadeTally()


async def test_who_has_waited_for_its_time_to_join_goes() -> None:
    assert await World(stood=OLD).tick(timedelta(hours=2)) == CascadeTally(let_go=1)
