"""What is so of a finding as long as nobody says otherwise."""

from bot.domain.bases.observation import Difference
from bot.fleet.assess.baseline import BaseStanding
from bot.fleet.assess.own_base import InheritedChanges
from bot.fleet.assess.tick import AssessTally, Pair
from tests.unit.fleet.assess.world import seen


def test_a_difference_without_figures_is_none() -> None:
    assert Difference(None, None) == Difference(None, None, False, False, (), (), (), (), (), (), False)


def test_a_base_is_not_withdrawn_unless_that_is_said() -> None:
    assert BaseStanding(seen("1")) == BaseStanding(seen("1"), None, False)


def test_a_pair_lacks_nothing_and_an_own_base_brings_nothing() -> None:
    assert Pair(2, 1, 1, seen("1"), seen("2")) == Pair(2, 1, 1, seen("1"), seen("2"), ())
    assert InheritedChanges() == InheritedChanges((), False)


def test_a_tally_counts_from_nothing() -> None:
    assert AssessTally() == AssessTally((), ())
