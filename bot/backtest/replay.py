"""The replay: observations and feeds, as the world showed them one after the other, through the live code."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from bot.domain.bases.change import DOTNET_CAUSES, Change
from bot.domain.bases.dotnet import DotnetVersion
from bot.domain.bases.observation import Observation
from bot.domain.clock import ManualClock
from bot.domain.feeds.advisory import Advisory
from bot.domain.reference import Base
from bot.fleet.assess.assess import assess, reassess
from bot.fleet.assess.baseline import BaseStanding, follow
from bot.upstream.dotnet.releases import ReleaseIndex


@dataclass(frozen=True, slots=True)
class Offer:
    """A change as it was known at a moment; `place` is its number in the order of detection."""

    now: datetime
    place: int
    change: Change


@dataclass(slots=True)
class Replay:
    """Keeps what the live bot would have in its store; `offers` may be read once."""

    releases: ReleaseIndex
    advisories: Mapping[str, Advisory] = field(default_factory=dict)
    standings: dict[Base, BaseStanding] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    observed: int = 0
    _by_channel: dict[str, list[int]] = field(default_factory=dict)

    def offers(self, observations: Iterable[Observation]) -> Iterator[Offer]:
        """Every change when it is detected, and again when a feed has taught something about it.

        What the feed shows at a moment is known to what is observed at that moment. Observations of one moment are
        taken by base, so the order of bases in the log does not matter.
        """
        clock: ManualClock | None = None
        moments = list(reversed(self._moments()))
        for at, batch in groupby(observations, key=lambda observation: observation.at):
            clock = clock or ManualClock(min(at, moments[-1][0]) if moments else at)
            while moments and moments[-1][0] <= at:
                moment, channel = moments.pop()
                yield from self._caught_up(channel, clock.move_to(moment))
            now = clock.move_to(at)
            for observation in sorted(batch, key=lambda seen: seen.base):
                yield from self._observed(observation, now)
        while clock is not None and moments:
            moment, channel = moments.pop()
            yield from self._caught_up(channel, clock.move_to(moment))

    def _moments(self) -> list[tuple[datetime, str]]:
        published = [
            (advisory.published_at, channel)
            for advisory in self.advisories.values()
            if advisory.published_at is not None
            for channel in self.releases.channels()
        ]
        return sorted({*self.releases.moments(), *published})

    def _observed(self, observation: Observation, now: datetime) -> Iterator[Offer]:
        self.observed += 1
        standing, before = follow(self.standings.get(observation.base), observation)
        if standing is not None:
            self.standings[observation.base] = standing
        if before is None:
            return
        change = assess(before, observation, self.releases, self._known(now), now)
        place = len(self.changes)
        self.changes.append(change)
        version = DotnetVersion.parse(change.to_version)
        if version is not None and change.cause in DOTNET_CAUSES:
            self._by_channel.setdefault(version.channel, []).append(place)
        yield Offer(now, place, change)

    def _caught_up(self, channel: str, now: datetime) -> Iterator[Offer]:
        known = self._known(now)
        for place in self._by_channel.get(channel, ()):
            change = reassess(self.changes[place], self.releases, known, now)
            if change is not None:
                self.changes[place] = change
                yield Offer(now, place, change)

    def _known(self, now: datetime) -> Mapping[str, Advisory]:
        """Advisories as published by then; one without a date counts as always known."""
        if not self.advisories:
            return self.advisories
        return {
            cve: advisory
            for cve, advisory in self.advisories.items()
            if advisory.published_at is None or advisory.published_at <= now
        }
