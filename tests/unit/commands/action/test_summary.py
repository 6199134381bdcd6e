"""The job summary: what stands in it when, and that nothing from outside is more than text."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.commands.action.runner import LARGEST_SUMMARY, write_summary
from bot.commands.action.state import Keeping
from bot.commands.action.summary import JobNews, job_summary
from bot.commands.service.other_bots import OTHER_BOTS
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.rollout import Pause
from bot.domain.rollouts.timing.waves import Hold
from bot.views.doctor import Health, HealthCheck
from bot.views.fleet.fleet import Fleet, RepositoryRow, Standing
from bot.views.fleet.staleness import Left, Staleness
from bot.views.fleet.status import BaseStatus, Status
from bot.views.paging import Page
from tests.builders import change, rebuild

A_SCREEN = 50
_FOLDED = re.compile(r"<details>(<summary>[^<]*</summary>).*?</details>", re.DOTALL)
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
    return replace(JobNews(BEGAN, NOW, status, fleet, Staleness((), len(rows), 0, 0), checks=(GRANTED,)), **values)


def lines_of(shown: JobNews) -> list[str]:
    return job_summary(shown).splitlines()


def open_lines(shown: JobNews) -> list[str]:
    """What is seen without unfolding anything."""
    return [line for line in _FOLDED.sub(r"\1", job_summary(shown)).splitlines() if line]


def behind(pinned: str) -> Left:
    lacks = change(ASPNET, from_version="10.0.0", to_version="10.0.1")
    return Left(ASPNET, pinned, BEGAN, ("contoso/shop",), 1, 1, lacks)


CALM = news(row("contoso/shop", Standing.CURRENT), row("contoso/docs", Standing.NO_BASE))


def test_where_nothing_happened_a_few_lines_are_enough() -> None:
    assert lines_of(CALM)[0] == "## 1 of 1 repository on 1 base stand on what their bases show"
    assert len(open_lines(CALM)) <= 8


def test_of_a_large_fleet_in_which_nothing_happened_it_is_at_most_a_screen() -> None:
    rows = [row(f"contoso/unknown-{number:02}", Standing.UNKNOWN) for number in range(50)]
    waiting = [going_on(f"contoso/open-{number:02}", RebuildState.OPEN) for number in range(50)]
    left = tuple(behind(f"sha256:{number:064}") for number in range(50))
    missing = [HealthCheck("permissions", f"team-{n}: actions", Health.WRONG, "missing") for n in range(20)]
    shown = replace(
        news(*rows, rebuilds=tuple(waiting)), staleness=Staleness(left, 50, 0, 0), checks=missing, is_own_token=True
    )
    assert len(open_lines(shown)) <= A_SCREEN
    text = job_summary(shown)
    assert all(each.name in text for each in rows)
    assert all(each.repository in text for each in waiting)


def test_of_a_fleet_in_which_all_happened_it_is_at_most_what_the_runner_shows(tmp_path: Path) -> None:
    ended = [rebuild(f"contoso/{number}", RebuildState.FAILED, reason="x" * 2_000) for number in range(5_000)]
    moved = [change(ASPNET, detail="y" * 300) for _ in range(5_000)]
    shown = replace(CALM, ended=ended, changes=moved, problems=[f"{n} {'z' * 999}" for n in range(5_000)])
    write_summary(tmp_path / "summary", job_summary(shown))
    text = (tmp_path / "summary").read_text()
    assert len(text.encode()) <= LARGEST_SUMMARY
    assert text.count("<details>") == text.count("</details>")
    assert "the schedule of this workflow" in text


def test_the_next_run_is_told_by_its_hour_and_by_its_day_where_that_is_far() -> None:
    soon, later = NOW + timedelta(hours=2, minutes=22), NOW + timedelta(days=3)
    assert "next run about 14:22 UTC</sub>" in job_summary(replace(CALM, next_run=soon))
    assert "next run about 2026-12-03 12:00 UTC</sub>" in job_summary(replace(CALM, next_run=later))
    assert "the schedule of this workflow decides when the next run goes on" in job_summary(CALM)


def test_what_came_to_its_end_in_this_run_is_told() -> None:
    proved = rebuild(
        "contoso/shop", RebuildState.SUCCEEDED, reason="its image stands on it", url="https://x/pull/1"
    )
    told = lines_of(replace(CALM, ended=[proved]))
    [line] = [line for line in told if "its image stands on it" in line]
    assert line.startswith("| contoso/shop | [")
    assert "(https://x/pull/1) | succeeded |" in line
    assert told[told.index(line) - 4] == "### Ended in this run"


def test_a_rule_of_another_bot_is_told_once_and_can_be_copied() -> None:
    rule = 'write {"matchPackageNames": ["mcr.microsoft.com/dotnet/**"]} as the last of packageRules'
    found = "Renovate writes the same lines: renovate.json:1"
    checks = [HealthCheck(OTHER_BOTS, name, Health.NOTE, found, rule) for name in ("contoso/a", "contoso/b")]
    text = job_summary(replace(CALM, checks=[GRANTED, *checks]))
    assert text.count(f"`{rule}`") == 1
    assert "contoso/a: Renovate writes the same lines: renovate.json:1, contoso/b: Renovate" in text
    assert "- all 1 are there" in text


def test_what_is_behind_is_told_with_the_cves_that_it_leaves_open() -> None:
    lacks = change(ASPNET, cves=("CVE-2026-1", "CVE-2026-2", "CVE-2026-3", "CVE-2026-4"))
    left = replace(behind("10.0.0"), lacks=lacks)
    text = job_summary(replace(CALM, staleness=Staleness((left,), 1, 0, 0)))
    assert "4 CVEs (CVE-2026-1, CVE-2026-2, CVE-2026-3 and 1 more)" in text.replace("\\", "")


def test_a_pause_is_told_first() -> None:
    paused = replace(CALM.status, pauses=(Pause(1, None, BEGAN, "ann", "until Monday"),))
    [line] = [line for line in lines_of(replace(CALM, status=paused)) if "until Monday" in line]
    assert line.startswith("- everything is paused by ann since ")


def test_repositories_and_rebuilds_lead_to_their_pages() -> None:
    shown = replace(news(row("contoso/shop", Standing.UNKNOWN)), site="https://github.com")
    assert "| [contoso/shop](https://github.com/contoso/shop) | unknown |" in job_summary(shown)


def test_where_no_repository_names_a_watched_base_that_is_the_title() -> None:
    assert (
        lines_of(news(row("contoso/docs", Standing.NO_BASE)))[0] == "## 1 repository, and none names a watched base"
    )


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
    assert "- all 1 are there" in lines_of(CALM)


def test_a_right_that_lacks_comes_with_its_way_out() -> None:
    missing = HealthCheck("permissions", "contoso: actions: write", Health.WRONG, "missing", "grant it to the App")
    assert "- contoso: actions: write: missing. grant it to the App" in lines_of(replace(CALM, checks=(missing,)))


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
