"""What holds on every graph, however bases move and however long builds take."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bot.fleet.plan.cascade.decisions import RebuildProgress
from bot.fleet.plan.cascade.graph import Image
from tests.unit.fleet.plan.cascade.world import Fleet, ancestors

SIZE = 6
ROOTS = 3


@st.composite
def fleets(draw: st.DrawFn, *, broken: bool = False, severe: bool = False, several: bool = True) -> Fleet:
    """Images name images with lower numbers, so that there is no cycle, and some upstream bases. With `several`, a
    repository may build many of them, whatever lies between."""
    count = draw(st.integers(1, SIZE))
    parents = {
        number: draw(st.lists(st.integers(0, number - 1), max_size=3, unique=True)) if number else []
        for number in range(count)
    }
    roots = {number: draw(st.lists(st.integers(0, ROOTS - 1), max_size=2, unique=True)) for number in range(count)}
    repository = {number: draw(st.integers(0, number)) if several else number for number in range(count)}
    # All builds on the longest way together take less than anybody waits for one.
    took = {number: draw(st.integers(1, 5)) for number in range(count)}
    failing = draw(st.frozensets(st.integers(0, count - 1), max_size=2)) if broken else frozenset()
    return Fleet(parents, roots, took, failing, severe, repository, draw(st.booleans()))


moves = st.lists(st.lists(st.integers(0, ROOTS - 1), max_size=2), max_size=8)
"""Which bases move before each step."""


def played(fleet: Fleet, news: list[list[int]]) -> Fleet:
    for roots in news:
        for root in roots:
            fleet.move(root)
        fleet.play()
    fleet.play_to_the_end()
    return fleet


def touched(fleet: Fleet, roots: set[int]) -> set[int]:
    """The images that stand on one of these bases, directly or over others."""
    below = {number for number in fleet.parents if roots & set(fleet.roots[number])}
    nodes = {fleet.node(number) for number in below}
    return below | {number for number in fleet.parents if nodes & ancestors(fleet.graph, fleet.node(number))}


@given(fleets(), moves)
def test_no_child_begins_before_its_parents(fleet: Fleet, news: list[list[int]]) -> None:
    assert played(fleet, news).early == []


@given(fleets(), moves)
def test_there_is_one_rebuild_at_most_for_each_wanted_state(fleet: Fleet, news: list[list[int]]) -> None:
    assert max(Counter(played(fleet, news).served).values(), default=0) <= 1


@given(fleets(), moves)
def test_all_are_proven_in_the_end(fleet: Fleet, news: list[list[int]]) -> None:
    played(fleet, news)
    assert all(fleet.is_proven(number) for number in fleet.parents)


@given(fleets(), moves)
def test_builds_that_never_make_the_same_layers_come_to_rest_with_all_proven(
    fleet: Fleet, news: list[list[int]]
) -> None:
    fleet.noisy = True
    played(fleet, news)
    assert all(fleet.is_proven(number) for number in fleet.parents)


@given(fleets(several=False), st.sets(st.integers(0, ROOTS - 1), min_size=1))
def test_no_rebuild_more_than_a_perfect_planner_needs(fleet: Fleet, roots: set[int]) -> None:
    """It would rebuild once whoever stands on a moved base, directly or over others, and nobody else."""
    played(fleet, [sorted(roots)])
    assert Counter(fleet.runs) == Counter(touched(fleet, roots))


@given(fleets(), st.sets(st.integers(0, ROOTS - 1), min_size=1))
def test_a_repository_is_built_once_for_all_of_its_images_unless_they_stand_on_each_other(
    fleet: Fleet, roots: set[int]
) -> None:
    """Then each of its builds is for an image that no other was for, which no planner can do without."""
    played(fleet, [sorted(roots)])
    needed = Counter(fleet.home(number) for number in touched(fleet, roots))
    assert fleet.runs == [] or set(fleet.runs) == needed.keys()
    for home, count in Counter(fleet.runs).items():
        assert count <= (needed[home] if home in fleet.graph.turning else 1)


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
        fleet.play()
        failed: dict[int, list[Image]] = {}
        for image, progress in fleet.progress().items():
            if progress is RebuildProgress.FAILED:
                failed.setdefault(image.repository, []).append(image)
        below = {
            home: {each.repository for each in fleet.graph.descendants(images)} - {home}
            for home, images in failed.items()
        }
        assert fleet.decided().blocks == {home: len(some) for home, some in below.items() if some}


@given(fleets(severe=True, several=False), st.sets(st.integers(0, ROOTS - 1), min_size=1))
def test_a_severe_fix_goes_at_once_and_is_followed_up_once(fleet: Fleet, roots: set[int]) -> None:
    for root in roots:
        fleet.move(root)
    begun = set(fleet.play().frontier)
    assert begun == {number for number in fleet.parents if roots & set(fleet.roots[number])}
    fleet.play_to_the_end()
    assert all(fleet.is_proven(number) for number in fleet.parents)
    assert max(Counter(fleet.runs).values(), default=0) <= 2


@given(fleets(severe=True), st.sets(st.integers(0, ROOTS - 1), min_size=1))
def test_so_it_does_where_a_repository_builds_several_images(fleet: Fleet, roots: set[int]) -> None:
    """Whatever has to follow because its images stand on each other follows as for any other fix."""
    for root in roots:
        fleet.move(root)
    begun = set(fleet.play().frontier)
    assert begun == {fleet.home(number) for number in fleet.parents if roots & set(fleet.roots[number])}
    fleet.play_to_the_end()
    assert all(fleet.is_proven(number) for number in fleet.parents)
    needed = Counter(fleet.home(number) for number in touched(fleet, roots))
    for home, count in Counter(fleet.runs).items():
        assert count <= (needed[home] + 1 if home in fleet.graph.turning else 2)
