"""How promises were kept is summed up by whatever lags are grouped by."""

from datetime import timedelta

from bot.domain.bases.notice import PROMISES, Notice, PromiseRow, Topic, kept_by
from tests.builders import ASPNET, NOON

HOUR = timedelta(hours=1)


def lag(hours: float, topic: Topic = Topic.SIBLING_LAG, *, is_over: bool = True) -> Notice:
    delay = hours * HOUR
    return Notice(topic, ASPNET, NOON, NOON + delay if is_over else None, delay, "came late")


def rows(*lags: Notice) -> tuple[PromiseRow, ...]:
    return kept_by(lags, lambda notice: (notice.base.short,))


def test_a_promise_is_kept_within_its_time() -> None:
    [row] = rows(lag(1), lag(12), lag(13), lag(40))
    assert row == PromiseRow(Topic.SIBLING_LAG, ("aspnet:10.0",), 4, 2, 12 * HOUR, 40 * HOUR)


def test_what_came_before_it_was_listed_is_no_lag() -> None:
    [row] = rows(lag(-5, Topic.RELEASE_LAG), lag(2, Topic.RELEASE_LAG))
    assert (row.kept, row.median, row.longest) == (2, timedelta(), 2 * HOUR)


def test_what_is_awaited_counts_once_it_is_late() -> None:
    [row] = rows(lag(3, is_over=False), lag(30, is_over=False))
    assert (row.times, row.kept, row.pending) == (1, 0, 2)


def test_what_is_awaited_and_not_late_yet_has_a_row_without_a_time() -> None:
    nothing = timedelta()
    assert rows(lag(12, is_over=False)) == (
        PromiseRow(Topic.SIBLING_LAG, ("aspnet:10.0",), 0, 0, nothing, nothing, pending=1),
    )


def test_each_promise_and_group_has_a_row_and_other_notices_none() -> None:
    found = kept_by(
        [lag(1), lag(1, Topic.RELEASE_LAG), lag(1, Topic.WITHDRAWN)], lambda notice: (f"{notice.since:%Y-%m}",)
    )
    assert [(row.topic, row.group) for row in found] == [
        (Topic.RELEASE_LAG, ("2026-03",)),
        (Topic.SIBLING_LAG, ("2026-03",)),
    ]


def test_the_promises_are_those_that_microsoft_documents() -> None:
    assert {topic: (promise.within / HOUR, promise.says) for topic, promise in PROMISES.items()} == {
        Topic.RELEASE_LAG: (24, "a .NET release is in the images the same day"),
        Topic.SIBLING_LAG: (12, "an update of the OS below is in the images within 12 hours"),
    }


def test_what_is_over_counts_however_soon_it_was() -> None:
    [row] = rows(lag(1), lag(12, is_over=False), lag(20, is_over=False))
    assert row == PromiseRow(Topic.SIBLING_LAG, ("aspnet:10.0",), 2, 1, HOUR, 20 * HOUR, pending=2)
    assert PromiseRow(Topic.SIBLING_LAG, (), 0, 0, HOUR, HOUR).pending == 0
