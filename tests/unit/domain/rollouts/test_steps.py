from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.forge.runs import RunState
from bot.domain.images.claims.claim import Claim, Source
from bot.domain.images.claims.tags import TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.images.verdict import ImageVerdict
from bot.domain.repositories.repository import Identity, Workflow
from bot.domain.rollouts.rebuild import Action, IllegalTransition, RebuildState
from bot.domain.rollouts.steps import (
    STEP_TRANSITIONS,
    StepRun,
    StepState,
    after_step,
    after_step_run,
    images_of_build,
    inputs_for,
    known_of,
    takes_over,
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
    found="latest",
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
