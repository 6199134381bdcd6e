import json
from pathlib import Path
from typing import Any

import pytest

from bot.backtest.fleet import read_fleet, synthetic_fleet
from bot.domain.failure import Failure
from bot.domain.reference import Base
from tests.unit.fleet.assess.world import base

BASES = {
    base("aspnet:8.0"): 30,
    base("aspnet:8.0-noble-chiseled"): 16,
    base("runtime:9.0-alpine3.22"): 20,
    base("sdk:8.0"): 30,
    base("sdk:8.0-noble"): 20,
    base("sdk:9.0-alpine3.22"): 25,
    base("aspnet:11.0-preview"): 50,
}


def written(path: Path, *rows: Any) -> Path:
    file = path / "repositories.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_the_same_seed_makes_the_same_fleet() -> None:
    assert synthetic_fleet(BASES, seed=7) == synthetic_fleet(dict(reversed(BASES.items())), seed=7)
    assert synthetic_fleet(BASES, seed=7) != synthetic_fleet(BASES, seed=8)


def test_a_made_up_repository_builds_with_the_sdk_of_its_base() -> None:
    fleet = synthetic_fleet(BASES, size=60)
    pairs = {
        tuple(sorted(used.short for used, uses in fleet.uses.items() if any(use.repository == one for use in uses)))
        for one in fleet.repositories
    }
    assert pairs == {
        ("aspnet:8.0", "sdk:8.0"),
        ("aspnet:8.0-noble-chiseled", "sdk:8.0-noble"),
        ("runtime:9.0-alpine3.22", "sdk:9.0-alpine3.22"),
    }


def test_without_bases_there_is_no_fleet() -> None:
    assert synthetic_fleet({}).repositories == ()


def test_rows_of_a_scan_become_repositories(tmp_path: Path) -> None:
    row = {"source": "contoso/shop", "reference": "mcr.microsoft.com/dotnet/aspnet:8.0.11-noble"}
    more = {"source": "contoso/shop", "reference": "mcr.microsoft.com/dotnet/sdk:8.0", "workflows": ["rebuild.yml"]}
    fleet = read_fleet(written(tmp_path, row, more | {"platforms": ["linux/amd64"], "stage": "build"}))
    assert [(one.name, one.workflows) for one in fleet.repositories] == [("contoso/shop", {"rebuild.yml"})]
    assert sorted(used.short for used in fleet.uses) == ["aspnet:8.0-noble", "sdk:8.0"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"reference": "ubuntu"}, "repositories.jsonl line 1: source: Field required"),
        ({"source": "a/b", "reference": "UPPER/case:x y"}, "repositories.jsonl line 1: "),
        ({"source": "a/b", "reference": "ubuntu", "line": 0}, "repositories.jsonl line 1: line: "),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: Any, says: str) -> None:
    with pytest.raises(Failure) as raised:
        read_fleet(written(tmp_path, row))
    assert str(raised.value).startswith(says)


def test_a_digest_without_a_tag_follows_nothing(tmp_path: Path) -> None:
    row = {"source": "a/b", "reference": f"mcr.microsoft.com/dotnet/aspnet@sha256:{'1' * 64}"}
    fleet = read_fleet(written(tmp_path, row))
    assert fleet.uses_of(Base("mcr.microsoft.com", "dotnet/aspnet", "latest")) == ()
