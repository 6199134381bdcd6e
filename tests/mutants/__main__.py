"""Changes the rules piece by piece and says which changes no unit test tells: `make mutants`.

`equivalent.toml` names the mutants that change nothing that is promised, with the reason. What was measured and
found is kept in `.mutants/`; there `survivors.toml` has those that survived as such entries, without a reason.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from tests.mutants.covered import Covered, NotMeasured, digest
from tests.mutants.mutants import Written
from tests.mutants.on_import import OPTIONS
from tests.mutants.report import Judged, described, equivalent, figures, survivors
from tests.mutants.results import Basis, Results
from tests.mutants.sample import MutantTests, Rooms
from tests.mutants.trials import Outcome, Trial, Trials, Verdict

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".mutants"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
ROOMS = (
    "bot/fleet/plan",
    "bot/domain/rollouts",
    "bot/domain/images",
    "bot/domain/bases",
    "bot/domain/tags",
    "bot/images/standing",
    "bot/fleet/assess",
    "bot/fleet/act",
    "bot/fleet/follow",
    "bot/reconcile",
)
"""Where it is decided what happens."""


class Run:
    """A sample of the mutants of some rooms, tried as far as their results are not known."""

    def __init__(self, rooms: Rooms, sample: Sequence[Written], covered: Covered) -> None:
        self._rooms = rooms
        self._sample = sample
        self._covered = covered
        self._results = Results(KEPT / "results.jsonl", ROOT)
        self._equivalent = equivalent(EQUIVALENT)
        self._bases = {path: Basis(digest([ROOT / path]), covered.everything) for path in rooms.sources}
        self._console = Console(file=os.fdopen(os.dup(1), "w", buffering=1), width=120)

    def try_what_is_unknown(self) -> bool:
        """Whether all of it could be tried."""
        unknown = [written for written in self._sample if self._verdict(written) is None]
        tests = MutantTests(self._covered, ROOT)
        trials = sorted(map(tests.trial, unknown), key=lambda trial: trial.runs_on_import)  # the quick ones first
        files = sorted({test.partition("::")[0] for trial in trials for test in trial.all_tests()})
        self._say(f"{len(self._sample)} mutants, of which {len(trials)} are tried on {len(files)} files of tests")
        for trial in trials:
            if not trial.all_tests():
                self._keep(trial, Verdict(Outcome.SURVIVED))
        tested = [trial for trial in trials if trial.all_tests()]
        return not tested or pytest.main([*OPTIONS, *files], plugins=[Trials(tested, ROOT, self._keep)]) == 0

    def tell(self) -> None:
        judged = [
            Judged(self._rooms.room(written.key.path), written, verdict, self._equivalent.get(written.key, ""))
            for written in self._sample
            if (verdict := self._verdict(written)) is not None
        ]
        (KEPT / "survivors.toml").write_text(survivors(judged), encoding="utf-8")
        for one in judged:
            if one.is_missed:
                self._say(described(one.written))
            elif one.equivalent_because and not one.has_survived:
                self._say(f"{EQUIVALENT.name}: {one.verdict.killed_by} kills this\n{described(one.written)}")
        for key in self._rooms.unknown(self._equivalent):
            self._say(f"{EQUIVALENT.name}: {key.path} {key.function} has no such mutant any more\n{key.difference}")
        self._console.print(figures(judged, self._rooms.sizes()))

    def _verdict(self, written: Written) -> Verdict | None:
        return self._results.verdict(written.key, self._bases[written.key.path])

    def _keep(self, trial: Trial, verdict: Verdict) -> None:
        key = trial.written.key
        self._results.keep(key, self._bases[key.path], verdict)
        if verdict.outcome is Outcome.SURVIVED:
            self._say(described(trial.written))

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", default=ROOMS, help="folders of the bot, or files")
    parser.add_argument("--sample", type=int, default=400, help="how many are tried; 0 is all")
    parser.add_argument("--seed", type=int, default=1, help="another seed tries others")
    parser.add_argument("--workers", type=int, default=1, help="processes that measure what tests cover")
    asked = parser.parse_args(arguments)
    KEPT.mkdir(exist_ok=True)
    covered = Covered(KEPT, ROOT)
    rooms = Rooms(ROOT, [room.rstrip("/") for room in asked.rooms])
    try:
        covered.measure({*ROOMS, *rooms.sizes()}, asked.workers)
    except NotMeasured as error:
        print(error, file=sys.stderr)
        return 1
    run = Run(rooms, rooms.sample(asked.sample, asked.seed), covered)
    could_be_tried = run.try_what_is_unknown()
    run.tell()
    if not could_be_tried:
        print("not all of them could be tried; what pytest says stands above", file=sys.stderr)
    return int(not could_be_tried)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
