"""The names by which sections of an issue are known again, and figures of a tick that does nothing."""

from bot.fleet.act.issue.sections import DEAD_SCHEDULES, FAILURES, PRACTICES
from bot.fleet.act.issue.tick import IssueTally, ToldIssue


def test_sections_that_earlier_releases_wrote_are_known_again() -> None:
    assert (DEAD_SCHEDULES, FAILURES, PRACTICES) == ("age", "failures", "practices")


def test_nothing_is_told_that_was_not_done() -> None:
    assert IssueTally() == IssueTally(0, ())
    assert ToldIssue(None, False) == ToldIssue(None, False, None, None)
