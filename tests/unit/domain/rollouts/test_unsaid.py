"""What is not said of a value is not known of it; and the words that rows and files hold."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.repositories.repository import GITHUB, Identity
from bot.domain.rollouts.journal import BOT, HOLD, IGNORE, QUARANTINED, Word
from bot.domain.rollouts.pinning import BehindUsage, FleetBehind, Refreshed, WantedDigest, WantedDigests
from bot.domain.rollouts.policy import ONE_WAVE, ActionPreference, Match, Policy, PolicyRule, Terms
from bot.domain.rollouts.quarantine import BuildEnd
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.rollouts.rollout import Occasion, PlannedRebuild, Reconsidered, Rollout
from bot.domain.rollouts.steps import StepRun, StepState
from bot.domain.rollouts.terms import AutoMerge, MergeMethod, PathWorkflow, Pin, Start, Step
from bot.domain.rollouts.timing.age import Ages, AgeStanding, Guarantee, Judgement
from bot.domain.rollouts.timing.waves import Advance, Hold, Wave, WaveTally
from bot.domain.rollouts.timing.windows import Freeze

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BASE = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
STEP = Step("deploy", "deploy.yml")
ANY: Any = None
PLANNED = (1, "a/b", Action.DISPATCH, RebuildState.PLANNED, "moved", (), (), "rest", NOON)

NOTHING: Mapping[str, Callable[[], object]] = {
    "int": int,
    "bool": bool,
    "str": str,
    "tuple": tuple,
    "frozenset": frozenset,
    "Mapping": dict,
}


def nothing(told: Field[Any]) -> object:
    """What stands for nothing in a field, by what it holds; None where that may be."""
    kind = str(told.type)
    holds = kind if isinstance(told.type, str) else getattr(told.type, "__name__", kind)
    return None if kind.endswith("None") else NOTHING[holds.partition("[")[0].rpartition(".")[2]]()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            Rebuild(1, 1, "a/b", Action.DISPATCH, RebuildState.PLANNED, "", (), (), "rest", NOON, NOON),
            {"forge": GITHUB},
        ),
        (StepRun(1, 1, 0, STEP, Identity("a/b"), StepState.DUE, "", NOON), {}),
        (PlannedRebuild(*PLANNED), {}),
        (Rollout(1, NOON, (), ()), {"occasion": Occasion.CHANGE}),
        (Reconsidered(NOON, None), {"is_whole": True}),
        (PolicyRule(), {"match": Match()}),
        (Match(), {}),
        (Policy(), {"waves": ONE_WAVE, "pause_when_failed": 0.2}),
        (STEP, {"workflow": "deploy.yml", "start": Start.DISPATCH, "timeout": timedelta(hours=2)}),
        (AutoMerge(), {"method": MergeMethod.NEVER}),
        (PathWorkflow((), "build.yml"), {}),
        (Judgement(AgeStanding.DUE, ""), {}),
        (Ages(), {}),
        (Freeze(NOON, NOON, ""), {}),
        (Hold("a wave"), {}),
        (WaveTally(), {}),
        (Advance(), {}),
        (Wave("rest"), {"soak": timedelta(0), "done_at": 1.0, "wait_at_most": timedelta(days=1)}),
        (WantedDigest(BASE, "sha256:a"), {"pin": Pin.KEEP}),
        (WantedDigests(()), {}),
        (Refreshed(b""), {}),
        (BuildEnd("a/b", BASE, "sha256:a", True, NOON), {"can_be_repeated": True}),
        (FleetBehind((), 0), {}),
        (BehindUsage(ANY, ANY, BASE, ANY), {}),
        (Word("Ann", "why"), {"is_claimed": True}),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) else "",
)
def test_what_is_not_said_of_a_value_is_not_known_of_it(value: Any, said: Mapping[str, object]) -> None:
    optional = [
        told
        for told in fields(value)
        if told.init and (told.default is not MISSING or told.default_factory is not MISSING)
    ]
    found = {told.name: getattr(value, told.name) for told in optional}
    assert found == {told.name: said[told.name] if told.name in said else nothing(told) for told in optional}
    assert [type(each) for each in found.values()] == [
        type(said[told.name] if told.name in said else nothing(told)) for told in optional
    ]


def test_who_guarantees_nothing_tells_nobody_and_has_no_parts() -> None:
    guarantee = Guarantee(Terms())
    assert (guarantee.told_only, guarantee.parts, guarantee.max_age) == (None, (), None)


def test_a_policy_remembers_nothing_that_tells_it_from_another() -> None:
    asked = Policy((PolicyRule(wave="canary"),))
    asked.terms("a/b", BASE, Cause.AGE, Severity.LOW)
    assert asked == Policy((PolicyRule(wave="canary"),))
    assert "memory" not in repr(asked)
    with pytest.raises(TypeError):
        Policy(_memory=None)  # type: ignore[call-arg]


def test_the_words_by_which_people_files_and_rows_speak_stay() -> None:
    assert (HOLD, QUARANTINED, IGNORE) == ("freshness:hold", "freshness:quarantined", "freshness:ignore")
    assert BOT == "freshness-bot"
    assert [str(each) for each in ActionPreference] == ["auto", "pull_request", "dispatch", "notify"]
    assert [str(each) for each in MergeMethod] == ["never", "merge", "squash", "rebase"]
    assert [str(each) for each in Pin] == ["keep", "floating", "digest"]
    assert [str(each) for each in Start] == ["dispatch", "observe", "running"]
    assert [str(each) for each in Occasion] == ["change", "age", "catch_up"]
    assert [wave.name for wave in ONE_WAVE] == ["rest"]
