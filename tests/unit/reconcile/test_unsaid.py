"""What holds of the loop where nothing else is said, and the words that metrics have."""

import asyncio
from datetime import timedelta

from bot.domain.clock import ManualClock
from bot.domain.rollouts.timing.pace import WriteLimits
from bot.reconcile.guarded import Budget, Turn
from bot.reconcile.loop import RENEW_EVERY, Loop
from bot.reconcile.round import HeldRow, Tally
from bot.reconcile.work import LONGEST_PAUSE, SHORTEST_PAUSE, Breaker, Claimed, Lease, RowOutcome, Work
from tests.builders import NOON
from tests.fakes.queue import FakeQueue

CLOCK = ManualClock(NOON)


def test_the_words_that_metrics_have_stay() -> None:
    words = "done failed defect unreadable untried lost"
    assert [str(outcome) for outcome in RowOutcome] == words.split()


def test_what_holds_of_work_that_says_nothing_else() -> None:
    assert (Work.batch, Work.at_once, Work.most, Work.strikes, Work.home) == (20, 4, 100_000, 5, None)
    assert (timedelta(minutes=1), timedelta(minutes=30)) == (SHORTEST_PAUSE, LONGEST_PAUSE)
    assert timedelta(minutes=2) == RENEW_EVERY


def test_a_run_has_done_nothing_yet() -> None:
    assert Tally() == Tally(0, 0, 0, 0, [])
    breaker = Breaker(3)
    assert (breaker.tripped, breaker.has_answered) == (None, False)


def test_a_row_that_was_claimed_is_held_until_something_else_is_told() -> None:
    claimed = Claimed(1, "row 1", 1)
    held = HeldRow(claimed, Lease(claimed, FakeQueue(), CLOCK))
    assert (held.item, held.has_ended, held.is_lost, held.attempt) == (None, False, False, None)


def test_what_a_row_holds_is_neither_logged_nor_part_of_what_it_is() -> None:
    claimed = Claimed(1, "row 1", 1, {"secret": "x"})
    assert claimed == Claimed(1, "row 1", 1)
    assert "secret" not in repr(claimed)
    assert Claimed(1, "row 1", 1).row == {}


def test_without_a_budget_nothing_bounds_writes_and_one_has_the_limits_of_github() -> None:
    assert Loop(CLOCK).budget is None
    budget = Budget(None, CLOCK)  # type: ignore[arg-type]
    assert (budget.limits, budget.by_owner, budget.sleep) == (WriteLimits(), True, asyncio.sleep)
    assert Turn(NOON) == Turn(NOON, None)
