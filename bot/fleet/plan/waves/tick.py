"""One tick: rollouts go on wave by wave. What may begin is released to `act`; one that fails too much is paused."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.domain.clock import Clock
from bot.domain.failure import LeaseLost
from bot.domain.rollouts.timing.waiting import (
    ReleaseRules,
    RolloutOptions,
    RolloutStanding,
    Standings,
    release_rules_at,
)
from bot.domain.rollouts.timing.waves import Advance, Wave, advance, latest_start, room, waves_in_order


@dataclass(frozen=True, slots=True)
class RolloutAdvance:
    """What one rollout does now. `release` and `late` bound how many of a wave begin; `pause` says why it stops.

    `late` are those that have waited since before `late_since`, whatever holds their wave.
    """

    rollout: int
    release: Mapping[str, int] = field(default_factory=dict)
    late: Mapping[str, int] = field(default_factory=dict)
    late_since: Mapping[str, datetime] = field(default_factory=dict)
    finished_waves: Mapping[str, datetime] = field(default_factory=dict)
    set_aside: Mapping[str, int] = field(default_factory=dict)
    urgent: bool = False
    pause: str | None = None
    distance: int = 0

    def __bool__(self) -> bool:
        return bool(self.release or self.late or self.finished_waves or self.urgent or self.pause)


class AdvanceStore(Protocol):
    """What moving waves on asks of the store."""

    async def give_way(self, waves: Collection[str], now: datetime) -> int:
        """Gives the places in these waves, of what fails again and again, to others; how many there were.

        It is let go again like what waits there, once it is to be tried the next time. What a person has asked for
        keeps its place.
        """
        ...

    async def standings(self, rules: ReleaseRules) -> Standings:
        """Returns every open rollout that is not paused, counted in the store."""
        ...

    async def take(self, step: RolloutAdvance, rules: ReleaseRules, releases: int) -> int:
        """Lets rebuilds begin, in one transaction; how many.

        Raises `LeaseLost` where something was released since.
        """
        ...


@dataclass(frozen=True, slots=True)
class AdvanceTally:
    """How many rebuilds may begin, how many waves are done, and why rollouts were paused."""

    released: int = 0
    waves_done: int = 0
    paused: tuple[str, ...] = ()


async def tick(store: AdvanceStore, options: RolloutOptions, clock: Clock) -> AdvanceTally:
    """Lets begin whatever may; a tick that finds nothing to do writes nothing."""
    rules = release_rules_at(clock.now(), options)
    if bounded := [wave.name for wave in options.waves if wave.batch is not None]:
        await store.give_way(bounded, rules.at)
    standings = await store.standings(rules)
    releases, released_count, finished_count = standings.releases, 0, 0
    pauses: list[str] = []
    for standing in standings.rollouts:
        step = next_step(standing, options, rules.at)
        if not step:
            continue
        try:
            released_count += await store.take(step, rules, releases)
        except LeaseLost:
            break
        releases += 1
        finished_count += len(step.finished_waves)
        pauses += [f"rollout {step.rollout} is paused: {step.pause}"] if step.pause else []
    return AdvanceTally(released_count, finished_count, tuple(pauses))


def next_step(standing: RolloutStanding, options: RolloutOptions, now: datetime) -> RolloutAdvance:
    """Decides what a rollout does now; where no waves are configured everything begins that is ready."""
    waves = waves_in_order(options.waves, standing.tallies)
    outcome = advance(waves, standing.tallies, options.pause_when_failed, now)
    if outcome.pause is not None:
        return RolloutAdvance(standing.rollout, pause=outcome.pause)
    release = dict(standing.ready) if not options.waves else outcome.release
    late_since = {
        wave.name: now - (latest_start(waves, wave.name, now) - now)
        for wave in waves[1:]  # nobody in the first wave is late, since it waits for no other
        if wave.name in standing.longest and wave.name not in release and not _is_for_person(outcome, wave)
    }
    late = {
        wave.name: room(wave, standing.tallies[wave.name])
        for wave in waves
        if wave.name in late_since and standing.longest[wave.name] <= late_since[wave.name]
    }
    return RolloutAdvance(
        standing.rollout,
        {name: count for name, count in release.items() if standing.ready.get(name)},
        _positive(late),
        late_since,
        outcome.done_waves,
        outcome.set_aside,
        standing.urgent > 0,
        distance=standing.distance,
    )


def _is_for_person(outcome: Advance, wave: Wave) -> bool:
    hold = outcome.holds.get(wave.name)
    return hold is not None and hold.for_person


def _positive(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count > 0}
