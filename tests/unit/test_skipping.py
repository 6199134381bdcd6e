"""Where nothing may be skipped, a skip is a failure; a run that cannot have the shared data says so."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import NO_SHARED_DATA, _forbid_skip


def outcome_of(reason: str, *options: str) -> str:
    report: Any = SimpleNamespace(skipped=True, outcome="skipped", longrepr=("test.py", 1, f"Skipped: {reason}"))
    config: Any = SimpleNamespace(getoption=lambda name: name in options)
    _forbid_skip(config, report)
    return str(report.outcome)


@pytest.mark.parametrize("reason", [NO_SHARED_DATA, "docker-registry is missing"])
def test_a_skip_is_a_failure_only_where_that_is_asked_for(reason: str) -> None:
    assert outcome_of(reason) == "skipped"
    assert outcome_of(reason, "--without-shared-data") == "skipped"
    assert outcome_of(reason, "--no-skips") == "failed"


def test_a_run_without_the_shared_data_skips_what_reads_it_and_nothing_else() -> None:
    assert outcome_of(NO_SHARED_DATA, "--no-skips", "--without-shared-data") == "skipped"
    assert outcome_of("docker-registry is missing", "--no-skips", "--without-shared-data") == "failed"
