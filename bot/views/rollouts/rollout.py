"""Rollouts as every surface shows them: in short, wave by wave, and one with its rebuilds a page at a time."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.domain.reference import Base
from bot.domain.rollouts.journal import Entry
from bot.domain.rollouts.rebuild import NEED_A_PERSON, Rebuild, RebuildState
from bot.domain.rollouts.rollout import Pause
from bot.domain.rollouts.steps import StepRun
from bot.domain.rollouts.timing.waves import Hold, WavePart, WaveTally
from bot.domain.wording.words import counted
from bot.views.four_words import FourWords, in_number, words_of
from bot.views.paging import Page
from bot.views.rollouts import rebuilds
from bot.views.rows import ChangeRow, RebuildRow


@dataclass(frozen=True, slots=True)
class OwnDurations:
    """From the moment when the effect was first tried to the success: of dispatched runs, and of pull requests."""

    builds: tuple[timedelta, ...] = ()
    merges: tuple[timedelta, ...] = ()


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

    @property
    def in_words(self) -> str:
        """`4 need you, 31 under way (16 wait for a person), 33 waiting, 64 done`."""
        words = words_of({RebuildState(name): number for name, number in self.states.items()})
        parts = {word: in_number(number, word) for word, number in words.items()}
        for_person = sum(wave.tally.unmerged for wave in self.waves)
        if for_person and FourWords.UNDER_WAY in parts:
            parts[FourWords.UNDER_WAY] += f" ({counted(for_person, 'waits', 'wait')} for a person)"
        return ", ".join(parts.values())


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
        "held": tally.held,
        "under_way": tally.under_way,
        "unmerged": tally.unmerged,
        "ended": tally.ended,
        "failed": tally.failed,
        "began_at": tally.began_at,
        "done_since": tally.done_since,
        "waits_for": rebuilds.hold_as_json(wave.held),
    }


MOST_NAMED = 5
"""So many rebuilds are named of each state in which they need a person, the longest in it first."""
MOST_UNDER_WAY = 2
"""So many are named of those under way, the ones that are so the longest."""
MOST_WAITING = 2
"""So many are named of those that were tried and wait: their reasons tell what keeps the others from beginning."""


@dataclass(frozen=True, slots=True)
class RolloutInShort:
    """`is_whole` says whether what has ended is counted too. `named` are rebuilds that failed, then those that wait
    for a person, then the longest under way, then the longest of those that cannot begin."""

    id: int
    is_whole: bool
    states: Mapping[RebuildState, int]
    named: tuple[Rebuild, ...]

    @property
    def total(self) -> int:
        return sum(self.states.values())

    @property
    def words(self) -> Mapping[FourWords, int]:
        """How many of them stand how, in the words for people."""
        return words_of(self.states)

    @property
    def more(self) -> int:
        """How many rebuilds are counted and not named."""
        return self.total - len(self.named)


def in_short(
    rebuilds: Iterable[Rebuild], now: datetime, tried_again: Collection[int] = ()
) -> tuple[RolloutInShort, ...]:
    """Sums up each rollout, of what `status` has: all rebuilds of the newest, of the others what has not ended.

    Those `tried_again`, by their ids, count no more: what took their place does.
    """
    by_rollout: dict[int, list[Rebuild]] = {}
    for rebuild in rebuilds:
        if rebuild.id not in tried_again:
            by_rollout.setdefault(rebuild.rollout, []).append(rebuild)
    newest = max(by_rollout, default=0)
    return tuple(
        RolloutInShort(
            id_,
            id_ == newest,
            {state: number for state in RebuildState if (number := states[state])},
            tuple(_list_needy(of_rollout, now)),
        )
        for id_, of_rollout in sorted(by_rollout.items())
        for states in (Counter(each.state for each in of_rollout),)
    )


def by_need(rebuilds: Iterable[Rebuild]) -> Sequence[Rebuild]:
    """Those first that need a person, then what is under way, what waits, and what is over; else as they come."""

    def rank(rebuild: Rebuild) -> tuple[bool, ...]:
        state = rebuild.state
        return (state not in NEED_A_PERSON, state is not RebuildState.FAILED, state.has_ended, state.awaits_action)

    return sorted(rebuilds, key=rank)


def stands_for(rebuild: Rebuild, now: datetime) -> timedelta:
    """How long ago a rebuild has ended, or, while it has not, its effect was first intended."""
    return rebuild.age(now) if rebuild.ended_at is None else now - rebuild.ended_at


def _list_needy(of_rollout: Sequence[Rebuild], now: datetime) -> Iterator[Rebuild]:
    longest_first = sorted(of_rollout, key=lambda each: stands_for(each, now), reverse=True)
    for state in NEED_A_PERSON:
        yield from [each for each in longest_first if each.state is state][:MOST_NAMED]
    yield from [each for each in longest_first if _is_under_way(each.state)][:MOST_UNDER_WAY]
    yield from [each for each in longest_first if each.state is RebuildState.WAITING][:MOST_WAITING]


def _is_under_way(state: RebuildState) -> bool:
    return not (state.has_ended or state.awaits_action or state in NEED_A_PERSON)


@dataclass(frozen=True, slots=True)
class WantedRebuilds:
    """Which rebuilds of a rollout: those in a state, of a wave (and there at a `distance`), that are so far."""

    state: RebuildState | None = None
    wave: str = ""
    distance: int | None = None
    part: WavePart | None = None

    @property
    def is_some(self) -> bool:
        return bool(self.state or self.wave or self.part) or self.distance is not None


ALL_REBUILDS = WantedRebuilds()


@dataclass(frozen=True, slots=True)
class RolloutPage:
    """`changes` are the latest of it, `change_count` how many there are in all."""

    progress: RolloutProgress
    changes: tuple[ChangeRow, ...]
    change_count: int
    rebuilds: Page[RebuildRow]


@dataclass(frozen=True, slots=True)
class RolloutSummary:
    """A rollout in one line."""

    id: int
    title: str
    standing: str
    opened_at: datetime
    ended_at: datetime | None
    total: int
    ended: int
    failed: int


def rollout_summary(progress: RolloutProgress, ended: Sequence[str]) -> RolloutSummary:
    """`ended` are the states that end a rebuild."""
    return RolloutSummary(
        progress.id,
        progress.title,
        progress.standing,
        progress.opened_at,
        progress.ended_at,
        sum(progress.states.values()),
        sum(number for state, number in progress.states.items() if state in ended),
        progress.states.get("failed", 0),
    )
