"""A tick takes the step of each open rollout, each on what the one before has left."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import SEVERE, Severity
from bot.domain.rollouts.timing.waiting import ReleaseRules, RolloutOptions, RolloutStanding, Standings
from bot.domain.rollouts.timing.waves import Wave, WaveTally
from bot.domain.rollouts.timing.windows import Freeze
from bot.fleet.plan.waves.tick import AdvanceTally, RolloutAdvance, tick
from tests.unit.fleet.plan.world import HOUR, NOON

OPTIONS = RolloutOptions((Wave("canary"), Wave("rest")))
DONE = WaveTally(ended=1, began_at=NOON - HOUR)
BEGINS = RolloutStanding(1, {"canary": WaveTally(waiting=1)}, ready={"canary": 1})
HAS_ENDED = RolloutStanding(1, {"canary": DONE})
FAILS = RolloutStanding(1, {"canary": WaveTally(ended=3, failed=3, began_at=NOON)})
WAITS = RolloutStanding(1, {"canary": WaveTally(under_way=1, began_at=NOON)})


class Store:
    def __init__(self, *rollouts: RolloutStanding) -> None:
        self.rollouts = tuple(replace(each, rollout=number) for number, each in enumerate(rollouts, 1))
        self.rules: list[ReleaseRules] = []
        self.taken: list[tuple[int, int]] = []
        self.late_from = 99
        self.gave_way: list[tuple[str, ...]] = []

    async def give_way(self, waves: Collection[str], now: datetime) -> int:
        self.gave_way.append(tuple(waves))
        return 0

    async def standings(self, rules: ReleaseRules) -> Standings:
        self.rules.append(rules)
        return Standings(7, self.rollouts)

    async def take(self, step: RolloutAdvance, rules: ReleaseRules, known: int) -> int:
        assert rules == self.rules[0]
        if known >= self.late_from:
            raise LeaseLost("something was released")
        self.taken.append((step.rollout, known))
        return sum(step.release.values())


async def ticked(store: Store, options: RolloutOptions = OPTIONS) -> AdvanceTally:
    return await tick(store, options, ManualClock(NOON))


async def test_each_rollout_takes_its_step_and_one_that_only_waits_writes_nothing() -> None:
    store = Store(BEGINS, WAITS, HAS_ENDED, HAS_ENDED, FAILS)
    assert await ticked(store) == AdvanceTally(
        released=1,
        waves_done=2,
        paused=("rollout 5 is paused: 3 of 3 ended rebuilds failed, more than 20%",),
    )
    assert store.taken == [(1, 7), (3, 8), (4, 9), (5, 10)]


async def test_where_something_was_released_since_the_rest_waits_for_the_next_tick() -> None:
    store = Store(BEGINS, BEGINS, BEGINS)
    store.late_from = 8
    assert await ticked(store) == AdvanceTally(released=1)
    assert store.taken == [(1, 7)]


async def test_where_nothing_is_open_nothing_is_done() -> None:
    assert await ticked(Store()) == AdvanceTally()


async def test_what_a_freeze_holds_back_is_told_to_the_store() -> None:
    store = Store()
    freeze = Freeze(NOON - HOUR, NOON + timedelta(days=1), "year end", except_severity=Severity.HIGH)
    await ticked(store, replace(OPTIONS, freezes=(freeze,)))
    (rules,) = store.rules
    assert rules.at == NOON
    assert rules.frozen == {None, *Severity} - SEVERE


async def test_without_a_freeze_nothing_is_held_back() -> None:
    store = Store()
    await ticked(store)
    assert store.rules == [ReleaseRules(NOON)]


async def test_only_where_a_batch_bounds_a_wave_what_cannot_go_on_gives_its_place_there() -> None:
    store = Store(BEGINS)
    await ticked(store, RolloutOptions((Wave("canary", batch=2), Wave("rest"))))
    await ticked(store)
    assert store.gave_way == [("canary",)]
