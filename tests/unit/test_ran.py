"""What the last line of a run says."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.ran import took

ROOT = Path(__file__).parents[2]
FOUR_TESTS = """
import pytest

@pytest.fixture
def breaks_at_its_end():
    yield
    raise RuntimeError

def test_passes(): pass
@pytest.mark.skip
def test_is_skipped(): pass
def test_fails(): assert False
def test_fails_twice(breaks_at_its_end): assert False
"""


@pytest.mark.parametrize(
    ("seconds", "worded"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.97, "10 s"), (41.4, "41 s"), (59.6, "1 min 0 s"), (432, "7 min 12 s")],
)
def test_how_long_it_took_is_worded_in_minutes_and_seconds(seconds: float, worded: str) -> None:
    assert took(seconds) == worded


@pytest.mark.parametrize("workers", ["0", "2"])
def test_each_test_is_counted_once_and_the_exit_code_stays(tmp_path: Path, workers: str) -> None:
    done = run(tmp_path, FOUR_TESTS, workers)
    last = done.stdout.splitlines()[-1]
    assert last.startswith("make test: 4 tests in ")
    assert last.endswith(" s, 2 failed, 1 skipped")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED


def test_where_nothing_failed_no_failures_are_told(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_passes(): pass\n", "2")
    assert done.stdout.splitlines()[-1].endswith(" s, 0 skipped")
    assert done.returncode == pytest.ExitCode.OK


def run(folder: Path, tests: str, workers: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from tests.ran import pytest_addoption, pytest_configure  # noqa: F401\n"
    )
    (folder / "test_some.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", workers, "--ran", "make test", "-q"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
