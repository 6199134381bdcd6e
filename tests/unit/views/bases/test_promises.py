"""How upstream kept its promises in the last year, summed up for a page and for metrics."""

from datetime import timedelta

from bot.domain.bases.notice import Notice, Topic
from bot.domain.reference import Base
from bot.views.bases.promises import promises_by_family, records
from tests.builders import NOON

DAY = timedelta(days=1)
SDK = Base("mcr.microsoft.com", "dotnet/sdk", "10.0")
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")


def lag(base: Base, days: float, ago: timedelta = 30 * DAY) -> Notice:
    since = NOON - ago
    return Notice(Topic.RELEASE_LAG, base, since, since + days * DAY, days * DAY, "came late")


def test_a_record_counts_by_month_family_and_base() -> None:
    [record] = records([lag(SDK, 2), lag(ASPNET, 0.5), lag(SDK, 0.5, 2 * DAY)], NOON)
    assert (record.topic, record.times, record.kept) == (Topic.RELEASE_LAG, 3, 2)
    assert [(row.group, row.kept) for row in record.months] == [
        (("2026-02", "aspnet"), 1),
        (("2026-02", "sdk"), 0),
        (("2026-03", "sdk"), 1),
    ]
    assert [(row.group, row.times) for row in record.families] == [(("aspnet",), 1), (("sdk",), 2)]
    assert [row.group for row in record.bases] == [("sdk:10.0",)], "those that were late"


def test_what_is_longer_ago_than_a_year_counts_no_more() -> None:
    assert records([lag(SDK, 2, 400 * DAY)], NOON) == ()
    assert promises_by_family([lag(SDK, 2, 400 * DAY)], NOON) == {}


def test_a_promise_that_was_never_due_has_no_record() -> None:
    assert records([], NOON) == ()
