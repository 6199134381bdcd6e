from dataclasses import replace
from pathlib import Path

import libcst as cst
import pytest

from tests.mutants.mutants import Key, Mutant, Written
from tests.mutants.report import Judged, described, equivalent, figures, survivors, wilson
from tests.mutants.results import Basis, Results
from tests.mutants.trials import Outcome, Verdict

KEY = Key("bot/rule.py", "said", "return it's", "return\nnothing")
BASIS = Basis(source="text 1", everything="all 1")
SURVIVED = Verdict(Outcome.SURVIVED)
KILLED = Verdict(Outcome.KILLED, "tests/unit/test_rule.py::test_said[a::b]")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tests/unit").mkdir(parents=True)
    (tmp_path / "tests/unit/test_rule.py").write_text("as it was")
    return tmp_path


def kept(root: Path, verdict: Verdict) -> Results:
    """As the next run reads it."""
    Results(root / "results.jsonl", root).keep(KEY, BASIS, verdict)
    return Results(root / "results.jsonl", root)


@pytest.mark.parametrize("verdict", [SURVIVED, KILLED, Verdict(Outcome.ENDLESS, KILLED.killed_by)])
def test_the_next_run_knows_what_was_found(root: Path, verdict: Verdict) -> None:
    assert kept(root, verdict).verdict(KEY, BASIS) == verdict


def test_nothing_is_known_of_another_mutant(root: Path) -> None:
    assert kept(root, KILLED).verdict(replace(KEY, becomes="return"), BASIS) is None


def test_a_survivor_is_tried_again_when_any_test_has_changed(root: Path) -> None:
    assert kept(root, SURVIVED).verdict(KEY, replace(BASIS, everything="all 2")) is None
    assert kept(root, KILLED).verdict(KEY, replace(BASIS, everything="all 2")) == KILLED


def test_a_killed_mutant_is_tried_again_when_the_test_that_killed_it_has_changed(root: Path) -> None:
    results = kept(root, KILLED)
    (root / "tests/unit/test_rule.py").write_text("as it is")
    assert results.verdict(KEY, BASIS) is None


def test_every_mutant_is_tried_again_when_its_file_has_changed(root: Path) -> None:
    assert kept(root, KILLED).verdict(KEY, replace(BASIS, source="text 2")) is None


def test_a_mutant_that_cannot_be_imported_is_killed_by_no_test_and_tried_again_after_any_change(root: Path) -> None:
    results = kept(root, Verdict(Outcome.KILLED))
    assert results.verdict(KEY, BASIS) == Verdict(Outcome.KILLED)
    assert results.verdict(KEY, replace(BASIS, everything="all 2")) is None


def judged(verdict: Verdict, because: str = "") -> Judged:
    mutant = Mutant(KEY.path, KEY.function, "operator", 1, 1, 1, cst.Pass(), cst.Pass())
    return Judged("bot", Written(mutant, KEY, 7, ""), verdict, because)


def test_a_survivor_is_told_with_its_place_and_its_difference() -> None:
    told = described(judged(SURVIVED).written)
    assert told == "bot/rule.py:7 said (operator)\n  - return it's\n  + return\n  + nothing"


def test_a_survivor_given_a_reason_is_read_as_equivalent(tmp_path: Path) -> None:
    file = tmp_path / "equivalent.toml"
    file.write_text(survivors([judged(SURVIVED), judged(KILLED)]).replace('because = ""', 'because = "It is."'))
    assert equivalent(file) == {KEY: "It is."}


def test_figures_leave_out_what_is_equivalent() -> None:
    table = figures([judged(SURVIVED), judged(SURVIVED, "It is."), *[judged(KILLED)] * 3], {"bot": 1200})
    rows = [[*column.cells] for column in table.columns]
    assert [cells[0] for cells in rows] == ["bot", "1,200", "5", "1", "1", "25.0%", "4.6% to 69.9%"]
    assert [cells[1] for cells in rows] == ["all", "1,200", "5", "1", "1", "25.0%", "4.6% to 69.9%"]


def test_the_interval_is_wilsons() -> None:
    """10 of 100 after Newcombe 1998, Statistics in Medicine 17, method 3."""
    assert wilson(10, 100) == pytest.approx((0.0552, 0.1744), abs=0.0001)
    assert wilson(0, 0) == (0, 1)
