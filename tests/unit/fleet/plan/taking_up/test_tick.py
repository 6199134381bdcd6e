"""An empty store takes up what the forge has open, once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.bases.observation import Observation
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.reference import Base
from bot.domain.repositories.repository import Affected, FleetRepository
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.marker import MarkedTarget, marker_line
from bot.domain.rollouts.pinning import BehindUsage, FleetBehind
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.rollouts.rollout import Revisions
from bot.fleet.plan.taking_up.tick import RestoredLog, Sources, TakenUp, TakingUpTally, tick
from tests.fakes.forge import FakeForge
from tests.fakes.repository import BOT, Commit, FakeRepository
from tests.unit.fleet.plan.world import ASPNET, HOUR, NOON, WEEKLY, digest, member, move, usage

SHOP = replace(member(), node_id="R_7")
FLOATING = replace(member(WEEKLY, id=8, name="contoso/float"), node_id="R_8")
BRANCH = "freshness/dotnet-aspnet-10.0"
NO_ANSWER = Failure(Trouble.UNREACHABLE, "no answer")
SHOWN = Observation(NOON, ASPNET, digest("b"), "10.0.5")


@dataclass(slots=True)
class Store:
    """An empty store that has read the fleet: what it was given is kept."""

    over: bool = False
    is_read: bool = True
    restored: list[RestoredLog] = field(default_factory=list)
    taken: list[TakenUp] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)
    builds: dict[int, datetime] = field(default_factory=dict)
    usages: dict[int, Usage] = field(default_factory=dict)

    async def is_over(self) -> bool:
        return self.over

    async def is_fleet_read(self) -> bool:
        return self.is_read

    async def revisions(self) -> Revisions:
        return Revisions(3, 4)

    async def members(self) -> Sequence[FleetRepository]:
        return [SHOP, FLOATING]

    async def logs(self, bases: Collection[Base]) -> Mapping[Base, Sequence[Observation]]:
        earlier = [each for log in self.restored for each in log.earlier]
        return {ASPNET: [*earlier, SHOWN]} if ASPNET in bases else {}

    async def restore(self, log: RestoredLog) -> None:
        self.restored.append(log)

    async def restored_moves(self, bases: Collection[Base]) -> Sequence[Move]:
        return [Move(1, log.joint) for log in self.restored if log.base in bases]

    async def affected(self, changes: Sequence[int]) -> Mapping[int, Sequence[Affected]]:
        pinned = Affected(SHOP, self.usages.get(SHOP.id, _PINNED.usage))
        return {number: [pinned, Affected(FLOATING, usage("aspnet:10.0"))] for number in changes}

    async def behind(self) -> FleetBehind:
        return FleetBehind((BehindUsage(SHOP, _PINNED.usage, ASPNET, SHOWN),), followed=2)

    async def open_rebuilds(self) -> Sequence[Rebuild]:
        return []

    async def last_builds(self) -> Mapping[int, datetime]:
        return self.builds

    async def take_up(self, part: TakenUp) -> None:
        self.taken.append(part)

    async def end(self, *, is_any: bool) -> None:
        self.ended.append(is_any)
        self.over = True


_PINNED = Affected(SHOP, usage("aspnet:10.0@a"))


@dataclass(slots=True)
class Registry:
    """Has the digests that are `known`; `failing` is what it answers instead."""

    failing: Failure | None = None
    known: set[str] = field(default_factory=lambda: {digest("a"), digest("b")})

    async def read(self, base: Base, sought: str, at: datetime) -> Observation:
        if self.failing is not None:
            raise self.failing
        if sought not in self.known:
            raise Failure(Trouble.MISSING, "manifest unknown")
        return Observation(at, base, sought, "10.0.4", "2026-02-01T00:00:00Z")


def assessed(before: Observation, after: Observation) -> Change:
    """What feeds say, whatever a marker does."""
    cause, versions = Cause.DOTNET_RELEASE, (before.version, after.version)
    return Change(after.base, after.at, before.digest, after.digest, cause, cause, *versions)


@dataclass(slots=True)
class World:
    store: Store
    forge: FakeForge
    registry: Registry
    shop: FakeRepository

    async def tick(self) -> TakingUpTally:
        sources = Sources(self.forge, self.registry.read, assessed)
        return await tick(self.store, sources, Policy(), ManualClock(NOON + HOUR))

    def opens(self, *targets: MarkedTarget) -> None:
        message = "\n".join(["Refresh", "", *(target.trailer for target in targets)])
        self.shop.branches[BRANCH] = self.shop.add(Commit({}, (), message, BOT, BOT))
        head = self.shop.branches[BRANCH]
        request = PullRequest(
            *(1, "https://forge/pull/1", BRANCH, head, "Refresh", marker_line(targets)),
            is_open=True,
            is_merged=False,
            base="main",
            node_id="PR_7_1",
        )
        self.shop.requests[1] = request
        self.forge.opened_at["PR_7_1"] = NOON


TARGET = MarkedTarget(ASPNET, digest("a"), digest("b"), (move(at=NOON - HOUR, severity=None).change,))


@pytest.fixture
def world() -> World:
    clock = ManualClock(NOON)
    shop, floating = FakeRepository("7", "contoso/shop"), FakeRepository("8", "contoso/float")
    for each in (shop, floating):
        each.commit_to("main", {"Dockerfile": b"FROM x\n"})
    return World(Store(), FakeForge(clock, [shop, floating]), Registry(), shop)


async def test_what_is_open_goes_on_with_its_change_as_registry_and_feeds_tell_it(world: World) -> None:
    world.opens(TARGET)
    assert await world.tick() == TakingUpTally(1)
    [log] = world.store.restored
    assert [each.digest for each in log.earlier] == [digest("a")]
    assert (log.shown_at, log.joint.at, log.joint.cause) == (NOON - HOUR, NOON - HOUR, Cause.DOTNET_RELEASE)
    [part] = world.store.taken
    assert (part.changes, part.opened_at) == ((1,), NOON - HOUR)
    [dispatched, request] = sorted(part.rebuilds, key=lambda each: each.action)
    assert (request.action, request.pull_request, request.branch) == (Action.PULL_REQUEST, 1, BRANCH)
    assert (request.supersedes, request.targets[0].changes) == ((), (1,))
    assert (dispatched.action, dispatched.state) == (Action.DISPATCH, RebuildState.PLANNED)
    assert world.store.ended == [True]


async def test_what_was_merged_is_followed_and_opens_no_other(world: World) -> None:
    world.opens(TARGET)
    world.shop.merge(1)
    world.store.usages = {SHOP.id: usage("aspnet:10.0@b")}
    assert await world.tick() == TakingUpTally(1)
    [part] = world.store.taken
    [request] = [each for each in part.rebuilds if each.action is Action.PULL_REQUEST]
    assert (request.state, request.pull_request, request.replacements) == (RebuildState.OPEN, 1, ())
    assert (request.targets[0].to_digest, request.targets[0].changes) == (digest("b"), (1,))
    assert [each.request.number for each in part.merged] == [1]


async def test_what_is_still_to_be_written_after_a_merge_gets_its_own_request(world: World) -> None:
    world.opens(TARGET)
    world.shop.merge(1)
    await world.tick()
    [part] = world.store.taken
    [request] = [each for each in part.rebuilds if each.action is Action.PULL_REQUEST]
    assert (request.state, request.pull_request, part.merged) == (RebuildState.PLANNED, None, ())
    assert request.replacements


async def test_it_happens_once_and_only_when_the_fleet_was_read(world: World) -> None:
    world.opens(TARGET)
    world.store.is_read = False
    assert await world.tick() == TakingUpTally()
    world.store.is_read = True
    await world.tick()
    asked = len(world.forge.asked)
    assert await world.tick() == TakingUpTally()
    assert (len(world.forge.asked), len(world.store.taken)) == (asked, 1)


async def test_where_nothing_is_open_it_is_over_with_nothing(world: World) -> None:
    assert await world.tick() == TakingUpTally()
    assert (world.store.taken, world.store.ended) == ([], [False])


@pytest.mark.parametrize("where", ["forge", "registry"])
async def test_what_the_world_hinders_is_tried_again(world: World, where: str) -> None:
    world.opens(TARGET)
    if where == "forge":
        world.forge.failing["own_requests"] = NO_ANSWER
    else:
        world.registry.failing = NO_ANSWER
    tally = await world.tick()
    assert (tally.requests, tally.problems, world.store.ended) == (0, ("no answer",), [])
    world.forge.failing.clear()
    world.registry.failing = None
    assert (await world.tick()).requests == 1


async def test_what_is_refused_is_told_and_ends_it_all_the_same(world: World) -> None:
    world.forge.failing["own_requests"] = Failure(Trouble.DENIED, "not for you")
    assert (await world.tick()).problems == ("not for you",)
    assert world.store.ended == [False]


async def test_a_digest_that_the_registry_does_not_know_is_taken_up_from_nobody(world: World) -> None:
    world.opens(replace(TARGET, to_digest=digest("f"), changes=()))
    assert (await world.tick()).requests == 0
    assert world.store.taken == []


async def test_where_the_old_digest_is_gone_it_goes_on_for_a_cause_that_nobody_knows(world: World) -> None:
    world.opens(replace(TARGET, from_digest=digest("e")))
    assert (await world.tick()).requests == 1
    assert world.store.restored == []
    [part] = world.store.taken
    [request] = part.rebuilds
    assert (part.changes, request.pull_request, request.targets[0].changes) == ((), 1, ())


async def test_what_was_built_since_is_built(world: World) -> None:
    world.opens(TARGET)
    world.store.builds[FLOATING.id] = NOON
    await world.tick()
    [part] = world.store.taken
    [built] = [each for each in part.rebuilds if each.action is Action.DISPATCH]
    assert built.state is RebuildState.BUILT


async def test_an_attempt_that_broke_off_after_a_log_was_restored_goes_on_from_there(world: World) -> None:
    world.opens(TARGET)
    await world.tick()
    world.store.over, world.store.taken = False, []
    await world.tick()
    assert len(world.store.restored) == 1
    assert len(world.store.taken) == 1


async def test_a_base_that_came_back_to_what_it_had_shown_shows_that_since_now(world: World) -> None:
    world.opens(TARGET)
    later = MarkedTarget(ASPNET, digest("b"), digest("c"), (move(at=NOON - HOUR / 2, to="c").change,))
    message = f"Refresh\n\n{later.trailer}"
    home = next(each for each in world.forge.homes if each.name == "contoso/float")
    home.branches[BRANCH] = home.add(Commit({}, (), message, BOT, BOT))
    request = replace(world.shop.requests[1], body=marker_line([later]), node_id="PR_8_1")
    home.requests[1] = request
    world.forge.opened_at["PR_8_1"] = NOON
    world.registry.known |= {digest("c")}
    assert (await world.tick()).requests == 2
    [log] = world.store.restored
    assert [each.digest for each in log.earlier] == [digest("a"), digest("c")]
    assert (log.shown_at, log.joint.from_digest, log.joint.at) == (None, digest("c"), NOON)


async def test_a_forge_whose_clock_is_ahead_puts_nothing_behind_what_the_store_has_seen(world: World) -> None:
    world.opens(replace(TARGET, to_digest=digest("c"), changes=()))
    world.forge.opened_at["PR_7_1"] = NOON + HOUR
    world.registry.known |= {digest("c")}
    assert (await world.tick()).requests == 1
    [log] = world.store.restored
    assert [each.at <= NOON for each in log.earlier] == [True, True]
    assert log.joint.at == NOON
