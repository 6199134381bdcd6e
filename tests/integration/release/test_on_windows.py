"""`scan`, `update` and `audit` without what Windows lacks, by the script that a release runs on Windows itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
AS_ON_WINDOWS = Path(__file__).with_name("as_on_windows.py")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux tells which files a process has open")
def test_what_runs_on_a_checkout_needs_nothing_that_windows_lacks(tmp_path: Path) -> None:
    program = tmp_path / "freshness-bot"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -X warn_default_encoding "{AS_ON_WINDOWS}" "$@"\n')
    program.chmod(0o755)
    ended = subprocess.run(
        [sys.executable, ROOT / "tools" / "try_program.py"],
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "answer as they ought to" in ended.stdout
