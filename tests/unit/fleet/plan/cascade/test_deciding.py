"""One decision about any graph, whatever its images are up to and whatever their tags show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.fleet.plan.cascade.decisions import Cascade, Due, RebuildProgress, Wait
from bot.fleet.plan.cascade.frontier import JOIN_TIMEOUT, decide_frontier
from bot.fleet.plan.cascade.graph import Graph, Image, Link, graph_of
from bot.fleet.plan.cascade.shown import Shown
from tests.unit.fleet.plan.cascade.world import NOON, ancestors, image, link

SIZE = 6
MINUTE = timedelta(minutes=1)
BUSY = (RebuildProgress.DUE, RebuildProgress.UNDER_WAY, RebuildProgress.FAILED)


@dataclass(frozen=True)
class Case:
    """Images of a repository each; what `shown` leaves out is idle."""

    graph: Graph
    progress: Mapping[Image, RebuildProgress]
    dues: Mapping[int, Due]
    shown: Mapping[tuple[Image, object], Shown]

    @property
    def decided(self) -> Cascade:
        return decide_frontier(self.graph, self.progress, self.dues, self.shown, NOON)  # type: ignore[arg-type]

    def is_to_be_rebuilt(self, one: Image) -> bool:
        """Itself, or an image that it stands on."""
        above = ancestors(self.graph, one)
        return any(self.progress.get(each) in BUSY for each in (one, *above))

    def is_ready(self, to_parent: Link) -> bool:
        """As the words have it: its image and all above are settled, and the tag that the child names shows it."""
        told = self.shown.get((to_parent.child, to_parent.base), Shown.IDLE)
        return not self.is_to_be_rebuilt(to_parent.parent) and told not in (Shown.UNTOLD, Shown.OLD)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Some links may close cycles; who is due has waited for up to three hours."""
    pairs = draw(st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), max_size=10, unique=True))
    graph = graph_of(link(number, *pair) for number, pair in enumerate(pairs, 1))
    progress: dict[Image, RebuildProgress] = {}
    dues: dict[int, Due] = {}
    for number in range(SIZE):
        mine = draw(st.sampled_from([RebuildProgress.SETTLED, RebuildProgress.SETTLED, *BUSY]))
        progress[image(number)] = mine
        if mine is RebuildProgress.DUE:
            since = NOON - draw(st.integers(0, 180)) * MINUTE
            is_severe, went_ahead = draw(st.booleans()), draw(st.booleans())
            dues[number] = Due(number, frozenset({image(number)}), since, is_severe, went_ahead)
    links = [each for some in graph.parents.values() for each in some]
    shown: dict[tuple[Image, object], Shown] = {
        (each.child, each.base): draw(st.sampled_from(Shown)) for each in links
    }
    return Case(graph, progress, dues, shown)


@given(cases())
def test_everybody_who_is_due_acts_or_waits_and_nobody_both(case: Case) -> None:
    found = case.decided
    assert found.frontier.keys() | found.waits.keys() == case.dues.keys()
    assert not found.frontier.keys() & found.waits.keys()


@given(cases())
def test_only_the_frontier_acts_unless_a_fix_is_severe_or_the_time_to_join_is_over(case: Case) -> None:
    for number, passed in case.decided.frontier.items():
        is_ready = all(map(case.is_ready, case.graph.of(image(number))))
        assert passed.is_ahead is not is_ready
        due = case.dues[number]
        is_late = due.since is not None and NOON - due.since >= JOIN_TIMEOUT
        assert is_ready or (due.is_severe and not due.went_ahead) or is_late


@given(cases())
def test_a_child_whose_parents_are_ready_waits_for_nothing(case: Case) -> None:
    waiting = case.decided.waits
    assert not [number for number in waiting if all(map(case.is_ready, case.graph.of(image(number))))]


@given(cases())
def test_who_waits_is_told_for_whom_and_until_when(case: Case) -> None:
    for number, wait in case.decided.waits.items():
        assert isinstance(wait, Wait)
        late = {each.base for each in case.graph.of(image(number)) if not case.is_ready(each)}
        assert set(wait.bases) == late
        assert wait.until == (case.dues[number].since or NOON) + JOIN_TIMEOUT > NOON
        assert wait.reason.startswith("waits for image-")
        failed = {each for each, told in case.progress.items() if told is RebuildProgress.FAILED}
        above = {
            each for to in case.graph.of(image(number)) for each in (to.parent, *ancestors(case.graph, to.parent))
        }
        blocking = {each.repository for each in failed & above}
        assert (wait.blocked_by in blocking) if blocking and wait.blocked_by is not None else not blocking


@given(cases())
def test_who_goes_though_something_is_not_proven_is_told_so(case: Case) -> None:
    for number, passed in case.decided.frontier.items():
        told = {case.shown[(each.child, each.base)] for each in case.graph.of(image(number))}
        assert bool(passed.remark) is (passed.is_ahead or Shown.CLAIMED in told)


@given(cases())
def test_a_failed_image_is_told_once_with_all_that_stand_on_it(case: Case) -> None:
    below = {
        one.repository: {each.repository for each in case.graph.descendants([one])}
        for one, progress in case.progress.items()
        if progress is RebuildProgress.FAILED
    }
    assert case.decided.blocks == {number: len(some) for number, some in below.items() if some}


@given(cases())
def test_a_link_that_closes_a_cycle_keeps_nobody_waiting(case: Case) -> None:
    for cycle in case.graph.cycles:
        assert cycle.path[0] == cycle.path[-1] == cycle.cut.child
        wait = case.decided.waits.get(cycle.cut.child.repository)
        assert wait is None or not isinstance(wait, Wait) or cycle.cut.base not in wait.bases
