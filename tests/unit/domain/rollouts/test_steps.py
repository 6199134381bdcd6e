from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.builder.runs import Run, RunState
from bot.domain.evidence import ImageVerdict
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.reference import Base
from bot.domain.repositories.repository import Identity, Workflow
from bot.domain.rollouts.rebuild import Action, IllegalTransition, RebuildState, Target
from bot.domain.rollouts.steps import (
    STEP_TRANSITIONS,
    StepRun,
    StepState,
    after_step,
    after_step_run,
    images_of_build,
    inputs_for,
    known_of,
    may_be_observed,
    takes_over,
    too_late,
    unheld,
    unknown_inputs,
)
from bot.domain.rollouts.terms import PathWorkflow, Step
from tests.builders import rebuild

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DEPLOY = Workflow(
    ".github/workflows/deploy.yml", ("correlation", "image", "digest", "colour"), required=("digest",)
)
IMAGE = ProducedImage(
    *(1, 7, "contoso/shop", Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.SETTINGS)),
    found_tag="latest",
    digest="sha256:abc",
    seen_at=NOON,
)


def step(state: StepState = StepState.DUE, **values: Any) -> StepRun:
    known: dict[str, Any] = {"deadline": NOON + timedelta(hours=2)}
    made = Step("canary", "deploy.yml", inputs=(("colour", "blue"), ("region", "west")))
    return StepRun(1, 1, 0, made, Identity("contoso/shop"), state, "its turn has come", NOON, **(known | values))


@given(st.lists(st.sampled_from(StepState), max_size=12))
def test_no_path_leaves_an_end_or_waits_for_its_turn_again(path: list[StepState]) -> None:
    walked = [step(StepState.PLANNED)]
    for state in path:
        try:
            walked.append(walked[-1].moved(state, "why", at=NOON))
        except IllegalTransition:
            continue
    assert not any(before.state.has_ended and before.state is not after.state for before, after in pairwise(walked))
    assert StepState.PLANNED not in {
        after.state for before, after in pairwise(walked) if before.state is not after.state
    }


def test_every_state_is_reached_and_every_open_one_can_end() -> None:
    assert {after for ways in STEP_TRANSITIONS.values() for after in ways} == set(StepState) - {StepState.PLANNED}
    for state in set(StepState) - {StepState.PLANNED}:
        assert state.has_ended or {StepState.SUCCEEDED, StepState.FAILED} <= STEP_TRANSITIONS[state]


@pytest.mark.parametrize(
    ("status", "conclusion", "state"),
    [
        ("completed", "success", StepState.SUCCEEDED),
        ("completed", "neutral", StepState.SUCCEEDED),
        ("completed", "failure", StepState.FAILED),
        ("completed", "skipped", StepState.FAILED),
        ("completed", "timed_out", StepState.FAILED),
        ("completed", "cancelled", StepState.CANCELLED),
        ("waiting", None, StepState.APPROVAL),
        ("in_progress", None, StepState.RUNNING),
        ("queued", None, StepState.STARTED),
    ],
)
def test_a_step_stands_as_its_run_does(status: str, conclusion: str | None, state: StepState) -> None:
    assert after_step_run(step(StepState.STARTED), RunState(status, conclusion), NOON).state is state


def test_a_step_fails_when_its_time_is_over() -> None:
    going, late = step(StepState.STARTED), NOON + timedelta(hours=2)
    assert (
        after_step_run(going, RunState("in_progress", None), late - timedelta(seconds=1)).state is StepState.RUNNING
    )
    after = after_step_run(going, RunState("in_progress", None), late)
    assert (after.state, after.reason) == (StepState.FAILED, "not through within 2 h: deploy.yml is running")


def test_the_time_for_which_it_waits_for_a_person_does_not_count() -> None:
    waiting = after_step_run(step(StepState.STARTED), RunState("waiting", None), NOON)
    days = NOON + timedelta(days=9)
    assert after_step_run(waiting, RunState("waiting", None), days).state is StepState.APPROVAL
    after = after_step_run(waiting, RunState("in_progress", None), days)
    assert (after.state, after.deadline) == (StepState.RUNNING, days + timedelta(hours=2))


def test_only_what_the_workflow_declares_is_sent() -> None:
    known = {"correlation": "c", "digest": "sha256:abc", "version": "1.2"}
    assert inputs_for(step(), DEPLOY, known) == {"correlation": "c", "digest": "sha256:abc", "colour": "blue"}


def test_an_input_that_it_cannot_do_without_must_be_known() -> None:
    assert unknown_inputs(step(), DEPLOY, {"image": "ghcr.io/contoso/shop"}) == ("digest",)
    assert unknown_inputs(step(), DEPLOY, {"digest": "sha256:abc"}) == ()


def test_the_image_is_known_where_it_is_the_only_one_and_its_digest_once_it_was_proved() -> None:
    assert known_of([IMAGE], ImageVerdict.PROVED) == {
        "image": "ghcr.io/contoso/shop",
        "digest": "sha256:abc",
        "version": "latest",
    }
    assert known_of([IMAGE], ImageVerdict.UNKNOWN) == {"image": "ghcr.io/contoso/shop"}
    other = replace(IMAGE, claim=replace(IMAGE.claim, name="ghcr.io/contoso/till"))
    assert known_of([IMAGE, other], ImageVerdict.PROVED) == {}
    assert known_of([IMAGE, IMAGE], ImageVerdict.PROVED) == {"image": "ghcr.io/contoso/shop"}
    assert known_of([replace(IMAGE, is_contested=True)], ImageVerdict.PROVED) == {}


EIGHT, NINE, OTHER = (
    replace(
        IMAGE,
        claim=Claim(f"ghcr.io/contoso/{name}", TagRule(tag), Source.BUILD, f".github/workflows/{file}", 3),
    )
    for name, tag, file in (("golden", "8.0", "8.yml"), ("golden", "9.0", "9.yml"), ("till", "9.0", "9.yml"))
)


SHOP_PART = PathWorkflow(("shop/*",), "shop.yml")
PART_8 = PathWorkflow(("8/*",), "8.yml")


@pytest.mark.parametrize(
    ("run", "made"),
    [
        ({"action": Action.DISPATCH, "workflow": "8.yml"}, [EIGHT, OTHER]),
        ({"action": Action.DISPATCH, "workflow": "all.yml"}, [EIGHT, NINE, OTHER]),
        ({"workflow": "8.yml"}, [EIGHT, NINE, OTHER]),
        ({"workflow": "8.yml", "parts": (PathWorkflow(("8/*",), "8.yml"),)}, [EIGHT, OTHER]),
        ({"parts": (PathWorkflow(("8/*",), "8.yml"), PathWorkflow(("9/*",), "9.yml"))}, [EIGHT, NINE, OTHER]),
        ({"parts": (PathWorkflow(("9/*",), "9.yml", ("*/till",)),)}, [OTHER]),
        ({"workflow": "all.yml", "parts": (PathWorkflow((), "all.yml", others=(PART_8,)),)}, [NINE, OTHER]),
        ({"parts": (PathWorkflow((), "8.yml", others=(PathWorkflow(("t/*",), "t.yml", ("*/till",)),)),)}, [EIGHT]),
    ],
)
def test_a_tag_that_another_workflow_pushes_is_none_that_a_build_makes(
    run: dict[str, Any], made: list[ProducedImage]
) -> None:
    """It would be waited for in vain, and the rebuild would fail."""
    assert images_of_build([EIGHT, NINE, OTHER], rebuild(**run)) == made


@pytest.mark.parametrize(
    ("earlier", "later", "takes"),
    [
        pytest.param(
            {"workflow": "root.yml"}, {"workflow": "shop.yml", "parts": (SHOP_PART,)}, False, id="the root"
        ),
        pytest.param({"parts": (SHOP_PART,)}, {"workflow": "root.yml"}, False, id="a part"),
        pytest.param({"parts": (SHOP_PART,)}, {"parts": (SHOP_PART, PART_8)}, True, id="a part with others"),
        pytest.param({"workflow": "shop.yml"}, {"workflow": "shop.yml"}, True, id="the whole"),
        pytest.param({"workflow": None}, {"workflow": "shop.yml"}, False, id="what nothing builds"),
    ],
)
def test_only_a_rebuild_by_the_same_workflows_takes_over(
    earlier: dict[str, Any], later: dict[str, Any], takes: bool
) -> None:
    assert takes_over(rebuild(**later), rebuild(**earlier)) is takes


def test_a_tag_that_somebody_names_may_come_of_any_workflow() -> None:
    said = replace(NINE, claim=replace(NINE.claim, path=""))
    assert images_of_build([EIGHT, said], rebuild(action=Action.DISPATCH, workflow="8.yml")) == [EIGHT, said]


def test_the_last_step_proves_nothing_of_the_image() -> None:
    unproven = rebuild(state=RebuildState.STEPPING, proof=ImageVerdict.UNKNOWN)
    assert after_step(unproven, step(StepState.SUCCEEDED), None, NOON).state is RebuildState.BUILT


@pytest.mark.parametrize(
    ("state", "following", "after", "told"),
    [
        (StepState.SUCCEEDED, "production", RebuildState.STEPPING, "step canary succeeded; production is next"),
        (StepState.SUCCEEDED, None, RebuildState.SUCCEEDED, "built, and its last step canary succeeded"),
        (StepState.FAILED, None, RebuildState.FAILED, "built, but step canary failed: its turn has come"),
        (
            StepState.CANCELLED,
            None,
            RebuildState.CANCELLED,
            "built; step canary was not finished: its turn has come",
        ),
        (
            StepState.SUPERSEDED,
            None,
            RebuildState.SUPERSEDED,
            "built; step canary was not started: its turn has come",
        ),
        (StepState.RUNNING, None, RebuildState.STEPPING, "step canary: its turn has come"),
    ],
)
def test_a_rebuild_moves_with_its_step(
    state: StepState, following: str | None, after: RebuildState, told: str
) -> None:
    moved = after_step(rebuild(state=RebuildState.STEPPING), step(state, url="https://forge/run"), following, NOON)
    assert (moved.state, moved.reason, moved.url) == (after, told, "https://forge/run")


ENDS = {"succeeded", "failed", "cancelled", "superseded"}
WAYS = {
    "planned": {"due"},
    "due": {"started", "running", "waiting for approval"} | ENDS,
    "started": {"running", "waiting for approval"} | ENDS,
    "running": {"waiting for approval"} | ENDS,
    "waiting for approval": {"running"} | ENDS,
}


@pytest.mark.parametrize("before", StepState, ids=str)
@pytest.mark.parametrize("after", StepState, ids=str)
def test_a_step_moves_only_along_the_table(before: StepState, after: StepState) -> None:
    if before is after:
        assert step(before).moved(after, "again", at=NOON).reason == "again"
    elif str(after) in WAYS.get(str(before), set()):
        moved = step(before).moved(after, "why", at=NOON)
        assert (moved.state, moved.reason) == (after, "why")
        assert moved.ended_at == (NOON if after.has_ended else None)
    else:
        with pytest.raises(IllegalTransition, match=f"a step never goes from {before} to {after}"):
            step(before).moved(after, "why", at=NOON)


def test_once_it_was_approved_it_waits_for_nobody() -> None:
    waiting = step(StepState.STARTED).moved(StepState.APPROVAL, "waits", at=NOON)
    assert waiting.waits_since == NOON
    going = waiting.moved(StepState.RUNNING, "goes", at=NOON + timedelta(hours=1))
    assert (going.waits_since, going.deadline) == (None, NOON + timedelta(hours=3))
    again = going.moved(StepState.APPROVAL, "waits", at=NOON + timedelta(hours=2))
    assert again.moved(StepState.RUNNING, "goes", at=NOON + timedelta(hours=3)).deadline == NOON + timedelta(
        hours=4
    )


def test_a_step_without_a_deadline_gets_none_by_waiting() -> None:
    waiting = step(StepState.STARTED, deadline=None).moved(StepState.APPROVAL, "waits", at=NOON)
    assert waiting.moved(StepState.RUNNING, "goes", at=NOON).deadline is None


def test_its_time_counts_from_the_first_try() -> None:
    begun = step(deadline=None).begun(NOON)
    assert begun.deadline == NOON + timedelta(hours=2)
    assert begun.begun(NOON + timedelta(hours=1)) == begun


def test_a_deadline_that_a_clock_which_was_ahead_has_set_is_no_further_off_than_the_step_has_time() -> None:
    ahead = step(deadline=None).begun(NOON + timedelta(days=365))
    assert ahead.begun(NOON).deadline == NOON + timedelta(hours=2)


def test_until_its_time_is_over_it_is_not_too_late() -> None:
    going = step(StepState.STARTED)
    assert too_late(going, NOON + timedelta(hours=2) - timedelta(seconds=1)) is None
    assert too_late(replace(going, deadline=None), NOON + timedelta(days=9)) is None
    late = too_late(going, NOON + timedelta(hours=2))
    assert late is not None
    assert (late.state, late.reason) == (StepState.FAILED, "not through within 2 h: its turn has come")


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (RunState("completed", "success"), "deploy.yml concluded with success"),
        (RunState("completed", "neutral"), "deploy.yml concluded with neutral"),
        (RunState("completed", "failure"), "deploy.yml concluded with failure"),
        (RunState("completed", "cancelled"), "the run of deploy.yml was cancelled"),
        (RunState("waiting", None), "deploy.yml is waiting for approval"),
        (RunState("in_progress", None), "deploy.yml is running"),
        (RunState("queued", None), "its turn has come"),
    ],
)
def test_a_step_says_how_its_run_stands(shown: RunState, told: str) -> None:
    assert after_step_run(step(StepState.STARTED), shown, NOON).reason == told


def test_a_run_that_waits_for_its_turn_after_an_approval_waits_for_no_person() -> None:
    waiting = step(StepState.APPROVAL, waits_since=NOON)
    assert after_step_run(waiting, RunState("queued", None), NOON).state is StepState.RUNNING


@pytest.mark.parametrize(
    ("run", "known", "may"),
    [
        pytest.param({}, {}, True, id="on its branch"),
        pytest.param({"branch": None}, {"branch": None}, False, id="where no branch is told on either side"),
        pytest.param({"branch": "main"}, {"branch": None}, False, id="where its branch is not known"),
        pytest.param({"event": "pull_request"}, {}, False, id="that judges a proposal"),
        pytest.param({"event": "schedule"}, {"began_at": NOON}, True, id="by a schedule at its turn"),
        pytest.param(
            {"event": "schedule"}, {"began_at": NOON + timedelta(seconds=5)}, True, id="as far as clocks differ"
        ),
        pytest.param({"event": "schedule"}, {"began_at": NOON + timedelta(seconds=6)}, False, id="before its turn"),
        pytest.param({"event": "schedule"}, {"since": NOON}, True, id="by a schedule where its turn is not told"),
        pytest.param({"event": "schedule"}, {}, False, id="by a schedule where nothing is told of its turn"),
        pytest.param({"event": "schedule", "created_at": None}, {"began_at": NOON}, False, id="at no time told"),
    ],
)
def test_a_run_that_started_by_itself_may_be_that_of_a_step(
    run: dict[str, Any], known: dict[str, Any], may: bool
) -> None:
    shown: dict[str, Any] = {"created_at": NOON, "branch": "main", "event": "push"}
    assert may_be_observed(step(**{"branch": "main"} | known), Run(7, "", "queued", None, **shown | run)) is may


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("canary",), "canary begins by itself: the gate cannot hold it back, only the steps that the bot starts"),
        (
            ("canary", "load"),
            "canary and load begin by themselves: "
            "the gate cannot hold them back, only the steps that the bot starts",
        ),
    ],
)
def test_steps_that_the_gate_cannot_hold_back_are_named(names: tuple[str, ...], told: str) -> None:
    assert unheld(names) == told


def test_the_operators_own_inputs_go_before_what_is_known_and_count_as_known() -> None:
    workflow = Workflow(".github/workflows/deploy.yml", ("colour", "region"), required=("colour", "correlation"))
    assert inputs_for(step(), workflow, {"colour": "red"}) == {"colour": "blue", "region": "west"}
    assert unknown_inputs(step(), workflow, {}) == ()


def test_an_image_that_was_not_seen_has_no_digest_to_give() -> None:
    assert known_of([replace(IMAGE, digest=None)], ImageVerdict.PROVED) == {"image": "ghcr.io/contoso/shop"}
    assert known_of([], ImageVerdict.PROVED) == {}


def test_a_rebuild_keeps_its_address_where_its_step_has_none() -> None:
    before = rebuild(state=RebuildState.STEPPING, url="https://forge/build")
    assert after_step(before, step(StepState.RUNNING), None, NOON).url == "https://forge/build"


def test_a_rebuild_that_brings_fewer_bases_takes_nothing_over() -> None:
    targets = tuple(Target(Base("r", name, "1"), None, "sha256:b", ()) for name in ("golden", "other"))
    earlier = rebuild(workflow="shop.yml", targets=targets)
    assert takes_over(replace(earlier, targets=targets[:1]), earlier) is False
    assert takes_over(earlier, replace(earlier, targets=targets[:1])) is True


def test_a_step_that_is_not_the_last_ends_no_rebuild_whose_image_is_not_proven() -> None:
    unproven = rebuild(state=RebuildState.STEPPING, proof=ImageVerdict.UNKNOWN)
    moved = after_step(unproven, step(StepState.SUCCEEDED), "production", NOON)
    assert (moved.state, moved.reason) == (
        RebuildState.STEPPING,
        "step canary succeeded; production is next",
    )
