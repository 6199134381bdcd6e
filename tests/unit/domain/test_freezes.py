from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.advisory import Severity
from bot.domain.freezes import Freeze, frozen_by, thawed

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
