from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

import pytest

from bot.domain.bases.mirrors import Behind
from bot.domain.reference import Base
from bot.fleet.plan.cascade.decisions import Cascade, Due, RebuildProgress, Wait
from bot.fleet.plan.cascade.frontier import JOIN_TIMEOUT, decide_frontier
from bot.fleet.plan.cascade.graph import Graph, Image, Link, graph_of
from bot.fleet.plan.cascade.shown import Shown, Together
from tests.unit.fleet.plan.cascade.world import NOON, image, link, own

GOLDEN, SDK, SHOP = 1, 2, 3
DIAMOND = graph_of([link(1, SHOP, GOLDEN), link(2, SHOP, SDK)])
DUE = Due(SHOP, frozenset({image(SHOP)}), NOON)


def decided(
    golden: RebuildProgress = RebuildProgress.SETTLED,
    shop: Due = DUE,
    shown: Shown = Shown.PROVED,
    after: timedelta = timedelta(0),
    behind: Mapping[int, Sequence[Behind]] = MappingProxyType({}),
) -> Cascade:
    progress = {image(GOLDEN): golden, image(SHOP): RebuildProgress.DUE}
    looks = {(image(SHOP), own(GOLDEN)): shown}
    return decide_frontier(DIAMOND, progress, {SHOP: shop}, looks, NOON + after, behind=behind)


def wait_of(found: Cascade, repository: int = SHOP) -> Wait:
    wait = found.waits[repository]
    assert isinstance(wait, Wait)
    return wait


@pytest.mark.parametrize("progress", [RebuildProgress.DUE, RebuildProgress.UNDER_WAY])
def test_a_child_waits_for_a_parent_that_is_still_to_be_rebuilt(progress: RebuildProgress) -> None:
    wait = decided(progress).waits[SHOP]
    assert wait.reason == "waits for image-1, 1 of 2 parents ready"
    assert wait.until == NOON + JOIN_TIMEOUT


def test_a_child_acts_once_its_parents_are_proven() -> None:
    assert decided().frontier[SHOP].remark == ""


def test_a_tag_that_does_not_show_the_rebuilt_parent_is_waited_for() -> None:
    assert wait_of(decided(shown=Shown.OLD)).bases == (own(GOLDEN),)


def test_where_layers_cannot_tell_a_build_that_began_later_is_enough_and_said() -> None:
    assert decided(shown=Shown.CLAIMED).frontier[SHOP].remark == (
        "image-1:latest is claimed to stand on the new base, its layers do not show it"
    )


def test_whoever_has_waited_for_two_hours_goes_and_is_told_as_unproven() -> None:
    passed = decided(shown=Shown.UNTOLD, after=JOIN_TIMEOUT).frontier[SHOP]
    assert passed.remark == "image-1:latest is not proven to stand on the new base after 2 h"


def begun(begins: Mapping[Image, datetime], after: timedelta = timedelta(0)) -> Cascade:
    """The golden image stands on the SDK's, and the shop on it; both are still to be rebuilt."""
    graph = graph_of([link(1, SHOP, GOLDEN), link(3, GOLDEN, SDK)])
    progress = {image(SDK): RebuildProgress.DUE, image(GOLDEN): RebuildProgress.DUE}
    return decide_frontier(graph, progress, {SHOP: DUE}, {}, NOON + after, beginnings=begins)


def test_a_wait_counts_from_when_what_it_waits_for_may_begin() -> None:
    settled = NOON + timedelta(hours=6)
    begins = {image(GOLDEN): settled}
    assert begun(begins, timedelta(hours=3)).waits[SHOP].until == settled + JOIN_TIMEOUT
    assert SHOP in begun(begins, timedelta(hours=8)).frontier


def test_a_parent_may_begin_once_it_waits_no_longer_for_its_own() -> None:
    begins = {image(SDK): NOON + timedelta(hours=6), image(GOLDEN): NOON + timedelta(hours=1)}
    assert begun(begins).waits[SHOP].until == NOON + timedelta(hours=6) + 2 * JOIN_TIMEOUT


def test_a_parent_of_which_nothing_but_its_own_wait_is_known_begins_after_that() -> None:
    begins = {image(SDK): NOON + timedelta(hours=6)}
    assert begun(begins).waits[SHOP].until == NOON + timedelta(hours=6) + 2 * JOIN_TIMEOUT


def in_a_row(
    sdk: RebuildProgress, golden: RebuildProgress, begins: Mapping[Image, datetime] = MappingProxyType({})
) -> Cascade:
    """The golden image stands on the SDK's, and the shop on it."""
    graph = graph_of([link(1, SHOP, GOLDEN), link(3, GOLDEN, SDK)])
    progress = {image(SDK): sdk, image(GOLDEN): golden}
    return decide_frontier(graph, progress, {SHOP: DUE}, {}, NOON, beginnings=begins)


def test_a_wait_for_a_parent_that_is_under_way_counts_from_when_that_began() -> None:
    begins = {image(SDK): NOON + timedelta(hours=6), image(GOLDEN): NOON}
    found = in_a_row(RebuildProgress.DUE, RebuildProgress.UNDER_WAY, begins)
    assert found.waits[SHOP].until == NOON + JOIN_TIMEOUT


def test_a_failed_ancestor_blocks_all_that_stand_on_it_and_is_named() -> None:
    found = in_a_row(RebuildProgress.FAILED, RebuildProgress.DUE)
    assert (wait_of(found).blocked_by, found.blocks) == (SDK, {SDK: 2})


def test_what_is_waited_for_is_called_by_the_last_part_of_its_name() -> None:
    golden = Base("ghcr.io", "contoso/bases/golden", "latest")
    assert Wait((golden,), 1, NOON).reason == "waits for golden, 0 of 1 parent ready"


def test_whether_an_earlier_build_has_made_it_is_waited_for_from_when_that_was_done() -> None:
    made = NOON + timedelta(hours=6)
    due = replace(DUE, together=Together.UNSEEN, made_at=made)
    graph = graph_of([link(1, SHOP, GOLDEN)])
    wait = decide_frontier(graph, {}, {SHOP: due}, {}, made + timedelta(minutes=5)).waits[SHOP]
    assert wait.until == made + JOIN_TIMEOUT


def test_a_severe_fix_does_not_wait_but_its_follow_up_does() -> None:
    severe = replace(DUE, is_severe=True)
    assert decided(RebuildProgress.UNDER_WAY, severe).frontier[SHOP].is_ahead
    again = replace(severe, went_ahead=True)
    assert SHOP in decided(RebuildProgress.UNDER_WAY, again).waits


def test_a_failed_parent_blocks_its_child_and_is_counted() -> None:
    found = decided(RebuildProgress.FAILED)
    assert wait_of(found).blocked_by == GOLDEN
    assert found.waits[SHOP].reason == "waits for image-1, 1 of 2 parents ready; its rebuild failed"
    assert found.blocks == {GOLDEN: 1}


def gated(due: Due = DUE, after: timedelta = timedelta(0)) -> Cascade:
    """The gate holds back what the first parent shows."""
    return decide_frontier(
        DIAMOND, {image(SHOP): RebuildProgress.DUE}, {SHOP: due}, {}, NOON + after, gated={image(GOLDEN)}
    )


def test_nothing_is_built_upon_a_parent_that_the_gate_holds_back() -> None:
    wait = gated().waits[SHOP]
    assert wait.reason == "waits for image-1, 1 of 2 parents ready; the gate holds back what it shows"


@pytest.mark.parametrize("after", [JOIN_TIMEOUT, 10 * JOIN_TIMEOUT])
def test_neither_time_nor_a_severe_fix_lets_a_child_go_upon_what_the_gate_holds_back(after: timedelta) -> None:
    found = gated(replace(DUE, is_severe=True), after)
    assert found.frontier == {}
    assert found.waits[SHOP].until == NOON + after + JOIN_TIMEOUT


def test_what_the_gate_holds_back_is_looked_at_again_at_moments_that_lie_as_far_apart() -> None:
    wait = gated(after=JOIN_TIMEOUT * 1.5).waits[SHOP]
    assert wait.until == NOON + 2 * JOIN_TIMEOUT
    unknown = gated(replace(DUE, since=None), after=JOIN_TIMEOUT * 1.5).waits[SHOP]
    assert unknown.until == NOON + 2.5 * JOIN_TIMEOUT


def test_a_repository_mends_its_own_image_that_the_gate_holds_back() -> None:
    graph = graph_of([link(1, SHOP, SHOP)])
    assert SHOP in decide_frontier(graph, {}, {SHOP: DUE}, {}, NOON, gated={image(SHOP)}).frontier


def test_a_parent_whose_own_parent_is_under_way_is_waited_for() -> None:
    """Nothing of it is due yet, but that will come."""
    graph = graph_of([link(1, GOLDEN, SDK), link(2, SHOP, GOLDEN)])
    assert SHOP in decide_frontier(graph, {image(SDK): RebuildProgress.UNDER_WAY}, {SHOP: DUE}, {}, NOON).waits


def test_a_parent_of_which_nothing_is_to_be_expected_is_not_waited_for() -> None:
    assert SHOP in decided(shown=Shown.IDLE).frontier


COPY = Base("myacr.azurecr.io", "mcr/dotnet/aspnet", "10.0")
LATE = Behind(COPY, Base("mcr.microsoft.com", "dotnet/aspnet", "10.0"), f"sha256:{'1' * 64}", NOON)


def test_whoever_builds_on_a_mirror_that_is_behind_waits_for_it() -> None:
    wait = decided(behind={SHOP: [LATE]}).waits[SHOP]
    assert wait.reason == "waits for myacr.azurecr.io/mcr to show sha256:111111111111 of aspnet:10.0"
    assert wait.until == NOON + JOIN_TIMEOUT


def test_a_mirror_is_waited_for_from_when_it_was_behind_and_not_from_when_somebody_waits() -> None:
    earlier = replace(LATE, since=NOON - timedelta(hours=1))
    assert decided(behind={SHOP: [earlier]}).waits[SHOP].until == NOON - timedelta(hours=1) + JOIN_TIMEOUT


def test_whoever_waits_for_a_mirror_and_a_parent_is_told_both() -> None:
    wait = decided(RebuildProgress.UNDER_WAY, behind={SHOP: [LATE]}).waits[SHOP]
    assert wait.reason.startswith("waits for image-1, 1 of 2 parents ready; waits for myacr.azurecr.io/mcr to show")


def test_a_mirror_that_stays_behind_is_not_waited_for() -> None:
    assert decided(after=JOIN_TIMEOUT, behind={SHOP: [LATE]}).frontier[SHOP].remark == ""


def test_nor_is_the_image_that_stands_on_one() -> None:
    assert decided(after=JOIN_TIMEOUT, behind={GOLDEN: [LATE]}).frontier[SHOP].remark == ""


def test_whoever_stands_on_an_image_whose_mirror_is_behind_waits_for_that_image() -> None:
    assert wait_of(decided(behind={GOLDEN: [LATE]})).bases == (own(GOLDEN),)


def test_a_severe_fix_waits_for_no_mirror() -> None:
    passed = decided(shop=replace(DUE, is_severe=True), behind={SHOP: [LATE]}).frontier[SHOP]
    assert passed.remark == "does not wait for aspnet:10.0, since it fixes something severe"


R, S = 7, 8
A, B, X = Image(R, "ghcr.io/contoso/a"), Image(R, "ghcr.io/contoso/b"), Image(S, "ghcr.io/contoso/x")
AROUND = graph_of([Link(1, X, A, own(1)), Link(2, B, X, own(2))])
"""`b` stands on `x` of another repository, and that on `a` of its own."""


def of_repository(
    *images: Image, graph: Graph = AROUND, together: Together | None = None, **busy: RebuildProgress
) -> Cascade:
    """Decides about a rebuild of these images of one repository; `busy` are others that are under way, by name."""
    named = {"a": A, "b": B, "x": X}
    progress = {named[name]: each for name, each in busy.items()} | dict.fromkeys(images, RebuildProgress.DUE)
    due = Due(images[0].repository, frozenset(images), NOON, together=together)
    return decide_frontier(graph, progress, {1: due}, {}, NOON)


def test_a_rebuild_goes_for_the_image_that_is_ready_and_not_for_the_one_that_stands_on_what_it_makes() -> None:
    assert 1 in of_repository(A, B).frontier


def test_what_stands_on_another_repositorys_image_waits_for_it_alone() -> None:
    assert of_repository(B, x=RebuildProgress.UNDER_WAY).waits[1].reason == "waits for image-2, 0 of 1 parent ready"
    assert 1 in of_repository(B).frontier


def test_one_of_two_images_waits_for_its_parent_and_not_for_what_turns_back_to_the_other() -> None:
    c, golden = Image(R, "ghcr.io/contoso/c"), Image(9, "ghcr.io/contoso/golden")
    graph = graph_of([Link(1, X, A, own(1)), Link(2, B, X, own(2)), Link(3, c, golden, own(3))])
    due = Due(R, frozenset({B, c}), NOON)
    progress = {X: RebuildProgress.UNDER_WAY, golden: RebuildProgress.UNDER_WAY}
    assert wait_of(decide_frontier(graph, progress, {1: due}, {}, NOON), 1).bases == (own(3),)


def test_the_image_in_between_waits_for_the_first_and_not_for_the_other_image_of_that_repository() -> None:
    assert 1 in of_repository(X, a=RebuildProgress.UNDER_WAY).waits
    assert 1 in of_repository(X, b=RebuildProgress.DUE).frontier


def test_who_stands_below_a_repository_waits_for_all_that_its_build_makes() -> None:
    graph = graph_of([Link(1, X, A, own(1))])
    assert 1 in of_repository(X, graph=graph, b=RebuildProgress.UNDER_WAY).waits


INSIDE = graph_of([Link(1, B, A, own(1))])


def test_the_gate_holds_back_no_image_upon_another_that_the_same_build_makes() -> None:
    due = Due(R, frozenset({B}), NOON)
    assert R in decide_frontier(INSIDE, {B: RebuildProgress.DUE}, {R: due}, {}, NOON, gated={A}).frontier


def test_an_image_upon_another_of_its_repository_waits_until_that_is_built() -> None:
    assert 1 in of_repository(B, graph=INSIDE, together=Together.UNSEEN, a=RebuildProgress.UNDER_WAY).waits


def test_it_is_looked_at_first_whether_the_same_build_has_made_both() -> None:
    wait = of_repository(B, graph=INSIDE, together=Together.UNSEEN).waits[1]
    assert wait.reason == "waits until it was looked at whether the last build has made this too"


def test_a_look_is_waited_for_until_the_time_to_join_is_over() -> None:
    due = Due(R, frozenset({B}), NOON, together=Together.UNSEEN)

    def goes(after: timedelta) -> bool:
        return 1 in decide_frontier(INSIDE, {B: RebuildProgress.DUE}, {1: due}, {}, NOON + after).frontier

    assert not goes(JOIN_TIMEOUT - timedelta(seconds=1))
    assert goes(JOIN_TIMEOUT)


def test_one_run_that_has_made_both_settles_both_and_one_that_has_not_is_followed_by_another() -> None:
    assert of_repository(B, graph=INSIDE, together=Together.YES).made_before == {1}
    assert 1 in of_repository(B, graph=INSIDE, together=Together.NO).frontier


def test_several_parents_are_told_together_by_name() -> None:
    progress = {image(GOLDEN): RebuildProgress.DUE, image(SDK): RebuildProgress.DUE}
    waiting = decide_frontier(DIAMOND, progress, {SHOP: DUE}, {}, NOON).waits[SHOP]
    assert waiting.reason == "waits for image-1 and image-2, 0 of 2 parents ready"
    severe = decide_frontier(DIAMOND, progress, {SHOP: replace(DUE, is_severe=True)}, {}, NOON).frontier[SHOP]
    assert severe.remark == ("does not wait for image-1:latest and image-2:latest, since it fixes something severe")


def test_whoever_is_due_since_nobody_knows_when_waits_from_now_on() -> None:
    wait = decided(RebuildProgress.DUE, replace(DUE, since=None), after=timedelta(hours=9)).waits[SHOP]
    assert wait.until == NOON + timedelta(hours=9) + JOIN_TIMEOUT


TILL = Image(SHOP, own(4).name)
"""Another image of the shop's repository, which stands on the golden image."""


def test_a_rebuild_waits_for_the_parents_of_all_images_that_its_build_makes() -> None:
    graph = graph_of([Link(1, TILL, image(GOLDEN), own(GOLDEN)), link(2, SHOP, SDK)])
    progress = {image(GOLDEN): RebuildProgress.UNDER_WAY}
    wait = decide_frontier(graph, progress, {SHOP: DUE}, {}, NOON).waits[SHOP]
    assert wait.reason == "waits for image-1, 1 of 2 parents ready"


def test_it_does_not_where_one_of_them_stands_on_another() -> None:
    """Each would wait for itself."""
    graph = graph_of(
        [
            Link(1, TILL, image(GOLDEN), own(GOLDEN)),
            Link(2, image(GOLDEN), image(SHOP), own(SHOP)),
            link(3, SHOP, SDK),
        ]
    )
    progress = {image(GOLDEN): RebuildProgress.UNDER_WAY}
    assert SHOP in decide_frontier(graph, progress, {SHOP: DUE}, {}, NOON).frontier


def test_a_look_at_what_is_due_since_nobody_knows_when_is_waited_for_from_now_on() -> None:
    due = Due(R, frozenset({B}), None, together=Together.UNSEEN)
    wait = decide_frontier(INSIDE, {B: RebuildProgress.DUE}, {1: due}, {}, NOON).waits[1]
    assert wait.until == NOON + JOIN_TIMEOUT
