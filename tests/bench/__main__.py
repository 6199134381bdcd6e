"""Measures what the project promises about speed: `python -m tests.bench [NAME …]`, or `make bench ONLY="NAME …"`.

Each `bench_NAME.py` beside this file has `run()`, which gives what it `Measured`, one by one or all at its end.
Every bench runs in a process of its own, and its figures are printed as they come. What breaks stops no other. The
exit code is 1 where an aim is missed or a bench broke, and 2 where a name is of none.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.measured import Measured
from tests.ran import took


@dataclass(slots=True)
class Bench:
    """One bench, and what it has told so far; `code` is that of its process, negative where a signal ended it."""

    name: str
    measured: list[Measured] = field(default_factory=list)
    code: int = 0

    @property
    def broke(self) -> str:
        """How it broke, or nothing. One that measured nothing has not shown that it works."""
        if self.code:
            return f"ended by signal {-self.code}" if self.code < 0 else f"ended with code {self.code}"
        return "" if self.measured else "told no figure"

    @property
    def missed(self) -> list[Measured]:
        return [each for each in self.measured if each.is_met is False]


def main(wanted: Sequence[str], package: str = "tests.bench", folder: Path = Path(__file__).parent) -> int:
    """Runs the benches of a package that are wanted, or all of them; the exit code."""
    names = sorted(path.stem.removeprefix("bench_") for path in folder.glob("bench_*.py"))
    if unknown := [name for name in wanted if name not in names]:
        print(f"no bench is named {', '.join(unknown)}; there are: {' '.join(names)}", file=sys.stderr)
        return 2
    began = time.monotonic()
    benches = [Bench(name) for name in names if not wanted or name in wanted]
    for bench in benches:
        _run(bench, package)
    return _sum_up(benches, time.monotonic() - began)


def _run(bench: Bench, package: str) -> None:
    """Prints its figures as they come, then how long it took; a busy machine takes longer for as much work."""
    _say(bench.name)
    began, worked = time.monotonic(), _processor_time()
    command = [sys.executable, "-m", "tests.bench.one", f"{package}.bench_{bench.name}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            bench.measured.append(Measured(**json.loads(line)))
            _say(f"  {bench.measured[-1]}")
        bench.code = process.wait()
    if bench.broke:
        _say(f"  BROKE   {bench.broke}; what it said about that is above")
    _say(f"  in {took(time.monotonic() - began)}, {took(_processor_time() - worked)} of processor time")


def _sum_up(benches: Sequence[Bench], seconds: float) -> int:
    missed = [(bench.name, each) for bench in benches for each in bench.missed]
    broken = [bench for bench in benches if bench.broke]
    for name, each in missed:
        _say(f"{each} [{name}]")
    for bench in broken:
        _say(f"BROKE   {bench.name}: {bench.broke}")
    figures = sum(len(bench.measured) for bench in benches)
    counts = f"figures: {figures}, aims missed: {len(missed)}, benches broken: {len(broken)}"
    _say(f"make bench: {', '.join(bench.name for bench in benches)} in {took(seconds)}; {counts}")
    return 1 if missed or broken else 0


def _processor_time() -> float:
    """Seconds of all processes that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
