"""The exposure report as people and spreadsheets read it."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.running.report import ExposureSums, WeekExposed
from bot.views.running.report import ExposureReport, table, trend_rows

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


@pytest.mark.parametrize(("share", "told"), [(1.0, "100%"), (0.999, "99%"), (0.001, "1%")])
def test_what_was_read_is_neither_rounded_to_all_nor_to_nothing(share: float, told: str) -> None:
    [row] = trend_rows(read(share))
    assert row[-1] == told
