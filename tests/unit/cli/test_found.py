"""How `packages find` answers people and scripts."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import typer

from bot.cli.options import Format
from bot.cli.screen.output import MOST_ROWS
from bot.cli.tables import show_found
from bot.cli.unknown import INCOMPLETE
from bot.domain.packages.package import Package
from bot.views.images.images import Deployment
from bot.views.images.inventory import FixSource, FoundPackage, FoundPackages, NextVersion

BASE = "mcr.microsoft.com/dotnet/aspnet:10.0"
FOUND = FoundPackage(
    "ghcr.io/contoso/shop:latest",
    "sha256:d",
    "contoso/shop",
    ("linux/amd64",),
    Package("deb", "libssl3t64", "3.0.13-0ubuntu3.5"),
    datetime(2026, 3, 10, 12, 0, tzinfo=UTC),
    (Deployment("contoso/deploy", "app.yaml", 7, "latest", None),),
    NextVersion(FixSource.BASE, BASE, "sha256:b"),
)


def test_people_read_where_it_runs_and_which_base_brings_another_version(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_found(FoundPackages((FOUND,)), Format.TABLE)
    text = capsys.readouterr().out
    assert "1 image with such a package" in text
    for told in (
        "ghcr.io/contoso/shop:latest",
        "3.0.13-0ubuntu3.5",
        "contoso/deploy/app.yaml:7",
        f"{BASE}@sha256:b",
    ):
        assert told in text


def test_of_hundreds_of_images_a_line_tells_how_many_can_have_another_version(
    capsys: pytest.CaptureFixture[str],
) -> None:
    awaited = [
        replace(FOUND, image=f"ghcr.io/contoso/{number}:1", fix=NextVersion(FixSource.AWAITED))
        for number in range(1_200)
    ]
    second = replace(FOUND, package=replace(FOUND.package, name="openssl"))
    show_found(FoundPackages((FOUND, second, *awaited)), Format.TABLE)
    assert capsys.readouterr().out.splitlines()[0] == (
        "1,201 images with such a package, of 1 repository; "
        "another version: 1 in the base, 1,200 not in the base yet"
    )


def test_the_table_of_thousands_of_rows_is_a_screen_and_counts_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    answer = FoundPackages(tuple(replace(FOUND, image=f"ghcr.io/contoso/{at:04}:1") for at in range(1_200)))
    show_found(answer, Format.TABLE)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 1 + MOST_ROWS + 1
    assert lines[0].startswith("1,200 images with such a package")
    assert lines[-1] == f"and {1_200 - MOST_ROWS:,} more rows; with --all there is every one"

    show_found(answer, Format.TABLE, show_all=True)
    assert len(capsys.readouterr().out.splitlines()) == 1 + 1 + 1_200

    show_found(answer, Format.JSON)
    assert len(json.loads(capsys.readouterr().out)["found"]) == 1_200


def test_where_all_rows_fit_no_rest_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    show_found(FoundPackages((FOUND,) * MOST_ROWS), Format.TABLE)
    assert "--all" not in capsys.readouterr().out


def test_scripts_read_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    show_found(FoundPackages((FOUND,)), Format.JSON)
    answer = json.loads(capsys.readouterr().out)
    [row] = answer["found"]
    assert (row["package"]["name"], row["produced_by"], row["fix"]) == (
        "libssl3t64",
        "contoso/shop",
        {"state": "in the base", "base": BASE, "digest": "sha256:b"},
    )
    assert answer["not_known"] == 0


def test_what_is_not_known_is_told_by_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        show_found(FoundPackages((), not_known=2), Format.TABLE)
    told = capsys.readouterr()
    assert ended.value.exit_code == INCOMPLETE
    assert "No image that was read holds such a package." in told.out
    assert "2 images not read, or not as a whole" in told.err


def test_of_a_cve_it_is_told_which_data_is_lacking(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        show_found(FoundPackages((FOUND,), gaps=("no CVE data of Ubuntu is read",)), Format.JSON)
    told = capsys.readouterr()
    assert json.loads(told.out)["gaps"] == ["no CVE data of Ubuntu is read"]
    assert "not all is known: no CVE data of Ubuntu is read" in told.err
