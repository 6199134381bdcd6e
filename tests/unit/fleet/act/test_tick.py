from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.bases.change import Cause
from bot.domain.builder.port import Builder
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Severity
from bot.domain.forge.port import Forge
from bot.domain.forge.refusals import AccessDenied, BranchMoved, Denial, SightLost
from bot.domain.reference import Reference
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.timing.windows import Freeze
from bot.fleet.act.ports import ActOptions
from bot.reconcile.forge_writing import BUILDER_WRITES, FORGE_WRITES
from bot.reconcile.loop import Loop
from tests.fakes.hooks import ToldRows
from tests.unit.fleet.act.world import ASPNET, BRANCH, NOON, WEEKLY, World, change, member, rebuild

FROZEN = ActOptions(
    policy=Policy(
        freezes=(Freeze(NOON - timedelta(hours=1), NOON + timedelta(hours=3), "year-end", Severity.CRITICAL),)
    )
)
THROTTLED = Failure(Trouble.THROTTLED, "too many requests", retry_after=timedelta(minutes=3))


async def test_nothing_due_is_nothing_done(world: World) -> None:
    world.add(rebuild(due_at=NOON + timedelta(hours=1)))
    assert (await world.tick()).done == 0
    assert world.forge.calls == []


async def test_a_notice_ends_without_touching_the_repository(world: World) -> None:
    world.add(rebuild(Action.NOTIFY))
    await world.tick()
    assert world.store[1].state is RebuildState.SUCCEEDED
    assert world.forge.calls == []


async def test_more_rebuilds_than_a_batch_are_done_in_one_tick(world: World) -> None:
    for number in range(1, 26):
        world.add(rebuild(Action.NOTIFY, id=number))
    assert (await world.tick()).done == 25


async def test_a_host_that_asks_for_a_pause_ends_the_tick_and_loses_nothing(world: World) -> None:
    for number in range(1, 13):
        world.add(rebuild(id=number, branch=f"{BRANCH}-{number}"))
    world.forge.failing["carry_out"] = THROTTLED
    tally = await world.tick()
    assert len(tally.problems) == 1
    assert world.forge.calls == []
    assert [world.store[number].state for number in range(1, 13)] == [RebuildState.PLANNED] * 12
    assert {world.store[number].due_at for number in range(1, 4)} == {NOON + timedelta(minutes=3)}
    world.forge.failing.clear()
    await world.later(3)
    assert {world.store[number].state for number in range(1, 13)} == {RebuildState.OPEN}


async def test_one_bad_repository_does_not_stop_the_others(world: World) -> None:
    world.add(rebuild(id=1))
    world.add(rebuild(Action.NOTIFY, id=2))
    world.forge.failing["look"] = Failure(Trouble.MALFORMED, "a list was expected")
    tally = await world.tick()
    assert tally.problems == ("contoso/shop: a list was expected",)
    assert world.store[2].state is RebuildState.SUCCEEDED


async def test_a_refusal_is_told_by_what_was_said_and_not_by_where_it_was_asked(world: World) -> None:
    """The log has the request; people read the reason beside the repository's name."""
    world.add(rebuild())
    asked = "POST api.github.com/graphql"
    world.forge.failing["look"] = Failure(Trouble.CONFLICT, "HTTP 422 no", where=asked, advice="look there")
    tally = await world.tick()
    assert tally.problems == (f"contoso/shop: {asked}: HTTP 422 no; look there",)
    assert world.store[1].reason == "HTTP 422 no; look there"


async def test_a_defect_is_told_and_ends_no_rebuild(world: World) -> None:
    """A release that mends it finds the rebuild waiting."""
    world.add(rebuild(id=1, branch=None))
    world.add(rebuild(Action.NOTIFY, id=2))
    for _ in range(5):
        tally = await world.later()
        assert "a defect of the bot" in tally.problems[0]
    assert world.store[2].state is RebuildState.SUCCEEDED
    assert world.store[1].state is RebuildState.WAITING
    assert "AssertionError" in world.store[1].reason


@pytest.mark.parametrize("action", [Action.PULL_REQUEST, Action.DISPATCH], ids=str)
async def test_what_was_let_begin_before_a_freeze_waits_for_its_end(world: World, action: Action) -> None:
    """A wave that the budget stretches over hours may run into one."""
    world.options = FROZEN
    world.add(rebuild(action), None, change(cause=Cause.OS_UPDATE))
    await world.tick()
    assert world.forge.calls == []
    assert (world.store[1].state, world.store[1].reason) == (RebuildState.WAITING, "frozen: year-end")
    assert world.store[1].due_at == NOON + timedelta(hours=3)


async def test_a_severe_fix_passes_a_freeze_that_says_so(world: World) -> None:
    world.options = FROZEN
    world.add(rebuild(), None, change(severity=Severity.CRITICAL))
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN


async def test_nothing_is_written_once_another_has_taken_over(world: World) -> None:
    world.add(rebuild())
    world.store.jobs.robbed = {1}
    tally = await world.tick()
    assert (world.forge.calls, tally.problems) == ([], ())


def methods_of(port: type) -> set[str]:
    return {name for name in dir(port) if not name.startswith("_")}


def test_every_method_of_the_forge_that_writes_is_guarded() -> None:
    reads = {
        *("repositories", "silent", "grants", "sees_others", "serving", "tree", "subtree", "blob", "blobs"),
        *("standings", "own_requests", "look", "tips", "contains", "pull_request", "follow_requests"),
        *("taken_in", "find_issue", "issue"),
    }
    assert methods_of(Forge) == reads | set(FORGE_WRITES)


def test_every_method_of_the_builder_that_writes_is_guarded() -> None:
    reads = {
        *("dispatched_runs", "started_runs", "follow_runs", "run", "first_failure", "builds", "artifacts"),
        *("artifact_address", "workflow", "latest_runs", "past_runs", "environments", "action_commits"),
        *("sees_others", "serving"),
    }
    assert methods_of(Builder) == reads | set(BUILDER_WRITES)


@pytest.mark.parametrize("action", [Action.PULL_REQUEST, Action.DISPATCH], ids=str)
async def test_a_repository_that_is_not_shown_is_looked_for_however_long_that_lasts(
    world: World, action: Action
) -> None:
    """Only the listing tells whether it has left: a grant that lost its sight is answered 404 as well."""
    world.add(rebuild(action), member(WEEKLY))
    world.shop.is_gone = True
    await world.for_days(30)
    assert world.store[1].state is RebuildState.WAITING
    world.shop.is_gone = False
    await world.later(60 * 24)
    assert world.store[1].state in (RebuildState.OPEN, RebuildState.DISPATCHED)


FAULTS = [
    Failure(Trouble.UNREACHABLE, "no answer"),
    Failure(Trouble.MALFORMED, "the answer is no pull request (KeyError)"),
    Failure(Trouble.DENIED, "HTTP 401 Bad credentials", status=401),
    Failure(Trouble.MISSING, "HTTP 404 Not Found", status=404),
    Failure(Trouble.CONFLICT, "HTTP 409 Conflict", status=409),
    AccessDenied(Denial.IP_ALLOW_LIST, "the IP allow list"),
    AccessDenied(Denial.SINGLE_SIGN_ON, "SAML SSO"),
    SightLost("the App is not installed at contoso", "contoso/shop", "install it"),
    BranchMoved("main", "moved"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("action", [Action.PULL_REQUEST, Action.DISPATCH], ids=str)
async def test_no_fault_of_the_world_ends_a_rebuild_and_it_goes_on_by_itself(
    world: World, action: Action, fault: Failure
) -> None:
    world.add(rebuild(action), member(WEEKLY))
    world.forge.failing = dict.fromkeys(("look", "standings", "carry_out", "dispatch"), fault)
    await world.for_days(20)
    assert world.store[1].state is RebuildState.WAITING
    assert world.store[1].due_at - world.clock.now() <= timedelta(days=1)
    world.forge.failing.clear()
    await world.later(60 * 24)
    assert world.store[1].state in (RebuildState.OPEN, RebuildState.DISPATCHED)


async def test_only_refusals_count_towards_the_end_of_a_rebuild(world: World) -> None:
    world.add(rebuild())
    world.forge.failing["carry_out"] = Failure(Trouble.UNREACHABLE, "no answer")
    await world.for_days(4)
    world.forge.failing["carry_out"] = Failure(Trouble.CONFLICT, "refused")
    for _ in range(2):
        await world.later(24 * 60)
        assert world.store[1].state is RebuildState.WAITING
    await world.later(24 * 60)
    assert world.store[1].state is RebuildState.FAILED


async def test_what_keeps_an_open_pull_request_from_its_text_is_told_until_it_goes_through(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    before = world.store[1].reason
    world.store.alter(1, changes=(change(cves=("CVE-2026-1",)),))
    world.store.outdate(1)
    world.forge.failing["carry_out"] = Failure(Trouble.UNREACHABLE, "no answer")
    await world.tick()
    assert (world.store[1].reason, world.store[1].hindered_by) == (before, "no answer")
    world.forge.failing.clear()
    await world.later()
    assert world.store[1].hindered_by is None


async def test_a_registry_that_asks_for_a_pause_holds_up_only_who_needs_its_tag(world: World) -> None:
    patch = Replacement(Reference(ASPNET.name, "10.0.4"), Reference(ASPNET.name, "10.0.5"))
    for number in (1, 2):
        world.add(rebuild(id=number, replacements=(patch,), branch=f"{BRANCH}-{number}"))
    world.add(rebuild(Action.NOTIFY, id=3))
    world.registry.failing = Failure(Trouble.THROTTLED, "HTTP 429", retry_after=timedelta(minutes=30))
    tally = await world.tick()
    assert tally.problems == ("contoso/shop: HTTP 429",) * 2
    assert world.registry.asked == 1
    assert [world.store[number].state for number in (1, 2, 3)] == [
        RebuildState.WAITING,
        RebuildState.WAITING,
        RebuildState.SUCCEEDED,
    ]
    assert world.store[1].due_at == NOON + timedelta(minutes=30)


@pytest.mark.parametrize("action", [Action.PULL_REQUEST, Action.DISPATCH], ids=str)
async def test_nothing_is_written_to_a_repository_that_has_left_the_fleet_and_for_a_week_it_may_come_back(
    world: World, action: Action
) -> None:
    world.add(rebuild(action))
    world.store.alter(1, is_listed=False)
    await world.tick()
    assert world.store[1].state is RebuildState.WAITING
    assert "not in the fleet at present" in world.store[1].reason
    await world.until_it_ends()
    assert world.store[1].state is RebuildState.SKIPPED
    assert "not in the fleet any more" in world.store[1].reason
    assert timedelta(days=7) < world.clock.now() - NOON < timedelta(days=7, hours=2)
    assert world.forge.calls == []


async def test_a_repository_that_was_away_for_an_hour_gets_its_rebuild(world: World) -> None:
    world.add(rebuild())
    world.store.alter(1, is_listed=False)
    await world.tick()
    world.store.alter(1, is_listed=True)
    await world.later(60)
    assert world.store[1].state is RebuildState.OPEN


async def test_an_open_pull_request_of_a_repository_that_has_left_the_fleet_stays_as_it_is(world: World) -> None:
    world.add(rebuild(state=RebuildState.OPEN, pull_request=1, facts_version=1))
    world.store.alter(1, is_listed=False)
    await world.tick()
    assert (world.store[1].state, world.store[1].text_version) == (RebuildState.OPEN, 1)
    assert world.forge.calls == []


async def test_a_host_without_an_answer_is_asked_for_as_long_as_it_takes(world: World) -> None:
    world.add(rebuild())
    world.forge.failing["look"] = Failure(Trouble.UNREACHABLE, "no answer")
    rests = []
    for _ in range(9):
        await world.tick()
        rests.append((world.store[1].due_at - world.clock.now()).total_seconds())
        world.clock.move_to(world.store[1].due_at)
    assert rests == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    world.forge.failing.clear()
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN


async def test_a_lost_lease_is_somebody_elses_work(world: World) -> None:
    world.add(rebuild())
    world.store.stolen = {1}
    tally = await world.tick()
    assert (tally.done, tally.problems) == (0, ())
    assert world.store[1] == replace(rebuild(), attempts=1)


async def test_the_repositorys_configuration_reaches_the_work(world: World) -> None:
    world.asks("labels: [deps]")
    world.add(rebuild())
    await world.tick()
    assert "deps" in world.shop.requests[1].labels


async def test_metrics_have_it_under_its_name(world: World) -> None:
    told = ToldRows()
    world.loop = Loop(world.clock, told)
    world.add(rebuild(Action.NOTIFY))
    await world.tick()
    assert told.stages == ["act"]


@pytest.mark.parametrize("action", [Action.PULL_REQUEST, Action.DISPATCH], ids=str)
async def test_of_a_repository_that_has_left_the_fleet_nothing_is_asked(world: World, action: Action) -> None:
    world.add(rebuild(action), member(WEEKLY))
    world.store.alter(1, is_listed=False)
    await world.tick()
    assert world.forge.asked == []


async def told_to_the_store(world: World, *numbers: str) -> list[int]:
    """What stands for the rules, or for the freezes that hold, at each tick."""
    told: list[int] = []

    async def keep(number: int) -> None:
        told.append(number)

    for name in numbers:
        setattr(world.store, name, keep)
    await world.tick()
    return told


async def test_what_stands_for_the_rules_changes_with_them_and_fits_a_column(world: World) -> None:
    [plain] = await told_to_the_store(world, "notice_policy")
    assert await told_to_the_store(world, "notice_policy") == [plain]
    world.options = FROZEN
    [other] = await told_to_the_store(world, "notice_policy")
    assert plain != other
    assert max(plain, other) < 2**60


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        (timedelta(minutes=-15, seconds=-1), False),
        (timedelta(minutes=-15), True),
        (timedelta(hours=4, seconds=-1), True),
        (timedelta(hours=4), False),
    ],
    ids=str,
)
async def test_a_freeze_holds_what_merges_from_a_quarter_of_an_hour_before_it_until_its_end(
    world: World, at: timedelta, holds: bool
) -> None:
    begins = NOON + timedelta(hours=1)
    freeze = Freeze(begins, begins + timedelta(hours=4), "year-end")
    world.options = replace(world.options, policy=Policy(freezes=(freeze,)))
    world.clock.move_to(begins + at)
    [number] = await told_to_the_store(world, "notice_freezes")
    assert (number != 0) is holds
