"""How `status` begins with what needs somebody, and fits a screen whatever the fleet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest

from bot.cli.commands.look.status import show_status
from bot.cli.options import Format
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.timing.waves import Hold
from bot.views.fleet.fleet import Standing
from bot.views.fleet.needs import AwaitsPerson, NeedGroup, NeedReason, NeedsYou
from bot.views.fleet.status import BaseStatus, IncidentRow, Status
from tests.builders import rebuild

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
QUIET = Status(1, (), (), (), (), (), ())
SCREEN = 24


def group(reason: NeedReason, number: int = 40, *, days: int = 4) -> NeedGroup:
    """So many repositories with names as long as names are, the first ten of them told."""
    names = (f"contoso-platform/inventory-importer-eu-{each}" for each in range(10))
    return NeedGroup(reason, number, tuple(AwaitsPerson(name, NOON - timedelta(days=days)) for name in names))


def shown(status: Status, capsys: pytest.CaptureFixture[str], *, show_all: bool = False) -> list[str]:
    show_status(status, Format.TABLE, NOON, show_all=show_all)
    return capsys.readouterr().out.splitlines()


def test_the_first_line_says_that_nothing_needs_you_and_since_when(capsys: pytest.CaptureFixture[str]) -> None:
    calm = replace(QUIET, needs=NeedsYou(calm_since=NOON - timedelta(days=3)))
    assert shown(calm, capsys)[0] == "Nothing needs you, for 3 days now; 1 repository on 0 bases"


def test_the_first_line_counts_what_needs_you_is_under_way_and_waits(capsys: pytest.CaptureFixture[str]) -> None:
    states = (RebuildState.RUNNING, RebuildState.PLANNED, RebuildState.WAITING, RebuildState.SUCCEEDED)
    status = replace(
        QUIET,
        repositories=50,
        needs=NeedsYou((group(NeedReason.FAILED, 3),)),
        rebuilds=tuple(rebuild(state=state, id=number) for number, state in enumerate(states)),
        standings={Standing.CURRENT: 45, Standing.BEHIND: 2, Standing.NO_BASE: 3},
    )
    first = "3 things need you; 1 under way; 2 waiting; 45 of 47 repositories on 0 bases current"
    assert shown(status, capsys)[0] == first


def test_each_reason_has_its_count_age_names_and_way_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    red = NeedGroup(NeedReason.FAILED, 3, group(NeedReason.FAILED).first[:2], alike=2)
    lines = shown(replace(QUIET, needs=NeedsYou((red,))), capsys)
    names = "contoso-platform/inventory-importer-eu-0 and 2 more"
    assert lines[1] == f"  3 builds are red, the oldest for 4 days; 2 of them for the same reason: {names}"
    assert lines[2].strip().startswith("mend the build; `freshness-bot retry REPOSITORY`")


def test_the_only_one_of_its_reason_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    lost = AwaitsPerson("contoso/shop", None, "its tree cannot be read")
    lines = shown(replace(QUIET, needs=NeedsYou((NeedGroup(NeedReason.UNREADABLE, 1, (lost,), 1),))), capsys)
    assert lines[1] == "  1 repository cannot be read: contoso/shop: its tree cannot be read"


def test_a_rollout_says_how_many_need_you(capsys: pytest.CaptureFixture[str]) -> None:
    failed = tuple(rebuild(state=RebuildState.FAILED, id=number) for number in range(2))
    assert any(line.endswith(": 2 need you") for line in shown(replace(QUIET, rebuilds=failed), capsys))


def test_it_fits_a_screen_when_everything_is_in_trouble_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    bases = [
        BaseStatus(Base("mcr.microsoft.com", "dotnet/sdk", f"{number}"), None, None, None, 1, "HTTP 503")
        for number in range(220)
    ]
    waiting = [rebuild(state=RebuildState.PLANNED, id=number, rollout=number % 12) for number in range(900)]
    holds = {each.id: Hold(f"wave broad{each.id % 5}, in which 26 of 470 failed", NOON) for each in waiting}
    status = Status(
        1_000,
        (("contoso/api", "HTTP 404"),) * 300,
        tuple(bases),
        tuple(waiting),
        (IncidentRow("host", NOON, None, "does not answer"),) * 9,
        (),
        (("https://host/feed.json", "no answer"),) * 4,
        holds,
        needs=NeedsYou(tuple(group(reason) for reason in NeedReason)),
        standings={Standing.CURRENT: 400},
    )
    lines = shown(status, capsys)
    assert sum(ceil(len(line) / 80) for line in lines) <= SCREEN, lines


def test_it_says_what_comes_next_and_what_the_rest_wait_for(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = rebuild(state=RebuildState.PLANNED), rebuild(state=RebuildState.PLANNED, id=2)
    status = replace(QUIET, rebuilds=(first, second), waits={2: Hold("wave broad to begin", NOON)})
    lines = shown(status, capsys)
    assert f"Next: {first.repository}, now" in lines
    assert "1 rebuild waits for wave broad to begin, and begins by 2026-03-10 12:00 UTC at the latest" in lines


def test_it_says_first_since_when_no_bot_has_looked_at_any_base(capsys: pytest.CaptureFixture[str]) -> None:
    def base(tag: str, due_ago: timedelta) -> BaseStatus:
        at = Base("mcr.microsoft.com", "dotnet/sdk", tag)
        return BaseStatus(at, "sha256:1", "10.0.1", NOON, 1, None, due_at=NOON - due_ago)

    left = (base("8.0", timedelta(days=9)), base("10.0", timedelta(days=8)))
    first_line = shown(replace(QUIET, bases=left), capsys)[0]
    assert first_line.startswith(f"No bot has looked at any base since {left[1].due_at:%Y-%m-%d %H:%M} UTC")
    looked_at = (left[0], base("9.0", -timedelta(minutes=5)))
    assert not shown(replace(QUIET, bases=looked_at), capsys)[0].startswith("No bot")


def test_what_a_person_holds_is_held_and_waits_for_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    planned = rebuild(state=RebuildState.PLANNED)
    status = replace(QUIET, rebuilds=(planned,), waits={planned.id: Hold("held by bob: stock-taking", None)})
    assert "1 rebuild is held by bob: stock-taking" in shown(status, capsys)


def test_all_names_every_one_that_needs_somebody_with_why(capsys: pytest.CaptureFixture[str]) -> None:
    red = NeedGroup(NeedReason.FAILED, 1, (AwaitsPerson("contoso/api", NOON, "test X is red", "https://host/1"),))
    lines = shown(replace(QUIET, needs=NeedsYou((red,))), capsys, show_all=True)
    assert "    contoso/api: test X is red https://host/1" in lines


def test_what_comes_next_is_named_and_the_rest_counted(capsys: pytest.CaptureFixture[str]) -> None:
    planned = tuple(rebuild(state=RebuildState.PLANNED, id=number) for number in range(3))
    assert any(
        line.startswith("Next: contoso/shop and 2 more, ")
        for line in shown(replace(QUIET, rebuilds=planned), capsys)
    )


def test_what_is_in_trouble_outside_says_what_to_do_about_each_kind(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    status = replace(
        QUIET,
        bases=(BaseStatus(Base("ghcr.io", "contoso/golden", "1"), None, None, None, 1, "HTTP 401"),),
        incidents=(IncidentRow("api.example", NOON, None, "does not answer"),) * 2,
        feed_errors=(("https://host/feed.json?api-version=1", "no answer"),),
    )
    assert shown(status, capsys)[-4:] == [
        "In trouble: 2 incidents: each ends by itself once what it names is mended",
        "In trouble: 1 base (ghcr.io/contoso/golden:1): mend its name, its credentials or its copy",
        "In trouble: 1 document of a feed (host/feed.json): let the bot reach it, or bring a bundle: "
        "`freshness-bot feeds bundle import`",
        "`freshness-bot status --all` lists everything",
    ]
