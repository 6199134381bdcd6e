import pytest

from bot.domain.forge.runs import Run, dispatched_run


def run(number: int, title: str = "") -> Run:
    return Run(number, "", "queued", None, title=title)


@pytest.mark.parametrize(
    ("runs", "taken", "correlation", "found"),
    [
        ([], set(), "c-1", None),
        ([run(1), run(2)], set(), None, 1),
        ([run(1), run(2, "weekly c-1")], set(), "c-1", 2),
        ([run(1), run(2)], {1}, "c-1", 2),
        ([run(1, "c-1")], {1}, "c-1", None),
        ([run(1, "c-2"), run(2)], {1, 2}, None, None),
    ],
)
def test_a_dispatch_owns_the_run_that_names_it_else_the_first_that_nobody_owns(
    runs: list[Run], taken: set[int], correlation: str | None, found: int | None
) -> None:
    chosen = dispatched_run(runs, taken, correlation)
    assert (chosen.id if chosen else None) == found
