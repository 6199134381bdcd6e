"""The job summary: what stands in it when, and that nothing from outside is more than text."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.commands.action.state import Keeping
from bot.commands.action.summary import JobNews, job_summary
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.timing.waves import Hold
from bot.views.doctor import Health, HealthCheck
from bot.views.fleet.fleet import Fleet, RepositoryRow, Standing
from bot.views.fleet.staleness import Staleness
from bot.views.fleet.status import BaseStatus, Status
from bot.views.paging import Page
from tests.builders import change, rebuild

BEGAN = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
NOW = BEGAN + timedelta(seconds=40)
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
GRANTED = HealthCheck("permissions", "contoso: contents: write", Health.FINE, "there")


def row(name: str, standing: Standing, url: str | None = None) -> RepositoryRow:
    return RepositoryRow(name, standing, 1, 1, None, None if url is None else "failed", None, url, None)


def going_on(name: str, state: RebuildState, **values: Any) -> Rebuild:
    return rebuild(repository=name, state=state, reason=values.pop("reason", "aspnet:10.0 moved"), **values)


def news(*rows: RepositoryRow, rebuilds: tuple[Rebuild, ...] = (), **values: Any) -> JobNews:
    standings = {standing: sum(each.standing is standing for each in rows) for standing in Standing}
    fleet = Fleet(standings, {}, (), Page(rows, len(rows), 1, 100))
    bases = (BaseStatus(ASPNET, "sha256:" + "a" * 64, "10.0.1", BEGAN, 1, None),)
    status = Status(len(rows), (), bases, rebuilds, (), (), ())
    return replace(JobNews(BEGAN, NOW, status, fleet, Staleness((), len(rows), 0, 0), rights=(GRANTED,)), **values)


def lines_of(shown: JobNews) -> list[str]:
    return job_summary(shown).splitlines()


CALM = news(row("contoso/shop", Standing.CURRENT), row("contoso/docs", Standing.NO_BASE))


def test_where_nothing_happened_a_few_lines_are_enough() -> None:
    lines = lines_of(CALM)
    assert lines[0] == "## 1 of 1 repository on 1 base stand on what their bases show"
    assert len(lines) <= 8


def test_what_moved_is_told_with_its_cause() -> None:
    moved = change(ASPNET, detail=".NET 10.0.0 → 10.0.1 fixes 2 CVEs")
    assert "- aspnet:10.0: .NET 10.0.0 → 10.0.1 fixes 2 CVEs" in lines_of(replace(CALM, changes=(moved,)))


def test_pull_requests_to_be_merged_come_first_each_with_its_link() -> None:
    waiting = going_on("contoso/api", RebuildState.WAITING)
    open_one = rebuild(
        "contoso/shop", RebuildState.OPEN, pull_request=12, url="https://github.com/contoso/shop/pull/12"
    )
    shown = news(
        row("contoso/api", Standing.BEHIND), row("contoso/shop", Standing.BEHIND), rebuilds=(waiting, open_one)
    )
    rows = [line for line in lines_of(shown) if line.startswith("| contoso/")]
    assert [line.split(" | ")[0] for line in rows] == ["| contoso/shop", "| contoso/api"]
    assert "(https://github.com/contoso/shop/pull/12) | open |" in rows[0]


def test_what_has_not_begun_says_what_it_waits_for() -> None:
    shown = news(row("contoso/api", Standing.BEHIND), rebuilds=(going_on("contoso/api", RebuildState.WAITING),))
    held = replace(shown, status=replace(shown.status, waits={1: Hold("the canary wave soaks", None)}))
    assert "the canary wave soaks" in job_summary(held)


def test_a_repository_is_told_once() -> None:
    shown = news(row("contoso/api", Standing.BEHIND), rebuilds=(going_on("contoso/api", RebuildState.WAITING),))
    assert job_summary(shown).count("contoso/api") == 1


def test_a_standing_that_needs_words_has_them() -> None:
    lines = lines_of(news(row("contoso/shop", Standing.UNKNOWN)))
    assert "| contoso/shop | unknown |  |  |" in lines
    assert any(line.startswith("- unknown: nothing proves") for line in lines)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"is_dry": True}, "This was a dry run"),
        ({"is_lost": True}, "The state of earlier runs is gone"),
        ({"is_own_token": True}, "with a GitHub App neither is so"),
        ({"keeping": Keeping.OVERTAKEN}, "state: overtaken"),
        ({"last_run": BEGAN - timedelta(hours=3)}, "the run before was 3 h earlier"),
        ({"problems": ("contoso/shop: HTTP 403",)}, "- contoso/shop: HTTP 403"),
    ],
)
def test_what_is_particular_about_a_run_is_said_then_only(values: dict[str, Any], told: str) -> None:
    assert told in job_summary(replace(CALM, **values))
    assert told not in job_summary(CALM)


def test_rights_that_are_all_there_take_one_line() -> None:
    assert "All 1 are there." in lines_of(CALM)


def test_a_right_that_lacks_comes_with_its_way_out() -> None:
    missing = HealthCheck("permissions", "contoso: actions: write", Health.WRONG, "missing", "grant it to the App")
    assert "- contoso: actions: write: missing. grant it to the App" in lines_of(replace(CALM, rights=(missing,)))


def test_text_from_outside_is_text() -> None:
    shown = news(
        row("contoso/shop", Standing.UNREADABLE),
        rebuilds=(
            rebuild("contoso/a|b", RebuildState.OPEN, url="https://x/(a)|<b>", reason="@ann [x](y) <img src=z>"),
        ),
        problems=("contoso/shop: ![x](http://evil) @bob",),
    )
    text = job_summary(shown)
    assert " <img" not in text
    assert "@ann" not in text
    assert "@bob" not in text
    assert "](http://evil)" not in text
    assert "https://x/%28a%29%7C%3Cb%3E" in text
