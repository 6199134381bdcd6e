"""From where to where a base goes in a rebuild, where it moved more than once."""

from dataclasses import replace

import pytest

from bot.domain.bases.change import Move
from bot.domain.rollouts.rebuild import Target
from tests.unit.fleet.plan.world import ASPNET, HOUR, NOON, digest, move, only, planned, usage


def moved(id: int, start: str, end: str) -> Move:  # noqa: A002
    each = move(id=id, to=end, at=NOON + id * HOUR)
    return replace(each, change=replace(each.change, from_digest=digest(start)))


TWICE = [moved(1, "a", "b"), moved(2, "b", "c")]


@pytest.mark.parametrize("files", [1, 2, 3])
def test_a_base_that_moved_twice_goes_from_where_it_was_first_by_both_changes_however_many_files_name_it(
    files: int,
) -> None:
    named = [usage("aspnet:10.0@a", path=f"{number}/Dockerfile") for number in range(files)]
    found = only(planned(TWICE, named))
    assert found.targets == (Target(ASPNET, digest("a"), digest("c"), (1, 2)),)


def test_so_it_does_where_what_it_showed_between_was_planned_already() -> None:
    found = only(planned([moved(1, "a", "b"), moved(3, "c", "d")], usage("aspnet:10.0@a")))
    assert found.targets == (Target(ASPNET, digest("a"), digest("d"), (1, 3)),)
