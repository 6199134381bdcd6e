from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants.sample import Rooms

RULE = "def said(x):\n    return x > 1 and x < 9\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("bot/plan/first.py", "bot/plan/deep/second.py", "bot/planned/third.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(RULE)
    return tmp_path


def test_a_room_has_the_mutants_of_its_folder_and_of_those_below(root: Path) -> None:
    rooms = Rooms(root, ["bot/plan", "bot/planned/third.py"])
    assert {path: rooms.room(path) for path in rooms.sources} == {
        "bot/plan/deep/second.py": "bot/plan",
        "bot/plan/first.py": "bot/plan",
        "bot/planned/third.py": "bot/planned/third.py",
    }
    sizes = rooms.sizes()
    assert sizes["bot/plan"] == 2 * sizes["bot/planned/third.py"] > 0


def test_a_sample_is_the_same_for_the_same_seed_and_another_for_another(root: Path) -> None:
    rooms = Rooms(root, ["bot/plan"])
    keys = [written.key for written in rooms.sample(5, 1)]
    assert keys == [written.key for written in Rooms(root, ["bot/plan"]).sample(5, 1)]
    assert keys != [written.key for written in rooms.sample(5, 2)]
    assert {*keys} < {written.key for written in rooms.sample(6, 1)}


def test_a_sample_of_none_is_all_of_them(root: Path) -> None:
    rooms = Rooms(root, ["bot/plan"])
    assert len(rooms.sample(0, 1)) == rooms.sizes()["bot/plan"]


def test_what_is_no_mutant_any_more_is_told_of_these_rooms_alone(root: Path) -> None:
    rooms = Rooms(root, ["bot/plan"])
    key = rooms.sample(1, 1)[0].key
    other, elsewhere = replace(key, was="return x"), replace(key, path="bot/planned/gone.py")
    gone = replace(key, path="bot/plan/gone.py")
    assert rooms.unknown([key, other, elsewhere, gone]) == [other, gone]
