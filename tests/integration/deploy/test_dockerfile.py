"""The image, as far as its text tells: small, without root, and on a base that the bot itself would understand."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dockerfile
import pytest

from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import read_files
from tests.e2e.forking import POOLS_OF_MEMORY

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "Dockerfile"


@pytest.fixture(scope="module")
def stages() -> list[list[Any]]:
    """The instructions of each stage, as BuildKit's own parser reads them."""
    found: list[list[Any]] = []
    for instruction in dockerfile.parse_file(str(DOCKERFILE)):
        if instruction.cmd == "FROM":
            found.append([])
        if found:  # An ARG may stand before the first stage.
            found[-1].append(instruction)
    return found


def values(stage: Sequence[Any], name: str) -> list[tuple[str, ...]]:
    return [instruction.value for instruction in stage if instruction.cmd == name]


def test_what_builds_stays_behind(stages: list[list[Any]]) -> None:
    *_, final = stages
    assert not values(final, "RUN")
    assert not values(final, "ADD")
    assert [value[-1] for value in values(final, "COPY")] == ["/opt/freshness-bot", "/data"]


def test_nothing_is_installed_whose_hash_is_not_known(stages: list[list[Any]]) -> None:
    wheels, build, _ = stages
    installs = [value for value in (*values(wheels, "RUN"), *values(build, "RUN")) if "pip" in value]
    *others, own = installs
    assert len(others) == 3
    assert all("--require-hashes" in value and "--no-deps" in value for value in others)
    assert own[-1] == "freshness-bot"
    assert "--no-deps" in own
    assert all("--no-index" in value for value in installs if "install" in value)


def test_nothing_runs_in_a_shell(stages: list[list[Any]]) -> None:
    told = [item for stage in stages for item in stage if item.cmd in ("RUN", "ENTRYPOINT", "CMD")]
    assert told
    assert all(item.json for item in told)
    assert {item.value[0] for item in told} == {
        *("python", "/opt/build/bin/hatchling", "/opt/freshness-bot/bin/python", "freshness-bot", "run")
    }


def test_its_health_is_asked_without_a_shell(stages: list[list[Any]]) -> None:
    *_, final = stages
    [check] = values(final, "HEALTHCHECK")
    assert check[-1] == '["freshness-bot", "health"]' or check[-2:] == ("freshness-bot", "health")


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    ended = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


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
    [data] = [item for item in final if item.cmd == "COPY" and item.value[-1] == "/data"]
    assert "--chown=64198:64198" in data.flags
    assert values(final, "WORKDIR") == [("/",)], "the default store is data/freshness.db from there"


def test_the_bot_finds_the_bases() -> None:
    data = DOCKERFILE.read_bytes()
    found, _ = read_files([File("Dockerfile", "0" * 40, data)], Memory())
    assert found.problems == ()
    assert {str(usage.reference) for usage in found.usages} == {"docker.io/library/python:3.13-slim"}


def test_labels_name_the_version_and_the_commit_that_it_is_built_with(stages: list[list[Any]]) -> None:
    [labels] = values(stages[-1], "LABEL")
    named = dict(zip(labels[::2], labels[1::2], strict=True))
    assert named["org.opencontainers.image.version"] == '"${VERSION}"'
    assert named["org.opencontainers.image.revision"] == '"${REVISION}"'
    assert {("VERSION=unknown",), ("REVISION=unknown",)} <= set(values(stages[-1], "ARG"))


def test_only_what_the_build_needs_is_sent_to_it(stages: list[list[Any]]) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {line.removeprefix("!") for line in lines if line.startswith("!")}
    own = [item for stage in stages for item in stage if item.cmd == "COPY" and not item.flags]
    copied = {name for item in own for name in item.value[:-1]}
    assert lines[0] == "*"
    assert sent == copied | {"deploy"}
    assert "deploy/*" in lines, "of deploy, only what is named after it"
    assert all((ROOT / name).exists() for name in copied)


def test_what_runs_was_compiled_without_columns_as_it_is_run(stages: list[list[Any]]) -> None:
    for stage in stages[-2:]:
        [environment] = values(stage, "ENV")
        assert environment[environment.index("PYTHONNODEBUGRANGES") + 1] == "1"


def test_threads_share_two_pools_of_memory_as_where_bots_are_weighed(stages: list[list[Any]]) -> None:
    [environment] = values(stages[-1], "ENV")
    assert environment[environment.index("MALLOC_ARENA_MAX") + 1] == POOLS_OF_MEMORY
