"""How long a security change takes through 1,000 repositories in three waves, and what it asks of GitHub.

The clock is moved: a look every five minutes, a pull request is merged half an hour after it was opened, a build
takes ten minutes. The forge is a fake whose every call stands for one request.
"""

import asyncio
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from bot.domain.bases.change import Cause
from bot.domain.clock import ManualClock
from bot.domain.forge.pull_requests import MergeRequirements
from bot.domain.rollouts.policy import Match, Policy, PolicyRule
from bot.domain.rollouts.rebuild import ENDED, RebuildState
from bot.domain.rollouts.timing.pace import WriteLimits
from bot.domain.rollouts.timing.waves import Wave
from bot.reconcile.guarded import Budget
from bot.reconcile.loop import Loop
from bot.store.engine.database import Database, open_database
from bot.store.rows.rollouts.tables import rebuilds
from tests.bench.measured import Measured
from tests.fakes.repository import FakeRepository
from tests.integration.model.fleet import NOON, WORKFLOW, WORKFLOW_FILE, Fleet, OwnClock, WatchfulForge, digest
from tests.integration.store.filling import ASPNET, SDK, Stores

REPOSITORIES = 1_000
CANARIES, EARLY = 50, 250
"""The first 50, and those up to the 250th."""
LOOK, MERGE_AFTER, BUILD_TAKES = timedelta(minutes=5), timedelta(minutes=30), timedelta(minutes=10)
LONGEST = timedelta(days=3)
WAVES = (Wave("canary", soak=timedelta(hours=2)), Wave("early", soak=timedelta(hours=4)), Wave("rest"))
POLICY = Policy(
    (
        PolicyRule(Match(repositories=("contoso/canary-*",)), wave="canary"),
        PolicyRule(Match(repositories=("contoso/early-*",)), wave="early"),
        PolicyRule(settle=timedelta()),
    ),
    WAVES,
)
SHARES = (50, 95, 100)


@dataclass(slots=True)
class Large(Fleet):
    """Three in five repositories pin their base and get a pull request, the others are rebuilt by a workflow."""

    due: list[tuple[datetime, FakeRepository, str, int]] = field(default_factory=list)
    """When somebody merges, or a run ends, and which."""
    known: set[tuple[str, str, int]] = field(default_factory=set)

    def people(self) -> None:
        """What was opened or started is noted, and what is due happens."""
        now = self.clock.now()
        for home in self.forge.homes:
            opened = ((MERGE_AFTER, "merge", request.number) for request in self.open_requests(home))
            started = ((BUILD_TAKES, "run", number) for number, run in home.runs.items() if not run.has_concluded)
            for takes, what, number in (*opened, *started):
                if (home.id, what, number) not in self.known:
                    self.known.add((home.id, what, number))
                    self.due.append((now + takes, home, what, number))
        for each in [each for each in self.due if each[0] <= now]:
            self.due.remove(each)
            self._happens(*each[1:])

    def _happens(self, home: FakeRepository, what: str, number: int) -> None:
        if what == "run":
            home.conclude(number, "success")
        else:
            home.merge(number)
            home.build(home.branches[home.trunk])

    def _loop(self, worker: int) -> Loop:
        budget = Budget(self.workers[worker].budgets, self.clock, WriteLimits(), sleep=self._wait)
        return Loop(self.clock, budget=budget, sleep=asyncio.sleep)


def run() -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measured(Path(folder)))


async def _measured(folder: Path) -> list[Measured]:
    database = await open_database(f"sqlite:///{folder}/fleet.db")
    fleet = _fleet(database)
    await fleet.discover(0)
    await fleet.see()
    await fleet.publish(ASPNET, Cause.DOTNET_SECURITY)
    fleet.forge.asked.clear()
    fleet.forge.calls.clear()
    moved_at = fleet.clock.now()
    while len(await _ends(database)) < REPOSITORIES and fleet.clock.now() - moved_at < LONGEST:
        await fleet.plan(0)
        await fleet.act(0)
        await fleet.follow(0)
        fleet.people()
        fleet.clock.advance(LOOK)
    ends = await _ends(database)
    await database.close()
    what = f"{REPOSITORIES:,} repositories, one security change, three waves"
    times = [(share, ends[len(ends) * share // 100 - 1] - moved_at) for share in SHARES if ends]
    requests, writes = len(fleet.forge.asked) / len(ends), len(fleet.forge.calls) / len(ends)
    return [
        *(
            Measured(f"{what}: {share} % rebuilt after", f"{took.total_seconds() / 3600:.1f} h")
            for share, took in times
        ),
        Measured(f"{what}: requests for each rebuild", f"{requests:.2f}", "≤ 4", requests <= 4),
        Measured(f"{what}: writes for each rebuild", f"{writes:.2f}", "≤ 2", writes <= 2),
    ]


def _fleet(database: Database) -> Large:
    clock = ManualClock(NOON)
    forge = WatchfulForge(clock)
    reference = f"{ASPNET.name}:{ASPNET.tag}"
    floating = {
        "Dockerfile": f"FROM {reference}\n".encode(),
        f".github/workflows/{WORKFLOW_FILE}": WORKFLOW.encode(),
    }
    pinned = {"Dockerfile": f"FROM {reference}@{digest(1)}\n".encode()}
    for number in range(REPOSITORIES):
        wave = "canary" if number < CANARIES else "early" if number < EARLY else "rest"
        home = forge.add(f"contoso/{wave}-{number:04}", pinned if number % 5 < 3 else floating)
        home.requirements = MergeRequirements(requires_checks=True)
    stores = [Stores.of_worker(database, clock, "one")]
    return Large(database, OwnClock(clock), forge, stores, newest={ASPNET: [1], SDK: [1]}, policy=POLICY)


async def _ends(database: Database) -> list[datetime]:
    query = select(rebuilds.c.ended_at).where(
        rebuilds.c.state.in_(ENDED), rebuilds.c.state != RebuildState.FAILED.value
    )
    async with database.reading() as connection:
        return sorted((await connection.execute(query)).scalars())
