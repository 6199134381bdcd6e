from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.builder.runs import Run, dispatched_run

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BEFORE = NOON - timedelta(days=1)


def run(number: int, title: str = "", created_at: datetime | None = None) -> Run:
    return Run(number, "", "queued", None, created_at, title)


@pytest.mark.parametrize(
    ("runs", "taken", "correlation", "found"),
    [
        ([], set(), "c-1", None),
        ([run(1), run(2)], set(), None, 1),
        ([run(1), run(2, "weekly c-1")], set(), "c-1", 2),
        ([run(1), run(2)], {1}, "c-1", 2),
        ([run(1, "c-1")], {1}, "c-1", None),
        ([run(1, "c-2"), run(2)], {1, 2}, None, None),
        ([run(1, "c-1", BEFORE), run(2, "c-2", NOON)], set(), "c-1", 1),
        ([run(1, "", BEFORE), run(2, "", NOON)], set(), "c-1", 2),
        ([run(1, "", BEFORE)], set(), "c-1", None),
    ],
)
def test_a_dispatch_owns_the_run_that_names_it_else_the_first_since_then_that_nobody_owns(
    runs: list[Run], taken: set[int], correlation: str | None, found: int | None
) -> None:
    chosen = dispatched_run(runs, taken, correlation, NOON)
    assert (chosen.id if chosen else None) == found
