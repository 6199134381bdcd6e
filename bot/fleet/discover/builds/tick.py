"""One tick: when the workflow that rebuilds each repository last succeeded, whoever started it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.backoff import look_together, rest_of
from bot.domain.builder.port import Builder
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.host import Host
from bot.domain.repositories.builds import BranchBuilds, LatestRuns, builds_with
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.timing.age import BaseInFile, guarantees
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work

EVERY = timedelta(hours=1)
"""Between two looks at a workflow's runs: a thousand of them take ten to twenty requests."""
_MISSING_AGAIN = timedelta(days=1)
"""A workflow that was not there is looked for again after so long, or once its repository holds something else."""


@dataclass(frozen=True, slots=True)
class RepositoryOnBases:
    """A listed repository that stands on watched bases, as far as it decides which workflow rebuilds it."""

    id: int
    name: str
    config: RepositoryConfig
    places: tuple[BaseInFile, ...]


@dataclass(frozen=True, slots=True)
class WantedBuilds:
    """A workflow whose builds are to be known; `max_age` is None where none is guaranteed."""

    repository: int
    workflow: str
    max_age: timedelta | None


@dataclass(frozen=True, slots=True)
class DueBuilds:
    """A claimed workflow with what is known of it; `node_id` is None until the forge has shown it."""

    id: int
    identity: Identity
    default_branch: str
    workflow: str
    node_id: str | None
    builds: BranchBuilds
    error: str | None = None

    @property
    def build_home(self) -> Identity:
        """The repository as what runs the workflow is asked about it."""
        return self.identity.for_builds(self.workflow)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a workflow has shown: without `node_id` there is no such workflow."""

    node_id: str | None
    builds: BranchBuilds
    due_at: datetime


class BuildsStore(Protocol):
    """What looking for builds asks of the store; each method is one transaction."""

    async def claim_wanted(self, mark: str) -> int | None:
        """Claims the task of saying which workflows count, where it is due or was done under another policy."""
        ...

    def standings(self) -> AsyncIterator[Sequence[RepositoryOnBases]]:
        """Tells the listed repositories, some at a time: what a large fleet names is never held as a whole."""
        ...

    async def save_wanted(self, task: int, wanted: Sequence[WantedBuilds], mark: str, due: datetime) -> None:
        """Adds what is new, and forgets what nobody wants to know any more.

        What was not there is looked for again where its repository holds something else by now.
        """
        ...

    @property
    def builds(self) -> Queue[DueBuilds]: ...

    async def save_seen(self, looks: Sequence[tuple[DueBuilds, Seen]]) -> None: ...


@dataclass(frozen=True, slots=True)
class BuildsTally:
    """How many workflows were looked at, and what hindered others, one line each."""

    looked_at: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: BuildsStore, builder: Builder, policy: Policy, mark: str, host: Host, loop: Loop
) -> BuildsTally:
    """Looks at every workflow that is due; `mark` changes with the policy."""
    task = await store.claim_wanted(mark)
    if task is not None:
        builds = [each async for standings in store.standings() for each in wanted_builds(standings, policy)]
        await store.save_wanted(task, builds, mark, loop.clock.now() + EVERY)
    tally = await loop.run(_BuildLooks(store, builder, host, loop.clock))
    return BuildsTally(tally.done, tuple(tally.problems))


def wanted_builds(standings: Sequence[RepositoryOnBases], policy: Policy) -> list[WantedBuilds]:
    """Says which workflows rebuild these repositories under a policy."""
    return [
        WantedBuilds(standing.id, workflow, guarantee.max_age)
        for standing in standings
        for workflow, guarantee in guarantees(standing.name, standing.config, standing.places, policy).items()
    ]


class _BuildLooks(Work[DueBuilds, Seen]):
    """All of a claim whose node ids are known are asked for together; the others are looked up first."""

    stage = "builds"
    batch = 1_000
    rests_by_backoff = True

    def __init__(self, store: BuildsStore, builder: Builder, host: Host, clock: Clock) -> None:
        self._store = store
        self._builder = builder
        self._host = host
        self._clock = clock
        self._latest: dict[str, Mapping[str, LatestRuns]] = {}
        self._in_trouble: dict[tuple[str, str], Failure] = {}
        """Owners, each with its forge, of whom no runs are told at present."""
        self.home = host.whole

    @property
    def queue(self) -> Queue[DueBuilds]:
        return self._store.builds

    def key(self, item: DueBuilds) -> str:
        return item.identity.name

    def host(self, item: DueBuilds) -> str:
        return self._host.of(item.build_home)

    async def prepare(self, host: str, items: Sequence[DueBuilds]) -> None:
        """Asks owner by owner: one in trouble keeps no other from being looked at."""
        latest_runs: dict[str, LatestRuns] = {}
        owners: dict[tuple[str, str], list[DueBuilds]] = {}
        for item in items:
            owners.setdefault(item.build_home.owner, []).append(item)
        for owner, owned_items in owners.items():
            if node_ids := [item.node_id for item in owned_items if item.node_id is not None]:
                self._in_trouble.pop(owner, None)
                try:
                    latest_runs |= await self._latest_runs(owned_items[0].build_home, node_ids)
                except Failure as failure:
                    self._in_trouble[owner] = failure
        self._latest[host] = latest_runs

    async def _latest_runs(self, repository: Identity, node_ids: Sequence[str]) -> Mapping[str, LatestRuns]:
        """Reads the latest runs of all workflows at once; nothing where their owner cannot be seen at present.

        Then each is asked for alone, and says why.
        """
        try:
            return await (await self._builder.serving(repository)).latest_runs(node_ids)
        except Failure as failure:
            if failure.trouble is not Trouble.DENIED:
                raise
            return {}

    async def attempt(self, item: DueBuilds, lease: Lease) -> Seen:
        now = self._clock.now()
        failure = self._in_trouble.get(item.build_home.owner)
        if failure is not None and item.node_id is not None:
            raise failure
        latest = None if item.node_id is None else self._latest[self.host(item)].get(item.node_id)
        if latest is None:
            return await self._look_up(item, now)
        runs = latest.runs
        if not item.builds.are_joined_by(latest, now):
            runs += await self._builder.past_runs(item.build_home, item.workflow, item.default_branch)
        builds = builds_with(item.builds, latest.state, runs, item.default_branch, now)
        builds = replace(builds, revision=latest.revision)
        return Seen(item.node_id, builds, look_together(now + EVERY, EVERY))

    async def _look_up(self, item: DueBuilds, now: datetime) -> Seen:
        """A workflow that is seen for the first time is asked for its runs with the others, in the next round."""
        workflow = await self._builder.workflow(item.build_home, item.workflow)
        if workflow is None:
            return Seen(None, BranchBuilds(), now + _MISSING_AGAIN)
        if workflow.node_id == item.node_id:
            problem = f"the runs of {item.workflow} are not shown"
            raise Failure(Trouble.UNREACHABLE, problem, where=item.identity.name, advice="grant actions: read")
        return Seen(workflow.node_id, BranchBuilds(workflow.state), now)

    async def settle(self, item: DueBuilds, result: Seen) -> None:
        await self._store.save_seen([(item, result)])

    def is_small(self, result: Seen) -> bool:
        return True

    async def settle_together(self, looks: Sequence[tuple[DueBuilds, Seen]]) -> None:
        await self._store.save_seen(looks)

    async def failed(self, item: DueBuilds, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        """What is denied or gone is told once: asking sooner would change nothing."""
        rest = rest_of(failure, claimed.attempts)
        if failure.trouble in (Trouble.MISSING, Trouble.DENIED):
            rest = max(rest, EVERY)
        await self.queue.put_off([claimed], now + rest, error=str(failure))
        return f"{item.identity.name}: {failure}" if item.error != str(failure) else None
