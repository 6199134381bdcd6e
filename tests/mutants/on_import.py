"""One mutant of what runs on import, in a process of its own: `python -m tests.mutants.on_import`.

It reads JSON on standard input: the file, its text, the tests in their order. The name of each test is told before
it runs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from tempfile import TemporaryFile
from types import CodeType
from typing import Any

import pytest

from tests.mutants.running import FAILED, keep_silent, last_told, look_for_examples_only, run_until_failed

OPTIONS = ("-q", "-s", "-m", "not long", "-p", "no:cacheprovider", "--hypothesis-profile=quick")
"""What pytest is given wherever mutants are tried."""

SECONDS = 900


def run_on_import(path: str, text: str, tests: Sequence[str], root: Path) -> tuple[int, str]:
    """The status that the process ends with, and the test that ran then; empty where it was not to be imported."""
    if not tests:
        return 0, ""
    asked = json.dumps({"path": path, "text": text, "tests": tests})
    with TemporaryFile() as told:
        command = [sys.executable, "-m", "tests.mutants.on_import", str(told.fileno())]
        with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, pass_fds=[told.fileno()]) as process:
            try:
                process.communicate(asked.encode(), SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        return process.returncode, last_told(told)


def function_of(test: str) -> str:
    """The name of a test without that of its case."""
    return test.partition("[")[0]


class _InOrder:
    def __init__(self, tests: Sequence[str], told: int) -> None:
        self._tests = tests
        self._told = told
        self.status = FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        look_for_examples_only()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """A test is told by its function: what a mutant changes may be part of the name of a case."""
        order = {function_of(test): place for place, test in reversed([*enumerate(self._tests)])}
        chosen = [item for item in session.items if function_of(item.nodeid) in order]
        chosen.sort(key=lambda item: order[function_of(item.nodeid)])
        if not session.testsfailed:
            self.status = run_until_failed(chosen, self._told)
        return True


def _import_mutated(path: Path, text: str) -> None:
    """From now on an import of the module at `path` reads this text."""
    original: Any = SourceFileLoader.get_code

    def get_code(loader: Any, fullname: str) -> CodeType | None:
        if Path(loader.path) == path:
            return compile(text, loader.path, "exec", dont_inherit=True)
        code: CodeType | None = original(loader, fullname)
        return code

    loading: Any = SourceFileLoader
    loading.get_code = get_code


def main(told: int) -> int:
    asked = json.load(sys.stdin)
    _import_mutated(Path(asked["path"]).absolute(), asked["text"])
    keep_silent()
    run = _InOrder(asked["tests"], told)
    files = sorted({test.partition("::")[0] for test in asked["tests"]})
    pytest.main([*OPTIONS, *files], plugins=[run])
    return run.status


if __name__ == "__main__":
    os._exit(main(int(sys.argv[1])))
