"""What becomes of a rebuild once its image was looked at, and the gate asked."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.evidence import ImageVerdict
from bot.domain.packages.cves.detected import DetectedVulnerability, Rating
from bot.domain.packages.gate import Gated, GateMode, GateOutcome
from bot.domain.rollouts.after_build import after_green_build, after_proof, gate_in_words
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from tests.builders import rebuild

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
FOUND = DetectedVulnerability("CVE-2026-1", "libssl3t64", "3.0.13-5", "3.0.13-6", Rating.HIGH, True)
BLOCKED = Gated(GateMode.BLOCK, GateOutcome.BLOCKED, (FOUND,))
UNKNOWN = Gated(GateMode.BLOCK, GateOutcome.UNKNOWN, gaps=("its packages were not read",))
PASSED = Gated(GateMode.BLOCK, GateOutcome.PASSED)


def after(gated: Gated | None, verdict: ImageVerdict = ImageVerdict.PROVED, steps: int = 0) -> Rebuild:
    return after_proof(rebuild(state=RebuildState.PROVING, steps=steps), verdict, "it stands", gated, now=NOW)


@pytest.mark.parametrize("steps", [0, 2])
def test_what_blocks_fails_a_rebuild_whose_base_was_proved(steps: int) -> None:
    failed = after(BLOCKED, steps=steps)
    assert (failed.state, failed.proof) == (RebuildState.FAILED, ImageVerdict.PROVED)
    assert failed.reason == f"built, but the gate holds it back: {FOUND.told}"


@pytest.mark.parametrize("steps", [0, 2])
def test_what_cannot_be_told_ends_as_built_and_begins_no_step(steps: int) -> None:
    built = after(UNKNOWN, steps=steps)
    assert built.state is RebuildState.BUILT
    assert built.reason == "built, but the gate cannot tell: its packages were not read; it stands"


@pytest.mark.parametrize("gated", [BLOCKED, UNKNOWN])
def test_telling_lets_it_go_on_and_says_so(gated: Gated) -> None:
    told = replace(gated, mode=GateMode.TELL)
    assert after(told).state is RebuildState.SUCCEEDED
    assert "the gate" in after(told).reason
    assert after(told, steps=1).state is RebuildState.STEPPING


def test_what_passes_or_is_not_asked_leaves_the_reason_alone() -> None:
    assert after(PASSED) == after(None)
    assert after(PASSED).reason == "it stands"


def test_an_image_that_is_not_fresh_has_failed_whatever_the_gate_says() -> None:
    assert after(PASSED, ImageVerdict.NO_OP).reason == after(BLOCKED, ImageVerdict.NO_OP).reason == "it stands"


def test_what_the_gate_has_found_is_told_in_words() -> None:
    assert gate_in_words(PASSED) == f"the gate found {PASSED.told}"
    assert gate_in_words(BLOCKED) == f"the gate holds it back: {BLOCKED.told}"
    assert gate_in_words(replace(BLOCKED, mode=GateMode.TELL)) == f"the gate would hold it back: {BLOCKED.told}"
    assert gate_in_words(UNKNOWN) == f"the gate cannot tell: {UNKNOWN.told}"


def test_what_is_only_told_stands_behind_what_was_seen() -> None:
    told = after(replace(UNKNOWN, mode=GateMode.TELL)).reason
    assert told == "it stands; the gate cannot tell: its packages were not read"


def test_an_image_of_which_nothing_is_shown_is_built_and_says_so() -> None:
    built = after(None, ImageVerdict.UNKNOWN)
    assert (built.state, built.reason) == (RebuildState.BUILT, "built, not proven: it stands")


@pytest.mark.parametrize(("steps", "told"), [(1, "1 step to go"), (2, "2 steps to go")])
def test_what_is_built_goes_on_with_its_steps(steps: int, told: str) -> None:
    going = after(None, steps=steps)
    assert (going.state, going.reason) == (RebuildState.STEPPING, f"it stands; {told}")


def test_a_green_build_has_its_image_looked_at() -> None:
    built = after_green_build(rebuild(state=RebuildState.BUILDING), "build.yml is green", now=NOW)
    assert (built.state, built.built_at) == (RebuildState.PROVING, NOW)
    assert built.reason == "build.yml is green; its image is looked at"
