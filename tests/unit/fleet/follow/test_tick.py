from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.builder.runs import FailedJob, FollowedRuns, Run
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import FollowedRequests
from bot.domain.forge.pull_requests import PullRequest, PullRequestState
from bot.domain.host import Host, Hosts
from bot.domain.repositories.repository import Identity, owner_of
from bot.domain.rollouts.journal import HOLD
from bot.domain.rollouts.rebuild import Action, Merging, Rebuild, RebuildState
from bot.fleet.follow.looking import after_request
from bot.fleet.follow.tick import FollowOptions, FollowTally, tick
from bot.fleet.wiring.routing import Builders, Forges
from bot.reconcile.loop import Loop
from bot.reconcile.work import RowOutcome
from tests.fakes.forge import FakeForge
from tests.fakes.hooks import ToldRows
from tests.fakes.stores.rebuilds import following
from tests.unit.fleet.act.world import NOON, SHOP
from tests.unit.fleet.act.world import rebuild as planned
from tests.unit.fleet.follow.world import OPEN

EVERY = timedelta(minutes=5)
OPTIONS = FollowOptions(EVERY)
URL = "https://forge/run/7"


def opened(**values: object) -> Rebuild:
    return planned(**({"state": RebuildState.OPEN, "pull_request": 1, "node_id": "PR_1"} | values))  # type: ignore[arg-type]


def dispatched(**values: object) -> Rebuild:
    known = {"state": RebuildState.DISPATCHED, "run": 7, "attempted_at": NOON, "node_id": "CS_7", "url": URL}
    return planned(Action.DISPATCH, **(known | values))  # type: ignore[arg-type]


def run(status: str = "completed", conclusion: str | None = "success", **values: object) -> Run:
    known = {"id": 7, "url": URL, "created_at": NOON, "node_id": "CS_7", "event": "workflow_dispatch"}
    return Run(status=status, conclusion=conclusion, **(known | values))  # type: ignore[arg-type]


def forge(
    clock: ManualClock, request: PullRequest = OPEN, runs: Sequence[Run] = (), failure: Failure | None = None
) -> FakeForge:
    """A forge with one repository; `failure` answers every question."""
    made = FakeForge(clock)
    shop = made.add(SHOP, {"README.md": b""})
    shop.requests = {request.number: request}
    shop.show("weekly-rebuild.yml", *runs)
    if failure is not None:
        made.failing = dict.fromkeys(
            ("pull_request", "run", "dispatched_runs", "follow_requests", "follow_runs"), failure
        )
    return made


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


async def look(
    clock: ManualClock, fake: FakeForge, *rebuilds: Rebuild, taken: set[int] | None = None
) -> list[Rebuild]:
    _, after = await looked(clock, fake, *rebuilds, taken=taken)
    return after


async def looked(
    clock: ManualClock, fake: FakeForge, *rebuilds: Rebuild, taken: set[int] | None = None
) -> tuple[FollowTally, list[Rebuild]]:
    store = following(clock, *rebuilds)
    store.taken = taken or set()
    tally = await tick(store, fake, fake, OPTIONS, Loop(clock))
    return tally, [store[item.id] for item in rebuilds]


async def test_an_open_pull_request_is_looked_at_again_later(clock: ManualClock) -> None:
    (after,) = await look(clock, forge(clock), opened())
    assert (after.state, after.due_at) == (RebuildState.OPEN, NOON + EVERY)


async def test_a_defect_puts_off_the_rebuild_that_it_met_and_no_other(clock: ManualClock) -> None:
    store = following(clock, opened(pull_request=None, node_id=None), opened(id=2))
    fake = forge(clock)
    tally = await tick(store, fake, fake, OPTIONS, Loop(clock))
    assert [store[number].due_at for number in (1, 2)] == [NOON + EVERY, NOON + EVERY]
    assert (tally.looked_at, len(tally.problems)) == (1, 1)


@pytest.mark.parametrize(
    ("age", "rest"),
    [
        (timedelta(minutes=30), timedelta(minutes=5)),
        (timedelta(hours=2), timedelta(minutes=10)),
        (timedelta(days=9), timedelta(hours=1)),
    ],
)
async def test_a_pull_request_is_looked_at_less_often_the_longer_it_is_open(
    clock: ManualClock, age: timedelta, rest: timedelta
) -> None:
    (after,) = await look(clock, forge(clock), opened(attempted_at=NOON - age))
    assert after.due_at == NOON + rest


async def test_a_pull_request_that_settled_for_days_is_looked_at_as_often_as_any_other(clock: ManualClock) -> None:
    settled = opened(planned_at=NOON - timedelta(days=7), attempted_at=NOON)
    (after,) = await look(clock, forge(clock), settled)
    assert after.due_at == NOON + EVERY


async def test_a_pull_request_in_conflict_is_left_to_be_brought_up_to_date_at_once(clock: ManualClock) -> None:
    (after,) = await look(
        clock, forge(clock, replace(OPEN, is_conflicted=True)), opened(facts_version=2, text_version=2)
    )
    assert after.state is RebuildState.OPEN
    assert after.facts_version > after.text_version
    assert after.due_at == NOON


async def test_a_run_is_looked_at_as_often_to_its_end(clock: ManualClock) -> None:
    under_way = dispatched(state=RebuildState.RUNNING, planned_at=NOON - timedelta(days=9))
    (after,) = await look(clock, forge(clock, runs=[run("in_progress", None)]), under_way)
    assert after.due_at == NOON + EVERY


async def test_a_pull_request_that_is_closed_unmerged_ends(clock: ManualClock) -> None:
    (after,) = await look(clock, forge(clock, replace(OPEN, is_open=False)), opened())
    told = "pull request #1 was closed unmerged"
    assert (after.state, after.reason, after.ended_at) == (RebuildState.CANCELLED, told, NOON)


async def test_an_open_pull_request_of_an_archived_repository_keeps_no_rollout_open(clock: ManualClock) -> None:
    """It is planned again once the repository is listed, and finds its pull request."""
    fake = forge(clock, OPEN)
    fake.homes[0].is_archived = True
    (after,) = await look(clock, fake, opened())
    told = "the repository is archived; pull request #1 stays open until it is not any more"
    assert (after.state, after.reason) == (RebuildState.SKIPPED, told)


async def test_a_run_that_gave_way_to_a_newer_one_is_followed_there(clock: ManualClock) -> None:
    newer = run("in_progress", None, id=9, node_id="CS_9", url="https://forge/run/9", branch="main")
    runs = [run(conclusion="cancelled", branch="main"), run(id=8, node_id="CS_8", branch="other"), newer]
    (after,) = await look(clock, forge(clock, runs=runs), dispatched())
    assert (after.state, after.run, after.node_id) == (RebuildState.RUNNING, 9, "CS_9")
    assert after.reason == "a newer run took its place: the run is under way"


async def test_one_that_was_green_before_is_not_in_its_place(clock: ManualClock) -> None:
    runs = [run(conclusion="cancelled", branch="main"), run(id=6, node_id="CS_6", branch="main")]
    (after,) = await look(clock, forge(clock, runs=runs), dispatched())
    assert after.state is RebuildState.CANCELLED


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "pull_request_review", "merge_group"])
async def test_a_run_that_judges_a_proposal_from_a_forks_branch_of_the_same_name_is_not_in_its_place(
    clock: ManualClock, event: str
) -> None:
    proposed = run("in_progress", None, id=9, node_id="CS_9", branch="main", event=event)
    runs = [run(conclusion="cancelled", branch="main"), proposed]
    (after,) = await look(clock, forge(clock, runs=runs), dispatched())
    assert (after.state, after.run) == (RebuildState.CANCELLED, 7)


@pytest.mark.parametrize(
    ("conclusion", "state"),
    [
        ("success", RebuildState.PROVING),
        ("neutral", RebuildState.PROVING),
        ("cancelled", RebuildState.CANCELLED),
        ("failure", RebuildState.FAILED),
        ("timed_out", RebuildState.FAILED),
        ("action_required", RebuildState.FAILED),
        ("startup_failure", RebuildState.FAILED),
        ("stale", RebuildState.FAILED),
        ("skipped", RebuildState.FAILED),
        (None, RebuildState.FAILED),
    ],
)
async def test_a_run_ends_as_it_concluded(clock: ManualClock, conclusion: str | None, state: RebuildState) -> None:
    (after,) = await look(clock, forge(clock, runs=[run(conclusion=conclusion)]), dispatched())
    assert (after.state, after.url) == (state, "https://forge/run/7")


@pytest.mark.parametrize(
    ("status", "before", "state"),
    [
        ("queued", RebuildState.DISPATCHED, RebuildState.DISPATCHED),
        ("in_progress", RebuildState.DISPATCHED, RebuildState.RUNNING),
        ("in_progress", RebuildState.RUNNING, RebuildState.RUNNING),
        ("waiting", RebuildState.RUNNING, RebuildState.RUNNING),
    ],
)
async def test_a_run_under_way_is_followed(
    clock: ManualClock, status: str, before: RebuildState, state: RebuildState
) -> None:
    (after,) = await look(clock, forge(clock, runs=[run(status, None)]), dispatched(state=before))
    assert (after.state, after.due_at) == (state, NOON + EVERY)


@pytest.mark.parametrize("state", [RebuildState.DISPATCHED, RebuildState.RUNNING])
async def test_a_run_that_waits_for_somebody_to_approve_its_environment_says_so(
    clock: ManualClock, state: RebuildState
) -> None:
    (after,) = await look(clock, forge(clock, runs=[run("waiting", None)]), dispatched(state=state))
    assert (after.state, after.reason) == (state, "the run waits for approval")


@pytest.mark.parametrize("status", ["queued", "pending", "requested"])
async def test_a_run_that_was_approved_no_longer_says_that_it_waits_for_that(
    clock: ManualClock, status: str
) -> None:
    waiting = dispatched(state=RebuildState.RUNNING, reason="the run waits for approval")
    (after,) = await look(clock, forge(clock, runs=[run(status, None)]), waiting)
    assert (after.state, after.reason) == (RebuildState.RUNNING, "the run waits for its turn")


async def test_a_run_that_the_host_did_not_name_is_found(clock: ManualClock) -> None:
    (after,) = await look(clock, forge(clock, runs=[run("queued", None)]), dispatched(run=None, node_id=None))
    assert (after.run, after.url) == (7, "https://forge/run/7")


async def test_a_run_that_is_found_is_told_with_its_address(clock: ManualClock) -> None:
    unseen = dispatched(run=None, node_id=None, url="https://forge/actions")
    (after,) = await look(clock, forge(clock, runs=[run("queued", None)]), unseen)
    assert after.url == URL
    (without,) = await look(clock, forge(clock, runs=[run("queued", None, url="")]), unseen)
    assert without.url == "https://forge/actions"


async def test_the_run_that_names_the_correlation_is_the_one(clock: ManualClock) -> None:
    runs = [run(id=6, title="by hand"), run(title="rebuild freshness-abc")]
    (after,) = await look(
        clock, forge(clock, runs=runs), dispatched(run=None, node_id=None, correlation="freshness-abc")
    )
    assert after.run == 7


async def test_a_run_of_another_rebuild_is_left(clock: ManualClock) -> None:
    (after,) = await look(clock, forge(clock, runs=[run()]), dispatched(run=None, node_id=None), taken={7})
    assert (after.state, after.run) == (RebuildState.DISPATCHED, None)


async def test_a_run_that_never_shows_is_lost_after_a_day(clock: ManualClock) -> None:
    """The forge's own trouble lasts for hours."""
    waiting = dispatched(run=None, node_id=None, attempted_at=NOON - timedelta(days=1))
    assert (await look(clock, forge(clock), waiting))[0].state is RebuildState.DISPATCHED
    clock.advance(timedelta(seconds=1))
    (after,) = await look(clock, forge(clock), waiting)
    assert (after.state, after.reason) == (RebuildState.FAILED, "the dispatched run never appeared")


@pytest.mark.parametrize(
    ("before", "what"),
    [
        (opened(), "the pull request"),
        (dispatched(), "the run"),
        (opened(node_id=None), "the pull request"),
        (dispatched(node_id=None), "the run"),
    ],
)
async def test_what_has_vanished_for_an_hour_is_cancelled(clock: ManualClock, before: Rebuild, what: str) -> None:
    missing = FakeForge(clock)
    (first,) = await look(clock, missing, before)
    assert first.state is before.state
    (last,) = await look(clock, missing, replace(before, looks_in_vain=11))
    assert (last.state, last.reason) == (RebuildState.CANCELLED, f"{what} is no longer there")


@pytest.mark.parametrize("before", [opened(), dispatched(), opened(node_id=None), dispatched(node_id=None)])
async def test_what_is_not_shown_once_after_an_outage_is_not_gone(clock: ManualClock, before: Rebuild) -> None:
    """Looks that failed in another way tell nothing of it."""
    missing = FakeForge(clock)
    missing.failing = dict.fromkeys(
        ("follow_requests", "follow_runs", "run", "pull_request"), Failure(Trouble.UNREACHABLE, "HTTP 503")
    )
    (unseen,) = await look(clock, missing, replace(before, looks_in_vain=11, attempts=11))
    assert unseen.looks_in_vain == 0
    missing.failing.clear()
    (after,) = await look(clock, missing, replace(unseen, due_at=NOON, attempts=50))
    assert (after.state, after.looks_in_vain) == (before.state, 1)


@pytest.mark.parametrize("before", [opened(), dispatched(), opened(node_id=None), dispatched(node_id=None)])
async def test_what_a_grant_does_not_show_that_sees_nothing_else_either_is_never_gone(
    clock: ManualClock, before: Rebuild
) -> None:
    """Credentials that are blind for hours are answered so; a token never tells what was taken from it."""
    blind = FakeForge(clock, sees_all=False)
    (after,) = await look(clock, blind, replace(before, looks_in_vain=1_000))
    assert after.state is before.state


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.DENIED, Trouble.MALFORMED], ids=str)
async def test_what_cannot_be_read_stays_as_it_was(clock: ManualClock, trouble: Trouble) -> None:
    tally, (after,) = await looked(clock, forge(clock, failure=Failure(trouble, "no")), opened())
    assert after == replace(opened(), due_at=NOON + EVERY, attempts=1)
    assert tally.problems == ("contoso/shop: no",)


async def test_a_host_that_asks_for_a_pause_is_not_asked_on(clock: ManualClock) -> None:
    fake = forge(clock, failure=Failure(Trouble.THROTTLED, "slow down", retry_after=timedelta(minutes=20)))
    tally, after = await looked(clock, fake, *(opened(id=number) for number in range(40)))
    assert (len(fake.asked), tally.looked_at, len(tally.problems)) == (1, 0, 1)
    assert {item.due_at for item in after} == {NOON + timedelta(minutes=20)}
    assert {item.state for item in after} == {RebuildState.OPEN}


async def test_a_lost_lease_is_somebody_elses_work(clock: ManualClock) -> None:
    store = following(clock, opened(), opened(id=2))
    store.stolen = {1}
    fake = forge(clock, replace(OPEN, is_open=False))
    tally = await tick(store, fake, fake, OPTIONS, Loop(clock))
    assert tally.problems == ()
    assert store[2].state is RebuildState.CANCELLED
    assert store[1].state is RebuildState.OPEN


async def test_all_that_is_due_takes_one_question_to_the_forge_and_one_to_the_builder(clock: ManualClock) -> None:
    fake = forge(clock, runs=[run("in_progress", None)])
    after = await look(clock, fake, opened(), dispatched(id=2), opened(id=3), dispatched(id=4))
    assert [call for call, _ in fake.asked] == ["follow_requests", "follow_runs"]
    assert [item.state for item in after] == [
        RebuildState.OPEN,
        RebuildState.RUNNING,
        RebuildState.OPEN,
        RebuildState.RUNNING,
    ]


async def test_each_is_asked_for_as_what_it_is(clock: ManualClock) -> None:
    """GitHub answers a list of ids with an error where one of them is empty."""
    asked: list[list[str]] = []

    class Forge(FakeForge):
        async def follow_requests(self, pull_requests: Sequence[str]) -> FollowedRequests:
            asked.append([*pull_requests])
            return await super().follow_requests(pull_requests)

        async def follow_runs(self, runs: Sequence[str]) -> FollowedRuns:
            asked.append([*runs])
            return await super().follow_runs(runs)

    fake = Forge(clock)
    fake.homes = forge(clock, runs=[run("in_progress", None)]).homes
    nameless = opened(id=3, node_id=None), dispatched(id=4, node_id=None), dispatched(id=5, run=None, node_id="")
    await look(clock, fake, opened(), dispatched(id=2), *nameless)
    assert asked == [["PR_1"], ["CS_7"], ["PR_1"]]  # all together, then the nameless one by its new name


@pytest.mark.parametrize("before", [opened(node_id=None), dispatched(node_id=None)], ids=["request", "run"])
async def test_what_has_no_node_id_yet_gets_it_with_its_own_look(clock: ManualClock, before: Rebuild) -> None:
    (after,) = await look(clock, forge(clock, runs=[run("queued", None)]), before)
    assert after.node_id == ("PR_1" if before.action is Action.PULL_REQUEST else "CS_7")


async def test_a_run_gets_its_address_with_its_own_look(clock: ManualClock) -> None:
    (after,) = await look(clock, forge(clock, runs=[run("queued", None)]), dispatched(node_id=None, url=None))
    assert after.url == URL


async def test_a_run_whose_look_tells_no_address_keeps_the_one_that_it_had(clock: ManualClock) -> None:
    unseen = dispatched(node_id=None, url="https://forge/actions")
    (after,) = await look(clock, forge(clock, runs=[run("queued", None, url="")]), unseen)
    assert (after.node_id, after.url) == ("CS_7", "https://forge/actions")


async def test_a_run_of_long_ago_is_looked_at_as_often_as_any(clock: ManualClock) -> None:
    old = dispatched(attempted_at=NOON - timedelta(days=9))
    (after,) = await look(clock, forge(clock, runs=[run("in_progress", None)]), old)
    assert after.due_at == NOON + EVERY


@pytest.mark.parametrize("missing", ["merge_commit", "merge_node"])
def test_a_merge_whose_commit_is_not_told_yet_is_looked_at_again(missing: str) -> None:
    merged = PullRequestState(1, "https://forge/pull/1", False, True, False, "abc", "C_abc", NOON)
    assert after_request(opened(), merged, NOON).state is RebuildState.BUILDING
    assert after_request(opened(), replace(merged, **dict[str, Any]({missing: None})), NOON) == opened()


async def test_looks_come_due_together(clock: ManualClock) -> None:
    clock.advance(timedelta(minutes=1, seconds=40))
    (after,) = await look(clock, forge(clock), opened(attempted_at=clock.now()))
    assert after.due_at == NOON + EVERY


async def test_a_run_that_may_not_be_seen_with_the_others_is_asked_for_alone(clock: ManualClock) -> None:
    """A fine-grained token of GitHub can have no right to checks, by which GraphQL shows a run."""
    fake = forge(clock, runs=[run()])
    fake.unseen = {"CS_7"}
    (after,) = await look(clock, fake, dispatched())
    assert after.state is RebuildState.PROVING


async def test_a_pull_request_that_may_not_be_seen_is_not_taken_for_one_that_is_gone(clock: ManualClock) -> None:
    fake = forge(clock)
    fake.unseen = {"PR_1"}
    tally, (after,) = await looked(clock, fake, opened())
    assert after.state is RebuildState.OPEN
    assert "Resource not accessible" in str(tally)


async def test_a_red_run_is_told_with_the_job_and_step_that_failed_first(clock: ManualClock) -> None:
    fake = forge(clock, runs=[run(conclusion="failure")])
    fake.homes[0].failures[7] = FailedJob("image", "Build", "no space left on device")
    (after,) = await look(clock, fake, dispatched())
    assert after.reason == "the run concluded with failure; job image, step Build: no space left on device"


async def test_a_red_run_of_which_nothing_more_can_be_told_is_red_all_the_same(clock: ManualClock) -> None:
    fake = forge(clock, runs=[run(conclusion="failure")])
    fake.failing = {"first_failure": Failure(Trouble.DENIED, "no")}
    (after,) = await look(clock, fake, dispatched())
    assert (after.state, after.reason) == (RebuildState.FAILED, "the run concluded with failure")


async def test_what_is_proved_next_and_what_was_closed_are_not_waited_with(clock: ManualClock) -> None:
    (after,) = await look(clock, forge(clock, runs=[run()]), dispatched())
    assert (after.state, after.due_at) == (RebuildState.PROVING, NOON)


async def test_the_tally_tells_how_many_were_looked_at_and_how_many_have_ended(clock: ManualClock) -> None:
    ended = replace(OPEN, is_open=False)
    shown = forge(clock, ended, runs=[run(conclusion="failure"), run("in_progress", None, id=8, node_id="CS_8")])
    tally, _ = await looked(
        clock,
        shown,
        opened(),
        dispatched(id=2),
        dispatched(id=3, run=8, node_id="CS_8", state=RebuildState.RUNNING),
    )
    assert tally == FollowTally(3, 2)


async def test_what_is_gone_counts_as_ended_too(clock: ManualClock) -> None:
    gone = opened(looks_in_vain=12), dispatched(id=2, looks_in_vain=12), opened(id=3)
    tally, _ = await looked(clock, FakeForge(clock), *gone)
    assert (tally.looked_at, tally.ended, len(tally.problems)) == (0, 2, 3)


async def test_what_is_not_shown_any_more_is_told_with_what_to_check(clock: ManualClock) -> None:
    tally, _ = await looked(clock, FakeForge(clock), opened(), dispatched(id=2))
    check = "check that the credentials may see the repository"
    assert sorted(tally.problems) == [
        f"{SHOP}: {SHOP}: pull request #1 is not shown any more; {check}",
        f"{SHOP}: {SHOP}: run 7 is not shown any more; {check}",
    ]


async def test_a_newer_run_without_an_address_leaves_the_rebuild_that_it_had(clock: ManualClock) -> None:
    newer = run("in_progress", None, id=9, node_id="CS_9", url="", branch="main")
    runs = [run(conclusion="cancelled", branch="main"), newer]
    (after,) = await look(clock, forge(clock, runs=runs), dispatched())
    assert (after.run, after.url) == (9, URL)


async def test_where_the_forge_does_not_tell_when_a_cancelled_run_began_a_newer_one_is_sought_since_its_dispatch(
    clock: ManualClock,
) -> None:
    newer = run("in_progress", None, id=9, node_id="CS_9", branch="main", created_at=NOON + EVERY)
    runs = [run(conclusion="cancelled", branch="main", created_at=None), newer]
    clock.advance(EVERY)
    (after,) = await look(clock, forge(clock, runs=runs), dispatched())
    assert (after.state, after.run) == (RebuildState.RUNNING, 9)
    clock.advance(EVERY)
    (after,) = await look(clock, forge(clock, runs=runs), dispatched(attempted_at=clock.now()))
    assert (after.state, after.run) == (RebuildState.CANCELLED, 7)


async def test_metrics_have_it_under_its_name(clock: ManualClock) -> None:
    told = ToldRows()
    fake = forge(clock)
    await tick(following(clock, opened()), fake, fake, OPTIONS, Loop(clock, told))
    assert told.rows == [("follow", RowOutcome.DONE)]


async def test_what_a_person_holds_and_the_bot_has_set_to_merge_is_left_to_act_from_its_own_look_too(
    clock: ManualClock,
) -> None:
    held = replace(OPEN, labels=(HOLD,), is_to_merge=True)
    before = opened(node_id=None, merging=Merging.SET)
    (after,) = await look(clock, forge(clock, held), before)
    assert after.facts_version > after.text_version


@pytest.mark.parametrize("failing", ["follow_runs", "follow_requests"])
async def test_a_builder_elsewhere_and_the_forge_keep_only_what_is_theirs_from_being_looked_at(
    clock: ManualClock, failing: str
) -> None:
    store = following(clock, opened(), dispatched(id=2))
    fake = forge(clock, runs=[run()])
    fake.failing = {failing: Failure(Trouble.UNREACHABLE, "no answer")}
    options = replace(OPTIONS, hosts=Hosts(builder=Host("dev.azure.com")))
    tally = await tick(store, fake, fake, options, Loop(clock))
    assert tally.looked_at == 1
    assert (store[2].state is RebuildState.PROVING) == (failing == "follow_requests")


async def test_where_the_forge_builds_all_is_looked_at_in_one_round(clock: ManualClock) -> None:
    store = following(clock, opened(), dispatched(id=2))
    fake = forge(clock, runs=[run()])
    fake.failing = {"follow_runs": Failure(Trouble.UNREACHABLE, "no answer")}
    assert (await tick(store, fake, fake, OPTIONS, Loop(clock))).looked_at == 0


class ByOwner:
    """Ports of two organisations at one host, each asked for its own alone."""

    def __init__(self, **ports: FakeForge) -> None:
        self._ports = ports

    async def serving(self, repository: Identity) -> FakeForge:
        return self._ports[owner_of(repository.name)]

    def __getattr__(self, name: str) -> Any:
        async def call(repository: Identity, *arguments: Any, **options: Any) -> Any:
            return await getattr(await self.serving(repository), name)(repository, *arguments, **options)

        return call


async def test_each_owners_are_asked_about_at_what_serves_that_owner_though_all_are_at_one_host(
    clock: ManualClock,
) -> None:
    contoso, fabrikam = forge(clock, runs=[run()]), FakeForge(clock)
    fabrikam.add("fabrikam/shop").show("weekly-rebuild.yml", run(node_id="other"))
    other = replace(dispatched(id=2), repository="fabrikam/shop", repository_node="R_2", node_id="other")
    store = following(clock, dispatched(id=1), other)
    both: Any = ByOwner(contoso=contoso, fabrikam=fabrikam)
    assert (await tick(store, both, both, OPTIONS, Loop(clock))).looked_at == 2
    asked = [[name for name, _ in fake.asked].count("follow_runs") for fake in (contoso, fabrikam)]
    assert (asked, store[1].state, store[2].state) == ([1, 1], RebuildState.PROVING, RebuildState.PROVING)


async def test_an_owner_in_trouble_keeps_no_other_at_the_same_host_from_being_looked_at(clock: ManualClock) -> None:
    contoso, fabrikam = forge(clock, runs=[run()]), FakeForge(clock)
    fabrikam.failing["follow_runs"] = Failure(Trouble.DENIED, "no right")
    other = replace(dispatched(id=2), repository="fabrikam/shop", repository_node="R_2", node_id="other")
    store = following(clock, dispatched(id=1), other)
    both: Any = ByOwner(contoso=contoso, fabrikam=fabrikam)
    tally = await tick(store, both, both, OPTIONS, Loop(clock))
    assert (tally.looked_at, tally.problems) == (1, ("fabrikam/shop: no right",))


PIPELINE = "azure-pipelines: fabrikam/team/12"


async def test_a_run_is_looked_at_where_its_workflow_is_and_a_builder_in_trouble_keeps_no_others(
    clock: ManualClock,
) -> None:
    github, azure = forge(clock, runs=[run()]), forge(clock, runs=[run(id=8, node_id="B_8")])
    builder: Any = Builders({"github": github, "azure-pipelines": azure})
    forges: Any = Forges({"github": github})
    hosts = Hosts(builder=Host(others={"azure-pipelines": Host("dev.azure.com", by_owner=True)}))
    store = following(clock, dispatched(id=1), dispatched(id=2, workflow=PIPELINE, run=8, node_id="B_8"))
    azure.failing["follow_runs"] = Failure(Trouble.THROTTLED, "slow down", retry_after=timedelta(hours=1))
    loop = Loop(clock)
    assert (await tick(store, forges, builder, replace(OPTIONS, hosts=hosts), loop)).looked_at == 1
    assert (store[1].state, store[2].state) == (RebuildState.PROVING, RebuildState.DISPATCHED)
    azure.failing.clear()
    clock.advance(timedelta(hours=2))
    await tick(store, forges, builder, replace(OPTIONS, hosts=hosts), loop)
    assert store[2].state is RebuildState.PROVING
    assert [[name for name, _ in fake.asked].count("follow_runs") for fake in (github, azure)] == [1, 2]


async def test_a_repository_that_names_a_builder_that_is_not_set_up_keeps_no_other_from_being_followed(
    clock: ManualClock,
) -> None:
    merged = replace(OPEN, is_open=False, is_merged=True, merge_commit="c1", merge_node="C_1", merged_at=NOON)
    github = forge(clock, merged)
    builder: Any = Builders({"github": github})
    forges: Any = Forges({"github": github})
    other = opened(id=2, repository="contoso/other", workflow=PIPELINE, node_id="PR_9")
    store = following(clock, opened(id=1), other)
    await tick(store, forges, builder, OPTIONS, Loop(clock))
    assert store[1].state is RebuildState.BUILDING
    assert store[2].state is RebuildState.OPEN
