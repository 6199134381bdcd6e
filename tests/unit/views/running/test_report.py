"""The exposure report as people and spreadsheets read it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.feeds.advisory import Severity
from bot.domain.running.promises import PromiseState
from bot.domain.running.report import ExposureSums, PromiseSum, WeekExposed
from bot.views.running.report import COLUMNS, ExposureReport, as_json, table, trend_rows

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def read(*known: float) -> ExposureReport:
    """The last weeks, each with a day of exposure as far as anything of it was read."""
    weeks = [
        WeekExposed(NOON - (number + 1) * WEEK, NOON - number * WEEK, {}, timedelta(days=bool(share)), share)
        for number, share in reversed(list(enumerate(reversed(known))))
    ]
    sums = ExposureSums((), (), tuple(weeks), timedelta(), 0)
    return ExposureReport(NOON - WEEK, NOON, sums, sources=("europe",))


def test_a_week_of_which_nothing_was_read_has_no_row() -> None:
    report = read(0.0, 0.5)
    assert list(trend_rows(report)) == [("2026-11-24", "1.0", "0.0", "0.0", "50%")]
    assert [row[1] for row in table(report)] == ["2026-11-24"]


def test_a_spreadsheet_tells_how_much_of_a_week_is_known() -> None:
    [row] = table(read(0.0, 0.14159))
    told = dict(zip(COLUMNS, row, strict=False))
    assert (told["since"], told["days"], told["known"]) == ("2026-11-24", 1.0, 0.142)


@pytest.mark.parametrize(("share", "told"), [(1.0, 1.0), (0.99999, 0.999), (0.00001, 0.001), (0.0, 0.0)])
def test_a_program_reads_all_and_nothing_only_where_that_is_so(share: float, told: float) -> None:
    assert as_json(read(share))["trend"][0]["known"] == told


def test_what_a_promise_counts_stands_below_the_names_of_the_columns() -> None:
    promise = PromiseSum("contoso/shop", Severity.HIGH, {PromiseState.KEPT: 2, PromiseState.UNKNOWN: 5})
    [row] = table(ExposureReport(NOON - WEEK, NOON, ExposureSums((), (promise,), (), timedelta(), 0)))
    told = dict(zip(COLUMNS, row, strict=True))
    assert (told["kept"], told["missed"], told["not known"]) == (2, 0, 5)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (1.0, "1.0 days in the week 2 weeks before"),
        (0.14, "1.0 days in what is known of the week 2 weeks before"),
        (0.0, None),
    ],
)
def test_the_verdict_tells_a_week_that_is_known_in_part_as_such(known: float, told: str | None) -> None:
    report = read(known, 1.0, 1.0)
    exposed = replace(report, places=3, sums=replace(report.sums, places=1))
    headline, *rest = exposed.verdict.split("; ")
    assert headline == "exposed in the last 7 days: 1 of 3 running places, for 0.0 days together"
    assert rest == ([told] if told else [])


def test_what_is_not_known_is_not_told_as_not_exposed() -> None:
    report = replace(read(1.0), lines=("asia was never read as a whole",))
    assert report.verdict == "not known whether any place was exposed in the last 7 days"


@pytest.mark.parametrize(("share", "told"), [(1.0, "100%"), (0.999, "over 99%"), (0.001, "less than 1%")])
def test_what_was_read_is_neither_rounded_to_all_nor_to_nothing(share: float, told: str) -> None:
    [row] = trend_rows(read(share))
    assert row[-1] == told
