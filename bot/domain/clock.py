"""Time is passed in, so that the same code runs live and replays three years of history."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

AHEAD = timedelta(minutes=5)
"""How far the clock of another machine may be before ours."""


def is_yet_to_come(moment: datetime, now: datetime) -> bool:
    """Whether a time that somebody else has written is further ahead than clocks differ: nothing may rest on it."""
    return moment - now > AHEAD


def is_fresh(learnt_at: datetime, now: datetime, within: timedelta) -> bool:
    """Whether what was learnt then is younger than `within`. Of a time that a clock, set back since, calls still
    to come, nobody can tell how long ago it was."""
    return timedelta(0) <= now - learnt_at < within


class Clock(Protocol):
    """Answers what time it is, in UTC. Answers may go back, as the clock of a machine is set right now and then."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock. No stage makes one: it is passed in."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is moved: for replays and tests."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> datetime:
        self.at += by
        return self.at

    def move_to(self, moment: datetime) -> datetime:
        """Moves forward to `moment`; one in the past leaves the clock where it is."""
        self.at = max(self.at, moment)
        return self.at
