"""Since when a release is out, where its feed was read for the first time long after."""

from datetime import UTC, date, datetime

import pytest

from bot.domain.feeds.advisory import Release

FIRST_READ = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "since"),
    [
        (date(2025, 11, 11), datetime(2025, 11, 11, tzinfo=UTC)),
        (date(2026, 6, 1), FIRST_READ),
        (None, FIRST_READ),
    ],
    ids=["the feed names an earlier day", "the day was rewritten since", "it names none"],
)
def test_a_release_is_out_since_the_earlier_of_the_day_it_is_given_and_the_moment_it_was_seen(
    day: date | None, since: datetime
) -> None:
    assert Release("10.0", "10.0.0", FIRST_READ, released_on=day).out_since == since
