"""The recorded history through the command: the recorded conclusions, the same bytes each time.

The SDK's three years always, those of all families in the long tests.
"""

import io
import json
import lzma
import re
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.backtest.command import backtest
from tests.conftest import NO_SHARED_DATA, SHARED

LOG = SHARED / "observations-2023-2025.jsonl.xz"
EXPECTED = SHARED / "expected-2023-2025.jsonl.xz"
RELEASES = SHARED / "releases-2023-2025.jsonl"
SDK = "dotnet/sdk"

pytestmark = pytest.mark.skipif(not LOG.is_file(), reason=NO_SHARED_DATA)


def replayed(log: Path, changes: Path, releases: Path = RELEASES) -> tuple[str, bytes]:
    out = io.StringIO()
    backtest(observations=log, releases=releases, changes=changes, output_format="json", out=out)
    return out.getvalue(), changes.read_bytes()


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The changes of one family."""
    folder = tmp_path_factory.mktemp("sdk")
    log = folder / "log.jsonl"
    with lzma.open(LOG, "rt") as rows, log.open("w") as out:
        out.writelines(row for row in rows if f'"repository":"{SDK}"' in row)
    return replayed(log, folder / "changes.jsonl")[1]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    return replayed(LOG, tmp_path_factory.mktemp("history") / "changes.jsonl")


def recorded(*repositories: str) -> list[list[Any]]:
    with lzma.open(EXPECTED, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return sorted((told(row) for row in rows if row["repository"] in repositories), key=json.dumps)


def concluded(written: bytes) -> list[list[Any]]:
    return sorted((told(json.loads(row)) for row in written.splitlines()), key=json.dumps)


def test_the_changes_written_are_the_recorded_ones_and_no_others(sdk: bytes) -> None:
    assert concluded(sdk) == recorded(SDK)


@pytest.mark.long
def test_the_changes_of_all_families_are_the_recorded_ones_and_no_others(result: tuple[str, bytes]) -> None:
    assert concluded(result[1]) == recorded(SDK, "dotnet/aspnet", "dotnet/runtime", "dotnet/runtime-deps")


def test_the_changes_are_written_oldest_first(sdk: bytes) -> None:
    moments = [json.loads(row)["at"] for row in sdk.splitlines()]
    assert moments == sorted(moments)


def told(row: dict[str, Any]) -> list[Any]:
    named = ("at", "repository", "tag", "from", "to", "cause")
    return [*(row.get(name) for name in named), row.get("cves", [])]


@pytest.mark.long
def test_another_order_within_each_moment_gives_the_same_bytes(result: tuple[str, bytes], tmp_path: Path) -> None:
    random = Random(20250610)
    shuffled = tmp_path / "shuffled.jsonl"
    with lzma.open(LOG, "rt") as rows, shuffled.open("w") as out:
        for _, moment in groupby(rows, key=lambda row: json.loads(row)["at"]):
            batch = list(moment)
            out.writelines(random.sample(batch, len(batch)))
    assert replayed(shuffled, tmp_path / "changes.jsonl") == result


@pytest.mark.long
def test_years_with_versions_and_distributions_yet_to_come_are_judged_alike(tmp_path: Path) -> None:
    log, releases = tmp_path / "log.jsonl", tmp_path / "releases.jsonl"
    with lzma.open(LOG, "rt") as rows:
        log.write_text("".join(map(later, rows)))
    releases.write_text("".join(map(later, RELEASES.read_text().splitlines(keepends=True))))
    with lzma.open(EXPECTED, "rt") as rows:
        expected = [told(json.loads(later(row))) for row in rows]
    _, written = replayed(log, tmp_path / "changes.jsonl", releases)
    assert sorted(map(told, map(json.loads, written.splitlines())), key=json.dumps) == sorted(
        expected, key=json.dumps
    )


LATER = {"noble": "resolute", "alpine3.23": "alpine3.27", "azurelinux3.0": "azurelinux4.0", "trixie": "forky"}
_VERSION = re.compile(r'(?<=")(3|[6-9]|10)(\.[01])(?=[."-])')
_YEAR = re.compile(r"(?<=[\"-])20(2[2-9])(?=-)")


def later(row: str) -> str:
    """The row as it might read four years on: .NET 10 is 14, what was found in 2025 is found in 2029."""
    for before, after in LATER.items():
        row = row.replace(before, after)
    row = _VERSION.sub(lambda version: f"{int(version[1]) + 4}{version[2]}", row)
    return _YEAR.sub(lambda year: f"20{int(year[1]) + 4}", row)
