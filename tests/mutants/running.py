"""Runs tests that were collected one after another until one fails; what it may take is bounded."""

import os
import resource
import signal
from collections.abc import Sequence
from itertools import zip_longest
from typing import IO

import pytest

PROCESSOR_SECONDS, SECONDS = 30, 90
"""What one test may take with a mutant; as the code stands none of these takes ten. More ends the process."""

MEMORY = 8 * 2**30
PASSED, FAILED = 0, 1


def run_until_failed(items: Sequence[pytest.Item], told: int) -> int:
    """The name of each test is written to the open file `told` before it runs: the last one is where it ended."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for item, following in zip_longest(items, items[1:]):
        os.write(told, f"\n{item.nodeid}".encode())
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        failures = _Failures()
        item.config.pluginmanager.register(failures)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        item.config.pluginmanager.unregister(failures)
        if failures.has_failed:
            return FAILED
    return PASSED


def last_told(told: IO[bytes]) -> str:
    told.seek(0)
    return told.read().decode().rpartition("\n")[2]


class _Failures:
    def __init__(self) -> None:
        self.has_failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.has_failed |= report.failed


def keep_silent() -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


def look_for_examples_only() -> None:
    """The same examples in each run; one that fails is not made smaller first.

    Hypothesis is imported here since pytest warns of plugins that are imported before it starts.
    """
    from hypothesis import Phase, settings

    settings.register_profile(
        "mutants", settings.get_profile("quick"), derandomize=True, phases=[Phase.explicit, Phase.generate]
    )
    settings.load_profile("mutants")
