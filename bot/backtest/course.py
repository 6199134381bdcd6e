"""How far a rollout of the backtest has come, wave by wave."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.rollouts.rebuild import Action, Rebuild
from bot.domain.rollouts.timing.waves import Wave, WaveTally


@dataclass(slots=True)
class OpenRebuild:
    """One rebuild on its way; `since` is when it, or what it took over from, was first planned.

    `blocked_since` is when the budget first kept it from beginning.
    """

    rebuild: Rebuild
    moves: frozenset[int]
    since: datetime
    began_at: datetime | None = None
    blocked_since: datetime | None = None


@dataclass(slots=True)
class Course:
    """How far one rollout has come: its open rebuilds by wave, and of each wave what has ended."""

    works: dict[str, dict[int, OpenRebuild]] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)
    began_at: dict[str, datetime] = field(default_factory=dict)
    done_since: dict[str, datetime] = field(default_factory=dict)
    soaks: dict[str, timedelta] = field(default_factory=dict)

    def tallies(self) -> dict[str, WaveTally]:
        names = {*self.works, *self.ended}
        return {name: self._tally(name) for name in names}

    def _tally(self, name: str) -> WaveTally:
        works = self.works.get(name, {}).values()
        under_way = [work for work in works if work.began_at is not None]
        return WaveTally(
            waiting=len(works) - len(under_way),
            under_way=len(under_way),
            unmerged=sum(work.rebuild.action is Action.PULL_REQUEST for work in under_way),
            ended=self.ended[name],
            began_at=self.began_at.get(name),
            done_since=self.done_since.get(name),
        )

    def waves(self, waves: Iterable[Wave]) -> tuple[Wave, ...]:
        """The policy's waves, each with the longest soak that one of its rebuilds asks for."""
        return tuple(replace(wave, soak=self.soaks.get(wave.name, wave.soak)) for wave in waves)


def free_places(wave: Wave, course: Course) -> int:
    """How many more of a wave's rebuilds may be under way."""
    works = course.works.get(wave.name, {}).values()
    return len(works) if wave.batch is None else wave.batch - sum(work.began_at is not None for work in works)
