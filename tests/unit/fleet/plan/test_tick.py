"""A tick of planning: what is unplanned becomes rollouts, and what waits is considered again first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Severity
from bot.domain.repositories.repository import Affected
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.rollout import OpenRollout, PlannedRollout, Reconsidered, Revisions
from bot.fleet.plan.tick import PlanTally, tick
from tests.unit.fleet.plan.world import ASPNET, HOUR, NOON, SDK, digest, member, move, rebuild, usage

RELEASE, OS = move(id=1), move(SDK, Cause.OS_UPDATE, id=2)


class Store:
    """Each reading of revisions gives others, and a plan that rests on some of them may be too late."""

    def __init__(self, *moves: Move, waiting: Sequence[Rebuild] = ()) -> None:
        self.moves = moves
        self.waiting = waiting
        self.rollouts: list[OpenRollout] = []
        self.to_reconsider: list[tuple[Rebuild, tuple[Change, ...]]] = []
        self.late: set[int] = set()
        self.plans: list[PlannedRollout] = []
        self.reconsidered: list[tuple[Mapping[int, Reconsidered], Revisions]] = []
        self.read = 0
        self.asked: list[str] = []

    async def revisions(self) -> Revisions:
        self.read += 1
        return Revisions(self.read, self.read)

    async def unplanned(self) -> Sequence[Move]:
        self.asked.append("unplanned")
        return self.moves

    async def affected(self, changes: Sequence[int]) -> Mapping[int, Sequence[Affected]]:
        named = {1: usage("aspnet:10.0@a"), 2: usage("sdk:10.0@a")}
        return {number: [Affected(member(), named[number])] for number in changes}

    async def open_rebuilds(self) -> Sequence[Rebuild]:
        return self.waiting

    async def changes_on_the_way(self, rebuilds: Sequence[Rebuild]) -> Mapping[int, Change]:
        assert rebuilds == self.waiting
        return {9: move(id=9, severity=Severity.CRITICAL).change}

    async def open_rollouts(self) -> Sequence[OpenRollout]:
        self.asked.append("open_rollouts")
        return self.rollouts

    async def reconsiderable(self) -> Sequence[tuple[Rebuild, tuple[Change, ...]]]:
        self.asked.append("reconsiderable")
        return self.to_reconsider

    async def save_reconsidered(self, found: Mapping[int, Reconsidered], known: Revisions) -> None:
        self.reconsidered.append((found, known))

    async def save_plan(self, plan: PlannedRollout) -> None:
        if {*plan.changes} & self.late:
            raise LeaseLost("another plan was saved")
        self.plans.append(plan)


async def ticked(store: Store) -> PlanTally:
    return await tick(store, Policy(), ManualClock(NOON))


async def test_each_group_of_changes_becomes_a_rollout_that_rests_on_what_was_known_before_it() -> None:
    store = Store(RELEASE, OS)
    assert await ticked(store) == PlanTally(changes=2, rebuilds=2)
    assert [(plan.joins, plan.changes, plan.revisions) for plan in store.plans] == [
        (None, (1,), Revisions(2, 2)),
        (None, (2,), Revisions(3, 3)),
    ]
    assert [[each.targets[0].base for each in plan.rebuilds] for plan in store.plans] == [[ASPNET], [SDK]]


async def test_where_nothing_is_unplanned_nothing_more_is_asked() -> None:
    store = Store()
    assert await ticked(store) == PlanTally()
    assert store.asked == ["reconsiderable", "unplanned"]


async def test_a_plan_that_another_was_faster_than_is_left_and_the_next_group_goes_on() -> None:
    store = Store(RELEASE, OS)
    store.late = {1}
    assert await ticked(store) == PlanTally(changes=2, rebuilds=1)
    assert [plan.changes for plan in store.plans] == [(2,)]


async def test_a_change_joins_the_open_rollout_of_its_publication() -> None:
    store = Store(RELEASE)
    store.rollouts = [OpenRollout(5, NOON - HOUR, (Cause.DOTNET_SECURITY,), (SDK,))]
    await ticked(store)
    assert [plan.joins for plan in store.plans] == [5]


async def test_what_waits_is_taken_over_with_the_changes_that_it_was_to_bring() -> None:
    earlier = rebuild()
    waiting = replace(earlier, targets=(replace(earlier.targets[0], changes=(9,)),))
    store = Store(replace(RELEASE, change=replace(RELEASE.change, to_digest=digest("c"))), waiting=[waiting])
    await ticked(store)
    ((found,),) = [plan.rebuilds for plan in store.plans]
    assert (found.supersedes, found.severity) == ((1,), Severity.CRITICAL)


@pytest.mark.parametrize("moves", [(), (RELEASE,)])
async def test_a_change_that_turns_out_to_be_a_severe_fix_settles_no_longer(moves: tuple[Move, ...]) -> None:
    waiting = rebuild(id=3, due_at=NOON + 6 * HOUR)
    severe = move(cause=Cause.DOTNET_SECURITY, severity=Severity.CRITICAL).change
    store = Store(*moves)
    store.to_reconsider = [(waiting, (severe,))]
    await ticked(store)
    ((found, known),) = store.reconsidered
    assert known == Revisions(1, 1)
    assert (found[3].due_at - NOON, found[3].severity) == (timedelta(0), Severity.CRITICAL)


async def test_where_nothing_is_to_be_considered_again_nothing_is_saved() -> None:
    store = Store(RELEASE)
    await ticked(store)
    assert store.reconsidered == []
