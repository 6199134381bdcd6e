from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import Base
from bot.plan.cascade.graph import Graph, Link, graph_of


def image(number: int) -> Base:
    return Base("ghcr.io", f"contoso/image-{number}", "latest")


def link(number: int, child: int, parent: int) -> Link:
    return Link(number, child, parent, image(parent))


edges = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=25, unique=True)


def of(pairs: list[tuple[int, int]]) -> Graph:
    return graph_of(link(number, child, parent) for number, (child, parent) in enumerate(pairs))


def test_a_cycle_is_cut_at_its_newest_link_and_told_with_its_path() -> None:
    graph = of([(2, 1), (3, 2), (1, 3)])
    [cycle] = graph.cycles
    assert cycle.cut == link(2, 1, 3)
    assert cycle.path == (1, 3, 2, 1)
    assert graph.cut == {(1, image(3))}


def test_a_repository_that_stands_on_its_own_image_is_a_cycle() -> None:
    [cycle] = of([(1, 1)]).cycles
    assert cycle.path == (1, 1)


def test_the_age_of_a_link_decides_which_is_cut_whatever_the_order_of_reading() -> None:
    links = [link(5, 1, 2), link(4, 2, 1)]
    assert [cycle.cut.child for cycle in graph_of(links).cycles] == [1]


def test_the_distance_is_that_of_the_longest_way() -> None:
    assert of([(2, 1), (3, 2), (3, 1)]).distances() == {2: 1, 3: 2}


@given(edges)
def test_nobody_is_its_own_ancestor(pairs: list[tuple[int, int]]) -> None:
    graph = of(pairs)
    assert all(member not in graph.ancestors(member) for member in range(8))


@given(edges)
def test_every_link_counts_or_is_cut_by_a_cycle_whose_way_is_made_of_links(pairs: list[tuple[int, int]]) -> None:
    graph = of(pairs)
    kept = {(each.child, each.parent) for links in graph.parents.values() for each in links}
    cut = {(cycle.cut.child, cycle.cut.parent) for cycle in graph.cycles}
    assert kept | cut == set(pairs)
    assert not kept & cut
    for cycle in graph.cycles:
        assert cycle.path[0] == cycle.path[-1]
        assert set(pairwise(cycle.path)) <= kept | cut


@given(edges)
def test_parents_come_before_their_children_and_stand_nearer_to_the_root(pairs: list[tuple[int, int]]) -> None:
    graph = of(pairs)
    order, far = graph.in_order(), graph.distances()
    for links in graph.parents.values():
        for each in links:
            assert order.index(each.parent) < order.index(each.child)
            assert far.get(each.parent, 0) < far[each.child]


@given(edges, st.integers(0, 7))
def test_descendants_are_those_who_have_it_as_an_ancestor(pairs: list[tuple[int, int]], member: int) -> None:
    graph = of(pairs)
    assert graph.descendants(member) == {each for each in range(8) if member in graph.ancestors(each)}
