from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

import pytest

from bot.domain.bases.mirrors import Behind
from bot.domain.reference import Base
from bot.plan.cascade.frontier import JOIN_TIMEOUT, Cascade, Member, Progress, Shown, decide
from bot.plan.cascade.graph import Link, graph_of
from tests.unit.plan.cascade.world import NOON, own

GOLDEN, SDK, SHOP = 1, 2, 3
DIAMOND = graph_of([Link(1, SHOP, GOLDEN, own(GOLDEN)), Link(2, SHOP, SDK, own(SDK))])
DUE = Member(Progress.DUE, NOON)


def decided(
    golden: Progress = Progress.SETTLED,
    shop: Member = DUE,
    shown: Shown = Shown.PROVED,
    after: timedelta = timedelta(0),
    behind: Mapping[int, Sequence[Behind]] = MappingProxyType({}),
) -> Cascade:
    members = {GOLDEN: Member(golden, NOON), SHOP: shop}
    return decide(DIAMOND, members, {(SHOP, own(GOLDEN)): shown}, NOON + after, behind=behind)


@pytest.mark.parametrize("progress", [Progress.DUE, Progress.UNDER_WAY])
def test_a_child_waits_for_a_parent_that_is_still_to_be_rebuilt(progress: Progress) -> None:
    wait = decided(progress).waits[SHOP]
    assert wait.reason == "waits for image-1, 1 of 2 parents ready"
    assert wait.until == NOON + JOIN_TIMEOUT


def test_a_child_acts_once_its_parents_are_proven() -> None:
    assert decided().frontier[SHOP].told == ""


def test_a_tag_that_does_not_show_the_rebuilt_parent_is_waited_for() -> None:
    assert decided(shown=Shown.OLD).waits[SHOP].bases == (own(GOLDEN),)


def test_where_layers_cannot_tell_a_build_that_began_later_is_enough_and_said() -> None:
    assert decided(shown=Shown.CLAIMED).frontier[SHOP].told == (
        "image-1:latest is claimed to stand on the new base, its layers do not show it"
    )


def test_whoever_has_waited_for_two_hours_goes_and_is_told_as_unproven() -> None:
    passed = decided(shown=Shown.UNTOLD, after=JOIN_TIMEOUT).frontier[SHOP]
    assert passed.told == "image-1:latest is not proven to stand on the new base after 2 h"


def test_a_severe_fix_does_not_wait_but_its_follow_up_does() -> None:
    severe = Member(Progress.DUE, NOON, is_severe=True)
    assert decided(Progress.UNDER_WAY, severe).frontier[SHOP].is_ahead
    again = Member(Progress.DUE, NOON, is_severe=True, went_ahead=True)
    assert SHOP in decided(Progress.UNDER_WAY, again).waits


def test_a_failed_parent_blocks_its_child_and_is_counted() -> None:
    found = decided(Progress.FAILED)
    assert found.waits[SHOP].blocked_by == GOLDEN
    assert found.waits[SHOP].reason == "waits for image-1, 1 of 2 parents ready; its rebuild failed"
    assert found.blocks == {GOLDEN: 1}


def test_a_parent_whose_own_parent_is_under_way_is_waited_for() -> None:
    """Nothing of it is due yet, but that will come."""
    graph = graph_of([Link(1, GOLDEN, SDK, own(SDK)), Link(2, SHOP, GOLDEN, own(GOLDEN))])
    members = {SDK: Member(Progress.UNDER_WAY), SHOP: DUE}
    assert SHOP in decide(graph, members, {}, NOON).waits


def test_a_parent_of_which_nothing_is_to_be_expected_is_not_waited_for() -> None:
    assert SHOP in decided(shown=Shown.IDLE).frontier


COPY = Base("myacr.azurecr.io", "mcr/dotnet/aspnet", "10.0")
LATE = Behind(COPY, Base("mcr.microsoft.com", "dotnet/aspnet", "10.0"), f"sha256:{'1' * 64}", NOON)


def test_whoever_builds_on_a_mirror_that_is_behind_waits_for_it() -> None:
    wait = decided(behind={SHOP: [LATE]}).waits[SHOP]
    assert wait.reason == "waits for myacr.azurecr.io/mcr to show sha256:111111111111 of aspnet:10.0"
    assert wait.until == NOON + JOIN_TIMEOUT


def test_whoever_waits_for_a_mirror_and_a_parent_is_told_both() -> None:
    wait = decided(Progress.UNDER_WAY, behind={SHOP: [LATE]}).waits[SHOP]
    assert wait.reason.startswith("waits for image-1, 1 of 2 parents ready; waits for myacr.azurecr.io/mcr to show")


def test_a_mirror_that_stays_behind_is_not_waited_for() -> None:
    assert SHOP in decided(after=JOIN_TIMEOUT, behind={SHOP: [LATE]}).frontier


def test_whoever_stands_on_an_image_whose_mirror_is_behind_waits_for_that_image() -> None:
    assert decided(behind={GOLDEN: [LATE]}).waits[SHOP].bases == (own(GOLDEN),)


def test_a_severe_fix_waits_for_no_mirror() -> None:
    passed = decided(shop=Member(Progress.DUE, NOON, is_severe=True), behind={SHOP: [LATE]}).frontier[SHOP]
    assert passed.told == "does not wait for aspnet:10.0, since it fixes something severe"
