"""How large the store of 1,000 repositories is after a year, in which 220 tags moved some 4,700 times."""

import asyncio
import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select, update

from bot.domain.bases.image import OCI_INDEX, OCI_MANIFEST, digest_of
from bot.domain.bases.observation import Observation, PlatformImage, Sight
from bot.domain.clock import ManualClock
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.repositories.usage import Kind, Replacement, Role, Span, Usage
from bot.domain.rollouts.rebuild import Action, RebuildState, Target
from bot.domain.rollouts.rollout import PlannedRebuild, PlannedRollout
from bot.domain.rollouts.terms import Step
from bot.fleet.assess.assess import assess
from bot.fleet.assess.rows import AssessStore
from bot.fleet.discover.ports import Listing
from bot.fleet.discover.rows.discover import DiscoverStore
from bot.fleet.plan.rows.plan import PlanStore
from bot.fleet.retention.rows import RetentionStore
from bot.fleet.watch.registry.ports import DueBase, Sighting
from bot.fleet.watch.registry.rows import WatchStore
from bot.store.engine.database import Database, open_database
from bot.store.rows.bases.tables import documents
from bot.store.rows.rollouts.rebuilds import keep_transitions, transition_row
from bot.store.rows.rollouts.tables import rebuilds
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.bench.measured import Measured
from tests.integration.store.filling import Stores

REPOSITORIES = 1_000
TAGS = 220
MOVES_A_WEEK = 90
WEEKS = 52
FILES = 6
USED_TAGS = 40
"""So many tags are what most images stand on."""
LAYERS = 6
PLATFORMS = ("linux/amd64", "linux/arm/v7", "linux/arm64")
RETENTION = timedelta(days=400)
START = datetime(2026, 1, 6, 12, 0, tzinfo=UTC)
WEEK = timedelta(weeks=1)

AIM_MEGABYTES = 300


@dataclass(frozen=True, slots=True)
class Year:
    """What was in the store at its end."""

    megabytes: float
    moves: int
    rebuilds: int


def run() -> list[Measured]:
    """Rows: what, measured, aim."""
    with tempfile.TemporaryDirectory() as folder:
        year = asyncio.run(simulated_year(Path(folder) / "year.db"))
    measured = f"{year.megabytes:.0f} MB ({year.moves} moves, {year.rebuilds} rebuilds)"
    is_met = year.megabytes <= AIM_MEGABYTES
    what = f"SQLite after a year of {REPOSITORIES} repositories"
    return [Measured(what, measured, f"at most {AIM_MEGABYTES} MB", is_met)]


async def simulated_year(path: Path) -> Year:
    """A week is one step: bases move, rebuilds are planned, opened and merged, and what is due to go goes."""
    database = await open_database(f"sqlite:///{path}")
    try:
        fleet = Fleet(database)
        await fleet.begin()
        for _ in range(WEEKS):
            await fleet.week()
        return await fleet.ended(path)
    finally:
        await database.close()


class Fleet:
    """The fleet's year, week by week, through the stores of a database."""

    STEPS: tuple[Step, ...] = ()
    """Of each rebuild."""
    REPOSITORIES, TAGS, MOVES_A_WEEK = REPOSITORIES, TAGS, MOVES_A_WEEK

    def __init__(self, database: Database) -> None:
        self.shown: dict[Base, PlatformImage] = {}
        """What each base shows now on its first platform."""
        self._weeks = 0
        self._database = database
        self._clock = ManualClock(START)
        self._stores = Stores.of_worker(database, self._clock, "bench")
        self._random = random.Random(1)
        self._moves = 0
        self._bases = [
            Base("mcr.microsoft.com", f"dotnet/{'sdk' if n % 2 else 'aspnet'}", f"{n}.0") for n in range(self.TAGS)
        ]

    async def begin(self) -> None:
        """Every repository is read, and every base seen once."""
        (task,) = await self._stores.listings()
        shown = tuple(Repository(f"contoso/service-{number:04}", "main") for number in range(self.REPOSITORIES))
        await self._stores[DiscoverStore].record_listing(task, Listing(shown), self._clock.now() + WEEK)
        for repository in await self._stores.repositories(self.REPOSITORIES):
            bodies = {self._hex(20): self._text(2_000) for _ in range(FILES)}
            bases = self._random.sample(self._bases[:USED_TAGS], 2)
            if repository.id <= self.TAGS:
                bases.append(self._bases[repository.id - 1])
            usages = tuple((_usage(base, number), base) for number, base in enumerate(dict.fromkeys(bases)))
            reading = self._reading(repository.id, usages, bodies)
            await self._stores[DiscoverStore].save_blobs(bodies)
            await self._stores[DiscoverStore].save_reading(repository, reading, self._clock.now() + 400 * WEEK)
        await self._see(await self._stores.bases(self.TAGS))
        rows = [
            {
                "url": f"https://feeds.example/{number}",
                "kind": "msrc",
                "due_at": START + 400 * WEEK,
                "body": self._random.randbytes(500_000),
            }
            for number in range(20)
        ]
        async with self._database.transaction() as connection:
            await connection.execute(insert(documents), rows)

    def _reading(self, number: int, usages: tuple[tuple[Usage, Base], ...], bodies: dict[str, bytes]) -> Reading:
        """What a repository tells, with the files `bodies`, to which more may be added."""
        return Reading("tree", usages, blobs=tuple(bodies))

    async def week(self) -> None:
        self._weeks += 1
        self._clock.advance(START + self._weeks * WEEK - self._clock.now())
        due = await self._stores.bases(self.TAGS)
        self._moves += self.MOVES_A_WEEK
        await self._see(self._random.sample(due, self.MOVES_A_WEEK))
        pairs = await self._stores[AssessStore].unassessed(500)
        now = self._clock.now()
        found = [(pair, assess(pair.before, pair.after, ReleaseIndex(()), {}, now)) for pair in pairs]
        await self._stores[AssessStore].save_changes(found, 0)
        await self._plan()
        await self._end(RebuildState.OPEN, "pull request #7 was opened")
        await self._end(RebuildState.SUCCEEDED, "pull request #7 was merged")
        await self._happens()
        task = await self._stores[RetentionStore].claim_forgetting()
        assert task is not None
        await self._stores[RetentionStore].forget(task, RETENTION)

    async def _happens(self) -> None:
        """What else there is in a week."""

    async def ended(self, path: Path) -> Year:
        async with self._database.engine.connect() as connection:
            await connection.exec_driver_sql("ROLLBACK")
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            await connection.exec_driver_sql("BEGIN")
            number = len((await connection.execute(select(rebuilds.c.id))).all())
        return Year(path.stat().st_size / 1e6, self._moves, number)

    async def _see(self, due: Sequence[DueBase]) -> None:
        now = self._clock.now()
        sightings: list[Sighting] = []
        bodies: dict[str, bytes] = {}
        for base in due:
            platforms = [self._platform(name, bodies) for name in PLATFORMS]
            entries = [{"mediaType": OCI_MANIFEST, "digest": each.digest, "size": 1} for each in platforms]
            index = self._keep({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}, bodies)
            self.shown[base.base] = platforms[0]
            sight = Sight.MOVED if base.digest else Sight.FIRST
            seen = Observation(now, base.base, index, "10.0.5", now.isoformat(), tuple(platforms))
            sightings.append(Sighting(base.id, sight, seen, now + timedelta(days=6)))
        await self._stores[WatchStore].record(sightings, bodies)

    def _platform(self, name: str, bodies: dict[str, bytes]) -> PlatformImage:
        layers = [self._digest() for _ in range(LAYERS)]
        unpacked = [self._digest() for _ in range(LAYERS)]
        steps = [{"created": "2026-01-06T12:00:00Z", "created_by": f"RUN {self._hex(150)}"} for _ in range(12)]
        config = self._keep({"os": "linux", "rootfs": {"diff_ids": unpacked}, "history": steps}, bodies)
        pointers = [{"mediaType": "layer", "digest": layer, "size": 30_000_000} for layer in layers]
        manifest = self._keep({"schemaVersion": 2, "config": {"digest": config}, "layers": pointers}, bodies)
        return PlatformImage(name, manifest, "2026-01-06T12:00:00Z", "noble", tuple(layers), tuple(unpacked))

    def _keep(self, document: object, bodies: dict[str, bytes]) -> str:
        body = json.dumps(document).encode()
        bodies[digest_of(body)] = body
        return digest_of(body)

    def _digest(self) -> str:
        return f"sha256:{self._hex(32)}"

    def _hex(self, size: int) -> str:
        return self._random.randbytes(size).hex()

    def _text(self, size: int) -> bytes:
        return self._hex(size // 2).encode()

    async def _plan(self) -> None:
        """One rollout a week; a repository brings all of its bases up to date in one pull request."""
        known = await self._stores[PlanStore].revisions()
        moves = {move.id: move for move in await self._stores[PlanStore].unplanned()}
        wanted: dict[int, list[int]] = defaultdict(list)
        names: dict[int, str] = {}
        for change, affected in (await self._stores[PlanStore].affected(list(moves))).items():
            for item in affected:
                wanted[item.member.id].append(change)
                names[item.member.id] = item.member.name
        planned = tuple(
            PlannedRebuild(
                repository_id=repository,
                repository=names[repository],
                action=Action.PULL_REQUEST,
                state=RebuildState.PLANNED,
                reason="aspnet:10.0 has .NET 10.0.5 with 3 CVEs fixed; due on Monday at 08:00 UTC after it settled",
                targets=tuple(self._target(moves[change].change.base, change) for change in dict.fromkeys(changes)),
                replacements=tuple(
                    Replacement(
                        _reference(moves[change].change.base, self._digest()),
                        _reference(moves[change].change.base, self._digest()),
                    )
                    for change in dict.fromkeys(changes)
                ),
                wave="rest",
                due_at=self._clock.now(),
                branch="freshness/dotnet-aspnet-10.0",
                steps=self.STEPS,
            )
            for repository, changes in wanted.items()
        )
        await self._stores[PlanStore].save_plan(PlannedRollout(None, tuple(moves), planned, known))

    def _target(self, base: Base, change: int) -> Target:
        return Target(base, self._digest(), self._digest(), (change,))

    async def _end(self, state: RebuildState, reason: str) -> None:
        """All that is under way goes one step on, in one transaction: row by row it would take an hour."""
        before = RebuildState.PLANNED if state is RebuildState.OPEN else RebuildState.OPEN
        now = self._clock.now()
        ended = {"ended_at": now} if state.has_ended else {}
        async with self._database.transaction() as connection:
            moved = await connection.execute(
                update(rebuilds)
                .where(rebuilds.c.state == before.value)
                .values(
                    state=state.value,
                    reason=reason,
                    url="https://github.example/contoso/service-0001/pull/7",
                    pull_request=7,
                    **ended,
                )
                .returning(rebuilds.c.id)
            )
            await keep_transitions(
                connection, [transition_row(number, now, before, state, reason) for number in moved.scalars()]
            )


def _reference(base: Base, digest: str) -> Reference:
    return Reference(base.name, base.tag, digest)


def _usage(base: Base, number: int) -> Usage:
    reference = _reference(base, f"sha256:{'a' * 64}")
    return Usage(
        f"src/service/Dockerfile.{number}", Kind("dockerfile"), 1, reference, Role.FINAL_STAGE, Span(5, 80)
    )
