"""How `status` and `history` show what no peer tells."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.cli.commands.look.history import show_history
from bot.cli.commands.look.plan import show_behind
from bot.cli.commands.look.status import show_status
from bot.cli.options import Format
from bot.domain.bases.mirrors import Behind, Likeness
from bot.domain.bases.notice import Notice, OpenNotice, Topic
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.rollout import Pause
from bot.views.bases.base import History
from bot.views.bases.mirrors import MirrorStatus
from bot.views.fleet.status import BaseStatus, Status
from tests.builders import rebuild

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ALPINE = Base("mcr.microsoft.com", "dotnet/aspnet", "8.0-alpine3.20")
NEXT = Base("mcr.microsoft.com", "dotnet/aspnet", "8.0-alpine3.22")
TEXT = "aspnet:8.0-alpine3.20 was withdrawn and gets no more fixes; move to 8.0-alpine3.22"
STATUS = Status(
    repositories=1,
    unreadable=(),
    bases=(
        BaseStatus(ALPINE, "sha256:1", "8.0.16", NOON, 1, None, timedelta(hours=3)),
        BaseStatus(NEXT, "sha256:2", "8.0.16", NOON, 1, None, -timedelta(hours=4)),
    ),
    rebuilds=(),
    incidents=(),
    notices=(OpenNotice(1, Topic.WITHDRAWN, ALPINE, NOON, None, TEXT, (NEXT,), told=False),),
    feed_errors=(),
)
LAG = Notice(Topic.RELEASE_LAG, ALPINE, NOON, NOON + timedelta(hours=3), timedelta(hours=3), "3 h after the feed")


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")


def test_status_shows_open_notices_and_how_late_bases_came(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(STATUS, Format.TABLE, NOON, show_all=True)
    out = capsys.readouterr().out
    assert TEXT in out
    assert "3 h" in out
    assert "4 h before" in out


def test_status_says_what_is_paused_by_whom_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    pauses = (Pause(1, None, NOON, "Ann", "change board"), Pause(2, 7, NOON, "Bob", "canaries fail"))
    show_status(replace(STATUS, pauses=pauses), Format.TABLE, NOON, show_all=True)
    out = capsys.readouterr().out
    assert "Everything is paused by Ann since 2026-03-10 12:00: change board" in out
    assert "Rollout 7 is paused by Bob since 2026-03-10 12:00: canaries fail" in out


def test_status_counts_the_rebuilds_of_a_rollout_and_names_those_that_need_somebody(
    capsys: pytest.CaptureFixture[str],
) -> None:
    open_ = rebuild("contoso/open", RebuildState.OPEN, id=1, planned_at=NOON - timedelta(hours=5))
    done = [rebuild(f"contoso/done-{number}", RebuildState.SUCCEEDED, id=number) for number in range(2, 140)]
    show_status(replace(STATUS, rebuilds=(open_, *done)), Format.TABLE, NOON, show_all=True)
    out = capsys.readouterr().out
    assert "Rollout 3: 139 rebuilds: 1 open, 138 succeeded\n" in out
    assert ["contoso/open", open_.url, "open", "5", "h", "moved"] in [line.split() for line in out.splitlines()]
    assert "contoso/done" not in out
    assert "and 138 more; `freshness-bot rollout show 3 --all` lists them all\n" in out


def test_status_says_that_of_an_older_rollout_it_counts_what_has_not_ended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    some = (rebuild(state=RebuildState.RUNNING), rebuild(state=RebuildState.PLANNED, id=2, rollout=4))
    show_status(replace(STATUS, rebuilds=some), Format.TABLE, NOON, show_all=True)
    assert "Rollout 3: 1 rebuild not ended: 1 running\n" in capsys.readouterr().out


def test_status_names_the_command_that_lists_what_it_only_counts(capsys: pytest.CaptureFixture[str]) -> None:
    planned = (rebuild(state=RebuildState.PLANNED),)
    show_status(replace(STATUS, rebuilds=planned), Format.TABLE, NOON, show_all=True)
    assert capsys.readouterr().out.endswith("1 planned\n`freshness-bot rollout show 3 --all` lists them all\n")


def test_status_tells_scripts_where_to_move(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(STATUS, Format.JSON, NOON)
    shown = json.loads(capsys.readouterr().out)
    assert shown["notices"] == [
        {
            "topic": "withdrawn",
            "base": str(ALPINE),
            "since": "2026-03-10T12:00:00+00:00",
            "text": TEXT,
            "toward": [str(NEXT)],
        }
    ]
    assert [base["release_lag_seconds"] for base in shown["bases"]] == [10800, -14400]


def test_status_shows_every_base_and_trouble_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    bases = [
        BaseStatus(Base("mcr.microsoft.com", "dotnet/sdk", f"{n}"), "sha256:1", "8", NOON, 1, None)
        for n in range(220)
    ]
    unread = tuple((f"contoso/s{number}", "HTTP 404") for number in range(300))
    much = replace(STATUS, bases=tuple(bases), unreadable=unread, notices=STATUS.notices * 40)
    show_status(much, Format.TABLE, NOON, show_all=True)
    out = capsys.readouterr().out
    assert len([line for line in out.splitlines() if line.startswith("sdk:")]) == 220
    assert (out.count("HTTP 404"), out.count(TEXT)) == (300, 40)


def test_status_names_the_document_of_a_feed_once(capsys: pytest.CaptureFixture[str]) -> None:
    url = "https://api.github.com/advisories?ecosystem=nuget&affects=Microsoft.Build"
    said = "api.github.com/advisories: cannot be connected to"
    show_status(
        replace(STATUS, feed_errors=((url, said), ("https://host/feed.json", "no answer"))),
        Format.TABLE,
        NOON,
        show_all=True,
    )
    assert capsys.readouterr().out.splitlines()[-2:] == [said, "host/feed.json: no answer"]


def test_history_shows_lags_below_the_changes(capsys: pytest.CaptureFixture[str]) -> None:
    show_history(History((), (LAG,)), Format.TABLE)
    out = capsys.readouterr().out
    assert out.startswith("No change of this base has been seen yet.\n")
    assert "3 h after the feed" in out


def test_history_tells_scripts_how_long_each_lag_was(capsys: pytest.CaptureFixture[str]) -> None:
    show_history(History((), (LAG,)), Format.JSON)
    shown = json.loads(capsys.readouterr().out)
    assert shown["changes"] == []
    assert [(row["topic"], row["seconds"]) for row in shown["upstream"]] == [("release-lag", 10800)]


def test_status_and_plan_tell_what_a_mirror_does_not_show_yet(capsys: pytest.CaptureFixture[str]) -> None:
    copy = Base("myacr.azurecr.io", "mcr/dotnet/aspnet", "8.0")
    late = Behind(copy, replace(copy, registry="mcr.microsoft.com"), "sha256:0123456789abcdef", NOON)
    mirrors = (MirrorStatus("upstream", None, late), MirrorStatus("upstream", Likeness.DIGEST, None))
    bases = tuple(BaseStatus(copy, "sha256:1", None, NOON, 2, None, mirror=mirror) for mirror in mirrors)
    now = NOON + timedelta(minutes=40)
    show_status(replace(STATUS, bases=bases), Format.TABLE, now, show_all=True)
    show_behind(replace(STATUS, bases=bases), now)
    told = "to show sha256:0123456789ab of aspnet:8.0, 40 min behind mcr.microsoft.com"
    out = capsys.readouterr().out
    assert out.count(told) == 2
    assert f"{told}; 2 repositories wait for it" in out
