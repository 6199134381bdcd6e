"""How `cve` and `promises` answer people and scripts."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import typer

from bot.cli.commands.images.cve import show_cve, show_cves
from bot.cli.commands.look.promises import show_promises
from bot.cli.options import Format
from bot.cli.tables import parted
from bot.cli.unknown import INCOMPLETE
from bot.domain.bases.notice import PromiseRow, Topic
from bot.domain.packages.ledger.clocks import AffectedImage, BelowImage, Held, PublishedFix, Station
from bot.domain.packages.ledger.entries import StationTime, entry_of, places_of
from bot.views.bases.promises import Grouping, Promises
from bot.views.images.ledger import CvePage, CveRow, Cves, row_of, untold_page
from bot.views.paging import Page
from tests.builders import NOON

HOUR = timedelta(hours=1)
ENTRY = entry_of(
    AffectedImage(
        "ghcr.io/contoso/shop:latest",
        "contoso/shop",
        ("libssl3t64 3.0.13-0ubuntu3.5",),
        PublishedFix("Ubuntu", ("3.0.13-0ubuntu3.6",), NOON),
        BelowImage("aspnet:10.0-noble", "Microsoft", Held(True)),
        Held(True),
    )
)
ROW = CveRow("CVE-2026-1001", "overflow", "high", "Ubuntu", 7.5, ("Ubuntu",), places_of([(ENTRY, 1)]))
TOOK = {Station.BASE: StationTime(3, 4 * HOUR)}
BY_REBUILDS = {**TOOK, Station.IMAGE: StationTime(412, 2 * HOUR, of_rebuilds=True)}
PAGE = CvePage(ROW, Page((row_of(ENTRY, TOOK),), 1, 1, 50))
PROMISES = Promises(
    NOON, Grouping.MONTH, (PromiseRow(Topic.SIBLING_LAG, ("2026-03", "aspnet"), 4, 3, 2 * HOUR, 40 * HOUR, 1),)
)


def page_with(took: Mapping[Station, StationTime]) -> CvePage:
    return replace(PAGE, images=Page((row_of(ENTRY, took),), 1, 1, 50))


def test_a_cve_that_concerns_nobody_gets_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    show_cve(untold_page("CVE-2026-9999", 0, (), ""), Format.TABLE)
    told = "CVE-2026-9999: concerns no image: nothing that was read of their packages tells of it.\n"
    assert capsys.readouterr().out == told


@pytest.mark.parametrize("unknown", [{"not_known": 2}, {"gaps": ("no CVE data of Ubuntu is read",)}])
def test_one_that_nobody_tells_of_is_not_known_where_not_all_is_read(
    capsys: pytest.CaptureFixture[str], unknown: dict[str, Any]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        show_cve(replace(untold_page("CVE-2026-9999", 0, (), ""), **unknown), Format.TABLE)
    assert ended.value.exit_code == INCOMPLETE
    assert capsys.readouterr().out == "CVE-2026-9999: not known: nothing that was read tells of it.\n"


def test_one_that_a_release_fixes_and_no_advisory_tells_of_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        show_cve(untold_page("CVE-2026-9999", 0, (), ".NET 10.0.6 fixes it"), Format.TABLE)
    assert ended.value.exit_code == INCOMPLETE
    assert "not all is known: .NET 10.0.6 fixes it" in capsys.readouterr().err


@pytest.mark.parametrize(("kept", "told"), [("low", "LOW"), ("moderate", "MEDIUM"), ("critical", "CRITICAL")])
def test_people_read_the_severity_in_the_words_of_the_gate_and_scripts_as_it_is_kept(
    capsys: pytest.CaptureFixture[str], kept: str, told: str
) -> None:
    row = replace(ROW, severity=kept)
    show_cve(replace(PAGE, cve=row), Format.TABLE)
    assert f"CVE-2026-1001: {told}, as Ubuntu rates it." in capsys.readouterr().out
    show_cves(Cves(Page((row,), 1, 1, 50)), Format.TABLE)
    assert f"  {told}  " in capsys.readouterr().out
    show_cves(Cves(Page((row,), 1, 1, 50)), Format.JSON)
    assert json.loads(capsys.readouterr().out)["cves"][0]["severity"] == kept


def page_of_images(number: int) -> CvePage:
    """So many images that are stuck alike."""
    rows = [replace(row_of(ENTRY, TOOK), image=f"ghcr.io/contoso/{at:03}:latest") for at in range(number)]
    return CvePage(ROW, Page(tuple(rows), number, 1, number))


def test_people_read_where_the_fix_waits_who_can_move_it_and_how_long_that_took_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_cve(PAGE, Format.TABLE)
    assert capsys.readouterr().out.splitlines() == [
        "CVE-2026-1001: HIGH, as Ubuntu rates it. overflow",
        "1 image: 1 base not rebuilt",
        "",
        "base not rebuilt: 1 image; Microsoft can move it",
        "    fix passed 2026-03-10; base waiting since 2026-03-10, elsewhere 4 h (3); image ahead; "
        "not concerned: mirror, own base, deployed, running",
        "    Microsoft has not rebuilt aspnet:10.0-noble",
        "    ghcr.io/contoso/shop:latest",
        "",
        "`freshness-bot cve CVE-2026-1001 --all` shows each image with its clocks.",
    ]


def test_hundreds_of_images_that_are_stuck_alike_take_a_few_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show_cve(page_of_images(500), Format.TABLE)
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) < 15
    assert max(map(len, shown)) <= 80
    assert shown[7].startswith("    ghcr.io/contoso: 000:latest, 001:latest, ")
    assert shown[9].endswith("more")


def test_images_of_several_places_are_named_whole() -> None:
    assert parted(("ghcr.io/contoso/a:1", "ghcr.io/contoso/team/b:1")) == ("ghcr.io/contoso", ["a:1", "team/b:1"])
    assert parted(("ghcr.io/contoso/a:1", "ghcr.io/contoso-x/b:1")) == ("ghcr.io", ["contoso/a:1", "contoso-x/b:1"])
    assert parted(("ghcr.io/a:1", "quay.io/b:1")) == ("", ["ghcr.io/a:1", "quay.io/b:1"])
    assert parted(("ghcr.io/a:1",)) == ("", ["ghcr.io/a:1"])


def test_people_read_every_clock_of_each_image_when_they_ask_for_all(capsys: pytest.CaptureFixture[str]) -> None:
    show_cve(page_with(BY_REBUILDS), Format.TABLE, show_all=True)
    text = capsys.readouterr().out
    for told in (
        "CVE-2026-1001: HIGH, as Ubuntu rates it. overflow",
        "1 image: 1 base not rebuilt",
        "ghcr.io/contoso/shop:latest (libssl3t64 3.0.13-0ubuntu3.5)",
        "base not rebuilt: Microsoft has not rebuilt aspnet:10.0-noble; Microsoft can move it",
        "4 h (3)",
        "2 h (412 rebuilds)",
    ):
        assert told in text
    assert "never" not in text


def test_scripts_read_every_clock(capsys: pytest.CaptureFixture[str]) -> None:
    show_cve(page_with(BY_REBUILDS), Format.JSON)
    [image] = json.loads(capsys.readouterr().out)["images"]
    assert (image["waits_at"], image["who"]) == ("base", "Microsoft")
    assert [clock["station"] for clock in image["clocks"]] == [station.value for station in Station]
    took = [(each["elsewhere_seconds"], each["elsewhere_times"], each["elsewhere_of"]) for each in image["clocks"]]
    assert (took[0], took[1], took[4]) == ((None, 0, None), (14_400, 3, "images"), (7_200, 412, "rebuilds"))


def test_the_fleet_is_listed_by_where_fixes_are_stuck_and_what_was_not_read_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = Cves(Page((ROW,), 1, 1, 50), not_known=2)
    with pytest.raises(typer.Exit) as ended:
        show_cves(found, Format.TABLE)
    assert ended.value.exit_code == INCOMPLETE
    shown = capsys.readouterr()
    assert "1 base not rebuilt" in shown.out
    assert "2 images not read" in shown.err


GAP = "no CVE data of Ubuntu is read (turn on vulnerabilities.ubuntu)"


def test_without_cve_data_it_is_not_said_that_nothing_waits(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        show_cves(Cves(Page((), 0, 1, 50), gaps=(GAP,)), Format.TABLE)
    shown = capsys.readouterr()
    assert ended.value.exit_code == INCOMPLETE
    assert shown.out.startswith("No image that was read is known to wait for a fix.")
    assert shown.err == f"not all is known: {GAP}\n"


@pytest.mark.parametrize("output", [Format.TABLE, Format.JSON])
def test_of_one_cve_it_is_told_too_which_data_is_lacking(
    output: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        show_cve(replace(PAGE, gaps=(GAP,)), output)
    shown = capsys.readouterr()
    assert GAP in shown.err
    assert output is Format.TABLE or json.loads(shown.out)["gaps"] == [GAP]


def test_a_promise_is_told_with_how_often_it_was_kept(capsys: pytest.CaptureFixture[str]) -> None:
    show_promises(PROMISES, Format.TABLE)
    text = capsys.readouterr().out
    assert "within 12 hours. Kept 3 of 4 times." in " ".join(text.split())
    assert ["2026-03", "aspnet", "4", "3", "2", "h", "40", "h", "1"] in [line.split() for line in text.splitlines()]
    show_promises(PROMISES, Format.JSON)
    [row] = json.loads(capsys.readouterr().out)["measured"]
    assert (row["kept"], row["median_seconds"]) == (3, 7200)


def test_where_nothing_was_measured_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    show_promises(Promises(None, Grouping.BASE, ()), Format.TABLE)
    assert capsys.readouterr().out.startswith("Nothing was measured yet")
