from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.timing.windows import Freeze, frozen_by, thawed

DAY = timedelta(days=1)
EVE = datetime(2026, 12, 20, tzinfo=UTC)
YEAR_END = Freeze(EVE, EVE + 14 * DAY, "year-end closing", Severity.CRITICAL)
AUDIT = Freeze(EVE + 10 * DAY, EVE + 20 * DAY, "audit")


@pytest.mark.parametrize(("at", "holds"), [(EVE - DAY, False), (EVE, True), (EVE + 14 * DAY, False)])
def test_a_freeze_holds_from_its_beginning_until_before_its_end(at: datetime, holds: bool) -> None:
    assert YEAR_END.holds(at, None) is holds


@pytest.mark.parametrize(("severity", "holds"), [(None, True), (Severity.HIGH, True), (Severity.CRITICAL, False)])
def test_fixes_that_are_severe_enough_go(severity: Severity | None, holds: bool) -> None:
    assert YEAR_END.holds(EVE, severity) is holds


def test_a_freeze_without_an_exception_holds_everything() -> None:
    assert AUDIT.holds(EVE + 10 * DAY, Severity.CRITICAL)


def test_of_several_freezes_the_last_to_end_is_told() -> None:
    assert frozen_by((YEAR_END, AUDIT), EVE + 11 * DAY, None) == AUDIT


def test_freezes_that_follow_each_other_are_one() -> None:
    assert thawed((YEAR_END, AUDIT), EVE, None) == EVE + 20 * DAY
    assert thawed((YEAR_END, AUDIT), EVE, Severity.CRITICAL) == EVE


freezes_of = st.lists(
    st.builds(
        lambda start, length, least: Freeze(EVE + start, EVE + start + length, "x", least),
        st.timedeltas(-5 * DAY, 20 * DAY),
        st.timedeltas(DAY / 24, 9 * DAY),
        st.none() | st.sampled_from(Severity),
    ),
    max_size=5,
)


@given(freezes_of, st.none() | st.sampled_from(Severity))
def test_what_is_thawed_is_the_first_moment_that_nothing_holds(
    freezes: list[Freeze], severity: Severity | None
) -> None:
    found = thawed(freezes, EVE, severity)
    assert frozen_by(freezes, found, severity) is None
    ends = sorted(freeze.until for freeze in freezes if EVE < freeze.until < found)
    assert all(frozen_by(freezes, moment, severity) for moment in (*ends, EVE) if moment < found)
