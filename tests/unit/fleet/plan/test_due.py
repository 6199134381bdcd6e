from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.policy import Policy, PolicyRule, Terms
from bot.domain.rollouts.rollout import Reconsidered
from bot.domain.rollouts.timing.windows import Freeze, Window, frozen_by, next_opening
from bot.fleet.plan.due import Beginning, beginning_of, counted_for, reconsidered
from tests.unit.fleet.plan.world import ASPNET, HOUR, NOON, SDK, move, only, planned, rebuild, usage

DAY = timedelta(days=1)
CLOSING = Freeze(NOON - DAY, datetime(2026, 3, 16, tzinfo=UTC), "year-end closing", Severity.CRITICAL)
FROZEN = Policy((PolicyRule(settle=timedelta()),), freezes=(CLOSING,))


def test_work_begins_when_the_freeze_ends_and_says_why() -> None:
    found = only(planned(move(), usage("aspnet:10.0@a"), policy=FROZEN))
    assert found.due_at == CLOSING.until
    assert found.reason == (
        "aspnet:10.0 moved; 10.0 is pinned by digest; frozen until 2026-03-16: year-end closing"
    )


@pytest.mark.parametrize(("severity", "waits"), [(Severity.HIGH, True), (Severity.CRITICAL, False)])
def test_a_severe_fix_is_not_frozen(severity: Severity, waits: bool) -> None:
    found = only(
        planned(move(cause=Cause.DOTNET_SECURITY, severity=severity), usage("aspnet:10.0@a"), policy=FROZEN)
    )
    assert (found.due_at == CLOSING.until) is waits
    assert ("frozen" in found.reason) is waits


def test_a_freeze_holds_back_what_has_waited_for_its_max_age() -> None:
    policy = replace(FROZEN, rules=(PolicyRule(max_age=DAY),))
    assert only(planned(move(at=NOON - 9 * DAY), usage("aspnet:10.0@a"), policy=policy)).due_at == CLOSING.until


def test_after_a_freeze_the_windows_hold_again() -> None:
    tuesdays = Terms(settle=timedelta(), windows=(Window.parse("tue 08:00-10:00"),))
    found = beginning_of(move().change, tuesdays, (CLOSING,), NOON)
    assert found.at == datetime(2026, 3, 17, 8, tzinfo=UTC)


def test_a_freeze_that_begins_later_holds_nothing_that_begins_before() -> None:
    later = replace(CLOSING, since=NOON + HOUR)
    assert beginning_of(move().change, Terms(settle=timedelta()), (later,), NOON) == Beginning(NOON)
    settling = Terms(settle=2 * HOUR)
    assert beginning_of(move().change, settling, (later,), NOON).at == CLOSING.until


def test_the_hour_is_told_where_a_freeze_does_not_end_at_midnight() -> None:
    early = replace(CLOSING, until=CLOSING.until + 5 * HOUR)
    assert "frozen until 2026-03-16 05:00 UTC" in beginning_of(move().change, Terms(), (early,), NOON).delay_reason


def test_what_turns_out_to_be_severe_leaves_the_freeze() -> None:
    waiting = rebuild(due_at=CLOSING.until)
    known = move(cause=Cause.DOTNET_SECURITY, severity=Severity.CRITICAL).change
    assert reconsidered(waiting, [known], FROZEN, NOON + HOUR).due_at == NOON + HOUR
    mild = replace(known, severity=Severity.LOW)
    assert reconsidered(waiting, [mild], FROZEN, NOON + HOUR).due_at == CLOSING.until


def test_what_a_clock_that_was_ahead_has_planned_settles_from_now_on() -> None:
    """Its change was seen by that clock too."""
    ahead = NOON + 365 * DAY
    policy = Policy((PolicyRule(settle=6 * HOUR, max_age=DAY),))
    waiting = rebuild(due_at=ahead + 6 * HOUR, planned_at=ahead, waits_since=ahead)
    found = reconsidered(waiting, [move(at=ahead).change], policy, NOON)
    assert (found.due_at, found.overdue_at) == (NOON + 6 * HOUR, NOON + DAY)


def test_what_a_clock_that_was_ahead_has_planned_waits_for_its_window_all_the_same() -> None:
    ahead = NOON + 365 * DAY
    policy = Policy((PolicyRule(settle=timedelta(), windows=(Window.parse("mon 08:00-10:00"),)),))
    waiting = rebuild(due_at=ahead, planned_at=ahead)
    assert reconsidered(waiting, [move(at=ahead).change], policy, NOON).due_at == datetime(
        2026, 3, 16, 8, tzinfo=UTC
    )


def test_a_rebuild_that_waits_while_a_freeze_is_written_waits_for_its_end_too() -> None:
    found = only(planned(move(), usage("aspnet:10.0@a"), policy=FROZEN, earlier=[rebuild(due_at=NOON)]))
    assert found.due_at == CLOSING.until


freezes = st.lists(
    st.builds(
        lambda start, length, least: Freeze(NOON + start, NOON + start + length, "x", least),
        st.timedeltas(-5 * DAY, 20 * DAY),
        st.timedeltas(HOUR, 9 * DAY),
        st.none() | st.sampled_from(Severity),
    ),
    max_size=4,
)
terms_of = st.builds(
    Terms,
    settle=st.timedeltas(timedelta(), 9 * DAY),
    windows=st.sampled_from([(), (Window(),), (Window.parse("mon-fri 08:00-17:00 Europe/Berlin"),)]),
    max_age=st.none() | st.timedeltas(HOUR, 9 * DAY),
)


@given(terms=terms_of, freezes=freezes, severity=st.none() | st.sampled_from(Severity))
def test_nothing_begins_in_a_freeze_nor_before_it_is_planned(
    terms: Terms, freezes: list[Freeze], severity: Severity | None
) -> None:
    found = beginning_of(move(severity=severity).change, terms, freezes, NOON)
    assert frozen_by(freezes, found.at, severity) is None
    assert found.at >= NOON
    is_open = next_opening(terms.windows, found.at) == found.at
    assert is_open or (terms.max_age is not None and found.at >= NOON + terms.max_age)


@given(terms=terms_of, freezes=freezes, severity=st.none() | st.sampled_from(Severity))
def test_a_freeze_never_hastens(terms: Terms, freezes: list[Freeze], severity: Severity | None) -> None:
    change = move(severity=severity).change
    without = beginning_of(change, terms, (), NOON)
    found = beginning_of(change, terms, freezes, NOON)
    assert found.at >= without.at
    assert bool(found.delay_reason) is (found.at != without.at)


@given(terms=terms_of, freezes=freezes, least=st.sampled_from(Severity))
def test_a_more_severe_fix_never_begins_later(terms: Terms, freezes: list[Freeze], least: Severity) -> None:
    begins = [
        beginning_of(move(severity=severity).change, terms, freezes, NOON).at for severity in (None, *Severity)
    ]
    assert begins == sorted(begins, reverse=True)


def test_what_a_mirror_brings_settles_and_ages_from_upstreams_publication() -> None:
    """The mirror has just come to show what was published four hours before."""
    late = replace(move().change, at=NOON, published_at=NOON - 4 * HOUR)
    assert beginning_of(late, Terms(settle=6 * HOUR), (), NOON).at == NOON + 2 * HOUR
    assert beginning_of(late, Terms(settle=3 * HOUR), (), NOON).at == NOON
    in_a_week = Terms(settle=timedelta(), windows=(Window.parse("mon 08:00-10:00"),), max_age=6 * HOUR)
    assert beginning_of(late, in_a_week, (), NOON).at == NOON + 2 * HOUR


def test_a_rebuild_for_what_a_mirror_brings_is_overdue_by_upstreams_publication() -> None:
    moved = move()
    moved = replace(moved, change=replace(moved.change, published_at=moved.change.at - HOUR))
    found = only(planned(moved, usage("aspnet:10.0@a"), policy=Policy((PolicyRule(max_age=DAY),))))
    assert found.overdue_at == moved.change.at - HOUR + DAY


def test_a_publication_that_a_mirror_shows_before_upstream_was_looked_at_counts_from_the_mirror() -> None:
    early = replace(move().change, at=NOON, published_at=NOON + HOUR)
    assert early.counts_from == NOON


def test_a_waiting_rebuild_of_whose_changes_none_can_be_read_stays_as_it_is_and_says_so() -> None:
    waiting = rebuild(due_at=NOON + 3 * HOUR)
    assert reconsidered(waiting, [], Policy(), NOON) == Reconsidered(NOON + 3 * HOUR, None, is_whole=False)


def test_what_is_known_of_a_waiting_rebuild_is_whole_where_all_of_its_changes_can_be_read() -> None:
    two = rebuild(bases=(ASPNET, SDK))
    assert not reconsidered(two, [move().change], Policy(), NOON).is_whole
    assert reconsidered(two, [move().change, move(SDK).change], Policy(), NOON).is_whole


def test_what_is_learned_of_several_changes_is_the_worst_and_the_first_that_is_overdue() -> None:
    policy = Policy((PolicyRule(max_age=DAY),))
    some = [move(severity=Severity.LOW).change, move(at=NOON - HOUR, severity=Severity.HIGH).change]
    found = reconsidered(rebuild(bases=(ASPNET, SDK)), some, policy, NOON)
    assert (found.severity, found.overdue_at) == (Severity.HIGH, NOON - HOUR + DAY)


def test_where_no_age_is_guaranteed_nothing_is_overdue() -> None:
    assert reconsidered(rebuild(), [move().change], Policy(), NOON).overdue_at is None
    assert only(planned(move(), usage("aspnet:10.0@a"))).overdue_at is None


def test_a_change_counts_from_the_plan_that_brings_it_where_that_is_later() -> None:
    old = replace(move().change, at=NOON - DAY, published_at=NOON - DAY - HOUR)
    counted = counted_for(rebuild(waits_since=NOON), old)
    assert (counted.at, counted.published_at) == (NOON, NOON - HOUR)
    assert counted_for(rebuild(waits_since=None), old) == old
    assert counted_for(rebuild(waits_since=NOON - DAY), old) == old
    assert counted_for(rebuild(waits_since=NOON), replace(old, published_at=None)).published_at is None
