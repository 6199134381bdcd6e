"""Who is rebuilt because its last build grows too old, when, and who cannot be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.builds import BranchBuilds, PastRun
from bot.domain.rollouts.policy import Terms
from bot.domain.rollouts.timing.age import AgeStanding, Judgement, Weekly
from bot.domain.rollouts.timing.windows import Freeze, Window
from bot.fleet.plan.age.deciding import LEAD, AgeOptions, Aging, judge_age

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""A time of the weekly rebuild."""
WEEKLY = Weekly()
TURN = WEEKLY.offset("contoso/shop")
FILE = "weekly-rebuild.yml"


def run(at: datetime, conclusion: str | None = "success", event: str = "push") -> PastRun:
    return PastRun(at, event, "main", conclusion, f"https://forge/{at:%m%d%H}")


def aging(last: datetime | None, **values: object) -> Aging:
    known: dict[str, object] = {
        "repository": "contoso/shop",
        "workflow": FILE,
        "terms": Terms(max_age=7 * DAY),
        "builds": BranchBuilds(last_success=None if last is None else run(last)),
        "is_there": True,
        "can_be_dispatched": True,
    }
    return Aging(**(known | values))  # type: ignore[arg-type]


def judged(what: Aging, now: datetime, options: AgeOptions = AgeOptions()) -> Judgement:  # noqa: B008
    return judge_age(what, options, now)


def every(gap: timedelta, last: datetime, count: int = 4, conclusion: str = "success") -> tuple[PastRun, ...]:
    return tuple(run(last - number * gap, conclusion, "schedule") for number in range(count))


def test_without_max_age_the_age_is_only_told() -> None:
    found = judged(aging(MONDAY - 40 * DAY, terms=Terms()), MONDAY)
    assert (found.standing, found.plan_at) == (AgeStanding.REPORTED, None)
    assert found.text == f"{FILE} last succeeded 40 days ago"


def test_it_is_rebuilt_at_its_turn_of_the_last_weekly_rebuild_before_it_would_be_too_old() -> None:
    found = judged(aging(MONDAY - 3 * DAY), MONDAY - DAY)
    assert (found.standing, found.plan_at, found.begins_at) == (AgeStanding.FRESH, MONDAY, MONDAY + TURN)
    assert found.overdue_at == MONDAY + 4 * DAY


def test_it_is_due_from_the_beginning_of_the_weekly_rebuild_on() -> None:
    found = judged(aging(MONDAY - 3 * DAY), MONDAY)
    assert (found.standing, found.begins_at) == (AgeStanding.DUE, MONDAY + TURN)


def test_what_is_still_young_at_the_next_weekly_rebuild_is_left_to_a_later_one() -> None:
    found = judged(aging(MONDAY - DAY, terms=Terms(max_age=14 * DAY)), MONDAY)
    assert (found.standing, found.plan_at) == (AgeStanding.FRESH, MONDAY + 7 * DAY)


def test_an_age_shorter_than_the_week_is_kept_too() -> None:
    built = MONDAY + 5 * HOUR
    found = judged(aging(built, terms=Terms(max_age=2 * DAY)), built + HOUR)
    assert (found.plan_at, found.begins_at) == (built + 2 * DAY - LEAD, built + 2 * DAY - LEAD)


def test_a_fleet_that_is_overdue_is_spread_from_now_on() -> None:
    now = MONDAY + 2 * DAY
    found = judged(aging(MONDAY - 60 * DAY), now)
    assert (found.standing, found.begins_at) == (AgeStanding.DUE, now + TURN)
    turns = {WEEKLY.offset(f"contoso/{number}") // HOUR for number in range(200)}
    assert turns == set(range(6))


def test_one_that_has_never_succeeded_is_due() -> None:
    found = judged(aging(None), MONDAY)
    assert (found.standing, found.begins_at) == (AgeStanding.DUE, MONDAY + TURN)


def test_its_own_schedule_that_fires_is_trusted() -> None:
    last = MONDAY - 4 * DAY
    builds = BranchBuilds(last_success=run(last), scheduled=every(7 * DAY, last))
    found = judged(aging(last, builds=builds, is_scheduled=True), MONDAY)
    assert (found.standing, found.plan_at) == (AgeStanding.OWN_SCHEDULE, None)


@pytest.mark.parametrize(
    ("scheduled", "why"),
    [
        (every(7 * DAY, MONDAY - 4 * DAY, count=1), "one run tells nothing"),
        (every(10 * DAY, MONDAY - 4 * DAY), "it fires too seldom"),
        (every(7 * DAY, MONDAY - 4 * DAY, conclusion="failure"), "it fires and fails"),
        (every(2 * DAY, MONDAY - 4 * DAY), "it should have fired since"),
    ],
)
def test_a_schedule_that_will_not_rebuild_it_in_time_is_not_trusted(
    scheduled: tuple[PastRun, ...], why: str
) -> None:
    builds = BranchBuilds(last_success=run(MONDAY - 4 * DAY), scheduled=scheduled)
    found = judged(aging(MONDAY - 4 * DAY, builds=builds, is_scheduled=True), MONDAY)
    assert found.standing in (AgeStanding.DUE, AgeStanding.SILENT), why
    assert found.plan_at == MONDAY


def test_a_schedule_that_fires_within_an_hour_of_the_guaranteed_age_is_in_time() -> None:
    last = MONDAY - 4 * DAY

    def standing(gap: timedelta) -> AgeStanding:
        builds = BranchBuilds(last_success=run(last), scheduled=every(gap, last))
        return judged(aging(last, builds=builds, is_scheduled=True), MONDAY).standing

    assert standing(7 * DAY + HOUR) is AgeStanding.OWN_SCHEDULE
    assert standing(7 * DAY + HOUR + timedelta(minutes=1)) is AgeStanding.DUE


def test_a_schedule_that_is_late_by_more_than_an_hour_is_waited_for_no_longer() -> None:
    last = MONDAY - 7 * DAY
    builds = BranchBuilds(last_success=run(last), scheduled=every(7 * DAY, last))
    shop = aging(last, builds=builds, is_scheduled=True)
    assert judged(shop, MONDAY + HOUR).standing is AgeStanding.OWN_SCHEDULE
    assert judged(shop, MONDAY + HOUR + timedelta(minutes=1)).standing is AgeStanding.DUE


def test_a_schedule_that_stopped_firing_is_told_with_the_way_out_and_the_bot_rebuilds() -> None:
    last = MONDAY - 20 * DAY
    builds = BranchBuilds(last_success=run(last), scheduled=every(7 * DAY, last))
    found = judged(aging(last, builds=builds, is_scheduled=True), MONDAY)
    assert (found.standing, found.plan_at is not None and found.plan_at <= MONDAY) == (AgeStanding.SILENT, True)
    assert "its schedule fired every 7 days and has not since 2026-11-03: push a change of" in found.text


def weekdays(last: datetime, count: int = 4) -> tuple[PastRun, ...]:
    """What `0 2 * * 1-5` has fired."""
    days = (last - number * DAY for number in range(3 * count))
    return tuple(run(at, event="schedule") for at in days if at.weekday() < 5)[:count]


FRIDAY = MONDAY - 3 * DAY


@pytest.mark.parametrize("friday", [FRIDAY - number * DAY for number in range(5)], ids=lambda day: f"{day:%A}")
def test_a_schedule_of_weekdays_is_not_dead_at_the_weekend(friday: datetime) -> None:
    """Whichever of its runs was the last: what is known of the week before tells as little."""
    builds = BranchBuilds(last_success=run(friday), scheduled=weekdays(friday))
    shop = aging(friday, builds=builds, is_scheduled=True)
    assert judged(shop, friday + 3 * DAY).standing is AgeStanding.OWN_SCHEDULE


def test_a_schedule_of_weekdays_that_has_stopped_is_told_by_wednesday() -> None:
    builds = BranchBuilds(last_success=run(FRIDAY), scheduled=weekdays(FRIDAY))
    shop = aging(FRIDAY, builds=builds, is_scheduled=True)
    assert judged(shop, MONDAY + 2 * DAY).standing is AgeStanding.SILENT


@pytest.mark.parametrize(
    ("values", "standing", "words"),
    [
        ({"is_there": False}, AgeStanding.NO_WORKFLOW, "there is no weekly-rebuild.yml on the default branch: add"),
        (
            {"can_be_dispatched": False},
            AgeStanding.NO_DISPATCH,
            "trigger: add `workflow_dispatch:` under its `on:`",
        ),
        (
            {"builds": BranchBuilds("deleted", run(MONDAY - 9 * DAY))},
            AgeStanding.NO_WORKFLOW,
            "was deleted or renamed: name the one that builds now by `workflow`",
        ),
        ({"called_off": "the run was cancelled"}, AgeStanding.CALLED_OFF, "the run was cancelled: start it"),
        ({"left_alone": "it says so"}, AgeStanding.LEFT_ALONE, "it says so"),
        (
            {"builds": BranchBuilds("disabled_inactivity", run(MONDAY - 9 * DAY))},
            AgeStanding.DISABLED,
            "after 60 days without activity in the repository: enable it on the Actions page, or with "
            "`gh workflow enable weekly-rebuild.yml -R contoso/shop`",
        ),
    ],
)
def test_what_cannot_be_started_is_told_with_the_way_out(
    values: dict[str, object], standing: AgeStanding, words: str
) -> None:
    found = judged(aging(MONDAY - 9 * DAY, **values), MONDAY)
    assert found.standing is standing
    assert words in found.text
    assert found.standing.cannot_be_rebuilt


def failing(count: int, changed_at: datetime | None = None, last: datetime = MONDAY - HOUR) -> Aging:
    failed = tuple(run(last - number * HOUR, "failure") for number in range(count))
    return aging(
        None, builds=BranchBuilds(last_success=run(MONDAY - 9 * DAY), failed=failed), changed_at=changed_at
    )


def test_three_failures_in_a_row_stop_it_until_something_has_changed() -> None:
    found = judged(failing(3), MONDAY)
    assert found.standing is AgeStanding.FAILING
    assert "its last 3 builds failed in a row (https://forge/112301): mend the build" in found.text
    assert judged(failing(3, MONDAY - 2 * HOUR), MONDAY).standing is AgeStanding.FAILING
    assert judged(failing(3, MONDAY - timedelta(minutes=5)), MONDAY).standing is AgeStanding.DUE


@pytest.mark.parametrize("before", [HOUR, HOUR + timedelta(minutes=30)], ids=["as it failed", "before it failed"])
def test_what_changed_before_the_last_failure_was_built_in_vain_already(before: timedelta) -> None:
    assert judged(failing(3, MONDAY - before), MONDAY).standing is AgeStanding.FAILING


def test_the_address_that_is_told_is_that_of_the_last_failure() -> None:
    last, *earlier = failing(3).builds.failed
    known = replace(failing(3), builds=BranchBuilds(failed=(last, *(replace(each, url="") for each in earlier))))
    assert f"in a row ({last.url}): mend the build" in judged(known, MONDAY).text


def test_a_schedule_that_has_fired_once_is_not_trusted_as_long_as_nobody_knows_how_often_it_does() -> None:
    last = MONDAY - 4 * DAY
    builds = BranchBuilds(last_success=run(last), scheduled=every(7 * DAY, last, count=1))
    assert judged(aging(last, builds=builds, is_scheduled=True), last + DAY).standing is AgeStanding.FRESH


def test_failures_whose_address_nobody_knows_are_told_without_one() -> None:
    nowhere = tuple(PastRun(MONDAY - number * HOUR, "push", "main", "failure", "") for number in range(1, 4))
    found = judged(aging(None, builds=BranchBuilds(failed=nowhere)), MONDAY)
    assert "its last 3 builds failed in a row: mend the build" in found.text


def test_a_failed_build_rests_before_it_is_tried_again() -> None:
    found = judged(failing(2), MONDAY + DAY)
    assert found.standing is AgeStanding.DUE
    assert judged(failing(2, last=MONDAY + 23 * HOUR), MONDAY + DAY).plan_at == MONDAY + 35 * HOUR


def test_a_freeze_holds_it_back_and_is_named() -> None:
    frozen = AgeOptions(freezes=(Freeze(MONDAY - DAY, MONDAY + 5 * DAY, "year-end"),))
    found = judged(aging(MONDAY - 3 * DAY), MONDAY, frozen)
    assert found.begins_at == MONDAY + 5 * DAY
    assert "may become 7 days old; frozen until 2026-11-28 02:00 UTC: year-end" in found.text


def test_a_window_gives_way_where_it_would_be_too_old_by_its_opening() -> None:
    fridays = Terms(max_age=7 * DAY, windows=(Window.parse("fri 08:00-17:00"),))
    found = judged(aging(MONDAY - 3 * DAY, terms=fridays), MONDAY)
    assert found.begins_at == MONDAY + 4 * DAY
    wednesdays = Terms(max_age=7 * DAY, windows=(Window.parse("wed 08:00-17:00"),))
    found = judged(aging(MONDAY - 3 * DAY, terms=wednesdays), MONDAY)
    assert found.begins_at == datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


@given(
    name=st.text(min_size=1, max_size=20),
    since=st.timedeltas(timedelta(0), 30 * DAY),
    max_age=st.timedeltas(2 * HOUR, 40 * DAY),
    at=st.timedeltas(timedelta(0), 14 * DAY),
)
def test_a_rebuild_begins_before_it_is_too_old_or_it_was_so_already(
    name: str, since: timedelta, max_age: timedelta, at: timedelta
) -> None:
    now = MONDAY + at
    built = now - since
    found = judged(aging(built, repository=name, terms=Terms(max_age=max_age)), now)
    assert found.begins_at is not None
    assert found.begins_at >= built
    assert found.begins_at <= max(built + max_age, now + WEEKLY.over)
    assert found.plan_at is not None
    assert found.plan_at <= found.begins_at


def test_a_schedule_that_was_taken_out_is_not_trusted_though_it_fired() -> None:
    last = MONDAY - 4 * DAY
    builds = BranchBuilds(last_success=run(last), scheduled=every(7 * DAY, last))
    assert judged(aging(last, builds=builds, is_scheduled=False), MONDAY).standing is AgeStanding.DUE
    silent = BranchBuilds(last_success=run(last), scheduled=every(7 * DAY, MONDAY - 60 * DAY))
    assert judged(aging(last, builds=silent, is_scheduled=False), MONDAY).standing is AgeStanding.DUE


@pytest.mark.parametrize(("failed", "is_trusted"), [(0, False), (1, True)])
def test_only_the_last_run_of_a_schedule_tells_whether_it_succeeds(failed: int, is_trusted: bool) -> None:
    last = MONDAY - 4 * DAY
    fired = every(7 * DAY, last)
    fired = tuple(replace(each, conclusion="failure" if n == failed else "success") for n, each in enumerate(fired))
    builds = BranchBuilds(last_success=run(last), scheduled=fired)
    found = judged(aging(last, builds=builds, is_scheduled=True), MONDAY)
    assert (found.standing is AgeStanding.OWN_SCHEDULE) is is_trusted


def test_a_schedule_is_silent_once_it_is_later_than_its_longest_rest_and_a_usual_one_by_more_than_an_hour() -> None:
    last = MONDAY - 14 * DAY - HOUR
    builds = BranchBuilds(last_success=run(last), scheduled=every(7 * DAY, last))
    shop = aging(last, builds=builds, is_scheduled=True)
    assert judged(shop, MONDAY).standing is AgeStanding.DUE
    assert judged(shop, MONDAY + timedelta(seconds=1)).standing is AgeStanding.SILENT


@pytest.mark.parametrize(("later", "standing"), [(-1, AgeStanding.LEFT_ALONE), (0, AgeStanding.CALLED_OFF)])
def test_what_was_called_off_needs_a_person_from_the_moment_when_it_is_too_old(
    later: int, standing: AgeStanding
) -> None:
    now = MONDAY + 7 * DAY + timedelta(seconds=later)
    found = judged(aging(MONDAY, called_off="the run was cancelled"), now)
    assert (found.standing, found.overdue_at) == (standing, MONDAY + 7 * DAY)
    assert "the run was cancelled" in found.text


def test_what_was_called_off_and_never_succeeded_is_too_old() -> None:
    assert judged(aging(None, called_off="the run was cancelled"), MONDAY).standing is AgeStanding.CALLED_OFF


def test_what_was_built_as_the_weekly_rebuild_began_is_rebuilt_before_it_is_too_old_and_not_at_once() -> None:
    found = judged(aging(MONDAY), MONDAY + HOUR)
    assert (found.standing, found.plan_at) == (AgeStanding.FRESH, MONDAY + 7 * DAY - LEAD)


def test_who_is_found_a_quarter_of_an_hour_after_its_turn_begins_at_once_and_later_gets_another() -> None:
    shop, quarter = aging(MONDAY - 3 * DAY), timedelta(minutes=15)
    turn = MONDAY + TURN
    assert judged(shop, turn + quarter).begins_at == turn
    late = turn + quarter + timedelta(seconds=1)
    assert judged(shop, late).begins_at == late + TURN


def test_a_schedule_that_rests_as_long_as_the_weekend_is_one_of_weekdays_only_where_less_than_a_week_is_known() -> (
    None
):
    """What has fired for a week and never at a weekend is known to rest as long as it did."""
    monday = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
    week = tuple(run(monday - days * DAY, event="schedule") for days in (0, 3, 4, 5, 6, 7))
    builds = BranchBuilds(last_success=run(monday), scheduled=week)
    usual = DAY
    silent_after = 3 * DAY + usual + HOUR
    shop = aging(monday, builds=builds, is_scheduled=True)
    assert judged(shop, monday + silent_after).standing is not AgeStanding.SILENT
    assert judged(shop, monday + silent_after + timedelta(seconds=1)).standing is AgeStanding.SILENT


def test_a_schedule_of_every_few_hours_that_is_known_for_a_week_does_not_rest_over_the_weekend() -> None:
    """Its runs on Saturday were long ago: those that are known lie on weekdays, a week apart."""
    friday = MONDAY - 3 * DAY
    builds = BranchBuilds(last_success=run(friday), scheduled=every(7 * DAY, friday, count=2))
    shop = aging(friday, builds=builds, is_scheduled=True, terms=Terms(max_age=8 * DAY))
    assert judged(shop, friday + 7 * DAY + HOUR).standing is AgeStanding.OWN_SCHEDULE


MON = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rests", "longest"),
    [
        pytest.param((50, 22, 24, 24, 24, 24), 50, id="a week is known"),
        pytest.param((50, 22, 24, 24, 24), 72, id="less than a week is known"),
    ],
)
def test_what_rests_over_the_weekend_is_known_once_its_runs_reach_back_a_week(
    rests: tuple[int, ...], longest: int
) -> None:
    """`0 1 * * 1-5` that ran once more on Friday night."""
    at, fired = MON, [run(MON, event="schedule")]
    for hours in rests:
        at -= hours * HOUR
        fired.append(run(at, event="schedule"))
    shop = aging(MON, builds=BranchBuilds(last_success=run(MON), scheduled=tuple(fired)), is_scheduled=True)
    silent = MON + (longest + 24 + 1) * HOUR
    assert judged(shop, silent).standing is not AgeStanding.SILENT
    assert judged(shop, silent + timedelta(seconds=1)).standing is AgeStanding.SILENT


def test_a_schedule_that_has_run_on_a_saturday_does_not_rest_over_the_weekend() -> None:
    saturday = MON - 2 * DAY
    builds = BranchBuilds(last_success=run(saturday), scheduled=every(DAY, saturday, count=3))
    shop = aging(saturday, builds=builds, is_scheduled=True)
    assert judged(shop, saturday + 2 * DAY + HOUR + timedelta(seconds=1)).standing is AgeStanding.SILENT


def test_a_file_that_is_not_there_is_told_as_that_whatever_is_said_of_its_workflow() -> None:
    found = judged(aging(MONDAY - 9 * DAY, is_there=False, builds=BranchBuilds("deleted")), MONDAY)
    assert "there is no weekly-rebuild.yml on the default branch: add one with workflow_dispatch" in found.text


def test_a_schedule_of_which_no_run_has_succeeded_is_not_trusted() -> None:
    fired = every(7 * DAY, MONDAY - 4 * DAY, conclusion="")
    assert (
        judged(aging(None, builds=BranchBuilds(scheduled=fired), is_scheduled=True), MONDAY).standing
        is AgeStanding.DUE
    )
