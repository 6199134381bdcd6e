from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants.covered import Covered
from tests.mutants.sample import MutantTests, Rooms
from tests.mutants.trials import Trial

RULE = "def said(x):\n    return x > 1 and x < 9\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("bot/fleet/plan/first.py", "bot/fleet/plan/deep/second.py", "bot/planned/third.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(RULE)
    return tmp_path


def test_a_room_has_the_mutants_of_its_folder_and_of_those_below(root: Path) -> None:
    rooms = Rooms(root, ["bot/fleet/plan", "bot/planned/third.py"])
    assert {path: rooms.room(path) for path in rooms.sources} == {
        "bot/fleet/plan/deep/second.py": "bot/fleet/plan",
        "bot/fleet/plan/first.py": "bot/fleet/plan",
        "bot/planned/third.py": "bot/planned/third.py",
    }
    sizes = rooms.sizes()
    assert sizes["bot/fleet/plan"] == 2 * sizes["bot/planned/third.py"] > 0


def test_a_sample_is_the_same_for_the_same_seed_and_another_for_another(root: Path) -> None:
    rooms = Rooms(root, ["bot/fleet/plan"])
    keys = [written.key for written in rooms.sample(5, 1)]
    assert keys == [written.key for written in Rooms(root, ["bot/fleet/plan"]).sample(5, 1)]
    assert keys != [written.key for written in rooms.sample(5, 2)]
    assert {*keys} < {written.key for written in rooms.sample(6, 1)}


def test_a_sample_of_none_is_all_of_them(root: Path) -> None:
    rooms = Rooms(root, ["bot/fleet/plan"])
    assert len(rooms.sample(0, 1)) == rooms.sizes()["bot/fleet/plan"]


def test_what_is_no_mutant_any_more_is_told_of_these_rooms_alone(root: Path) -> None:
    rooms = Rooms(root, ["bot/fleet/plan"])
    key = rooms.sample(1, 1)[0].key
    other, elsewhere = replace(key, was="return x"), replace(key, path="bot/planned/gone.py")
    gone = replace(key, path="bot/fleet/plan/gone.py")
    assert rooms.unknown([key, other, elsewhere, gone]) == [other, gone]


class Known(Covered):
    """Line 2 of the first rule is run by three tests, and line 5 on import as well; line 1 by nothing else."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, root)

    def _read(self, path: str) -> dict[int, list[str]]:
        far, near, other = (
            "tests/unit/fleet/act/test_a.py::a",
            "tests/unit/fleet/plan/test_b.py::b",
            "tests/unit/web/test_c.py::c",
        )
        return {1: [""], 2: [far, near, other], 5: ["", far]}

    def tests_below(self, folder: str) -> list[str]:
        return [f"{folder}/test_b.py::b", f"{folder}/test_d.py::d"]


CODE = """TABLE = {"a": 1}
def said(x):
    return x > 1
def twice():
    return TABLE
"""


def trials(root: Path) -> dict[str, Trial]:
    (root / "bot/fleet/plan/first.py").write_text(CODE.replace("def said(x):\n    return", "def said(x): return"))
    for name in ("fleet/act/test_a.py", "fleet/plan/test_b.py", "web/test_c.py"):
        (root / "tests/unit" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "tests/unit" / name).write_text("")
    (root / "tests/unit/web/test_c.py").write_text("from bot.fleet.plan.first import said")
    rooms, tests = Rooms(root, ["bot/fleet/plan/first.py"]), MutantTests(Known(root), root)
    return {written.key.function: tests.trial(written) for written in rooms.sample(0, 1)}


def test_a_mutant_is_tried_on_the_tests_that_run_its_line_those_of_its_own_room_first(root: Path) -> None:
    trial = trials(root)["said"]
    assert trial.tests == [
        "tests/unit/fleet/plan/test_b.py::b",
        "tests/unit/fleet/act/test_a.py::a",
        "tests/unit/web/test_c.py::c",
    ]
    assert not trial.runs_on_import


def test_what_runs_on_import_is_tried_on_its_own_room_and_on_what_imports_it(root: Path) -> None:
    trial = trials(root)[""]
    near = ["tests/unit/fleet/plan/test_b.py::b", "tests/unit/fleet/plan/test_d.py::d"]
    assert (trial.tests, trial.on_import) == ([], [near, ["tests/unit/web/test_c.py::c"]])
    assert trial.runs_on_import
