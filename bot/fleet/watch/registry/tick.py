"""Looks at the bases that are due: one HEAD each, and only for those that moved what is needed to say how.

Everything is kept in the store, so a tick that is cut off is finished by the next one: what was claimed falls free
when its lease ends, and what was recorded before is then simply unchanged.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.bases import incident as incidents
from bot.domain.bases.followed_base import is_line, newest_in
from bot.domain.bases.incident import Incident
from bot.domain.bases.observation import Observation, Sight
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base
from bot.fleet.watch.registry.observe import DigestReading, RegistryPort, read
from bot.fleet.watch.registry.ports import DueBase, Poll, Sighting, WatchStore
from bot.fleet.watch.registry.schedule import PollPolicy, next_poll
from bot.reconcile.loop import Loop
from bot.reconcile.work import LONGEST_PAUSE, Claimed, Lease, Queue, Work

_OFTEN = 16
"""Failures in a row after which a base is put off no further."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How often bases are looked at; `per_host` of one registry are asked for at a time."""

    batch: int = 500
    per_host: int = 8
    policy: PollPolicy = field(default_factory=PollPolicy)


@dataclass(frozen=True, slots=True)
class WatchTally:
    """What a tick did. A return that awaits its second poll counts as `unchanged`; `postponed` bases were spared
    because their host is in trouble."""

    asked: int = 0
    unchanged: int = 0
    failed: int = 0
    postponed: int = 0
    sightings: tuple[Sighting, ...] = ()
    opened: tuple[Incident, ...] = ()
    cleared: tuple[Incident, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def moved(self) -> tuple[Observation, ...]:
        """The observations that are news: everything but first sights."""
        return tuple(each.observation for each in self.sightings if each.sight is not Sight.FIRST)


async def tick(
    store: WatchStore, registry: RegistryPort, loop: Loop, options: WatchOptions | None = None
) -> WatchTally:
    """Looks once at every base that is due. Failures of registries end up in the tally, never as exceptions."""
    looks = _RegistryLooks(store, registry, options or WatchOptions(), loop)
    tally = await loop.run(looks)
    return WatchTally(
        asked=looks.asked,
        unchanged=looks.unchanged,
        failed=tally.failed,
        postponed=tally.untried,
        sightings=tuple(looks.sightings),
        opened=tuple(looks.opened),
        cleared=tuple(looks.cleared),
        problems=tuple(tally.problems),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """A base that shows another digest than before, and what that stands for."""

    sighting: Sighting
    reading: DigestReading


@dataclass(slots=True)
class _AtHost:
    """What one host's bases have told so far."""

    answered_bases: list[Base] = field(default_factory=list)
    failures: list[tuple[Base, Failure, int]] = field(default_factory=list)
    """Each with how many times in a row the base has failed."""


class _RegistryLooks(Work[DueBase, Poll | _Seen]):
    stage = "watch"
    strikes = incidents.STRIKES

    def __init__(self, store: WatchStore, registry: RegistryPort, options: WatchOptions, loop: Loop) -> None:
        self._store = store
        self._registry = registry
        self._policy = options.policy
        self._clock = loop.clock
        self.batch = options.batch
        self.at_once = options.per_host
        self._releases: Sequence[Release] = ()
        self._open: dict[str, Incident] = {}
        self._at: dict[str, _AtHost] = defaultdict(_AtHost)
        self._readings: dict[tuple[str, str], asyncio.Task[DigestReading]] = {}
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._kept: set[str] = set()
        self.asked = self.unchanged = 0
        self.sightings: list[Sighting] = []
        self.opened: list[Incident] = []
        self.cleared: list[Incident] = []

    @property
    def queue(self) -> Queue[DueBase]:
        return self._store.bases

    def host(self, item: DueBase) -> str:
        return item.base.registry

    async def prepare(self, host: str, items: Sequence[DueBase]) -> None:
        self._open = {each.subject: each for each in await self._store.open_incidents(incidents.SUBJECT)}
        self._releases = await self._store.newest_releases()

    def is_suspect(self, host: str) -> bool:
        return incidents.host_subject(host) in self._open

    async def attempt(self, item: DueBase, lease: Lease) -> Poll | _Seen:
        self.asked += 1
        place = await self._place(item.base)
        head = await self._registry.head(place)
        sight = await self._sight(item, head.digest)
        if sight in (None, Sight.CAME_BACK):
            now = self._clock.now()
            is_upstreams = item.mirrored is not None and item.mirrored.is_upstreams(head.digest)
            doubt = None if is_upstreams else item.last_look.doubt(head.digest, now)
            if sight is None or doubt is not None or not _has_come_back(item, head.digest):
                due_at = self._next_look(item, now, item.moved_at, item.version)
                return Poll(item.id, due_at, head.digest if sight else None, doubt)
        reading = await self._reading(item, head.digest)
        observation = reading.observation(item.base, self._clock.now())
        if place != item.base:
            observation = replace(observation, version=place.tag)
        return _Seen(
            Sighting(
                item.id,
                sight,
                observation,
                self._next_look(item, observation.at, observation.at, observation.version),
            ),
            reading,
        )

    async def _place(self, base: Base) -> Base:
        """The tag that is asked for; of a line of versions the newest. Raises `Failure`."""
        if not is_line(base):
            return base
        newest = newest_in(base, await self._registry.tags(base.registry, base.repository))
        if newest is None:
            raise Failure(Trouble.MISSING, "no tag of this line is there", where=str(base))
        return replace(base, tag=newest)

    async def _sight(self, item: DueBase, digest: str) -> Sight | None:
        """None where the base has not moved."""
        if digest == item.digest:
            return None
        if item.digest is None:
            return Sight.FIRST
        return Sight.CAME_BACK if digest in await self._store.earlier_digests(item.id) else Sight.MOVED

    async def _reading(self, item: DueBase, digest: str) -> DigestReading:
        """Tags that moved together are read once; a repository's digests one after the other, so that what two of
        them share is fetched once."""

        async def one_after_the_other() -> DigestReading:
            async with self._locks[item.base.name]:
                return await read(self._registry, self._store, item.base, digest)

        key = (item.base.name, digest)
        if key not in self._readings:
            self._readings[key] = asyncio.ensure_future(one_after_the_other())
        return await asyncio.shield(self._readings[key])

    def longest_pause(self, items: Sequence[DueBase], now: datetime) -> timedelta:
        """A host that does not answer is tried again as soon as failures put off the first of its bases."""
        often = [self._next_look(item, now, item.moved_at, item.version, failed=_OFTEN) for item in items]
        return min((due_at - now for due_at in often), default=LONGEST_PAUSE)

    def _next_look(
        self, item: DueBase, now: datetime, moved_at: datetime | None, version: str | None, failed: int = 0
    ) -> datetime:
        behind_since = item.mirrored.behind_since if item.mirrored is not None else None
        return next_poll(
            *(item.base, now, self._policy),
            moved_at=moved_at,
            version=version,
            releases=self._releases,
            behind_since=behind_since,
            failed=failed,
        )

    def is_small(self, result: Poll | _Seen) -> bool:
        return isinstance(result, Poll)

    async def settle(self, item: DueBase, result: Poll | _Seen) -> None:
        if isinstance(result, Poll):
            await self.settle_together([(item, result)])
            return
        news = {digest: body for digest, body in result.reading.fetched.items() if digest not in self._kept}
        await self._store.record([result.sighting], news)
        self._kept |= news.keys()
        self.sightings.append(result.sighting)
        self._at[item.base.registry].answered_bases.append(item.base)

    async def settle_together(self, results: Sequence[tuple[DueBase, Poll | _Seen]]) -> None:
        await self._store.reschedule([result for _, result in results if isinstance(result, Poll)])
        self.unchanged += len(results)
        for item, _ in results:
            self._at[item.base.registry].answered_bases.append(item.base)

    async def failed(self, item: DueBase, claimed: Claimed, failure: Failure, now: datetime) -> None:
        """An incident says it, see `finish`."""
        asked_for = now + (failure.retry_after or timedelta(0))
        due_at = max(self._next_look(item, now, item.moved_at, item.version, failed=claimed.attempts), asked_for)
        await self.queue.put_off([claimed], due_at, error=str(failure))
        self._at[item.base.registry].failures.append((item.base, failure, claimed.attempts))

    def told(self, host: str, failure: Failure) -> None:
        """An incident says it, see `finish`."""

    def paused_since(self, host: str) -> datetime | None:
        incident = self._open.get(incidents.host_subject(host))
        return incident.opened_at if incident is not None else None

    def excuse(self, host: str, failure: Failure) -> str | None:
        incident = self._open.get(incidents.host_subject(host))
        return (incident or incidents.host_incident(host, failure, self._clock.now())).detail

    async def finish(self, host: str, tripped: Failure | None, now: datetime) -> None:
        """Settles which incidents began at the host, and which are over."""
        this = self._at.pop(host, _AtHost())
        beginnings = [] if tripped is None else [incidents.host_incident(host, tripped, now)]
        beginnings += [
            incidents.incident_of(base, failure, now)
            for base, failure, attempts in this.failures
            if incidents.is_worth_telling(failure, attempts)
        ]
        opened = {each.subject: each for each in reversed(beginnings) if each.subject not in self._open}
        over = _subjects_over(host, this, tripped)
        cleared = [each for subject, each in self._open.items() if subject in over]
        if opened or cleared:
            await self._store.save_incidents(tuple(opened.values()), cleared)
        self.opened += opened.values()
        self.cleared += cleared


def _has_come_back(item: DueBase, digest: str) -> bool:
    """Whether a digest of before is news: two polls in a row showed it, and it is none that a cache of a mirror may
    serve for hours. What was taken back, upstream shows as well."""
    if item.mirrored is not None and item.mirrored.is_stale(digest):
        return False
    return digest == item.unconfirmed


def _subjects_over(host: str, this: _AtHost, tripped: Failure | None) -> set[str]:
    """The subjects whose incidents have ended; what still fails somewhere in a repository has not."""
    over = {
        place
        for base in this.answered_bases
        for place in (incidents.base_subject(base), incidents.repository_subject(base))
    }
    over -= {incidents.subject_of(failure, base) for base, failure, _ in this.failures}
    answers = any(failure.trouble is not Trouble.UNREACHABLE for _, failure, _ in this.failures)
    if tripped is None and (this.answered_bases or answers):
        over.add(incidents.host_subject(host))
    return over
