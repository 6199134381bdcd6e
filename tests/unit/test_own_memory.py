"""What a process is told to have held at most."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TELL = "from tests.own_memory import most_memory; print(most_memory())"
LARGE = f"""
import subprocess, sys
held = bytearray(300_000_000)
held[::4096] = b"x" * len(held[::4096])
subprocess.run([sys.executable, "-c", {TELL!r}], check=True)
"""


def told(program: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


def test_what_its_parent_held_is_not_a_process_own() -> None:
    assert told(LARGE) < 100_000_000


def test_what_a_process_held_and_gave_back_counts() -> None:
    assert told(f"held = bytes(200_000_000).replace(b'\\0', b'x'); del held; {TELL}") > 200_000_000
