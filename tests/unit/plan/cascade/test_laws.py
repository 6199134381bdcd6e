"""What holds on every graph, however bases move and however long builds take."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plan.cascade.world import Fleet

SIZE = 6
ROOTS = 3


@st.composite
def fleets(draw: st.DrawFn, *, broken: bool = False, severe: bool = False) -> Fleet:
    """Members name images of members with lower numbers, so that there is no cycle, and some upstream bases."""
    count = draw(st.integers(1, SIZE))
    parents = {
        member: draw(st.lists(st.integers(0, member - 1), max_size=3, unique=True)) if member else []
        for member in range(count)
    }
    roots = {member: draw(st.lists(st.integers(0, ROOTS - 1), max_size=2, unique=True)) for member in range(count)}
    # All builds on the longest way together take less than anybody waits for one.
    took = {member: draw(st.integers(1, 5)) for member in range(count)}
    failing = draw(st.frozensets(st.integers(0, count - 1), max_size=2)) if broken else frozenset()
    return Fleet(parents, roots, took, failing, severe)


moves = st.lists(st.lists(st.integers(0, ROOTS - 1), max_size=2), max_size=8)
"""Which bases move before each step."""


def played(fleet: Fleet, news: list[list[int]]) -> Fleet:
    for roots in news:
        for root in roots:
            fleet.move(root)
        fleet.play()
    fleet.play_to_the_end()
    return fleet


@given(fleets(), moves)
def test_no_child_begins_before_its_parents(fleet: Fleet, news: list[list[int]]) -> None:
    assert played(fleet, news).early == []


@given(fleets(), moves)
def test_there_is_one_rebuild_at_most_for_each_wanted_state(fleet: Fleet, news: list[list[int]]) -> None:
    assert max(Counter(played(fleet, news).begun).values(), default=0) <= 1


@given(fleets(), moves)
def test_all_are_proven_in_the_end(fleet: Fleet, news: list[list[int]]) -> None:
    played(fleet, news)
    assert all(fleet.is_proven(number) for number in fleet.parents)


@given(fleets(), st.sets(st.integers(0, ROOTS - 1), min_size=1))
def test_no_rebuild_more_than_a_perfect_planner_needs(fleet: Fleet, roots: set[int]) -> None:
    """It would rebuild once whoever stands on a moved base, directly or over others, and nobody else."""
    played(fleet, [sorted(roots)])
    touched = {number for number in fleet.parents if roots & set(fleet.roots[number])}
    needed = touched | {number for number in fleet.parents if touched & fleet.graph.ancestors(number)}
    assert Counter(number for number, _ in fleet.begun) == Counter(needed)


@given(fleets(broken=True), moves)
def test_whoever_stands_on_a_failed_one_begins_nothing_before_the_time_to_join_is_over(
    fleet: Fleet, news: list[list[int]]
) -> None:
    for roots in news[: fleet.timeout]:
        for root in roots:
            fleet.move(root)
        fleet.play()
    assert fleet.early == []


@given(fleets(broken=True), moves)
def test_each_failed_one_is_told_with_how_many_it_blocks(fleet: Fleet, news: list[list[int]]) -> None:
    for roots in news:
        for root in roots:
            fleet.move(root)
        found = fleet.play()
        failed = {number for number in fleet.failed if number in found.blocks}
        assert found.blocks == {number: len(fleet.graph.descendants(number)) for number in failed}
    assert all(found >= 1 for found in fleet.decided().blocks.values())


@given(fleets(severe=True), st.sets(st.integers(0, ROOTS - 1), min_size=1))
def test_a_severe_fix_goes_at_once_and_is_followed_up_once(fleet: Fleet, roots: set[int]) -> None:
    for root in roots:
        fleet.move(root)
    begun = set(fleet.play().frontier)
    assert begun == {number for number in fleet.parents if roots & set(fleet.roots[number])}
    fleet.play_to_the_end()
    assert all(fleet.is_proven(number) for number in fleet.parents)
    assert max(Counter(number for number, _ in fleet.begun).values(), default=0) <= 2
