"""What is so of a finding as long as nobody says otherwise."""

from datetime import timedelta

from bot.assess.baseline import BaseStanding
from bot.assess.cause import Difference
from bot.assess.dotnet.releases import Fixes
from bot.assess.dotnet.tag_family import TagFamily
from bot.assess.notices.deciding import AlertOptions, NoticeDifference, OpenNotice, Picture
from bot.assess.notices.published import Published
from bot.assess.notices.stage import NoticesTally
from bot.assess.own_base import InheritedChanges
from bot.assess.stage import AssessTally, Pair
from bot.domain.bases.notice import Topic
from tests.unit.assess.world import DAY, seen

HOUR, DAYS = timedelta(hours=1), timedelta(days=1)


def test_a_difference_without_figures_is_none() -> None:
    assert Difference(None, None) == Difference(None, None, False, False, (), (), (), (), (), (), False)


def test_fixes_that_no_feed_told_are_none() -> None:
    assert Fixes(True) == Fixes(True, False, (), (), False, (), "", ())


def test_a_tag_family_without_words_is_a_final_one_of_no_system() -> None:
    assert TagFamily("8.0") == TagFamily("8.0", False, None, frozenset())


def test_a_base_is_not_withdrawn_unless_that_is_said() -> None:
    assert BaseStanding(seen("1")) == BaseStanding(seen("1"), None, False)


def test_alerts_come_after_a_day_and_three_months_ahead_of_an_end() -> None:
    assert AlertOptions() == AlertOptions(24 * HOUR, 90 * DAYS, DAYS, 24 * HOUR)


def test_a_look_at_the_fleet_knows_of_no_mirrors_and_no_stale_inventory() -> None:
    assert Picture({}, {}, None, (), False) == Picture({}, {}, None, (), False, (), ())
    assert NoticeDifference((), (), (), DAY) == NoticeDifference((), (), (), DAY, None)
    assert Published(frozenset(), {}) == Published(frozenset(), {}, frozenset())
    stored = (1, Topic.ROLLBACK, seen("1").base, DAY, None, "", (), False)
    assert OpenNotice(*stored) == OpenNotice(*stored, None)


def test_a_tally_counts_from_nothing() -> None:
    assert NoticesTally() == NoticesTally(0, 0)
    assert AssessTally() == AssessTally((), ())


def test_a_pair_lacks_nothing_and_an_own_base_brings_nothing() -> None:
    assert Pair(2, 1, 1, seen("1"), seen("2")) == Pair(2, 1, 1, seen("1"), seen("2"), ())
    assert InheritedChanges() == InheritedChanges((), False)
