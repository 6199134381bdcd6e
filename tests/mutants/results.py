"""What was found of each mutant is kept in a file, so that a run that was broken off goes on where it stopped."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.mutants.covered import digest
from tests.mutants.mutants import Key
from tests.mutants.trials import Outcome, Verdict


@dataclass(frozen=True)
class Basis:
    """What a result rests on: the file's text, and all tests with all code."""

    source: str
    everything: str


class Results:
    """A line for each; the last one of a mutant counts."""

    def __init__(self, file: Path, root: Path) -> None:
        self._file = file
        self._root = root
        self._lines: dict[tuple[Key, str], dict[str, str]] = {}
        for line in file.read_text().splitlines() if file.exists() else ():
            told = json.loads(line)
            self._lines[Key(**told["key"]), told["source"]] = told

    def verdict(self, key: Key, basis: Basis) -> Verdict | None:
        """A mutant that was killed stays so while its file and the test that did it are as they were; one that
        survived may be killed by any change."""
        told = self._lines.get((key, basis.source))
        if told is None:
            return None
        verdict = Verdict(Outcome(told["outcome"]), told["killed_by"])
        if verdict.outcome is Outcome.SURVIVED or not verdict.killed_by:
            return verdict if told["everything"] == basis.everything else None
        return verdict if told["test"] == self._test(verdict) else None

    def keep(self, key: Key, basis: Basis, verdict: Verdict) -> None:
        told = {"key": asdict(key), **asdict(basis), **asdict(verdict), "test": self._test(verdict)}
        self._lines[key, basis.source] = told
        with self._file.open("a") as file:
            file.write(json.dumps(told) + "\n")

    def _test(self, verdict: Verdict) -> str:
        """The text of the test's file."""
        file = self._root / verdict.killed_by.partition("::")[0]
        return digest([file]) if file.is_file() else ""
