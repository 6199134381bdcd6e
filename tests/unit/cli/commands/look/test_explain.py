"""What `explain` says of a repository that wants something left alone."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from bot.cli.commands.look.explain import show_explanation
from bot.cli.options import Format
from bot.domain.images.claims.claim import Claim, Source
from bot.domain.images.claims.tags import TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.packages.gate import GateMode, GateOutcome
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.repository_config import Ignore, RepositoryConfig
from bot.domain.repositories.usage import Kind, Role, Usage
from bot.domain.rollouts.steps import StepRun, StepState
from bot.domain.rollouts.terms import Start, Step
from bot.views.images.gates import GateView
from bot.views.images.images import ImageView
from bot.views.repositories.explanation import Explanation, unheld_steps

TODAY = date(2027, 1, 31)
AT = datetime(2027, 1, 31, 12, tzinfo=UTC)
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
LEGACY = Ignore(path="legacy/*", until=TODAY, reason="replaced by the new shop")


def explained(config: RepositoryConfig) -> Explanation:
    usages = tuple(
        Usage(path, Kind("dockerfile"), 1, Reference(ASPNET.name, "10.0"), Role.FINAL_STAGE)
        for path in ("Dockerfile", "legacy/Dockerfile")
    )
    read_at = datetime(2027, 1, 30, 8, tzinfo=UTC)
    followed = tuple((usage, ASPNET, f"sha256:{'a' * 64}") for usage in usages)
    return Explanation("contoso/shop", read_at, None, (), config, followed, (), ())


def left_alone(
    capsys: pytest.CaptureFixture[str], config: RepositoryConfig, today: date = TODAY
) -> list[str | None]:
    show_explanation(explained(config), datetime.combine(today, time(12), UTC), Format.JSON)
    return [usage["left_alone"] for usage in json.loads(capsys.readouterr().out)["usages"]]


def test_an_ignored_usage_says_until_when_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    why = "ignored until 2027-01-31: replaced by the new shop"
    assert left_alone(capsys, RepositoryConfig(ignored=(LEGACY,))) == [None, why]


def test_an_ignore_that_has_ended_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert left_alone(capsys, RepositoryConfig(ignored=(LEGACY,)), date(2027, 2, 1)) == [None, None]


def test_a_repository_that_has_opted_out_is_said_to(capsys: pytest.CaptureFixture[str]) -> None:
    show_explanation(
        explained(RepositoryConfig(enabled=False)), datetime.combine(TODAY, time(12), UTC), Format.TABLE
    )
    assert "It has opted out in .github/freshness.yaml: nothing is done for it." in capsys.readouterr().out


def step(name: str, start: Start) -> StepRun:
    named = Step(name, "deploy.yml", start=start)
    return StepRun(1, 1, 0, named, Identity("contoso/shop", None), StepState.PLANNED, "waits", AT)


@pytest.mark.parametrize("mode", [GateMode.BLOCK, GateMode.TELL])
def test_what_the_gate_says_has_a_line_and_which_steps_it_cannot_hold(
    capsys: pytest.CaptureFixture[str], mode: GateMode
) -> None:
    claim = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD)
    gate = GateView(mode, GateOutcome.BLOCKED, "CVE-2026-1 (HIGH) in app 1", 1, 0, AT)
    shown = replace(
        explained(RepositoryConfig()),
        images=(ImageView(ProducedImage(1, 1, "contoso/shop", claim), AT, gate=gate),),
        steps={1: (step("staging", Start.OBSERVE), step("production", Start.DISPATCH))},
    )
    assert (unheld_steps(shown) is not None) is (mode is GateMode.BLOCK)
    show_explanation(replace(shown, steps={}), AT, Format.TABLE)
    told = " ".join(capsys.readouterr().out.split())
    held = "holds" if mode is GateMode.BLOCK else "would hold"
    assert f"gate {held} it back: CVE-2026-1 (HIGH) in app 1" in told
