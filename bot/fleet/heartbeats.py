"""Whether the stages are ticking: who has begun a tick, who has ended one, and who is late."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LATE = timedelta(minutes=2)
"""A stage that waits for longer than its interval and this has stopped ticking."""
LONGEST_TICK = timedelta(minutes=45)
"""The first reading of 5,000 repositories stays under it; what takes longer hangs."""


@dataclass(slots=True)
class Beat:
    """One stage: `began` and `ended` are those of its latest tick, from the start of the service on."""

    every: timedelta
    began: datetime
    ended: datetime | None = None
    is_running: bool = False


@dataclass(slots=True)
class Heartbeats:
    """One for a process; the service tells it of each tick."""

    beats: dict[str, Beat] = field(default_factory=dict)

    def expect(self, intervals: Mapping[str, timedelta], now: datetime) -> None:
        """Names the stages, and how often each ticks."""
        self.beats = {stage: Beat(every, now) for stage, every in intervals.items()}

    def began(self, stage: str, now: datetime) -> None:
        beat = self.beats[stage]
        beat.began, beat.is_running = now, True

    def ended(self, stage: str, now: datetime) -> None:
        beat = self.beats[stage]
        beat.ended, beat.is_running = now, False

    def late(self, now: datetime) -> list[str]:
        """The stages that hang in a tick, or that do not begin another; no stage at all is a service that does not
        run yet."""
        return [stage for stage, beat in self.beats.items() if now - _since(beat) > _allowed(beat)]


def _since(beat: Beat) -> datetime:
    return beat.began if beat.is_running or beat.ended is None else beat.ended


def _allowed(beat: Beat) -> timedelta:
    return LONGEST_TICK if beat.is_running else beat.every + LATE
