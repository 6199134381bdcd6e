"""The image, as far as its text tells: small, without root, and on a base that the bot itself would understand."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import dockerfile
import pytest

from bot.domain.usage import Role
from bot.formats.repository import File, Memory, read_files

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "Dockerfile"


@pytest.fixture(scope="module")
def stages() -> list[list[Any]]:
    """The instructions of each stage, as BuildKit's own parser reads them."""
    found: list[list[Any]] = []
    for instruction in dockerfile.parse_file(str(DOCKERFILE)):
        if instruction.cmd == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def values(stage: Sequence[Any], name: str) -> list[tuple[str, ...]]:
    return [instruction.value for instruction in stage if instruction.cmd == name]


def test_what_builds_stays_behind(stages: list[list[Any]]) -> None:
    build, final = stages
    assert "constraints.txt" in values(build, "RUN")[0]
    assert not values(final, "COPY")
    assert not values(final, "ADD")
    [install] = [value for value in values(final, "RUN") if "pip" in value]
    assert "--no-index" in install


def test_nothing_runs_in_a_shell(stages: list[list[Any]]) -> None:
    told = [item for stage in stages for item in stage if item.cmd in ("RUN", "ENTRYPOINT", "CMD")]
    assert told
    assert all(item.json for item in told)
    assert {item.value[0] for item in told} == {"python", "install", "freshness-bot", "run"}


def test_the_service_starts_without_root(stages: list[list[Any]]) -> None:
    final = stages[-1]
    assert values(final, "USER") == [("64198:64198",)]
    assert values(final, "ENTRYPOINT") == [("freshness-bot",)]
    assert values(final, "CMD") == [("run", "--config", "/etc/freshness/freshness.yaml")]
    assert values(final, "EXPOSE") == []


def test_commands_beside_the_service_find_its_settings(stages: list[list[Any]]) -> None:
    [environment] = values(stages[-1], "ENV")
    [command] = values(stages[-1], "CMD")
    assert environment[environment.index("FRESHNESS_BOT_CONFIG") + 1] == command[-1]


def test_the_one_volume_belongs_to_the_user(stages: list[list[Any]]) -> None:
    final = stages[-1]
    assert values(final, "VOLUME") == [("/data",)]
    assert ("install", "--directory", "--owner=64198", "--group=64198", "/data") in values(final, "RUN")
    assert values(final, "WORKDIR") == [("/",)], "the default store is data/freshness.db from there"


def test_the_bot_finds_the_bases() -> None:
    data = DOCKERFILE.read_bytes()
    found, _ = read_files([File("Dockerfile", "0" * 40, data)], Memory())
    bases = [usage for usage in found.usages if usage.role is not Role.SYNTAX]
    assert found.problems == ()
    assert [str(usage.reference) for usage in bases] == ["python:3.13-slim"] * 2
    assert f"docker.io/library/{bases[-1].reference}" in data.decode(), "the label names the same base"


def test_only_what_the_build_needs_is_sent_to_it(stages: list[list[Any]]) -> None:
    ignored, *kept = (ROOT / ".dockerignore").read_text().splitlines()
    copied = {name for value in values(stages[0], "COPY") for name in value[:-1]}
    assert ignored == "*"
    assert {line.removeprefix("!") for line in kept if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)
    assert not any(fnmatchcase(name, pattern) for name in copied for pattern in (".*", "tests", "deploy"))
