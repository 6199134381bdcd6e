from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.fleet.plan.cascade.graph import Graph, Image, Link, graph_of
from tests.unit.fleet.plan.cascade.world import ancestors, image, link, own

edges = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=25, unique=True)


def of(pairs: list[tuple[int, int]]) -> Graph:
    return graph_of(link(number, child, parent) for number, (child, parent) in enumerate(pairs))


def test_a_cycle_is_cut_at_its_newest_link_and_told_with_its_path() -> None:
    graph = of([(2, 1), (3, 2), (1, 3)])
    [cycle] = graph.cycles
    assert cycle.cut == link(2, 1, 3)
    assert cycle.path == tuple(map(image, (1, 3, 2, 1)))
    assert graph.cut == {(image(1), own(3))}


def test_an_image_that_stands_on_itself_is_a_cycle() -> None:
    [cycle] = of([(1, 1)]).cycles
    assert cycle.path == (image(1), image(1))


def test_the_age_of_a_link_decides_which_is_cut_whatever_the_order_of_reading() -> None:
    links = [link(5, 1, 2), link(4, 2, 1)]
    assert [cycle.cut.child for cycle in graph_of(links).cycles] == [image(1)]


def test_the_distance_is_that_of_the_longest_way() -> None:
    assert of([(2, 1), (3, 2), (3, 1)]).distances() == {image(2): 1, image(3): 2}


@given(edges)
def test_nobody_is_its_own_ancestor(pairs: list[tuple[int, int]]) -> None:
    graph = of(pairs)
    assert all(each not in ancestors(graph, each) for each in map(image, range(8)))


@given(edges)
def test_every_link_counts_or_is_cut_by_a_cycle_whose_way_is_made_of_links(pairs: list[tuple[int, int]]) -> None:
    graph = of(pairs)
    kept = {(each.child, each.parent) for links in graph.parents.values() for each in links}
    cut = {(cycle.cut.child, cycle.cut.parent) for cycle in graph.cycles}
    assert kept | cut == {(image(child), image(parent)) for child, parent in pairs}
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
    below = {each for each in map(image, range(8)) if image(member) in ancestors(graph, each)}
    assert graph.descendants([image(member)]) == below


R, S, T = 1, 2, 3
A, B, X = Image(R, "ghcr.io/contoso/a"), Image(R, "ghcr.io/contoso/b"), Image(S, "ghcr.io/contoso/x")


def upon(number: int, child: Image, parent: Image) -> Link:
    return Link(number, child, parent, own(number))


def test_a_way_through_another_repository_and_back_is_no_cycle() -> None:
    graph = graph_of([upon(1, X, A), upon(2, B, X)])
    assert graph.cycles == ()
    assert graph.distances() == {X: 1, B: 2}


def test_such_a_way_is_known_and_who_stands_above_or_below_it_is_no_part_of_it() -> None:
    above, below = Image(8), Image(9)
    graph = graph_of([upon(1, X, A), upon(2, B, X), upon(3, A, above), upon(4, below, B)])
    assert graph.turning == {R, S}
    assert graph.only_brought == {(X, own(1)), (B, own(2))}


def test_an_image_upon_another_of_its_repository_is_such_a_way_too() -> None:
    assert graph_of([upon(1, B, A), upon(2, X, A)]).turning == {R}


def test_a_chain_of_repositories_has_none() -> None:
    assert graph_of([upon(1, X, A), upon(2, Image(T), X)]).turning == frozenset()
