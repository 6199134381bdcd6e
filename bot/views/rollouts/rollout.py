"""Rollouts as every surface shows them: how far each wave has come, and what the next one waits for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.reference import Base
from bot.domain.rollouts.journal import Entry
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.rollout import Pause
from bot.domain.rollouts.steps import StepRun
from bot.domain.rollouts.timing.waves import Hold, WaveTally
from bot.domain.wording.words import counted
from bot.views.rollouts import rebuilds


@dataclass(frozen=True, slots=True)
class WaveProgress:
    """One wave of a rollout; `held` says what it waits for, None where it goes on or is over.

    Where own bases stand between, waves follow each other at each `distance` from the root.
    """

    name: str
    tally: WaveTally
    held: Hold | None = None
    distance: int = 0

    @property
    def label(self) -> str:
        """For people, with the distance where there is one."""
        return f"{self.name}, distance {self.distance}" if self.distance else self.name


@dataclass(frozen=True, slots=True)
class RolloutProgress:
    """A rollout in counts; `rebuilds` are only filled where one rollout alone is shown, and so is `opened_by`: when
    the last of what waits will probably have begun."""

    id: int
    title: str
    opened_at: datetime
    ended_at: datetime | None
    pause: Pause | None
    states: Mapping[str, int]
    waves: tuple[WaveProgress, ...] = ()
    rebuilds: tuple[Rebuild, ...] = ()
    steps: Mapping[int, tuple[StepRun, ...]] = field(default_factory=dict)
    waits: Mapping[int, Hold] = field(default_factory=dict)
    opened_by: datetime | None = None

    @property
    def standing(self) -> str:
        """Whether it has ended, is paused or under way, in a word."""
        if self.ended_at is not None:
            return "ended"
        return "paused" if self.pause is not None else "under way"


@dataclass(frozen=True, slots=True)
class QuarantineStatus:
    """A digest that nothing is built on; `waiting` counts the rebuilds that it keeps, `returns` how often the base
    came back to it after it had shown another."""

    base: Base
    digest: str
    since: datetime
    who: str
    reason: str
    waiting: int
    returns: int = 0

    @property
    def why(self) -> str:
        """The reason, with how often the base came back."""
        return f"{self.reason} (it came back {counted(self.returns, 'time')})" if self.returns else self.reason


def quarantine_as_json(quarantine: QuarantineStatus) -> dict[str, Any]:
    """Gives the quarantine as plain JSON values."""
    return {
        "base": str(quarantine.base),
        "digest": quarantine.digest,
        "since": quarantine.since,
        "by": quarantine.who,
        "reason": quarantine.reason,
        "waiting": quarantine.waiting,
        "returns": quarantine.returns,
    }


def entry_as_json(entry: Entry) -> dict[str, Any]:
    """Gives what somebody asked for as plain JSON values."""
    return {
        "at": entry.at,
        "who": entry.word.who,
        "claimed": entry.word.is_claimed,
        "what": entry.what,
        "subject": entry.subject,
        "reason": entry.word.reason,
    }


def as_json(progress: RolloutProgress) -> dict[str, Any]:
    """Gives the rollout as plain JSON values."""
    return {
        "id": progress.id,
        "title": progress.title,
        "opened_at": progress.opened_at,
        "ended_at": progress.ended_at,
        "standing": progress.standing,
        "paused": None
        if progress.pause is None
        else {
            "since": progress.pause.since,
            "by": progress.pause.who,
            "reason": progress.pause.reason,
        },
        "opened_by": progress.opened_by,
        "states": dict(progress.states),
        "waves": [_wave(wave) for wave in progress.waves],
        "rebuilds": [
            rebuilds.as_json(item, progress.waits.get(item.id), progress.steps.get(item.id, ()))
            for item in progress.rebuilds
        ],
    }


def _wave(wave: WaveProgress) -> dict[str, Any]:
    tally = wave.tally
    return {
        "name": wave.name,
        "distance": wave.distance,
        "waiting": tally.waiting,
        "under_way": tally.under_way,
        "unmerged": tally.unmerged,
        "ended": tally.ended,
        "failed": tally.failed,
        "began_at": tally.began_at,
        "done_since": tally.done_since,
        "waits_for": rebuilds.hold_as_json(wave.held),
    }
