"""How long work rests: after it failed, and while it is for people to go on."""

from datetime import UTC, datetime, timedelta

from bot.domain.failure import Failure

_FIRST = timedelta(seconds=30)
_LONGEST = timedelta(hours=1)
_OF_ITS_AGE = 12
_MOST_SELDOM = timedelta(days=1)
_SPREAD_OVER = timedelta(minutes=10)
_TO_THE_LONGEST = 9
"""The failure after which the usual back-off grows no more."""


def backoff(attempts: int, first: timedelta = _FIRST) -> timedelta:
    """Doubling from `first`, at most an hour; `attempts` counts the failed ones."""
    doublings: int = 2 ** min(max(attempts - 1, 0), 16)
    return min(first * doublings, _LONGEST)


def rest_of(failure: Failure, attempts: int) -> timedelta:
    """What the host asked for, else the usual back-off: no wait at all would ask again at once, for ever.

    What only delays work, and has done so for longer than half a day, rests ever longer, up to a day.
    """
    usual = backoff(attempts)
    if not failure.meaning.may_end_work:
        usual = max(usual, min(rested_by(attempts) / _OF_ITS_AGE, _MOST_SELDOM))
    return failure.retry_after or usual


def rested_by(attempts: int) -> timedelta:
    """How long work has rested in all by its `attempts`-th failure, at the least."""
    few = min(attempts, _TO_THE_LONGEST)
    return sum((backoff(each) for each in range(1, few)), timedelta()) + (attempts - few) * _LONGEST


def rests_for_long_after(now: datetime) -> datetime:
    """What has failed and is due later than that rests for longer than by the usual back-off."""
    return now + _LONGEST


def soon(now: datetime, number: int) -> list[datetime]:
    """When so many rows are due again once what kept them is over: soon, and not all at once."""
    return [now + _SPREAD_OVER * (place + 1) / (number + 1) for place in range(number)]


def rest_at_age(age: timedelta, shortest: timedelta) -> timedelta:
    """Between two looks at what is open for `age`: a twelfth of that, from `shortest` up to an hour.

    500 pull requests, asked for every five minutes, would use up GitHub's limit.
    """
    return max(shortest, min(age / _OF_ITS_AGE, _LONGEST))


def look_together(moment: datetime, every: timedelta) -> datetime:
    """The time nearest to `moment` on a grid of `every`, so that what is looked at in bulk becomes due together."""
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return start + round((moment - start) / every) * every
