"""Which mutants are tried, and on which tests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.covered import UNIT_TESTS, Covered, is_in
from tests.mutants.mutants import Key, Mutant, Source, Written
from tests.mutants.trials import Trial


class Rooms:
    """All mutants of some folders, or files, beneath `root`."""

    def __init__(self, root: Path, rooms: Sequence[str]) -> None:
        self.sources = {
            path: Source(path, (root / path).read_text(encoding="utf-8"))
            for room in rooms
            for path in sorted(str(file.relative_to(root)) for file in _files(root / room))
        }
        self._rooms = rooms

    def room(self, path: str) -> str:
        return next(room for room in self._rooms if is_in(room, path))

    def sizes(self) -> dict[str, int]:
        """How many mutants each room has."""
        sizes = dict.fromkeys(self._rooms, 0)
        for path, source in self.sources.items():
            sizes[self.room(path)] += len(source.mutants)
        return sizes

    def sample(self, size: int, seed: int) -> list[Written]:
        """So many by chance, in the order of their places; all where `size` is 0."""
        mutants = [mutant for source in self.sources.values() for mutant in source.mutants]
        chosen = sorted(mutants, key=lambda mutant: mutant.rank(seed))[: size or None]
        return [self.sources[mutant.path].written(mutant) for mutant in sorted(chosen, key=_place)]

    def unknown(self, keys: Iterable[Key]) -> list[Key]:
        """Those that are of these rooms, and no mutant any more."""
        asked = [key for key in keys if any(is_in(room, key.path) for room in self._rooms)]
        functions = {(key.path, key.function) for key in asked}
        there = {
            source.written(mutant).key
            for source in self.sources.values()
            for mutant in source.mutants
            if (mutant.path, mutant.function) in functions
        }
        return [key for key in asked if key not in there]


def _files(room: Path) -> Iterable[Path]:
    return [room] if room.is_file() else room.rglob("*.py")


def _place(mutant: Mutant) -> tuple[str, int]:
    return mutant.path, mutant.number


@dataclass(frozen=True)
class MutantTests:
    """The tests of a mutant; those in the folder that mirrors its room come first, since they fail soonest.

    Nobody has seen which tests need what runs on import: these are that folder's, and those that import the module.
    """

    covered: Covered
    root: Path

    def trial(self, written: Written) -> Trial:
        mutant = written.mutant
        running = self.covered.tests(mutant.path, range(mutant.first, mutant.last + 1))
        near = self._mirroring(mutant.path)
        swapped = sorted(filter(None, running), key=lambda test: (not test.startswith(f"{near}/"), test))
        if mutant.function and "" not in running:
            return Trial(written, swapped, [swapped], runs_on_import=False)
        nearest = self.covered.tests_below(near)
        if mutant.function:
            return Trial(written, swapped, [nearest], runs_on_import=True)
        module = mutant.path.removesuffix(".py").replace("/", ".")
        others = [test for test in self.covered.tests_of_file(mutant.path) if test and test not in {*nearest}]
        files = {test.partition("::")[0] for test in others}
        importing = {file for file in files if f"from {module} import" in (self.root / file).read_text("utf-8")}
        return Trial(
            written, [], [nearest, [test for test in others if test.partition("::")[0] in importing]], True
        )

    def _mirroring(self, path: str) -> str:
        folder = UNIT_TESTS / Path(path).relative_to("bot").parent
        return str(next(near for near in (folder, *folder.parents) if (self.root / near).is_dir()))
