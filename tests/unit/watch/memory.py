"""A store and registries in memory, as the watch stage sees them."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.bases.advisory import Release
from bot.domain.bases.image import OCI_INDEX, OCI_MANIFEST, Head, digest_of
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.reconcile.work import Claimed
from bot.watch.registry.incident import Incident
from bot.watch.registry.stage import DueBase, Poll, Sighting
from tests.fakes.queue import LEASE, StoredRows


class MemoryStore:
    """Keeps the rows that the watch stage claims, and counts its writes."""

    def __init__(self, bases: Iterable[Base], clock: Clock) -> None:
        self.rows = {number: DueBase(number, base) for number, base in enumerate(bases, 1)}
        self.due_at = dict.fromkeys(self.rows, clock.now())
        self.errors: dict[int, str | None] = {}
        self.attempts: Counter[int] = Counter()
        self.history: list[Observation] = []
        self.kept: dict[str, bytes] = {}
        self.open: dict[str, Incident] = {}
        self.told: list[str] = []
        self.releases: list[Release] = []
        self.writes: Counter[str] = Counter()

    @property
    def bases(self) -> StoredRows[DueBase]:
        return StoredRows(self._take, self._put_off)

    def _take(self, now: datetime, limit: int) -> list[tuple[Claimed, DueBase]]:
        due = sorted((at, number) for number, at in self.due_at.items() if at <= now)[:limit]
        for _, number in due:
            self.due_at[number] = now + LEASE
            self.attempts[number] += 1
        rows = [self.rows[number] for _, number in due]
        return [(Claimed(row.id, str(row.base), self.attempts[row.id]), row) for row in rows]

    def _put_off(self, row: DueBase, due_at: datetime, error: str | None, attempted: bool) -> None:
        self.due_at[row.id] = due_at
        self.errors[row.id] = error
        self.attempts[row.id] -= not attempted

    async def earlier_digests(self, base_id: int) -> frozenset[str]:
        base = self.rows[base_id].base
        return frozenset(seen.digest for seen in self.history if seen.base == base and seen.digest)

    async def manifests(self, digests: Collection[str]) -> Mapping[str, bytes]:
        return {digest: self.kept[digest] for digest in digests if digest in self.kept}

    async def newest_releases(self) -> Sequence[Release]:
        return self.releases

    async def open_incidents(self, subject_prefix: str) -> Sequence[Incident]:
        return [each for subject, each in self.open.items() if subject.startswith(subject_prefix)]

    async def reschedule(self, polls: Sequence[Poll]) -> None:
        self.writes["reschedule"] += 1
        for poll in polls:
            self.rows[poll.base_id] = replace(self.rows[poll.base_id], unconfirmed=poll.unconfirmed)
            self._settle(poll.base_id, poll.due_at)

    async def record(self, sightings: Sequence[Sighting], manifests: Mapping[str, bytes]) -> None:
        self.writes["record"] += 1
        self.kept.update(manifests)
        for each in sightings:
            seen, row = each.observation, self.rows[each.base_id]
            self.history.append(seen)
            self.rows[each.base_id] = DueBase(row.id, row.base, seen.digest, seen.version, seen.at)
            self._settle(each.base_id, each.due_at)

    def _settle(self, base_id: int, due_at: datetime) -> None:
        self.due_at[base_id] = due_at
        self.errors[base_id] = None
        self.attempts[base_id] = 0

    async def save_incidents(self, opened: Sequence[Incident], cleared: Sequence[Incident]) -> None:
        for incident in opened:
            assert incident.subject not in self.open
            self.open[incident.subject] = incident
            self.told.append(incident.detail)
        for incident in cleared:
            del self.open[incident.subject]
            self.told.append(f"over: {incident.place}")

    def due(self, base: Base) -> datetime:
        return next(self.due_at[number] for number, row in self.rows.items() if row.base == base)


class MemoryRegistry:
    """Tags, documents, and what goes wrong with them; `asked` counts what each was asked for."""

    def __init__(self) -> None:
        self.tags: dict[Base, str] = {}
        self.documents: dict[str, bytes] = {}
        self.troubles: dict[str, Failure] = {}
        self.asked: Counter[str] = Counter()

    def push(
        self, *bases: Base, content: str, version: str = "10.0.0", platforms: Sequence[str] = ("linux/amd64",)
    ) -> str:
        """Makes the tags point to an index whose digests all follow from `content`."""
        entries = []
        for platform in platforms:
            system, architecture = platform.split("/")
            env = {"Env": [f"DOTNET_VERSION={version}"]}
            config = self._keep(
                {
                    "os": system,
                    "architecture": architecture,
                    "created": f"2025-11-11T18:00:00Z{content}",
                    "config": env,
                }
            )
            layer = {"mediaType": "l", "digest": digest_of(content.encode()), "size": 1}
            manifest = self._keep(
                {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": _entry(config), "layers": [layer]}
            )
            entries.append({**_entry(manifest), "platform": {"os": system, "architecture": architecture}})
        digest = self._keep({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
        self.tags.update(dict.fromkeys(bases, digest))
        return digest

    async def head(self, base: Base) -> Head:
        self._ask("head", str(base), base.registry)
        if base not in self.tags:
            raise failure(Trouble.MISSING, str(base))
        return Head(self.tags[base], OCI_INDEX)

    async def manifest(self, registry: str, repository: str, digest: str) -> bytes:
        self._ask("manifest", digest, registry)
        return self.documents[digest]

    async def config(self, registry: str, repository: str, digest: str) -> bytes:
        self._ask("config", digest, registry)
        return self.documents[digest]

    def _ask(self, what: str, *names: str) -> None:
        self.asked[what] += 1
        for name in names:
            if name in self.troubles:
                raise self.troubles[name]

    def _keep(self, document: object) -> str:
        body = json.dumps(document).encode()
        self.documents[digest_of(body)] = body
        return digest_of(body)


def failure(trouble: Trouble, where: str = "", retry_after: timedelta | None = None) -> Failure:
    return Failure(trouble, "has a trouble", where=where, advice="do something", retry_after=retry_after)


def _entry(digest: str) -> dict[str, object]:
    return {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1}
