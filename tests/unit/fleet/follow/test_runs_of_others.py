"""What a run that others have started does not bring, another rebuild does in place of the one that followed it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.builder.runs import Run
from bot.domain.clock import ManualClock
from bot.domain.evidence import ImageVerdict
from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.after_build import after_proof, join
from bot.domain.rollouts.rebuild import Action, Joined, Rebuild, RebuildState
from bot.fleet.follow.tick import FollowOptions, tick
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.fakes.stores.rebuilds import following
from tests.unit.fleet.act.world import NOON, SHOP, rebuild

PUSHED = Run(5, "https://forge/5", "in_progress", None, NOON, node_id="CS_5", commit="c" * 40, number=412)


def joined() -> Rebuild:
    return join(rebuild(Action.DISPATCH, id=1), PUSHED, now=NOON)


async def followed(*runs: Run, before: Rebuild | None = None, looks: int = 1) -> Rebuild:
    clock = ManualClock(NOON)
    forge = FakeForge(clock)
    forge.add(SHOP, {"README.md": b""}).show("weekly-rebuild.yml", *runs)
    store = following(clock, before or joined())
    for _ in range(looks):
        await tick(store, forge, forge, FollowOptions(timedelta(minutes=5)), Loop(clock))
        clock.advance(timedelta(hours=2))
    return store[1]


async def test_while_it_builds_it_says_whose_run_that_is() -> None:
    after = await followed(PUSHED)
    assert (after.state, after.reason) == (
        RebuildState.RUNNING,
        "run 412 of 12:00 builds it already, and is under way",
    )


@pytest.mark.parametrize(("status", "told"), [("queued", "waits for its turn"), ("waiting", "waits for approval")])
async def test_while_it_waits_it_says_whose_run_that_is(status: str, told: str) -> None:
    after = await followed(replace(PUSHED, status=status))
    assert after.reason == f"run 412 of 12:00 builds it already, and {told}"


@pytest.mark.parametrize("conclusion", ["success", "neutral"])
async def test_once_it_is_green_its_image_is_looked_at_as_any(conclusion: str) -> None:
    after = await followed(replace(PUSHED, status="completed", conclusion=conclusion))
    assert (after.state, after.built_commit, after.run_number) == (RebuildState.PROVING, "c" * 40, 412)


@pytest.mark.parametrize(
    ("conclusion", "how", "then"),
    [
        ("failure", Joined.IN_VAIN, "it is dispatched"),
        ("timed_out", Joined.IN_VAIN, "it is dispatched"),
        ("cancelled", Joined.GONE, "it is begun anew"),
        ("skipped", Joined.GONE, "it is begun anew"),
    ],
)
async def test_a_run_of_others_that_brings_nothing_fails_no_rebuild(
    conclusion: str, how: Joined, then: str
) -> None:
    after = await followed(replace(PUSHED, status="completed", conclusion=conclusion))
    assert (after.state, after.joined) == (RebuildState.SUPERSEDED, how)
    assert after.reason == f"run 412 of 12:00 did not bring it: it concluded with {conclusion}; {then}"


async def test_the_next_run_that_takes_its_place_is_named_for_itself() -> None:
    early = replace(PUSHED, branch="main", created_at=NOON - timedelta(minutes=9))
    cancelled = replace(early, status="completed", conclusion="cancelled")
    newer = replace(early, id=6, number=413, node_id="CS_6", created_at=NOON - timedelta(minutes=4))
    after = await followed(cancelled, newer)
    assert (after.state, after.joined, after.run) == (RebuildState.RUNNING, Joined.FOLLOWED, 6)
    assert after.reason == "a newer run took its place: run 413 of 11:56 builds it already, and is under way"


async def test_a_run_of_others_that_is_no_longer_there_leaves_its_place_to_another() -> None:
    after = await followed(looks=13)
    assert (after.state, after.reason) == (
        RebuildState.SUPERSEDED,
        "run 412 of 12:00 did not bring it: it is no longer there; it is begun anew",
    )


@pytest.mark.parametrize("verdict", [verdict for verdict in ImageVerdict if verdict.fails])
def test_an_image_that_does_not_show_it_leaves_its_place_to_a_dispatch(verdict: ImageVerdict) -> None:
    """A push may build without --pull, or push no image, where the dispatch does."""
    proving = joined().moved(RebuildState.PROVING, "built", at=NOON)
    after = after_proof(proving, verdict, "it still stands on the old one", now=NOON)
    assert (after.state, after.joined) == (RebuildState.SUPERSEDED, Joined.IN_VAIN)
    assert after.reason == "run 412 of 12:00 did not bring it: it still stands on the old one; it is dispatched"


@pytest.mark.parametrize(
    ("verdict", "state"),
    [(ImageVerdict.PROVED, RebuildState.SUCCEEDED), (ImageVerdict.UNKNOWN, RebuildState.BUILT)],
)
def test_what_it_brings_counts_as_what_any_run_brings(verdict: ImageVerdict, state: RebuildState) -> None:
    proving = joined().moved(RebuildState.PROVING, "built", at=NOON)
    assert after_proof(proving, verdict, "seen", now=NOON).state is state


def instead() -> Rebuild:
    """What was dispatched since the run of others was in vain."""
    return replace(
        rebuild(Action.DISPATCH, id=1, state=RebuildState.DISPATCHED),
        joined=Joined.IN_VAIN,
        run=PUSHED.id,
        run_number=None,
    )


@pytest.mark.parametrize(
    ("conclusion", "state", "reason"),
    [
        ("failure", RebuildState.FAILED, "the run concluded with failure"),
        ("cancelled", RebuildState.CANCELLED, "the run was cancelled"),
    ],
)
async def test_what_is_dispatched_in_the_end_is_judged_by_its_own_run(
    conclusion: str, state: RebuildState, reason: str
) -> None:
    """Nothing takes its place any more."""
    after = await followed(replace(PUSHED, status="completed", conclusion=conclusion), before=instead())
    assert (after.state, after.reason) == (state, reason)


async def test_what_is_dispatched_in_the_end_says_nothing_of_runs_of_others() -> None:
    assert (await followed(PUSHED, before=instead())).reason == "the run is under way"


async def test_the_run_that_was_dispatched_in_the_end_and_is_no_longer_there_is_cancelled() -> None:
    after = await followed(before=instead(), looks=13)
    assert (after.state, after.reason) == (RebuildState.CANCELLED, "the run is no longer there")


@pytest.mark.parametrize("verdict", [verdict for verdict in ImageVerdict if verdict.fails])
def test_what_was_dispatched_in_the_end_fails_where_its_image_does_not_show_it(verdict: ImageVerdict) -> None:
    proving = instead().moved(RebuildState.PROVING, "built", at=NOON)
    after = after_proof(proving, verdict, "it still stands on the old one", now=NOON)
    assert (after.state, after.reason) == (RebuildState.FAILED, "it still stands on the old one")


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.DENIED], ids=str)
async def test_a_run_of_others_that_cannot_be_read_for_long_is_followed_on(trouble: Trouble) -> None:
    clock = ManualClock(NOON)
    forge = FakeForge(clock)
    forge.add(SHOP, {"README.md": b""}).show("weekly-rebuild.yml", PUSHED)
    forge.failing["follow_runs"] = Failure(trouble, "no")
    store = following(clock, replace(joined(), attempts=100))
    await tick(store, forge, forge, FollowOptions(timedelta(minutes=5)), Loop(clock))
    assert (store[1].state, store[1].joined) == (RebuildState.DISPATCHED, Joined.FOLLOWED)


async def test_a_newer_run_whose_beginning_is_not_told_keeps_that_of_the_one_before() -> None:
    early = replace(PUSHED, branch="main", created_at=NOON - timedelta(minutes=9))
    cancelled = replace(early, status="completed", conclusion="cancelled")
    newer = replace(early, id=6, number=413, node_id="CS_6", created_at=None)
    after = await followed(cancelled, newer, before=replace(joined(), attempted_at=early.created_at))
    assert after.reason == "a newer run took its place: run 413 of 11:51 builds it already, and is under way"


async def test_a_run_of_others_without_a_number_is_named_by_its_id() -> None:
    after = await followed(
        PUSHED, before=join(rebuild(Action.DISPATCH, id=1), replace(PUSHED, number=None), now=NOON)
    )
    assert after.reason == "run 5 of 12:00 builds it already, and is under way"
