import subprocess
import sys

import pytest

from tests.children import started


def test_a_child_that_takes_too_long_does_not_outlive_its_test() -> None:
    waiting = [sys.executable, "-c", "input()"]
    with pytest.raises(TimeoutError), started(waiting, waiting, stdin=subprocess.PIPE) as children:
        raise TimeoutError
    assert [child.returncode for child in children] == [-9, -9]
