"""Measures what the project promises about speed: `python -m tests.bench [NAME …]`.

Each `bench_NAME.py` beside this file has `run()`: rows of what, measured and aim, and whether that is met,
where the bench tells it (`Measured`).
"""

import importlib
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table


def main(wanted: list[str]) -> None:
    names = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    chosen = [name for name in names if not wanted or name.removeprefix("bench_") in wanted]
    table = Table("what", "measured", "aim", "is met", title="Benchmarks")
    for name in track(chosen, description="measuring", console=Console(stderr=True)):
        for row in importlib.import_module(f"tests.bench.{name}").run():
            table.add_row(*row[:3], *({True: "yes", False: "NO"}[is_met] for is_met in row[3:]))
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
