"""Time is passed in, so that the same code runs live and replays three years of history."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


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

    def move_to(self, at: datetime) -> datetime:
        """Moves forward to `at`; a moment in the past leaves the clock where it is."""
        self.at = max(self.at, at)
        return self.at
