"""What a run says in its last line: what it was, and how long it took. The Makefile asks for it.

`pytest --ran NAME` ends with `NAME: 18,906 tests in 7 min 12 s, 0 skipped`, however it ends; `python -m tests.ran
SINCE NAME` tells how long ago a moment was, in seconds since 1970.
"""

import sys
import time
from collections.abc import Generator, Mapping, Sequence

import pytest
from _pytest.terminal import TerminalReporter

_OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
"""As pytest names them; what is wanted to fail and does (`xfailed`) is no failure."""


def took(seconds: float) -> str:
    """`0.4 s`, `41 s`, `7 min 12 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ran", metavar="NAME", help="end with a line that says what ran, and how long it took")


def pytest_configure(config: pytest.Config) -> None:
    """Workers say nothing: what they ran is counted by the process that started them."""
    if (name := config.getoption("--ran")) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Ran(name), "ran")


class _Ran:
    def __init__(self, name: str) -> None:
        self._name = name
        self._began = time.monotonic()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Below what pytest itself tells at its end."""
        yield
        terminal = session.config.pluginmanager.getplugin("terminalreporter")
        if isinstance(terminal, TerminalReporter):
            terminal.write_line(_line(self._name, terminal.stats, time.monotonic() - self._began))


def _line(name: str, reports: Mapping[str, Sequence[object]], seconds: float) -> str:
    """One test may have several reports: it fails, and so does what clears up after it."""
    tests = {outcome: {getattr(each, "nodeid", "") for each in reports.get(outcome, ())} for outcome in _OUTCOMES}
    failed = tests["failed"] | tests["error"]
    return (
        f"{name}: {len(set().union(*tests.values())):,} tests in {took(seconds)}, "
        f"{f'{len(failed):,} failed, ' if failed else ''}{len(tests['skipped']):,} skipped"
    )


if __name__ == "__main__":
    print(f"{sys.argv[2]}: {took(time.time() - float(sys.argv[1]))}")
