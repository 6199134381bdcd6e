"""What charts draw: heights, places and what whoever points at a bar is told."""

from datetime import date, timedelta

from bot.domain.bases.notice import PROMISES, PromiseRow, Topic
from bot.views.bases.promises import PromiseRecord
from bot.views.fleet.fleet import DayOfFreshness, Standing
from bot.views.fleet.practices import PracticeWeek
from bot.web.charts import Chart, freshness_chart, moves_chart, outline, promise_chart

HOUR = timedelta(hours=1)


def month(named: str, family: str, median: timedelta, longest: timedelta) -> PromiseRow:
    return PromiseRow(Topic.RELEASE_LAG, (named, family), 3, 2, median, longest)


def drawn(*months: PromiseRow) -> Chart:
    promise = PROMISES[Topic.RELEASE_LAG]
    families = {row.group[1]: row for row in months}
    of_families = tuple(PromiseRow(Topic.RELEASE_LAG, (name,), 3, 2, HOUR, HOUR) for name in sorted(families))
    return promise_chart(
        PromiseRecord(Topic.RELEASE_LAG, promise.says, promise.within, 6, 4, months, of_families, ())
    )


def test_a_family_has_a_bar_up_to_the_middle_and_a_pale_one_up_to_the_longest() -> None:
    middle, longest = drawn(month("2026-01", "sdk", HOUR, 30 * HOUR)).bars
    assert (middle.kind, longest.kind) == ("family-1", "family-1 longest")
    assert longest.y + longest.height == middle.y, "the one stands on the other"
    assert middle.title == "2026-01 sdk: 2 of 3 in time, 1 h in the middle, 30 h at the longest"


def test_months_in_which_nothing_was_due_keep_their_place() -> None:
    first, last = drawn(month("2025-11", "sdk", HOUR, HOUR), month("2026-02", "sdk", HOUR, HOUR)).bars
    assert round((last.x - first.x) / 3, 1) == round(100 / 12, 1)


def test_the_line_of_what_is_promised_lies_between_what_was_kept_and_what_was_not() -> None:
    chart = drawn(month("2026-01", "aspnet", HOUR, HOUR), month("2026-01", "sdk", 30 * HOUR, 30 * HOUR))
    [promised] = [line for line in chart.lines if line.kind]
    kept, late = chart.bars
    assert late.y < promised.y < kept.y


def test_who_cannot_see_it_is_told_how_often_the_promise_was_kept() -> None:
    assert drawn(month("2026-01", "sdk", HOUR, HOUR)).says.endswith("Kept 4 of 6 times")


def test_a_fleet_of_which_one_is_behind_is_not_wholly_current() -> None:
    standings = {Standing.CURRENT: 4999, Standing.BEHIND: 1}
    days = [DayOfFreshness(date(2026, 1, number), standings) for number in (1, 2)]
    chart = freshness_chart(days)
    assert chart is not None
    assert chart.says.endswith("went from over 99% to over 99%")


def test_a_week_has_a_bar_for_what_opened_beside_one_for_what_closed() -> None:
    weeks = [PracticeWeek(date(2026, 11, 9), 0.5, 0, 8), PracticeWeek(date(2026, 11, 16), None, 4, 0)]
    chart = moves_chart(weeks)
    assert chart is not None
    assert [(bar.kind, bar.title) for bar in chart.bars] == [
        ("closed", "week of 2026-11-09: 8 closed"),
        ("opened", "week of 2026-11-16: 4 opened"),
    ]
    assert chart.bars[0].height == 2 * chart.bars[1].height
    assert chart.says == "In 2 weeks 4 findings opened and 8 closed"


def test_weeks_in_which_nothing_moved_draw_nothing() -> None:
    assert moves_chart([PracticeWeek(date(2026, 11, 9), 0.5)]) is None
    assert moves_chart([]) is None


def test_a_day_tells_all_that_stands_in_its_column_in_one_title() -> None:
    days = [DayOfFreshness(date(2026, 11, day), {Standing.CURRENT: 30, Standing.BEHIND: day}) for day in (23, 24)]
    chart = freshness_chart(days)
    assert chart is not None
    assert [column.title for column in chart.columns] == [
        "2026-11-23: 30 current, 23 behind",
        "2026-11-24: 30 current, 24 behind",
    ]
    assert len(chart.bars) == 4
    assert not any(bar.title for bar in chart.bars)
    assert outline(chart.bars[:1]).startswith(f"M{chart.bars[0].x:g} ")
