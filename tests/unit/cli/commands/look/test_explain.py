"""What `explain` says of a repository that wants something left alone."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.cli.commands.look.explain import show_explanation
from bot.cli.options import Format
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.packages.gate import GateMode, GateOutcome
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.repository_config import Ignore, RepositoryConfig
from bot.domain.repositories.usage import Kind, Role, Usage
from bot.domain.rollouts.steps import StepRun, StepState
from bot.domain.rollouts.terms import Start, Step
from bot.views.images.images import GateView, ImageView
from bot.views.repositories.explanation import Decision, Explanation, unheld_steps
from tests.builders import rebuild

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


def test_of_a_large_repository_a_screen_is_shown_and_the_rest_counted(capsys: pytest.CaptureFixture[str]) -> None:
    found = explained(RepositoryConfig())
    usages = tuple(
        (replace(usage, path=f"src/{number:02}/Dockerfile"), base, digest)
        for number in range(12)
        for usage, base, digest in found.usages[:1]
    )
    claims = (Claim(f"ghcr.io/contoso/shop-{number:02}", TagRule("latest"), Source.BUILD) for number in range(10))
    images = tuple(ImageView(ProducedImage(1, 1, "contoso/shop", claim), AT) for claim in claims)
    large = replace(found, usages=usages, images=images)
    show_explanation(large, AT, Format.TABLE)
    told = capsys.readouterr().out
    assert ("src/07/Dockerfile" in told, "src/08/Dockerfile" in told) == (True, False)
    assert "and 4 more usages; with --all there is every one" in told
    assert "and 2 more images; with --all there is every one" in told
    show_explanation(large, AT, Format.TABLE, show_all=True)
    every = capsys.readouterr().out
    assert "src/11/Dockerfile" in every
    assert "shop-09" in every
    assert "--all" not in every


def test_of_many_transitions_the_last_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    going = rebuild("contoso/shop")
    steps = tuple(
        Decision(going.id, AT + timedelta(minutes=number), None, "planned", f"reason {number:02}")
        for number in range(11)
    )
    large = replace(explained(RepositoryConfig()), rebuilds=(going,), transitions=steps)
    show_explanation(large, AT, Format.TABLE)
    told = capsys.readouterr().out
    assert [f"reason {number:02}" in told for number in (0, 2, 3, 10)] == [False, False, True, True]
    assert "and 3 earlier transitions; with --all there is every one" in told


def test_of_the_steps_of_many_rebuilds_those_of_the_last_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    rebuilds = tuple(rebuild("contoso/shop", id=number) for number in range(1, 11))
    steps = {each.id: (step(f"stage-{each.id:02}", Start.OBSERVE),) for each in rebuilds[::-1]}
    show_explanation(replace(explained(RepositoryConfig()), rebuilds=rebuilds, steps=steps), AT, Format.TABLE)
    told = capsys.readouterr().out
    assert [f"stage-{number:02}" in told for number in (1, 2, 3, 10)] == [False, False, True, True]
    assert "and 2 earlier steps; with --all there is every one" in told
