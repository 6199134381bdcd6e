"""Bases, what was observed of them, and incidents, in memory: `watch.registry.stage.WatchStore`."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.bases.incident import Incident
from bot.domain.bases.mirrors import Likeness
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base
from bot.fleet.watch.registry.ports import DueBase, Mirrored, Poll, Sighting
from tests.fakes.queue import FakeQueue


class FakeWatchStore:
    """`told` has the message of each incident's beginning and end, `writes` counts the transactions."""

    def __init__(self, bases: Iterable[Base], clock: Clock) -> None:
        self.bases: FakeQueue[DueBase] = FakeQueue()
        for number, base in enumerate(bases, 1):
            self.bases.add(DueBase(number, base), clock.now(), str(base))
        self.history: list[Observation] = []
        self.kept: dict[str, bytes] = {}
        self.open: dict[str, Incident] = {}
        self.told: list[str] = []
        self.releases: list[Release] = []
        self.writes: Counter[str] = Counter()

    async def earlier_digests(self, base_id: int) -> frozenset[str]:
        base = self.bases[base_id].base
        return frozenset(seen.digest for seen in self.history if seen.base == base and seen.digest)

    async def manifests(self, digests: Collection[str]) -> Mapping[str, bytes]:
        return {digest: self.kept[digest] for digest in digests if digest in self.kept}

    async def newest_releases(self) -> Sequence[Release]:
        return self.releases

    async def open_incidents(self, subject_prefix: str) -> Sequence[Incident]:
        return [each for subject, each in self.open.items() if subject.startswith(subject_prefix)]

    async def reschedule(self, polls: Sequence[Poll]) -> None:
        self.writes["reschedule"] += 1
        held = set(self.bases.held())
        for poll in polls:
            if poll.base_id in held:
                known = replace(self.bases[poll.base_id], unconfirmed=poll.unconfirmed, shows_two=poll.shows_two)
                self.bases.settle(poll.base_id, poll.due_at, known)

    async def record(self, sightings: Sequence[Sighting], manifests: Mapping[str, bytes]) -> None:
        self.writes["record"] += 1
        for each in sightings:
            self.bases.check(each.base_id)
        self.kept.update(manifests)
        for each in sightings:
            seen, known = each.observation, self.bases[each.base_id]
            self.history.append(seen)
            moved = DueBase(known.id, known.base, seen.digest, seen.version, seen.at, mirrored=known.mirrored)
            self.bases.settle(each.base_id, each.due_at, moved)

    async def save_incidents(self, opened: Sequence[Incident], cleared: Sequence[Incident]) -> None:
        for incident in opened:
            if incident.subject not in self.open:
                self.open[incident.subject] = incident
                self.told.append(incident.detail)
        for incident in cleared:
            del self.open[incident.subject]
            self.told.append(f"over: {incident.place}")

    def mirror(self, base: Base, published: str) -> None:
        """`base` is a copy, and shows what its upstream does."""
        number = next(number for number in self.bases.rows if self.bases[number].base == base)
        known = Mirrored(published, Likeness.DIGEST, None)
        self.bases.rows[number].item = replace(self.bases[number], mirrored=known)

    def due(self, base: Base) -> datetime:
        return next(row.due_at for number, row in self.bases.rows.items() if self.bases[number].base == base)
