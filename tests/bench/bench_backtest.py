"""Three years of history through the whole backtest: time on one core and memory, in a process of its own."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.measured import Measured
from tests.conftest import SHARED

LOG = SHARED / "observations-2023-2025.jsonl.xz"
RELEASES = SHARED / "releases-2023-2025.jsonl"
_REPLAY = """
import os, sys
from pathlib import Path
from bot.backtest.command import backtest
from tests.own_memory import most_memory
log, releases, changes = map(Path, sys.argv[1:])
with open("/dev/null", "w") as out:
    backtest(observations=log, releases=releases, changes=changes, output_format="html", out=out)
print(sum(os.times()[:4]), most_memory())
"""


def run() -> list[Measured]:
    if not LOG.is_file():
        return [Measured("backtest of three years", "not measured: the shared history is not here")]
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder:
        changes = Path(folder) / "changes.jsonl"
        command = [sys.executable, "-c", _REPLAY, str(LOG), str(RELEASES), str(changes)]
        started = time.monotonic()
        environment = os.environ | {"PYTHONPATH": str(root)}
        ended = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        elapsed = time.monotonic() - started
        rows = len(changes.read_text().splitlines())
    seconds, memory = (float(figure) for figure in ended.stdout.split())
    what = "backtest of three years"
    return [
        Measured(f"{what}, 14,110 changes: concluded", f"{rows:,}", "14,110", rows == 14_110),
        Measured(f"{what}: processor time", f"{seconds:.1f} s", "below 10 s", seconds < 10),
        Measured(f"{what}: elapsed", f"{elapsed:.1f} s", "below 10 s on an idle core", elapsed < 10),
        Measured(f"{what}: most memory", f"{memory / 2**20:.0f} MB", "below 300 MB", memory < 300 * 2**20),
    ]
