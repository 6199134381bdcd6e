"""How upstream kept its promises in the last year, summed up for a page and for metrics."""

from datetime import timedelta

from bot.domain.bases.notice import Notice, Topic
from bot.domain.reference import Base
from bot.views.bases.promises import Grouping, promises_by, promises_by_family, records
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


def test_what_began_just_a_year_ago_counts() -> None:
    [record] = records([lag(SDK, 2, 365 * DAY)], NOON)
    assert record.times == 1
    assert list(promises_by_family([lag(SDK, 2, 365 * DAY)], NOON)) == [(Topic.RELEASE_LAG, "sdk")]


def test_lags_are_told_since_the_first_that_counts() -> None:
    lags = [lag(SDK, 2, ago * DAY) for ago in (40, 30, 20)]
    assert promises_by(Grouping.BASE, lags, 30 * DAY, NOON).since == NOON - 30 * DAY
    assert promises_by(Grouping.BASE, lags, DAY, NOON).since is None


def test_the_bases_that_were_late_most_often_come_first_and_of_many_twelve_are_told() -> None:
    def base(name: str) -> Base:
        return Base("mcr.microsoft.com", "dotnet/sdk", name)

    lags = [lag(base(f"8.{number}"), 2) for number in range(11)]
    lags += [lag(base("often"), 2), lag(base("often"), 2), lag(base("long"), 9), lag(base("kept"), 0.5)]
    [record] = records(lags, NOON)
    named = [row.group[0] for row in record.bases]
    assert named[:3] == ["sdk:often", "sdk:long", "sdk:8.0"]
    assert len(named) == 12
