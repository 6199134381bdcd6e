import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from bot.backtest.command import FORMATS, backtest, change_row, write_changes
from bot.backtest.fleet import ReplayedFleet, ReplayedRepository, Use
from bot.backtest.planner import SettleWindow
from bot.backtest.rendering import as_html, as_json, as_table
from bot.backtest.report import Delays, ReplayReport, months_between
from bot.backtest.running import run
from bot.domain.failure import Failure
from bot.domain.reference import Reference
from bot.domain.repositories.usage import Kind, Role, Span, Usage
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.timing.waves import Wave
from bot.upstream.history.log import write_observations, write_releases
from tests.unit.fleet.assess.world import DAY, base, image, release, seen

HOUR = timedelta(hours=1)
HOSTILE = "<script>alert(1)</script>"
LOG = [
    seen("1", image("1", layers="ab"), at=DAY),
    seen("1", of="aspnet:9.0", at=DAY),
    seen("2", image("2", layers="cb"), at=DAY + HOUR),
    seen("3", image("3", layers="cb"), version="8.0.17", at=DAY + 2 * HOUR),
    seen(None, of="aspnet:9.0", at=DAY + 40 * 24 * HOUR),
]
RELEASES = [release("8.0.17", "CVE-2025-0001", at=DAY + 3 * HOUR)]


def fleet() -> ReplayedFleet:
    reference = Reference(base("aspnet:8.0").name, "8.0")
    usage = Usage("Dockerfile", Kind("dockerfile"), 1, reference, Role.FINAL_STAGE, Span(5, 40))
    return ReplayedFleet.of([Use(ReplayedRepository(HOSTILE), usage)])


@pytest.fixture(scope="module")
def report() -> ReplayReport:
    return run(LOG, RELEASES, fleet=fleet())


def test_changes_are_counted_by_cause_and_month(report: ReplayReport) -> None:
    assert report.months == ("2025-06", "2025-07")
    assert {row.cause.value: row.counts for row in report.causes} == {
        "dotnet-security": (1, 0),
        "os-update": (1, 0),
        "withdrawn": (0, 1),
    }


def test_what_a_feed_corrected_is_told_with_its_delay(report: ReplayReport) -> None:
    (row,) = (row for row in report.hindsight if row.at_detection != row.final)
    assert (row.at_detection.value, row.final.value, row.caught_up.median) == (
        "dotnet-unknown",
        "dotnet-security",
        HOUR,
    )


def test_repositories_show_what_they_would_have_got(report: ReplayReport) -> None:
    (row,) = report.repositories
    assert (row.pull_requests, row.dispatches, row.bases) == (1, 0, ("aspnet:8.0",))


def test_no_name_in_a_log_drives_the_terminal() -> None:
    name, os = "t\x1b[2J", "evil\x1b[31m\n"
    log = [seen("1", of=f"aspnet:{name}"), seen("2", image("2", os=os), of=f"aspnet:{name}", at=DAY + HOUR)]
    out = io.StringIO()
    Console(file=out, width=200).print(as_table.render(run(log, ())))
    assert "aspnet:t\ufffd[2J" in out.getvalue()
    assert "became evil\ufffd[31m\ufffd\n" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_a_fix_waits_from_detection_until_the_feed_makes_it_severe() -> None:
    settling = run(LOG, RELEASES, fleet=fleet(), planner=SettleWindow)
    assert settling.to_action_security.longest == HOUR
    assert settling.to_action_other.longest == 2 * HOUR


def test_a_repository_is_untouched_by_moves_of_other_platforms() -> None:
    arm = Usage("Dockerfile", Kind("dockerfile"), 1, Reference.parse(str(LOG[0].base)), Role.FINAL_STAGE)
    uses = ReplayedFleet.of([Use(ReplayedRepository("arm"), replace(arm, platforms=("linux/arm64",)))])
    (row,) = run(LOG, RELEASES, fleet=uses).repositories
    assert (row.rebuilds, row.untouched) == (0, 2)


def test_a_longer_window_saves_a_rebuild(report: ReplayReport) -> None:
    saved = {row.settle: row.saved for row in report.settle}
    assert (saved[timedelta()], saved[6 * HOUR]) == (0, 1)


def test_the_page_is_well_formed_and_shows_hostile_names_as_text(report: ReplayReport) -> None:
    page = as_html.render(report)
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page
    drawings = page.split("<svg")[1:]
    assert len(drawings) >= 2
    for drawing in drawings:
        ElementTree.fromstring("<svg" + drawing.split("</svg>")[0] + "</svg>")


def test_the_json_report_holds_the_figures(report: ReplayReport) -> None:
    body = json.loads(as_json.render(report))
    assert body["changes"] == 3
    assert body["pull_requests"] == 1
    assert body["settle"][2]["settle"] == 21600
    assert body["upstream"]["withdrawn"][0]["base"] == "mcr.microsoft.com/dotnet/aspnet:9.0"


def test_the_table_leaves_markup_in_names_alone(report: ReplayReport) -> None:
    out = io.StringIO()
    Console(file=out, width=200).print(as_table.render(report))
    assert HOSTILE in out.getvalue()
    assert "dotnet-security" in out.getvalue()


def test_a_report_on_a_log_without_changes_is_still_a_report() -> None:
    quiet = run(LOG[:2], [])
    assert quiet.changes == ()
    assert "0" in as_html.render(quiet)
    as_json.render(quiet)
    Console(file=io.StringIO()).print(as_table.render(quiet))


@pytest.mark.parametrize("form", ["table", "json", "html"])
def test_rollouts_are_told_where_the_policy_has_waves_and_only_there(form: str) -> None:
    waves = Policy(waves=(Wave("canary"), Wave("rest")))
    without, played = (_rendered(run(LOG, RELEASES, policy, fleet=fleet()), form) for policy in (Policy(), waves))
    assert "ollouts" not in without
    assert "ollouts" in played


def _rendered(found: ReplayReport, form: str) -> str:
    out = io.StringIO()
    FORMATS[form](found, out)
    return out.getvalue()


def test_an_empty_log_is_refused() -> None:
    with pytest.raises(Failure, match="no observation"):
        run([], [])


def test_a_row_names_digests_cause_and_cves(report: ReplayReport) -> None:
    assert change_row(report.changes[1]) == {
        "at": "2025-06-10T19:00:00Z",
        "repository": "dotnet/aspnet",
        "tag": "8.0",
        "from": f"sha256:{'2' * 64}",
        "to": f"sha256:{'3' * 64}",
        "cause": "dotnet-security",
        "cause_at_detection": "dotnet-unknown",
        "cves": ["CVE-2025-0001"],
        "severity": None,
    }


def test_a_withdrawn_row_has_no_digests(report: ReplayReport) -> None:
    row = change_row(report.changes[2])
    assert (row["cause"], row["from"], row["to"]) == ("withdrawn", None, None)


def test_changes_that_cannot_be_written_are_refused_in_one_line(report: ReplayReport, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be written"):
        write_changes(report.changes, tmp_path / "missing" / "changes.jsonl")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    with (tmp_path / "observations.jsonl").open("w") as out:
        write_observations(LOG, out)
    with (tmp_path / "releases.jsonl").open("w") as out:
        write_releases(RELEASES, out)
    return tmp_path


@pytest.mark.parametrize("form", ["table", "json", "html"])
def test_the_command_writes_report_and_changes(history: Path, form: str) -> None:
    out = io.StringIO()
    backtest(
        observations=history / "observations.jsonl",
        releases=history / "releases.jsonl",
        changes=history / "changes.jsonl",
        output_format=form,
        out=out,
    )
    assert "dotnet-security" in out.getvalue()
    assert len((history / "changes.jsonl").read_text().splitlines()) == 3


def test_the_command_wants_one_source_and_a_known_format(history: Path) -> None:
    releases, log = history / "releases.jsonl", history / "observations.jsonl"
    with pytest.raises(Failure, match="give either --observations or --from-git"):
        backtest(releases=releases, out=io.StringIO())
    with pytest.raises(Failure, match="choose from table, json, html"):
        backtest(releases=releases, observations=log, output_format="pdf", out=io.StringIO())


def test_nine_in_ten_is_the_nearest_rank() -> None:
    assert Delays.of(timedelta(hours=hour) for hour in range(1, 11)).p90 == 9 * HOUR


def test_months_run_over_the_turn_of_the_year() -> None:
    assert months_between(DAY, DAY + timedelta(days=220))[-2:] == ("2025-12", "2026-01")
