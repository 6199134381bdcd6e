"""For how long GitHub is not asked."""

from datetime import UTC, datetime, timedelta

from bot.clients.forges.github.connection.quiet import GRAPHQL, REST, Quiet

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE, YEAR = timedelta(minutes=1), timedelta(days=365)


def test_what_limits_one_kind_of_requests_leaves_the_other_alone() -> None:
    quiet = Quiet()
    quiet.keep(REST, 5 * MINUTE, NOON)
    assert quiet.pause_left(REST, NOON + MINUTE) == 4 * MINUTE
    assert quiet.pause_left(GRAPHQL, NOON + MINUTE) == timedelta(0)


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    quiet = Quiet()
    quiet.keep(None, 5 * MINUTE, NOON)
    quiet.keep(None, MINUTE, NOON)
    assert quiet.pause_left(REST, NOON) == 5 * MINUTE


def test_no_pause_lasts_until_a_time_that_a_clock_which_was_ahead_has_told() -> None:
    quiet = Quiet()
    quiet.keep(None, 5 * MINUTE, NOON + YEAR)
    assert quiet.pause_left(REST, NOON) == timedelta(0)
    quiet.keep(None, MINUTE, NOON)
    assert quiet.pause_left(REST, NOON) == MINUTE
