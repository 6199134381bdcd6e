"""What is forked begins alike, whatever else was imported."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import killing

ROOT = Path(__file__).parents[2]
MODULES = ("killing", "day", "replicas")


@pytest.mark.parametrize("last", MODULES)
def test_every_bot_is_forked_from_the_process_that_is_warm(last: str) -> None:
    modules = [*(name for name in MODULES if name != last), last]
    imports = "".join(f"import tests.e2e.{name}\n" for name in modules)
    shown = "from multiprocessing import forkserver\nprint(forkserver._forkserver._preload_modules)"
    ended = subprocess.run(
        [sys.executable, "-c", imports + shown], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "['tests.e2e.warmed']\n"


def test_a_pass_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tests' own process would wait for it in the end, and never come to one."""
    monkeypatch.setattr(killing, "_PATIENCE", 0.5)
    os.mkfifo(tmp_path / "freshness.yaml")
    with pytest.raises(AssertionError, match="the pass hangs"):
        killing.run_passes(tmp_path / "freshness.yaml")
    assert multiprocessing.active_children() == []
