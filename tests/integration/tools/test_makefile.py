"""The Makefile, as far as it is more than a list of commands."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def outside_of_make() -> dict[str, str]:
    """The environment without what a make that runs these tests hands on: within another, it tells its folders."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_the_sandbox_is_asked_directly_whatever_proxy_there_is(name: str) -> None:
    proxies = {other: value for other, value in outside_of_make().items() if other.lower() != "no_proxy"}
    shown = subprocess.run(
        ["make", "-s", "--eval", "show: ; @echo $$NO_PROXY; echo $$no_proxy", "show"],
        cwd=ROOT,
        env={**proxies, name: "inside.example"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for line in shown.stdout.splitlines():
        assert {"localhost", "127.0.0.1", "inside.example"} <= set(line.split(","))
    assert len(shown.stdout.splitlines()) == 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The Makefile beside programs that only note in `calls` that they were asked, and with which words."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for path in (
        *(programs / name for name in PROGRAMS),
        tmp_path / "tools" / "set-up.sh",
        tmp_path / "bin" / "date",
    ):
        add(tmp_path, path)
    (programs / "python").symlink_to(sys.executable)
    return tmp_path


PROGRAMS = ("ruff", "mypy", "lint-imports", "hadolint", "pytest")


def add(folder: Path, path: Path, ends_with: int = 0) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "{path.name} $*" >>{folder}/calls\necho 1000\nexit {ends_with}\n')
    path.chmod(0o755)


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    environment = {**outside_of_make(), "PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run(["make", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def calls(folder: Path) -> list[str]:
    return [line.split()[0] for line in (folder / "calls").read_text().splitlines()]


def test_check_ends_with_what_it_ran_and_how_long_that_took(folder: Path) -> None:
    done = make(folder, "check")
    assert done.stdout.splitlines()[-1].startswith("make check: ruff, mypy, import contracts, hadolint: ")
    assert done.returncode == 0


def test_the_time_of_check_counts_from_before_its_first_program(folder: Path) -> None:
    make(folder, "check")
    assert calls(folder) == ["set-up.sh", "date", "ruff", "ruff", "mypy", "lint-imports", "hadolint"]


@pytest.mark.parametrize("program", PROGRAMS[:-1])
def test_check_fails_with_each_of_its_programs_and_says_no_time(folder: Path, program: str) -> None:
    add(folder, folder / ".venv" / "bin" / program, ends_with=1)
    done = make(folder, "check")
    assert done.returncode != 0
    assert "make check: " not in done.stdout


@pytest.mark.parametrize("target", ["test", "test-unit", "test-all"])
def test_tests_are_asked_to_end_with_a_line_by_the_name_of_their_target(folder: Path, target: str) -> None:
    done = make(folder, target)
    assert f'--ran "make {target}"' in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("target", ["test", "test-unit", "test-all"])
def test_where_tests_fail_so_does_make(folder: Path, target: str) -> None:
    add(folder, folder / ".venv" / "bin" / "pytest", ends_with=1)
    assert make(folder, target).returncode != 0


def test_of_several_targets_at_once_each_is_named(folder: Path) -> None:
    done = make(folder, "-j", "test-unit", "test-all", "check")
    asked = (folder / "calls").read_text()
    assert "--ran make test-unit" in asked
    assert "--ran make test-all" in asked
    assert "make check: " in done.stdout


def test_the_bench_is_asked_for_the_names_in_only(folder: Path) -> None:
    assert "-m tests.bench fleet follow" in make(folder, "-n", "bench", "ONLY=fleet follow").stdout
