"""What a page and a command both show is one class with one JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from pydantic import TypeAdapter

import bot.views
from bot.cli.screen.output import print_json
from bot.domain.bases.observation import ShowsTwo
from bot.domain.packages.changes import Direction, PackageChange, PlatformChanges
from bot.domain.packages.cves.detected import Rating
from bot.domain.packages.cves.moves import CvePackage, CvesMoved, MovedCve
from bot.domain.packages.gate import GateMode, GateOutcome
from bot.views.images.images import GateView
from bot.views.repositories.explanation import BuildStatus

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
CHANGE = PackageChange("deb", "zlib1g", "amd64", "1.3", "1.4", Direction.UP)
MOVED = CvesMoved((MovedCve("CVE-2026-1", Rating.HIGH, (CvePackage("zlib1g", "1.3", "1.4"),)),), None, ("a gap",))
SHAPES = (
    GateView(GateMode.BLOCK, GateOutcome.BLOCKED, "CVE-2026-1 in zlib1g", 1, 2, NOON),
    BuildStatus("build.yml", NOON, None, "its own schedule rebuilds it"),
    ShowsTwo("sha256:2", NOON),
    PlatformChanges("linux/amd64", (CHANGE,), is_complete=False, cves=MOVED),
)


def views() -> Iterator[type[Any]]:
    for module in walk_packages(bot.views.__path__, "bot.views."):
        for kind in vars(import_module(module.name)).values():
            if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.name:
                yield kind


def test_no_two_views_hold_the_same_facts() -> None:
    names: dict[frozenset[str], list[str]] = {}
    for kind in views():
        names.setdefault(frozenset(field.name for field in fields(kind)), []).append(kind.__name__)
    assert [alike for facts, alike in names.items() if len(facts) > 2 and len(alike) > 1] == []


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_a_command_writes_of_a_shape_what_the_api_answers_but_for_the_zone_of_times(
    capsys: pytest.CaptureFixture[str], shape: Any
) -> None:
    print_json(asdict(shape))
    written = capsys.readouterr().out.replace("+00:00", "Z")
    answered = TypeAdapter(type(shape)).dump_json(shape)
    assert json.dumps(json.loads(written)) == json.dumps(json.loads(answered))
