"""How open rollouts stand wave by wave, and what a rebuild that has not begun waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.feeds.advisory import SEVERE, Severity
from bot.domain.repositories.repository import GITHUB
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rollout import Pause
from bot.domain.rollouts.timing.waves import (
    Hold,
    Wave,
    WaveTally,
    advance,
    latest_start,
    probable_start,
    room,
    waves_in_order,
)
from bot.domain.rollouts.timing.windows import Freeze, frozen_by, thawed


@dataclass(frozen=True, slots=True)
class RolloutOptions:
    """In what order a fleet is rebuilt, which share of failures stops that, and when nothing begins.

    Without waves everything begins at once.
    """

    waves: tuple[Wave, ...] = ()
    pause_when_failed: float = 0.2
    freezes: tuple[Freeze, ...] = ()


def rollout_options_of(policy: Policy) -> RolloutOptions:
    """Takes from the policy what bounds rollouts as a whole: waves, the share of failures, freezes."""
    return RolloutOptions(policy.waves, policy.pause_when_failed, policy.freezes)


@dataclass(frozen=True, slots=True)
class ReleaseRules:
    """What may pass at one moment, whatever its wave.

    `frozen` are the severities (None: no CVE) that a freeze holds back. What fixes one of the `severe` or is
    overdue passes at once.
    """

    at: datetime
    frozen: frozenset[Severity | None] = frozenset()
    severe: frozenset[Severity] = SEVERE


@dataclass(frozen=True, slots=True)
class RolloutStanding:
    """How an open rollout that is not paused stands, wave by wave; waves follow each other among the repositories
    that are at the same distance from the root (see `plan.cascade`).

    Of what waits, `ready` could begin if its wave did, and `urgent` waits for no wave at all; `longest` tells since
    when the one of a wave has waited that waits longest, of those that need not wait for what their tag shows;
    `oldest` the same of all that waits, be it ready or not.
    """

    rollout: int
    tallies: Mapping[str, WaveTally]
    ready: Mapping[str, int] = field(default_factory=dict)
    longest: Mapping[str, datetime] = field(default_factory=dict)
    urgent: int = 0
    distance: int = 0
    oldest: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standings:
    """`releases` is how often rebuilds had been released when this was read."""

    releases: int
    rollouts: tuple[RolloutStanding, ...]


def release_rules_at(now: datetime, options: RolloutOptions) -> ReleaseRules:
    """Says which severities a freeze holds back at this moment, by the options."""
    severities: tuple[Severity | None, ...] = (None, *Severity)
    frozen = frozenset(severity for severity in severities if frozen_by(options.freezes, now, severity))
    return ReleaseRules(now, frozen)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A rebuild that has not begun, and whether it then opens a pull request. `kept_because` is a person's word or
    a quarantine. One of a rollout that catches up waits for its wave however severe it is."""

    id: int
    rollout: int
    wave: str
    severity: Severity | None
    due_at: datetime
    waits_since: datetime
    is_released: bool
    at_request: bool = False
    kept_because: str | None = None
    repository: str = ""
    opens: bool = True
    catches_up: bool = False
    distance: int = 0
    for_parents: Hold | None = None
    """The own bases below it that it waits for."""
    forge: str = GITHUB


@dataclass(frozen=True, slots=True)
class Waits:
    """All that has not begun, with how its rollouts stand and what is paused."""

    waiting: tuple[Waiting, ...]
    standings: tuple[RolloutStanding, ...]
    pauses: tuple[Pause, ...]


def holds_of(waits: Waits, options: RolloutOptions, now: datetime) -> dict[int, Hold]:
    """Says for each rebuild that waits for more than its turn, by its id, what for."""
    tallies = {(standing.rollout, standing.distance): standing.tallies for standing in waits.standings}
    waves = {place: waves_in_order(options.waves, of_waves) for place, of_waves in tallies.items()}
    wave_holds = {place: _wave_holds(of_waves, options, now) for place, of_waves in tallies.items()}
    holds: dict[int, Hold] = {}
    for each in waits.waiting:
        hold = _hold_of_people(each, waits.pauses) or each.for_parents or _hold_of_freeze(each, options, now)
        if hold is None and not each.is_released:
            place = each.rollout, each.distance
            hold = _for_its_wave(each, wave_holds.get(place, {}), waves.get(place, options.waves), now)
        if hold is not None:
            holds[each.id] = hold
    return holds


def wave_holds(standing: RolloutStanding, options: RolloutOptions, now: datetime) -> Mapping[str, Hold]:
    """What each wave of a rollout that may not go on waits for, until what has waited longest in it begins."""
    waves = waves_in_order(options.waves, standing.tallies)
    return {
        name: _at_last(hold, waves, name, standing.oldest.get(name), now)
        for name, hold in _wave_holds(standing.tallies, options, now).items()
        if standing.tallies[name].waiting
    }


def _hold_of_people(each: Waiting, pauses: Sequence[Pause]) -> Hold | None:
    if each.kept_because is not None:
        return Hold(each.kept_because)
    for pause in pauses:
        if pause.rollout is None:
            return Hold(f"everything is paused by {pause.who}: {pause.reason}")
        if pause.rollout == each.rollout and not each.at_request:
            return Hold(f"rollout {pause.rollout} is paused by {pause.who}: {pause.reason}")
    return None


def _hold_of_freeze(each: Waiting, options: RolloutOptions, now: datetime) -> Hold | None:
    begins_at = max(each.due_at, now)
    freeze = None if each.at_request else frozen_by(options.freezes, begins_at, each.severity)
    if freeze is not None:
        return Hold(f"frozen: {freeze.reason}", thawed(options.freezes, begins_at, each.severity))
    return None


def _for_its_wave(each: Waiting, of_waves: Mapping[str, Hold], waves: Sequence[Wave], now: datetime) -> Hold | None:
    """A severe fix waits for no wave, and nobody waits longer than its place in time."""
    hold = of_waves.get(each.wave)
    is_urgent = each.severity in SEVERE and not each.catches_up
    if hold is None or (is_urgent and each.due_at <= now):
        return None
    return _at_last(hold, waves, each.wave, each.waits_since, max(now, each.due_at))


def _at_last(hold: Hold, waves: Sequence[Wave], name: str, since: datetime | None, earliest: datetime) -> Hold:
    """Until when a wave holds back what has waited `since` then; waiting for long gives nobody room."""
    if hold.until is None or since is None:
        return hold
    return Hold(hold.reason, max(min(hold.until, latest_start(waves, name, since)), earliest))


def _wave_holds(tallies: Mapping[str, WaveTally], options: RolloutOptions, now: datetime) -> dict[str, Hold]:
    if not options.waves:
        return {}
    waves = waves_in_order(options.waves, tallies)
    progress = advance(waves, tallies, options.pause_when_failed, now)
    holds = {
        name: Hold(hold.reason, probable_start(waves, name, progress.holds))
        for name, hold in progress.holds.items()
    }
    for wave in waves:
        tally = tallies.get(wave.name, WaveTally())
        if wave.name not in holds and tally.waiting and room(wave, tally) == 0:
            holds[wave.name] = Hold(f"room in wave {wave.name} ({tally.under_way} under way, no more at once)")
    return holds
