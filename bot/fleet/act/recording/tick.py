"""One tick: what runs is written to the forge as deployment records, each change of it once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.port import Forge
from bot.domain.host import Host
from bot.domain.repositories.repository import Identity
from bot.domain.running.records import MOST_AT_ONCE, BuiltRun, DeploymentRecord, records_due, records_of
from bot.reconcile.forge_writing import ForgeWriting
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, put_off_by_backoff

_EVERY = timedelta(minutes=5)
REFUSED_FOR = timedelta(days=1)
"""Nobody grants a right more often."""


@dataclass(frozen=True, slots=True)
class DueRecords:
    """An owner's records of one source: what was written, or refused lately, and what runs."""

    id: int
    source: str
    environment: str
    owner: str
    recorded: Mapping[str, DeploymentRecord]
    runs: Sequence[BuiltRun]


class RecordingStore(Protocol):
    """Each method is one transaction."""

    @property
    def records(self) -> Queue[DueRecords]: ...

    async def follow_owners(self) -> None:
        """Has a row for each source and owner whose images run there."""
        ...

    async def save_records(
        self, item: DueRecords, sent: Sequence[DeploymentRecord], refused: Mapping[str, str]
    ) -> None:
        """Keeps what was sent, so that it is not sent again; what was `refused`, by name with why, for a day."""
        ...

    async def settle_records(self, item: DueRecords, due_at: datetime, error: str | None = None) -> None:
        """Ends the claim. Raises `LeaseLost`."""
        ...


async def tick(store: RecordingStore, forge: Forge, host: Host, loop: Loop) -> tuple[int, list[str]]:
    """How many records were written, and what hindered others, one line each."""
    await store.follow_owners()
    work = _Recording(store, forge, host, loop)
    tally = await loop.run(work)
    return work.written, [*tally.problems, *work.refused]


class _Recording(ForgeWriting[DueRecords, str | None]):
    stage = "recording"

    def __init__(self, store: RecordingStore, forge: Forge, host: Host, loop: Loop) -> None:
        self._store = store
        self.written = 0
        self.refused: list[str] = []
        super().__init__(forge, host, loop)

    @property
    def queue(self) -> Queue[DueRecords]:
        return self._store.records

    def repository(self, item: DueRecords) -> Identity:
        return Identity(item.owner)

    async def attempt(self, item: DueRecords, lease: Lease) -> str | None:
        """Writes what differs; why some were not taken, None where all were."""
        due = self._due(item)
        forge = self._guarded(lease)
        refused: dict[str, str] = {}
        for start in range(0, len(due), MOST_AT_ONCE):
            part = due[start : start + MOST_AT_ONCE]
            home = Identity(f"{item.owner}/{part[0].repository}")
            refused_now = await forge.record_deployments(home, item.source, item.environment, part)
            await self._store.save_records(item, part, refused_now)
            self.written += len(part) - len(refused_now)
            refused |= refused_now
        if not refused:
            return None
        name, cause = min(refused.items())
        return f"{len(refused)} of {len(due)} deployment records were not taken, {name} since it is {cause}"

    def _due(self, item: DueRecords) -> Sequence[DeploymentRecord]:
        """Of repositories that the operator includes alone: of the others nothing is written, nor taken back."""
        running = records_of(item.runs)
        included = {
            repository
            for repository in {each.repository for each in (*running.values(), *item.recorded.values())}
            if self._covers(Identity(f"{item.owner}/{repository}"))
        }
        recorded, running = (
            {name: record for name, record in several.items() if record.repository in included}
            for several in (item.recorded, running)
        )
        return records_due(recorded, running)

    async def settle(self, item: DueRecords, result: str | None) -> None:
        await self._store.settle_records(item, self._clock.now() + _EVERY)
        if result is not None:
            self.refused.append(f"{_untold(item)}: {result}")

    async def failed(self, item: DueRecords, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        where = _untold(item)
        if failure.trouble is Trouble.MISSING or failure.lacks_a_right:
            problem = f"{where}: {failure.told}; the App needs artifact_metadata: write"
            await self._store.settle_records(item, now + REFUSED_FOR, problem)
            return problem
        await put_off_by_backoff(self.queue, claimed, failure, now, failure.told)
        return f"{where}: {failure.told}"


def _untold(item: DueRecords) -> str:
    return f"what runs in {item.source} is not told to {item.owner}"
