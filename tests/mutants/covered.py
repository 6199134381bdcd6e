"""Which unit tests run which lines of the rooms: measured once, and again for what has changed since."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData

from tests.mutants.on_import import OPTIONS

UNIT_TESTS = Path("tests/unit")
_OF_DOCUMENTS = UNIT_TESTS / "docs"
"""They read the code as text."""

_TO_THE_END = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
"""A test that fails as the code stands kills no mutant, see `Trials`."""


class NotMeasured(Exception):
    """The unit tests did not run to their end."""


class Covered:
    """`folder` keeps what was measured."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._root = root
        self._data_file = folder / "contexts"
        self._state_file = folder / "measured.json"
        self._settings_file = folder / "coveragerc"
        self._tests_by_line: dict[str, dict[int, list[str]]] = {}

    def measure(self, rooms: Iterable[str], workers: int) -> None:
        """Runs the files of tests that have changed, or that run what has changed in the rooms; all tests where
        a room is new, or where anything else has changed."""
        was = json.loads(self._state_file.read_text()) if self._state_file.exists() else {}
        rooms = _outermost({*rooms, *was.get("rooms", ())})
        now = {"rooms": rooms, **self._digests(rooms)}
        if now == was:
            return
        if was and (was["rooms"], was["elsewhere"]) == (now["rooms"], now["elsewhere"]):
            if outdated := self._outdated(was, now):
                self._run(outdated, rooms, workers)
        else:
            self._data_file.unlink(missing_ok=True)
            self._run([str(UNIT_TESTS)], rooms, workers)
        self._state_file.write_text(json.dumps(now))
        self._tests_by_line = {}

    def _outdated(self, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
        """The files of tests to run again."""
        changed = [path for path, seen in now["code"].items() if was["code"].get(path) != seen]
        running = {test.partition("::")[0] for path in changed for test in self.tests_of_file(path) if test}
        tests = {path for path, seen in now["tests"].items() if was["tests"].get(path) != seen}
        return sorted(tests | (running & now["tests"].keys()))

    def tests(self, path: str, lines: Iterable[int]) -> list[str]:
        """The tests that run one of these lines; an empty name is the import of what tests use."""
        by_line = self._read(path)
        return sorted({test for line in lines for test in by_line.get(line, ())})

    @property
    def everything(self) -> str:
        """Changes with any test and any code."""
        return digest([self._state_file])

    def tests_below(self, folder: str) -> list[str]:
        names = {context.rpartition("|")[0] for context in self._data().measured_contexts()}
        return sorted(name for name in names if name.startswith(f"{folder}/"))

    def tests_of_file(self, path: str) -> list[str]:
        return self.tests(path, self._read(path))

    def _read(self, path: str) -> dict[int, list[str]]:
        if path not in self._tests_by_line:
            contexts = self._data().contexts_by_lineno(str(self._root / path))
            self._tests_by_line[path] = {
                line: sorted({name.rpartition("|")[0] for name in names}) for line, names in contexts.items()
            }
        return self._tests_by_line[path]

    def _data(self) -> CoverageData:
        data = CoverageData(str(self._data_file))
        data.read()
        return data

    def _digests(self, rooms: Sequence[str]) -> dict[str, Any]:
        """Of each file of the unit tests and of the rooms, and of all else that tests use together."""
        found: dict[str, dict[str, str]] = {"code": {}, "tests": {}}
        elsewhere = []
        for path in (path for room in ("bot", "sandbox", "tests") for path in (self._root / room).rglob("*.py")):
            name = str(path.relative_to(self._root))
            if path.name.startswith("test_"):
                if name.startswith(f"{UNIT_TESTS}/") and not name.startswith(f"{_OF_DOCUMENTS}/"):
                    found["tests"][name] = digest([path])
            elif any(is_in(room, name) for room in rooms):
                found["code"][name] = digest([path])
            elif not name.startswith("tests/mutants/"):
                elsewhere.append(path)
        return {**found, "elsewhere": digest(elsewhere)}

    def _run(self, tests: Sequence[str], rooms: Sequence[str], workers: int) -> None:
        # A test that compares what was made on import runs its own lines alone, and is known by these.
        source = "\n".join(f"    {room}" for room in (*rooms, UNIT_TESTS))
        self._settings_file.write_text(f"[run]\ndata_file = {self._data_file}\nsource =\n{source}\n")
        command = [sys.executable, "-m", "pytest", *tests, *OPTIONS, "-n", str(workers), "--dist", "worksteal"]
        command += ["--ignore", str(_OF_DOCUMENTS), "--cov", f"--cov-config={self._settings_file}", "--cov-report="]
        command += ["--cov-context=test", "--cov-append"]
        if subprocess.run(command, cwd=self._root, check=False).returncode not in _TO_THE_END:
            self._data_file.unlink(missing_ok=True)
            self._state_file.unlink(missing_ok=True)
            raise NotMeasured("the unit tests did not run to their end; what pytest says stands above")


def is_in(room: str, path: str) -> bool:
    return path == room or path.startswith(f"{room}/")


def _outermost(rooms: Collection[str]) -> list[str]:
    return sorted(room for room in rooms if not any(other != room and is_in(other, room) for other in rooms))


def digest(files: Iterable[Path]) -> str:
    told = hashlib.sha256()
    for path in sorted(files):
        told.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    return told.hexdigest()[:16]
