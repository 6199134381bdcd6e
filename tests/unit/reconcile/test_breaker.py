from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.failure import Failure, Trouble
from bot.reconcile.work import Breaker, pause

NOW = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)


def silent() -> Failure:
    return Failure(Trouble.UNREACHABLE, "no answer")


def after(*events: Trouble | None) -> Breaker:
    """A breaker that saw answers (None) and troubles, in this order."""
    breaker = Breaker(3)
    for event in events:
        if event is None:
            breaker.answered()
        else:
            breaker.failed(Failure(event, "x"), is_hosts=event is Trouble.THROTTLED)
    return breaker


def test_too_many_requests_stop_at_once() -> None:
    assert after(None, None, Trouble.THROTTLED).tripped is not None


def test_silence_stops_after_three_in_a_row() -> None:
    quiet = Trouble.UNREACHABLE
    assert after(quiet, quiet).tripped is None
    assert after(quiet, quiet, None, quiet, quiet).tripped is None
    assert after(quiet, quiet, quiet).tripped is not None


@pytest.mark.parametrize("answer", [Trouble.DENIED, Trouble.MISSING, Trouble.MALFORMED])
def test_a_host_that_says_no_is_there(answer: Trouble) -> None:
    breaker = after(Trouble.UNREACHABLE, Trouble.UNREACHABLE, answer, Trouble.UNREACHABLE)
    assert breaker.has_answered
    assert breaker.tripped is None


@pytest.mark.parametrize(
    ("failures", "is_suspect", "tripped"),
    [(0, True, False), (1, False, False), (1, True, True), (2, False, True)],
)
def test_where_few_are_asked_and_none_is_answered(failures: int, is_suspect: bool, tripped: bool) -> None:
    breaker = after(*[Trouble.UNREACHABLE] * failures)
    breaker.asked_everybody(is_suspect=is_suspect)
    assert (breaker.tripped is not None) is tripped


def test_a_failure_that_several_items_share_counts_once() -> None:
    breaker, shared = Breaker(3), silent()
    for _ in range(5):
        breaker.failed(shared, is_hosts=False)
    assert breaker.tripped is None


def test_where_silence_is_each_items_own_nothing_but_a_request_stops() -> None:
    breaker = Breaker(None)
    for _ in range(9):
        breaker.failed(silent(), is_hosts=False)
    breaker.asked_everybody(is_suspect=False)
    assert breaker.tripped is None


def test_a_pause_is_at_least_what_the_host_asked_for() -> None:
    asked = Failure(Trouble.THROTTLED, "x", retry_after=timedelta(hours=2))
    assert pause(NOW, NOW, asked) == timedelta(hours=2)
    assert pause(NOW, NOW, silent()) == timedelta(minutes=1)
    assert pause(NOW, NOW + timedelta(days=1), silent()) == timedelta(minutes=30)


def test_a_host_that_has_answered_somebody_is_not_judged_by_the_few_that_got_no_answer() -> None:
    breaker = after(None, Trouble.UNREACHABLE, Trouble.UNREACHABLE)
    breaker.asked_everybody(is_suspect=True)
    assert breaker.tripped is None


@pytest.mark.parametrize("trouble", [Trouble.THROTTLED, Trouble.UNREACHABLE], ids=str)
def test_what_stopped_it_first_is_what_it_stopped_for(trouble: Trouble) -> None:
    breaker = Breaker(1)
    first, second = Failure(trouble, "first"), Failure(trouble, "second")
    for failure in (first, second):
        breaker.failed(failure, is_hosts=trouble is Trouble.THROTTLED)
    breaker.asked_everybody(is_suspect=True)
    assert breaker.tripped is first


def test_a_host_that_was_asked_by_few_stops_for_the_last_silence() -> None:
    breaker = Breaker(5)
    first, second = silent(), silent()
    breaker.failed(first, is_hosts=False)
    breaker.failed(second, is_hosts=False)
    breaker.asked_everybody(is_suspect=False)
    assert breaker.tripped is second


def test_what_asked_for_a_pause_is_not_forgotten_for_a_silence_after_it() -> None:
    breaker = Breaker(5)
    asked = Failure(Trouble.THROTTLED, "slow down")
    breaker.failed(silent(), is_hosts=False)
    breaker.failed(silent(), is_hosts=False)
    breaker.failed(asked, is_hosts=True)
    breaker.asked_everybody(is_suspect=False)
    assert breaker.tripped is asked


@pytest.mark.parametrize(
    ("lasted", "longest", "rest"),
    [
        (timedelta(minutes=7), timedelta(minutes=30), timedelta(minutes=7)),
        (timedelta(minutes=7), timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(minutes=7), timedelta(seconds=5), timedelta(minutes=1)),
        (timedelta(hours=7), timedelta(hours=2), timedelta(minutes=30)),
    ],
)
def test_a_pause_lasts_as_long_as_the_trouble_within_bounds(
    lasted: timedelta, longest: timedelta, rest: timedelta
) -> None:
    assert pause(NOW, NOW + lasted, silent(), longest) == rest
