"""Which stages are to tick: those that may find something new, and those that broke."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.fleet.heartbeats import Heartbeats
from bot.fleet.stage import Stage
from bot.store.engine.queue.news import StoreNews


@dataclass(slots=True)
class Waking:
    """Remembers for each stage that something concerns it, until it is woken for that.

    A tick sees all that was written before it begins, so that what comes while one runs is a reason for another.
    """

    stages: Sequence[Stage]
    beats: Heartbeats
    _concerned: set[str] = field(default_factory=set)

    def note_news(self, news: StoreNews) -> None:
        """Notes which stages these news of the store concern."""
        self._concerned |= {stage.name for stage in self.stages if news.concerns(stage.claims)}

    def broke(self, stage: Stage) -> None:
        """Notes that a tick was cut short, so that it is to be made again."""
        self._concerned.add(stage.name)

    def woken(self, now: datetime) -> list[tuple[Stage, timedelta]]:
        """The stages to wake, each with how long it still has to wait; those that tick at present come later."""
        idle = [
            stage
            for stage in self.stages
            if stage.name in self._concerned and not self.beats.beats[stage.name].is_running
        ]
        self._concerned -= {stage.name for stage in idle}
        return [(stage, self._wait(stage, now)) for stage in idle]

    def _wait(self, stage: Stage, now: datetime) -> timedelta:
        """Up to `every` after the last tick began; none where a clock that was set back has dated that."""
        rest = self.beats.beats[stage.name].began + stage.every - now
        return rest if timedelta() < rest <= stage.every else timedelta()
