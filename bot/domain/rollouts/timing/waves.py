"""Waves: in what order a rollout reaches its repositories, and what each wave waits for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.clock import is_yet_to_come
from bot.domain.wording.words import counted

LEAST_FAILURES = 2
"""One failure is an accident; a share of failures counts from two on."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Repositories that are rebuilt together.

    The wave is done when the share `done_at` of its rebuilds has ended, and then has to stand for `soak`. `batch`
    bounds how many of its rebuilds are under way at once. Pull requests that nobody merges hold it for
    `wait_at_most` after its beginning.
    """

    name: str
    soak: timedelta = timedelta(0)
    batch: int | None = None
    done_at: float = 1.0
    wait_at_most: timedelta = timedelta(days=1)


class WavePart(StrEnum):
    """How far a rebuild is, as a wave counts it; what failed has ended as well, what is held is in no other."""

    WAITING = "waiting"
    HELD = "held"
    UNDER_WAY = "under-way"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WaveTally:
    """How the rebuilds of one wave of one rollout stand.

    `waiting` have no place in it, `under_way` have one and have not ended, and of these `unmerged` wait for a
    person: open pull requests, and steps to be approved. `failed` are among the `ended`, `forgiven` among the
    failed: a person has seen them and gone on. Nor has a person gone on since the `broken`, builds that were red,
    and since those that ended `in_vain`, without a build. `began_at` and `done_since` are kept from when they were
    first seen. `soak` is the longest that rules ask for one of these rebuilds, None where only the wave says;
    `last_end` is when the last of them ended. `delayed`, of those that wait or are under way, cannot go on at
    present: each attempt fails. `held` are kept by a person or a quarantine: the wave goes on without them.
    """

    waiting: int = 0
    under_way: int = 0
    unmerged: int = 0
    ended: int = 0
    failed: int = 0
    forgiven: int = 0
    began_at: datetime | None = None
    done_since: datetime | None = None
    soak: timedelta | None = None
    last_end: datetime | None = None
    broken: int = 0
    in_vain: int = 0
    delayed: int = 0
    held: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.under_way + self.ended


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a wave has not begun; `until` is when it will at the latest, where that can be told.

    `reason` can follow "waits for". Where it is `for_person`, no time that passes lets it begin: a person does, or
    a success.
    """

    reason: str
    until: datetime | None = None
    for_person: bool = False


@dataclass(frozen=True, slots=True)
class Advance:
    """What a rollout's waves may do now.

    `release` says how many more rebuilds of a wave may begin, `done_waves` which are seen done for the first time,
    and since when they are, `set_aside` how many unmerged pull requests a wave goes on without, `holds` why others
    wait. `pause` is set where so many failed that a person must look.
    """

    release: Mapping[str, int] = field(default_factory=dict)
    done_waves: Mapping[str, datetime] = field(default_factory=dict)
    set_aside: Mapping[str, int] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    pause: str | None = None


def advance(
    waves: Sequence[Wave], tallies: Mapping[str, WaveTally], pause_when_failed: float, now: datetime
) -> Advance:
    """Decides which waves, given `waves_in_order`, may begin or go on; those without a rebuild are passed over."""
    if (pause := _too_many_failed(tallies.values(), pause_when_failed)) is not None:
        return Advance(pause=pause)
    release: dict[str, int] = {}
    done_waves: dict[str, datetime] = {}
    set_aside: dict[str, int] = {}
    holds: dict[str, Hold] = {}
    hold: Hold | None = None
    order = [wave.name for wave in waves if tallies.get(wave.name, WaveTally()).total]
    for wave in waves:
        tally = tallies.get(wave.name, WaveTally())
        if tally.total == 0:
            continue
        if hold is not None:
            holds[wave.name] = hold
            continue
        if (more := room(wave, tally)) > 0:
            release[wave.name] = more
        hold = _stopped(wave, tally, is_first=wave.name == order[0]) if wave.name != order[-1] else None
        if hold is not None:
            continue
        if tally.done_since is None or is_yet_to_come(tally.done_since, now):
            unmerged = _set_aside(wave, tally, now)
            left_out = unmerged + _held_up(wave, tally, now)
            if _is_done(wave, tally, left_out):
                since = done_waves[wave.name] = (
                    now if left_out or tally.last_end is None else min(tally.last_end, now)
                )
                if unmerged:
                    set_aside[wave.name] = unmerged
                hold = _soaking(wave, since, now)
            else:
                hold = _unfinished(wave, tally, now)
        else:
            hold = _soaking(wave, tally.done_since, now)
    return Advance(release, done_waves, set_aside, holds)


def latest_start(waves: Sequence[Wave], name: str, since: datetime) -> datetime:
    """The moment from which a rebuild waits no longer for the waves before its own.

    `since` is when it was first planned: a base that moves again puts nobody back to the end of the queue, so
    that with a move every day each wave is still reached within the sum of soaks and one `wait_at_most`.
    """
    before: list[Wave] = []
    for wave in waves:
        if wave.name == name:
            break
        before.append(wave)
    if not before:
        return since
    return since + sum((wave.soak for wave in before), timedelta()) + max(wave.wait_at_most for wave in before)


def waves_in_order(waves: Sequence[Wave], tallies: Mapping[str, WaveTally]) -> tuple[Wave, ...]:
    """The waves as configured, and after them those that are configured no more; each with the soak that rules ask
    for its rebuilds."""
    configured_names = {wave.name for wave in waves}
    all_waves = (*waves, *(Wave(name) for name in sorted(set(tallies) - configured_names)))
    soaks = {name: tally.soak for name, tally in tallies.items() if tally.soak is not None}
    return tuple(replace(wave, soak=soaks.get(wave.name, wave.soak)) for wave in all_waves)


def probable_start(waves: Sequence[Wave], name: str, holds: Mapping[str, Hold]) -> datetime | None:
    """When a wave will probably begin: once the one that holds it is through, and those between have soaked."""
    hold = holds.get(name)
    if hold is None or hold.until is None:
        return None
    begins_at = hold.until
    for wave in waves:
        if wave.name == name:
            break
        if wave.name in holds:
            begins_at += wave.soak
    return begins_at


def _too_many_failed(tallies: Iterable[WaveTally], most: float) -> str | None:
    all_tallies = list(tallies)
    failed = sum(tally.failed - tally.forgiven for tally in all_tallies)
    ended = sum(tally.ended - tally.forgiven for tally in all_tallies)
    if failed < LEAST_FAILURES or failed <= most * ended:
        return None
    return f"{failed} of {counted(ended, 'ended rebuild')} failed, more than {most:.0%}"


def room(wave: Wave, tally: WaveTally) -> int:
    """How many more rebuilds of a wave may be under way."""
    return tally.waiting if wave.batch is None else min(tally.waiting, max(wave.batch - tally.under_way, 0))


def _set_aside(wave: Wave, tally: WaveTally, now: datetime) -> int:
    return tally.unmerged if _has_waited(wave, tally, now) else 0


def _held_up(wave: Wave, tally: WaveTally, now: datetime) -> int:
    """Those that a fault keeps from going on, and that the wave waits for no longer: others were built in it."""
    has_success = tally.ended > tally.in_vain
    return tally.delayed if has_success and _has_waited(wave, tally, now) else 0


def _has_waited(wave: Wave, tally: WaveTally, now: datetime) -> bool:
    return tally.began_at is not None and now - tally.began_at >= wave.wait_at_most


def _is_done(wave: Wave, tally: WaveTally, left_out: int) -> bool:
    is_over = tally.waiting + tally.under_way == 0  # even where all was called off before it began
    return is_over or (tally.began_at is not None and tally.ended + left_out >= wave.done_at * tally.total)


def _stopped(wave: Wave, tally: WaveTally, *, is_first: bool) -> Hold | None:
    """What comes after a canary that was red, or after a wave without a success, a retry or a person lets begin;
    where a fault holds the wave up, its first success does."""
    open_rebuilds = tally.waiting + tally.under_way
    if is_first and tally.broken:
        fault = f"the build of {tally.broken} of {counted(tally.total, 'rebuild')} is red"
    elif tally.delayed and tally.in_vain == tally.ended and tally.delayed == open_rebuilds:
        standstill = f"nothing was rebuilt: {counted(tally.delayed, 'rebuild')} cannot go on at present"
        return Hold(f"wave {wave.name}, in which {standstill}", for_person=True)
    elif tally.ended and tally.in_vain == tally.ended and open_rebuilds == 0:
        fault = "nothing was rebuilt"
    else:
        return None
    reason = f"wave {wave.name}, in which {fault}: a retry that succeeds, or `rollout resume`, lets it go on"
    return Hold(reason, for_person=True)


def _soaking(wave: Wave, since: datetime, now: datetime) -> Hold | None:
    through = since + wave.soak
    return None if now >= through else Hold(f"the soak of wave {wave.name}", through)


def _unfinished(wave: Wave, tally: WaveTally, now: datetime) -> Hold:
    began = tally.began_at or now
    people = f", {counted(tally.unmerged, 'waits', 'wait')} for a person" if tally.unmerged else ""
    return Hold(
        f"wave {wave.name} ({tally.ended} of {counted(tally.total, 'rebuild')} ended{people})",
        began + wave.wait_at_most + wave.soak,
    )
