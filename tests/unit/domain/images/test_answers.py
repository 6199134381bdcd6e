"""What a deploy job is told of an image: an answer to each question, and one for all together."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.evidence import Strength
from bot.domain.images.answers import (
    ImageAnswer,
    ImageQuestion,
    about_freshness,
    about_gate,
    about_provenance,
    about_signature,
    all_hold,
)
from bot.domain.images.image import Builder
from bot.domain.images.standing import Basis, ImageStanding, ImageState, Publication, RuntimeInside, state_of
from bot.domain.images.trust import Trust
from bot.domain.packages.gate import Gated, GateMode, GateOutcome
from tests.builders import ASPNET, NOON

SHOWN = Publication(ASPNET, NOON, "sha256:index", "linux/amd64", "sha256:platform")
CURRENT = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (SHOWN,), layers=5)
BEHIND = replace(CURRENT, publications=(replace(SHOWN, until=NOON + timedelta(days=1)),))
BUILDER = Builder("https://github.com/contoso/shop/build.yml@main", 2, Strength.PROVED, "", "contoso/shop")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((True, True), True),
        ((True, False), False),
        ((None, False), False),
        ((True, None), None),
        ((), None),
    ],
)
def test_one_that_does_not_hold_decides_and_then_one_that_cannot_be_told(
    answers: tuple[bool | None, ...], expected: bool | None
) -> None:
    assert all_hold(ImageAnswer(ImageQuestion.FRESHNESS, holds, "") for holds in answers) is expected


def test_what_does_not_count_decides_nothing() -> None:
    fresh = ImageAnswer(ImageQuestion.FRESHNESS, True, "")
    assert all_hold([fresh, ImageAnswer(ImageQuestion.SIGNATURE, False, "", counts=False)]) is True
    assert all_hold([ImageAnswer(ImageQuestion.SIGNATURE, True, "", counts=False)]) is None


@pytest.mark.parametrize("strength", [Strength.PROVED, Strength.CONTRADICTED, Strength.UNKNOWN])
@pytest.mark.parametrize("is_required", [True, False])
def test_a_signature_counts_where_a_rule_requires_it(strength: Strength, is_required: bool) -> None:
    answer = about_signature(Trust(strength, "told"), is_required=is_required)
    assert (answer.holds, answer.counts) == (strength is Strength.PROVED, is_required)
    assert not about_signature(None, is_required=True).counts


@pytest.mark.parametrize(
    ("builder", "producers", "holds"),
    [
        (BUILDER, {"contoso/shop"}, True),
        (BUILDER, {"Contoso/Shop", "contoso/till"}, True),
        (BUILDER, set(), True),
        (BUILDER, {"contoso/till"}, False),
        (replace(BUILDER, repository=""), {"contoso/till"}, True),
        (replace(BUILDER, strength=Strength.CONTRADICTED, level=0), {"contoso/shop"}, False),
    ],
)
def test_provenance_holds_where_who_built_is_proved_and_is_known_to_produce_the_image(
    builder: Builder, producers: set[str], holds: bool
) -> None:
    for is_required in (True, False):
        answer = about_provenance(builder, producers, is_required=is_required)
        assert (answer.holds, answer.counts) == (holds, is_required)
        assert builder.told in answer.told


def test_who_is_known_to_produce_an_image_is_told_where_another_has_built_it() -> None:
    told = about_provenance(BUILDER, {"contoso/till", "contoso/bank"}, is_required=True).told
    assert told == f"{BUILDER.told}; contoso/bank or contoso/till is known to produce this image"


@pytest.mark.parametrize(
    ("answer", "question", "told"),
    [
        (
            about_signature(None, is_required=True),
            ImageQuestion.SIGNATURE,
            "no rule of trust asks for a signature",
        ),
        (about_signature(Trust(Strength.PROVED, "why"), is_required=True), ImageQuestion.SIGNATURE, "why"),
        (
            about_provenance(None, (), is_required=True),
            ImageQuestion.PROVENANCE,
            "no provenance by a signer that is trusted is there",
        ),
        (about_freshness([BEHIND]), ImageQuestion.FRESHNESS, "it is behind its base"),
        (
            about_freshness([replace(CURRENT, strength=Strength.CONTRADICTED)]),
            ImageQuestion.FRESHNESS,
            "what tells of its base disagrees",
        ),
        (
            about_freshness([replace(CURRENT, built_from=ASPNET)]),
            ImageQuestion.FRESHNESS,
            "it stands on a build of its base that was not seen",
        ),
        (
            about_freshness([]),
            ImageQuestion.FRESHNESS,
            "not every platform is proved to stand on what its base shows now",
        ),
        (about_freshness([CURRENT]), ImageQuestion.FRESHNESS, "it stands on what its base shows now"),
        (about_gate(None), ImageQuestion.GATE, "no rule of the gate asks what is inside"),
    ],
)
def test_an_answer_names_its_question_and_tells_why(
    answer: ImageAnswer, question: ImageQuestion, told: str
) -> None:
    assert (answer.question, answer.told) == (question, told)


def test_what_no_rule_asks_for_cannot_be_told() -> None:
    assert about_signature(None, is_required=True).holds is about_gate(None).holds is None


def test_provenance_that_is_not_there_is_told_and_does_not_count() -> None:
    assert not about_provenance(None, {"contoso/shop"}, is_required=True).counts
    assert not about_provenance(BUILDER, (), is_required=False).counts


@pytest.mark.parametrize(
    ("standings", "holds"),
    [
        ((CURRENT,), True),
        ((CURRENT, CURRENT), True),
        ((CURRENT, BEHIND), False),
        ((replace(CURRENT, strength=Strength.CLAIMED),), None),
        ((CURRENT, ImageStanding("linux/arm64", Strength.UNKNOWN)), None),
        ((replace(CURRENT, publications=(), named="acr.example/golden:1", basis=Basis.VERIFIED_PROVENANCE),), None),
        ((), None),
    ],
)
def test_an_image_is_fresh_where_every_platform_is_proved_to_stand_on_what_a_base_shows_now(
    standings: tuple[ImageStanding, ...], holds: bool | None
) -> None:
    assert about_freshness(standings).holds is holds


@pytest.mark.parametrize(
    ("outcome", "holds"), [(GateOutcome.PASSED, True), (GateOutcome.BLOCKED, False), (GateOutcome.UNKNOWN, None)]
)
def test_what_the_gate_says_counts_where_it_blocks(outcome: GateOutcome, holds: bool | None) -> None:
    gated = Gated(GateMode.BLOCK, outcome, gaps=("old data",))
    answer = about_gate(gated)
    assert (answer.holds, answer.counts, answer.told) == (holds, True, gated.told)
    assert not about_gate(Gated(GateMode.TELL, outcome)).counts
    assert not about_gate(None).counts


def test_provenance_behind_more_than_was_looked_at_is_told() -> None:
    unseen = "60 artifacts refer to it, of which 50 were looked at"
    answer = about_provenance(None, (), is_required=True, unseen=unseen)
    assert answer.holds is None
    assert answer.told.endswith(f"among what was looked at; it may lie behind: {unseen}")


def test_each_state_has_an_answer() -> None:
    platforms = {
        ImageState.BEHIND: BEHIND,
        ImageState.CONTRADICTED: replace(CURRENT, strength=Strength.CONTRADICTED),
        ImageState.UNSEEN_BUILD: replace(CURRENT, built_from=SHOWN.base),
        ImageState.UNKNOWN: ImageStanding("windows/amd64", unjudged="no base of Windows is watched"),
        ImageState.CLAIMED: replace(CURRENT, inside=RuntimeInside()),
        ImageState.CURRENT: CURRENT,
    }
    expected = dict.fromkeys(platforms, None) | {
        ImageState.BEHIND: False,
        ImageState.CONTRADICTED: False,
        ImageState.CURRENT: True,
    }
    assert {state: state_of([CURRENT, each]) for state, each in platforms.items()} == {
        each: each for each in platforms
    }
    assert {state: about_freshness([CURRENT, each]).holds for state, each in platforms.items()} == expected


def test_a_platform_that_the_operator_leaves_out_is_not_asked_about() -> None:
    left_out = ImageStanding("windows/amd64", unjudged="left out", is_left_out=True)
    assert about_freshness([CURRENT, left_out]).holds is True
    assert about_freshness([left_out]).holds is None
