"""The tick of what runs: sources are asked, one that does not answer is told, and what is old is forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.running.runs import RunningSource
from bot.domain.running.snapshot import Snapshot
from bot.fleet.running.tick import DueSource, tick
from bot.reconcile.loop import Loop
from tests.fakes.queue import FakeQueue

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
EVERY, KEEP = timedelta(minutes=5), timedelta(days=730)
WEST = RunningSource("west", "production", every=EVERY)
EAST = RunningSource("east", "production")


@dataclass
class FakeRunningStore:
    """Keeps what it is given."""

    sources: FakeQueue[DueSource] = field(default_factory=FakeQueue)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    followed: tuple[RunningSource, ...] = ()
    forgotten_before: datetime | None = None
    packed_before: datetime | None = None

    async def follow(self, sources: Sequence[RunningSource]) -> None:
        self.followed = tuple(sources)
        for each in sources:
            if each.every is not None:
                self.sources.add(DueSource(1, each.name), NOW, each.name)

    async def save_snapshot(self, source: str, snapshot: Snapshot) -> bool:
        self.snapshots[source] = snapshot
        return True

    async def settle_source(self, source: DueSource, due_at: datetime) -> None:
        self.sources.settle(source.id, due_at)

    async def match(self) -> int:
        return 2

    async def pack_ended(self, moment: datetime) -> int:
        self.packed_before = moment
        return 3

    async def forget_before(self, moment: datetime) -> int:
        self.forgotten_before = moment
        return 0


@dataclass
class FakeCluster:
    """Answers with a snapshot, or not at all."""

    answer: Snapshot | Failure

    async def snapshot(self) -> Snapshot:
        if isinstance(self.answer, Failure):
            raise self.answer
        return self.answer


async def test_a_source_that_is_asked_is_due_again_after_its_interval() -> None:
    store, snapshot = FakeRunningStore(), Snapshot(NOW, ())
    figures, problems = await tick(
        store, [WEST, EAST], {"west": FakeCluster(snapshot)}, KEEP, Loop(ManualClock(NOW))
    )
    assert (figures, problems) == ({"read": 1, "matched": 2, "packed": 3, "forgotten": 0}, [])
    assert store.snapshots == {"west": snapshot}
    assert store.sources.rows[1].due_at == NOW + EVERY
    assert store.followed == (WEST, EAST)


async def test_a_source_that_does_not_answer_is_told_and_put_off() -> None:
    store, failure = FakeRunningStore(), Failure(Trouble.UNREACHABLE, "no answer", where="west")
    _, problems = await tick(store, [WEST], {"west": FakeCluster(failure)}, KEEP, Loop(ManualClock(NOW)))
    assert any(problem.startswith("what runs in west is not read: ") for problem in problems)
    assert store.snapshots == {}
    assert store.sources.rows[1].due_at > NOW


async def test_what_ended_longer_ago_than_is_kept_is_forgotten() -> None:
    store = FakeRunningStore()
    await tick(store, [EAST], {}, KEEP, Loop(ManualClock(NOW)))
    assert store.forgotten_before == (NOW - KEEP).replace(hour=0)
    assert store.packed_before == NOW - timedelta(days=1)
