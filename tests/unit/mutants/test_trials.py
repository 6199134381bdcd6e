"""Mutants of a small project are tried in a process of its own, as `make mutants` does it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = [pytest.mark.long, pytest.mark.together]

RULE = """
TABLE = {"a": 1}
LIMIT = 1
NUMBER = 1 // LIMIT

def is_small(number):
    return number < 3

def count(number):
    while number:
        number -= 1
    return "counted"
"""

CONFTEST = """
from hypothesis import settings
settings.register_profile("quick", max_examples=5)
"""

TESTS = """
import pytest
import rule

BIG = [number for number in range(5) if not rule.is_small(number)]

def test_broken():
    assert False

def test_table():
    assert rule.TABLE == {"a": 1}

def test_a():
    assert rule.NUMBER

@pytest.mark.parametrize("name", rule.TABLE)
def test_names(name):
    assert name == "a"

def test_two_is_small():
    assert rule.is_small(2)

def test_three_is_not():
    assert not rule.is_small(3)

def test_four_is_not():
    assert not rule.is_small(4)

def test_big():
    assert BIG == [3, 4]

def test_counted():
    assert rule.count(3) == "counted"
"""

SCRIPT = """
import json, sys
from pathlib import Path
import pytest
from tests.mutants import running
from tests.mutants.mutants import Source
from tests.mutants.on_import import OPTIONS
from tests.mutants.trials import Trial, Trials

running.PROCESSOR_SECONDS = 1
source = Source("rule.py", Path("rule.py").read_text())
mutants = {(one.key.was, one.key.becomes): one for one in map(source.written, source.mutants)}
trials = []
for was, becomes, tests, runs_on_import in json.load(sys.stdin):
    written = mutants[was, becomes]
    names = [f"test_rule.py::{test}" for test in tests]
    trials.append(Trial(written, names if written.key.function else [], [names], runs_on_import))
verdicts = []
plugin = Trials(trials, Path.cwd(), lambda trial, verdict: verdicts.append(verdict))
pytest.main([*OPTIONS, "-o", "markers=long", "test_rule.py"], plugins=[plugin])
print(json.dumps([[verdict.outcome, verdict.killed_by.partition("::")[2]] for verdict in verdicts]))
"""

SMALLER = ("return number < 3", "return number <= 3")
SMALL = ("return number < 3", "return number < 4")
TABLE = ('TABLE = {"a": 1}', 'TABLE = {"a": 2}')

TRIED = {
    "a survivor": (*SMALLER, ["test_two_is_small", "test_four_is_not"], False),
    "one with a test that fails anyway": (*SMALLER, ["test_broken", "test_two_is_small"], False),
    "one without tests": (*SMALLER, [], False),
    "one that a test told": (*SMALLER, ["test_two_is_small", "test_three_is_not", "test_four_is_not"], False),
    "one that ran on import": (*SMALL, ["test_two_is_small", "test_big"], True),
    "one without an end": ("number -= 1", "number += 1", ["test_counted"], False),
    "a table": (*TABLE, ["test_counted", "test_table"], True),
    "a table that survives": (*TABLE, ["test_counted"], True),
    "one that names cases": (TABLE[0], 'TABLE = {"XXaXX": 1}', ["test_names[a]"], True),
    "one that cannot be imported": ("LIMIT = 1", "LIMIT = None", ["test_a"], True),
}


@pytest.fixture(scope="module")
def came_of(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What came of each, and the test that told it."""
    folder = tmp_path_factory.mktemp("project")
    for name, text in (("rule.py", RULE), ("conftest.py", CONFTEST), ("test_rule.py", TESTS)):
        (folder / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        cwd=folder,
        input=json.dumps([*TRIED.values()]),
        env={"PYTHONPATH": f"{ROOT}:{folder}", "PATH": "", "PYTHONWARNINGS": "ignore"},
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    return dict(zip(TRIED, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("name", ["a survivor", "one with a test that fails anyway", "one without tests"])
def test_a_mutant_that_no_sound_test_tells_survives(came_of: dict[str, list[str]], name: str) -> None:
    assert came_of[name] == ["survived", ""]


def test_a_mutant_is_killed_by_the_first_test_that_fails(came_of: dict[str, list[str]]) -> None:
    assert came_of["one that a test told"] == ["killed", "test_three_is_not"]


def test_a_mutant_without_end_is_ended(came_of: dict[str, list[str]]) -> None:
    assert came_of["one without an end"] == ["endless", "test_counted"]


def test_what_runs_on_import_is_imported_anew(came_of: dict[str, list[str]]) -> None:
    assert came_of["one that ran on import"] == ["killed", "test_big"]
    assert came_of["a table"] == ["killed", "test_table"]
    assert came_of["a table that survives"] == ["survived", ""]


def test_a_case_that_is_called_otherwise_by_a_mutant_is_run(came_of: dict[str, list[str]]) -> None:
    assert came_of["one that names cases"] == ["killed", "test_names[XXaXX]"]


def test_what_cannot_be_imported_is_killed_by_no_test(came_of: dict[str, list[str]]) -> None:
    assert came_of["one that cannot be imported"] == ["killed", ""]
