"""Three years of history through the whole backtest: time on one core and memory, in a process of its own."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import SHARED

LOG = SHARED / "observations-2023-2025.jsonl.xz"
RELEASES = SHARED / "releases-2023-2025.jsonl"
_REPLAY = """
import sys
from pathlib import Path
from bot.backtest.command import backtest
log, releases, changes = map(Path, sys.argv[1:])
with open("/dev/null", "w") as out:
    backtest(observations=log, releases=releases, changes=changes, output_format="html", out=out)
"""


def run() -> list[tuple[str, str, str]]:
    """What was measured, the figure, the aim. Empty where the history is absent."""
    if not LOG.is_file():
        return []
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder:
        changes = Path(folder) / "changes.jsonl"
        command = [sys.executable, "-c", _REPLAY, str(LOG), str(RELEASES), str(changes)]
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=root, env=os.environ | {"PYTHONPATH": str(root)})
        _, status, used = os.wait4(process.pid, 0)
        elapsed = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"the replay ended with {process.returncode}")
        rows = len(changes.read_text().splitlines())
    return [
        ("backtest of three years, 14,110 changes: concluded", f"{rows:,}", "14,110"),
        ("backtest of three years: processor time", f"{_seconds(used):.1f} s", "below 10 s"),
        ("backtest of three years: elapsed", f"{elapsed:.1f} s", "below 10 s on an idle core"),
        ("backtest of three years: most memory", f"{used.ru_maxrss / 1024:.0f} MB", "below 300 MB"),
    ]


def _seconds(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime
