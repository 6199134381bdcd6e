"""Looks at the bases that are due: one HEAD each, and only for those that moved what is needed to say how.

Everything is kept in the store, so a tick that is cut off is finished by the next one: what was claimed falls free
when its lease ends, and what was recorded before is then simply unchanged.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.domain.advisory import Release
from bot.domain.bounded_gather import bounded_gather
from bot.domain.clock import Clock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.observation import Observation
from bot.domain.reference import Base
from bot.watch.registry import incident as incidents
from bot.watch.registry.incident import Breaker, Incident
from bot.watch.registry.observe import ManifestCache, RegistryPort, read
from bot.watch.registry.schedule import PollPolicy, back_off, next_poll


@dataclass(frozen=True, slots=True)
class DueBase:
    """A claimed base and what is known of it.

    `digest` is what the registry last showed: a withdrawal from the inventory does not clear it, since withdrawn
    tags still resolve. `earlier` are the digests that it showed before, as far back as the store cares to look.
    """

    id: int
    base: Base
    digest: str | None = None
    version: str | None = None
    moved_at: datetime | None = None
    earlier: frozenset[str] = frozenset()
    attempts: int = 0


class Sight(StrEnum):
    FIRST = "first"
    """A baseline, no change."""
    MOVED = "moved"
    CAME_BACK = "came-back"
    """A digest that the base showed before: a publication taken back, or caches that disagree."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A new digest of a base; its `attempts` start again at 0."""

    base_id: int
    sight: Sight
    observation: Observation
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Poll:
    """When a base without news is due again; `error` is why it could not be looked at, for people."""

    base_id: int
    due_at: datetime
    attempts: int = 0
    error: str | None = None


class WatchStore(ManifestCache, Protocol):
    """What this stage asks of the store; each method is one transaction."""

    async def claim_bases(self, limit: int, lease: timedelta) -> Sequence[DueBase]:
        """Leases up to `limit` used bases that are due, the longest due first."""
        ...

    async def newest_releases(self) -> Sequence[Release]:
        """The release of each channel that its feed showed last."""
        ...

    async def open_incidents(self, subject_prefix: str) -> Sequence[Incident]: ...

    async def reschedule(self, polls: Sequence[Poll]) -> None:
        """Sets `due_at`, `attempts` and `error`, and gives the leases back."""
        ...

    async def record(self, sightings: Sequence[Sighting], manifests: Mapping[str, bytes]) -> None:
        """Adds the observations to the history, makes them current, keeps `manifests` by digest, reschedules.

        Raises `LeaseLost`, and does nothing, where another worker has taken over.
        """
        ...

    async def save_incidents(self, opened: Sequence[Incident], cleared: Sequence[Incident]) -> None:
        """An opened incident whose subject is open already is kept as it is."""
        ...


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """`lease` outlasts the slowest tick; `per_host` bases of one registry are asked at a time."""

    batch: int = 500
    lease: timedelta = timedelta(minutes=15)
    per_host: int = 8
    policy: PollPolicy = field(default_factory=PollPolicy)


@dataclass(frozen=True, slots=True)
class WatchTally:
    """What a tick did. `postponed` bases were spared because their host is in trouble."""

    asked: int = 0
    unchanged: int = 0
    failed: int = 0
    postponed: int = 0
    sightings: tuple[Sighting, ...] = ()
    opened: tuple[Incident, ...] = ()
    cleared: tuple[Incident, ...] = ()

    @property
    def moved(self) -> tuple[Observation, ...]:
        """Those that are news: everything but first sights."""
        return tuple(each.observation for each in self.sightings if each.sight is not Sight.FIRST)

    def __add__(self, other: "WatchTally") -> "WatchTally":
        return WatchTally(
            self.asked + other.asked,
            self.unchanged + other.unchanged,
            self.failed + other.failed,
            self.postponed + other.postponed,
            self.sightings + other.sightings,
            self.opened + other.opened,
            self.cleared + other.cleared,
        )


async def tick(
    store: WatchStore, registry: RegistryPort, clock: Clock, options: WatchOptions | None = None
) -> WatchTally:
    """Looks once at every base that is due. Failures of registries end up in the tally, never as exceptions."""
    options = options or WatchOptions()
    due = await store.claim_bases(options.batch, options.lease)
    if not due:
        return WatchTally()
    opened = {each.subject: each for each in await store.open_incidents(incidents.SUBJECT)}
    releases = await store.newest_releases()
    by_host: dict[str, list[DueBase]] = defaultdict(list)
    for each in due:
        by_host[each.base.registry].append(each)
    rounds = [_Round(store, registry, clock, options, releases, opened, bases) for bases in by_host.values()]
    tallies = await bounded_gather(len(rounds), rounds, _Round.run)
    return sum(tallies, WatchTally())


@dataclass(slots=True)
class _Round:
    """One tick's visit to one host."""

    store: WatchStore
    registry: RegistryPort
    clock: Clock
    options: WatchOptions
    releases: Sequence[Release]
    opened: Mapping[str, Incident]
    bases: Sequence[DueBase]
    breaker: Breaker = field(default_factory=Breaker)
    asked: int = 0
    unchanged: list[DueBase] = field(default_factory=list)
    moved: dict[str, dict[str, list[DueBase]]] = field(default_factory=dict)
    """repository → digest → its bases: tags that moved together are read once."""
    spared: list[DueBase] = field(default_factory=list)
    failures: list[tuple[DueBase, Failure]] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)

    async def run(self) -> WatchTally:
        host = incidents.host_subject(self.bases[0].base)
        in_trouble = host in self.opened
        carefully = incidents.STRIKES if in_trouble else 0
        await bounded_gather(1, self.bases[:carefully], self._look)
        await bounded_gather(self.options.per_host, self.bases[carefully:], self._look)
        self.breaker.asked_everybody(known_in_trouble=in_trouble)
        await bounded_gather(self.options.per_host, list(self.moved.values()), self._read_repository)
        return await self._finish(host)

    async def _look(self, due: DueBase) -> None:
        if self.breaker.tripped is not None:
            self.spared.append(due)
            return
        self.asked += 1
        try:
            head = await self.registry.head(due.base)
        except Failure as failure:
            self.breaker.failed(failure)
            self.failures.append((due, failure))
            return
        self.breaker.answered()
        if head.digest == due.digest:
            self.unchanged.append(due)
        else:
            digests = self.moved.setdefault(due.base.repository, {})
            digests.setdefault(head.digest, []).append(due)

    async def _read_repository(self, digests: Mapping[str, Sequence[DueBase]]) -> None:
        """One digest after the other, so that what two of them share is fetched once."""
        for digest, bases in digests.items():
            if self.breaker.tripped is not None:
                self.spared.extend(bases)
                continue
            try:
                reading = await read(self.registry, self.store, bases[0].base, digest)
            except Failure as failure:
                self.breaker.failed(failure)
                self.failures.extend((due, failure) for due in bases)
                continue
            now = self.clock.now()
            seen = [self._sighting(due, reading.observation(due.base, now)) for due in bases]
            try:
                await self.store.record(seen, reading.fetched)
            except LeaseLost:
                continue
            self.sightings.extend(seen)

    def _sighting(self, due: DueBase, observation: Observation) -> Sighting:
        if due.digest is None:
            sight = Sight.FIRST
        else:
            sight = Sight.CAME_BACK if observation.digest in due.earlier else Sight.MOVED
        due_at = self._next(due, observation.at, observation.at, observation.version)
        return Sighting(due.id, sight, observation, due_at)

    def _next(self, due: DueBase, now: datetime, moved_at: datetime | None, version: str | None) -> datetime:
        policy = self.options.policy
        return next_poll(due.base, now, policy, moved_at=moved_at, version=version, releases=self.releases)

    async def _finish(self, host: str) -> WatchTally:
        """Reschedules what has no news, and settles which incidents began and which are over."""
        now = self.clock.now()
        self._blame_host()
        opened = {each.subject: each for each in self._incidents(now) if each.subject not in self.opened}
        cleared = self._cleared(host)
        await self.store.reschedule([*self._unchanged(now), *self._failed(now), *self._spared(host, now)])
        if opened or cleared:
            await self.store.save_incidents(tuple(opened.values()), cleared)
        return WatchTally(
            asked=self.asked,
            unchanged=len(self.unchanged),
            failed=len(self.failures),
            postponed=len(self.spared),
            sightings=tuple(self.sightings),
            opened=tuple(opened.values()),
            cleared=cleared,
        )

    def _blame_host(self) -> None:
        """Where the host is in trouble, a base without an answer has no trouble of its own."""
        if self.breaker.tripped is None:
            return
        hosts_fault = (Trouble.UNREACHABLE, Trouble.THROTTLED)
        self.spared.extend(due for due, failure in self.failures if failure.trouble in hosts_fault)
        self.failures = [(due, failure) for due, failure in self.failures if failure.trouble not in hosts_fault]

    def _incidents(self, now: datetime) -> Iterable[Incident]:
        if self.breaker.tripped is not None:
            yield incidents.host_incident(self.bases[0].base, self.breaker.tripped, now)
        for due, failure in self.failures:
            if incidents.is_worth_telling(failure, due.attempts + 1):
                yield incidents.incident_of(due.base, failure, now)

    def _cleared(self, host: str) -> tuple[Incident, ...]:
        done = [due.base for due in self.unchanged]
        done.extend(sighting.observation.base for sighting in self.sightings)
        over = {
            place for base in done for place in (incidents.base_subject(base), incidents.repository_subject(base))
        }
        over -= {incidents.subject_of(failure, due.base) for due, failure in self.failures}
        if self.breaker.has_answered and self.breaker.tripped is None:
            over.add(host)
        return tuple(each for subject, each in self.opened.items() if subject in over)

    def _unchanged(self, now: datetime) -> Iterable[Poll]:
        return (Poll(due.id, self._next(due, now, due.moved_at, due.version)) for due in self.unchanged)

    def _failed(self, now: datetime) -> Iterable[Poll]:
        for due, failure in self.failures:
            attempts = due.attempts + 1
            wait = max(back_off(attempts, self.options.policy), failure.retry_after or timedelta(0))
            yield Poll(due.id, now + wait, attempts, str(failure))

    def _spared(self, host: str, now: datetime) -> Iterable[Poll]:
        if self.breaker.tripped is None:
            return
        since = self.opened.get(host) or incidents.host_incident(self.bases[0].base, self.breaker.tripped, now)
        until = now + incidents.pause(since, now, self.breaker.tripped)
        for due in self.spared:
            yield Poll(due.id, until, due.attempts, since.detail)
