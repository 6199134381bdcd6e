"""What tests run is measured again only as far as something has changed."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from coverage import CoverageData

from tests.mutants.covered import Covered, NotMeasured

ALL = ["tests/unit"]


class Project:
    """Two tests, of which one runs the rule."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runs: list[list[str]] = []
        self.status = 0
        (root / "kept").mkdir()
        for name in ("bot/rules/rule.py", "bot/other.py", "tests/unit/test_rule.py", "tests/unit/test_other.py"):
            self.write(name, "")

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def run(self, command: Sequence[str], **_: object) -> "subprocess.CompletedProcess[str]":
        self.runs.append([word for word in command if word.startswith("tests/unit") and not word.endswith("docs")])
        data = CoverageData(str(self.root / "kept/contexts"))
        for test, lines in (("tests/unit/test_rule.py::test_it[a|b]|run", [2, 3]), ("", [1])):
            data.set_context(test)
            data.add_lines({str(self.root / "bot/rules/rule.py"): lines})
        data.write()
        return subprocess.CompletedProcess(command, self.status)

    def measured(self, *rooms: str) -> Covered:
        found = Covered(self.root / "kept", self.root)
        found.measure(rooms or ["bot/rules"], 1)
        return found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(tmp_path)
    monkeypatch.setattr(subprocess, "run", made.run)
    made.measured()
    return made


def test_all_tests_are_run_once_and_again_only_where_something_has_changed(project: Project) -> None:
    project.measured()
    assert project.runs == [ALL]


def test_a_test_that_has_changed_is_run_alone(project: Project) -> None:
    project.write("tests/unit/test_other.py", "# changed")
    project.measured()
    assert project.runs == [ALL, ["tests/unit/test_other.py"]]


def test_a_rule_that_has_changed_has_the_tests_run_that_run_it(project: Project) -> None:
    project.write("bot/rules/rule.py", "# changed")
    project.measured()
    assert project.runs == [ALL, ["tests/unit/test_rule.py"]]


@pytest.mark.parametrize("name", ["bot/other.py", "tests/builders.py"])
def test_what_tests_share_may_change_what_any_of_them_runs(project: Project, name: str) -> None:
    project.write(name, "# changed")
    project.measured()
    assert project.runs == [ALL, ALL]


def test_for_a_file_of_a_room_nothing_is_run(project: Project) -> None:
    project.measured("bot/rules/rule.py")
    assert project.runs == [ALL]


def test_for_a_new_room_all_tests_are_run(project: Project) -> None:
    project.measured("bot/more")
    project.measured("bot/rules")
    assert project.runs == [ALL, ALL]


def test_tests_of_the_documents_and_this_program_count_for_nothing(project: Project) -> None:
    project.write("tests/unit/docs/test_documents.py", "")
    project.write("tests/mutants/covered.py", "")
    project.measured()
    assert project.runs == [ALL]


def test_tests_are_told_by_the_lines_that_they_run(project: Project) -> None:
    found = project.measured()
    assert found.tests("bot/rules/rule.py", [3, 4]) == ["tests/unit/test_rule.py::test_it[a|b]"]
    assert found.tests("bot/rules/rule.py", [1]) == [""]
    assert found.tests("bot/rules/absent.py", [1]) == []
    assert found.tests_below("tests/unit") == ["tests/unit/test_rule.py::test_it[a|b]"]
    assert found.tests_below("tests/un") == []


def test_a_run_that_is_broken_off_leaves_nothing_measured(project: Project) -> None:
    project.write("bot/other.py", "# changed")
    project.status = 2
    with pytest.raises(NotMeasured):
        project.measured()
    project.status = 1
    project.measured()
    assert project.runs == [ALL, ALL, ALL]
