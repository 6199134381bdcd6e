"""Tries mutants on the tests that run them, each in a copy of a process that has imported and collected them all.

A mutant of a function is swapped in, which takes milliseconds. What runs on import (a table, a default, a value of
an enumeration) is imported anew by all that know it, in a process of its own, which takes seconds.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from tests.mutants.mutants import Written
from tests.mutants.on_import import function_of, run_on_import
from tests.mutants.running import PASSED, keep_silent, last_told, look_for_examples_only, run_until_failed
from tests.mutants.swapping import NotSwapped, swap

_NOT_SWAPPED, _BROKEN = 3, 4


class Outcome(StrEnum):
    KILLED = "killed"
    ENDLESS = "endless"
    """A test took too long, or all of the memory: a defect that is seen."""
    SURVIVED = "survived"


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome
    killed_by: str = ""


@dataclass(frozen=True)
class Trial:
    """A mutant with the tests to try, in this order.

    `on_import` are those to try in a process of its own where the mutant cannot be swapped in, and `runs_on_import`
    says that they are to be tried as well where it can: its function has run on import, too.
    """

    written: Written
    tests: Sequence[str]
    on_import: Sequence[Sequence[str]]
    runs_on_import: bool

    def all_tests(self) -> set[str]:
        return {*self.tests, *chain.from_iterable(self.on_import)}


class NotTried(Exception):
    """Nothing can be told of mutants here."""


class Trials:
    """A plugin of pytest: in place of running the tests that were collected, tries each mutant on its own."""

    def __init__(self, trials: Iterable[Trial], root: Path, judged: Callable[[Trial, Verdict], None]) -> None:
        self._trials = trials
        self._root = root
        self._judged = judged
        self._items: dict[str, pytest.Item] = {}
        self._is_sound: dict[str, bool] = {}
        self._imports_work = False

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        look_for_examples_only()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        for trial in self._trials:
            self._judged(trial, self._verdict(trial))
        return True

    def _verdict(self, trial: Trial) -> Verdict:
        """A test that fails without the mutant as well is left out, and the others are tried."""
        verdict = self._swapped(trial.written, self._sound(trial.tests))
        if verdict is None or (verdict.outcome is Outcome.SURVIVED and trial.runs_on_import):
            verdict = self._imported(trial)
        if verdict.killed_by and not self._fails_only_now(verdict.killed_by):
            return self._verdict(trial)
        return verdict

    def _imported(self, trial: Trial) -> Verdict:
        """Where no test has run, the mutant could not be imported, if the file as it stands can be."""
        path, text = trial.written.key.path, trial.written.text
        verdict = Verdict(Outcome.SURVIVED)
        for tests in map(self._sound, trial.on_import):
            verdict = _judged(*run_on_import(path, text, tests, self._root))
            if verdict.outcome is not Outcome.SURVIVED:
                if not verdict.killed_by:
                    self._see_that_imports_work(path, tests)
                break
        return verdict

    def _see_that_imports_work(self, path: str, tests: Sequence[str]) -> None:
        if not self._imports_work:
            status, last = run_on_import(
                path, (self._root / path).read_text(encoding="utf-8"), tests[:1], self._root
            )
            if status != PASSED and not last:
                raise NotTried(f"{path} could not be imported as it stands, for {tests[0]}")
            self._imports_work = True

    def _sound(self, tests: Sequence[str]) -> list[str]:
        return [test for test in tests if self._is_sound.get(test, True) and test in self._items]

    def _fails_only_now(self, test: str) -> bool:
        if test not in self._is_sound:
            cases = (
                [test]
                if test in self._items
                else [each for each in self._items if function_of(each) == function_of(test)]
            )
            verdict = self._swapped(None, cases)
            self._is_sound[test] = verdict is not None and verdict.outcome is Outcome.SURVIVED
        return self._is_sound[test]

    def _swapped(self, written: Written | None, tests: Sequence[str]) -> Verdict | None:
        """None where the mutant is nothing that can be swapped in."""
        with TemporaryFile() as told:
            child = os.fork()
            if not child:
                with suppress(BaseException):
                    os._exit(self._run(written, [self._items[test] for test in tests], told.fileno()))
                os._exit(_BROKEN)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if status == _BROKEN and not last_told(told):
                raise NotTried(f"a mutant could not be tried: {written and written.key}")
            return None if status == _NOT_SWAPPED else _judged(status, last_told(told))

    def _run(self, written: Written | None, items: Sequence[pytest.Item], told: int) -> int:
        """In the copy of this process."""
        keep_silent()
        if written is not None:
            try:
                swap(written.key.path, written.key.function, written.text)
            except NotSwapped:
                return _NOT_SWAPPED
        return run_until_failed(items, told)


def _judged(status: int, last: str) -> Verdict:
    if status == PASSED:
        return Verdict(Outcome.SURVIVED)
    return Verdict(Outcome.ENDLESS if status < 0 else Outcome.KILLED, last)
