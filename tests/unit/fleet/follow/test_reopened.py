"""Pull requests that people have closed, and open again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.rollouts.rebuild import Action, Merge, Rebuild, RebuildState, Target
from bot.fleet.follow.tick import FollowOptions, FollowTally, tick
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.fakes.stores.rebuilds import FakeRebuildStore, following
from tests.unit.fleet.act.world import ASPNET, NOON, SHOP, digest
from tests.unit.fleet.act.world import rebuild as planned
from tests.unit.fleet.follow.world import OPEN

EVERY = timedelta(minutes=5)
OPTIONS = FollowOptions(EVERY)
MERGED = replace(OPEN, is_open=False, is_merged=True, merge_commit="c1", merge_node="C_1", merged_at=NOON)


def closed(**values: object) -> Rebuild:
    known = {
        "state": RebuildState.CANCELLED,
        "reason": "pull request #1 was closed unmerged",
        "pull_request": 1,
        "node_id": "PR_1",
        "ended_at": NOON - timedelta(hours=6),
        "url": "https://forge/pull/1",
    }
    return planned(**(known | values))  # type: ignore[arg-type]


def forge(clock: ManualClock, request: PullRequest = OPEN) -> FakeForge:
    made = FakeForge(clock)
    made.add(SHOP, {"README.md": b""}).requests = {request.number: request}
    return made


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


async def looked(
    clock: ManualClock, fake: FakeForge, *rebuilds: Rebuild
) -> tuple[FollowTally, FakeRebuildStore, Sequence[Rebuild]]:
    """What a look finds, the store after it, and what was added there."""
    store = following(clock, *rebuilds)
    tally = await tick(store, fake, fake, OPTIONS, Loop(clock))
    known = {each.id for each in rebuilds}
    return tally, store, [store[number] for number in store.rows if number not in known]


async def test_what_is_opened_again_is_followed_again(clock: ManualClock) -> None:
    tally, store, (again,) = await looked(clock, forge(clock), closed())
    assert (again.state, again.reason) == (RebuildState.OPEN, "pull request #1 was opened again; it is followed on")
    assert (again.pull_request, again.node_id, again.branch, again.url) == (
        1,
        "PR_1",
        closed().branch,
        "https://forge/pull/1",
    )
    assert (again.targets, again.ended_at, again.rollout) == (closed().targets, None, 1)
    assert (store[1].state, tally.ended) == (RebuildState.CANCELLED, 0)


async def test_it_is_brought_up_to_date_first(clock: ManualClock) -> None:
    """Rules, freezes and facts may be others than when it was closed."""
    _, _, (again,) = await looked(clock, forge(clock), closed(facts_version=3, text_version=3))
    assert again.facts_version > again.text_version


async def test_what_was_opened_again_and_merged_between_two_looks_is_followed_to_its_build(
    clock: ManualClock,
) -> None:
    _, _, (again,) = await looked(clock, forge(clock, MERGED), closed())
    assert again.state is RebuildState.OPEN


async def test_what_was_merged_into_another_branch_alone_stays_ended(clock: ManualClock) -> None:
    elsewhere = replace(MERGED, base="release")
    fake = forge(clock, elsewhere)
    _, store, added = await looked(clock, fake, closed())
    assert (added, store[1].state) == ([], RebuildState.CANCELLED)
    commit = fake.homes[0].branches["main"]
    _, _, (again,) = await looked(clock, forge(clock, replace(elsewhere, merge_commit=commit)), closed())
    assert again.state is RebuildState.OPEN


async def test_what_stays_closed_stays_ended_and_is_looked_at_again_within_an_hour(clock: ManualClock) -> None:
    tally, store, added = await looked(clock, forge(clock, replace(OPEN, is_open=False)), closed())
    assert (added, store[1].state, store[1].reason) == ([], closed().state, closed().reason)
    assert NOON + timedelta(minutes=20) <= store[1].due_at <= NOON + timedelta(hours=1)
    assert (tally.ended, tally.problems) == (0, ())


async def test_what_was_only_just_closed_is_not_taken_for_open_by_a_late_answer(clock: ManualClock) -> None:
    just_closed = closed(ended_at=NOON - timedelta(minutes=1))
    fake = forge(clock)
    _, _, added = await looked(clock, fake, just_closed)
    assert (added, fake.asked) == ([], [])


async def test_after_a_month_nobody_looks_any_more(clock: ManualClock) -> None:
    fake = forge(clock)
    _, _, added = await looked(clock, fake, closed(ended_at=NOON - timedelta(days=30)))
    assert (added, fake.asked) == ([], [])


@pytest.mark.parametrize(
    "values",
    [
        {"state": RebuildState.SUPERSEDED},
        {"state": RebuildState.SKIPPED},
        {"state": RebuildState.FAILED},
        {"action": Action.DISPATCH, "pull_request": None},
        {"node_id": None},
        {"merge": Merge("c1", "C_1", NOON)},
    ],
    ids=str,
)
async def test_only_a_closed_pull_request_is_looked_at(clock: ManualClock, values: dict[str, object]) -> None:
    fake = forge(clock)
    await looked(clock, fake, closed(**values))
    assert fake.asked == []


async def test_closed_ones_are_looked_at_together_with_what_is_open(clock: ManualClock) -> None:
    fake = forge(clock)
    opened = [closed(id=number, state=RebuildState.OPEN, ended_at=None) for number in range(1, 4)]
    await looked(clock, fake, *opened, *(closed(id=number) for number in range(4, 40)))
    assert len(fake.asked) == 1


async def test_one_that_is_not_shown_stays_ended_and_is_no_news(clock: ManualClock) -> None:
    tally, store, added = await looked(clock, FakeForge(clock), closed())
    assert (added, store[1].state, store[1].reason, tally.problems) == ([], closed().state, closed().reason, ())
    fake = forge(clock)
    fake.unseen = {"PR_1"}
    tally, store, added = await looked(clock, fake, closed())
    assert (added, store[1].state, tally.problems) == ([], closed().state, ())


async def test_a_forge_in_trouble_ends_no_looking(clock: ManualClock) -> None:
    fake = forge(clock)
    fake.failing = {"follow": Failure(Trouble.UNREACHABLE, "no answer")}
    _, store, _ = await looked(clock, fake, closed())
    assert (store[1].state, store[1].reason) == (closed().state, closed().reason)
    clock.advance(timedelta(hours=1))
    fake.failing = {}
    await tick(store, fake, fake, OPTIONS, Loop(clock))
    assert [store[number].state for number in store.rows] == [RebuildState.CANCELLED, RebuildState.OPEN]


async def test_where_a_later_rebuild_has_its_bases_that_goes_on_with_them(clock: ManualClock) -> None:
    """The base moved meanwhile: no repository is brought back to what it showed before."""
    later = planned(id=2, to="c")
    _, store, added = await looked(clock, forge(clock), closed(), replace(later, due_at=NOON + timedelta(days=1)))
    assert added == []
    told = "pull request #1 was opened again; rebuild 2 goes on with its bases"
    assert (store[1].state, store[1].reason) == (RebuildState.CANCELLED, told)


@pytest.mark.parametrize("end", [RebuildState.CANCELLED, RebuildState.SKIPPED, RebuildState.SUPERSEDED], ids=str)
async def test_a_later_one_that_came_to_nothing_keeps_it_from_nothing(
    clock: ManualClock, end: RebuildState
) -> None:
    later = planned(id=2, to="c", state=end, ended_at=NOON - timedelta(hours=1))
    _, _, (again,) = await looked(clock, forge(clock), closed(), later)
    assert again.pull_request == 1


async def test_a_later_one_about_other_bases_or_for_the_age_alone_keeps_it_from_nothing(clock: ManualClock) -> None:
    for_its_age = planned(id=2, targets=(Target(ASPNET, digest("b"), digest("b"), ()),))
    of_another = planned(id=3, targets=(Target(replace(ASPNET, tag="9.0"), digest("a"), digest("b"), (7,)),))
    _, _, (again,) = await looked(clock, forge(clock), closed(), for_its_age, of_another)
    assert again.pull_request == 1
