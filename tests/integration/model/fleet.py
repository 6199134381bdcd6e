"""A fleet under the real store and the real stages, with the shared fake forge, for walks that nobody planned.

What people, upstream and the network do are methods; so is each stage's tick by one of two workers.
"""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import func, select

from bot.act import calling_off
from bot.act import stage as act
from bot.act.dispatch import steps as act_steps
from bot.act.dispatch.steps import StepOptions
from bot.act.ports import ActOptions
from bot.discover import builds
from bot.discover import stage as discover
from bot.discover.selection import Selection
from bot.discover.stage import DiscoverOptions
from bot.domain.bases.change import Cause
from bot.domain.bases.image import Head
from bot.domain.bases.observation import Observation
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange, BranchFile
from bot.domain.forge.looks import BranchLook, OwnWord
from bot.domain.forge.pull_requests import PullRequest, RequestChange
from bot.domain.forge.wishes import NOTHING_WISHED, Granted, MergeRequirements, Wishes
from bot.domain.reference import Base
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.policy import Match, Policy, PolicyRule
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.terms import AutoMerge, MergeMethod, Step
from bot.domain.rollouts.timing.budget import HOUR, MINUTE, WriteLimits
from bot.domain.rollouts.timing.freezes import Freeze
from bot.domain.rollouts.timing.waves import Wave
from bot.domain.rollouts.timing.weekly import Weekly
from bot.follow import stage as follow
from bot.follow import steps as follow_steps
from bot.follow.stage import FollowOptions
from bot.formats.repository import Memory
from bot.formats.rewrite.refresh import refresh
from bot.formats.workflows.dispatchable import dispatchable
from bot.plan import quarantine
from bot.plan import stage as plan
from bot.plan.age import stage as aging
from bot.plan.waves import advance
from bot.reconcile.budgets import Budget
from bot.reconcile.loop import Loop
from bot.store.engine.database import Database, open_database
from bot.store.rows.rollouts.tables import rebuilds
from bot.verify.images.judging import Observed
from bot.verify.images.ports import ImagesPort
from bot.verify.proving import stage as proving
from bot.verify.proving.stage import ProvingOptions
from bot.watch.registry.ports import Sight, Sighting
from tests.fakes.forge import FakeForge
from tests.fakes.repository import CONFIG, FakeRepository
from tests.integration.store.filling import ASPNET, SDK, Stores, change_of

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LEASE = timedelta(minutes=10)
BRANCHES = "freshness/"
LOOK_HOLDS_FOR = timedelta(seconds=60)
LIMITS = WriteLimits(per_minute=1, per_hour=3)
WORKFLOW = """\
on:
  workflow_dispatch:
    inputs: {correlation: {required: false}}
jobs: {build: {runs-on: ubuntu-latest, steps: [{run: docker build .}]}}
"""
WORKFLOW_FILE = "weekly-rebuild.yml"
STEP_FILES = ("stage.yml", "deploy.yml")
"""In the order in which they follow the build."""
OPT_OUT = b"enabled: false\n"
STAGES = ("discover", "plan", "act", "follow", "everything")
MAX_AGE = timedelta(days=3)
SOAK = timedelta(hours=4)
WAIT_AT_MOST = timedelta(hours=12)
FREEZE_LASTS = timedelta(hours=6)
CANARIES = ("contoso/floating*",)
ANN = Word("Ann", "a walk")
STEPS = (Step("pre-production", STEP_FILES[0]), Step("production", STEP_FILES[1]))
AT_ONCE = Policy((PolicyRule(settle=timedelta(minutes=20), max_age=MAX_AGE),))
IN_WAVES = Policy(
    (
        PolicyRule(Match(repositories=CANARIES), wave="canary", steps=STEPS),
        PolicyRule(settle=timedelta(minutes=20), max_age=MAX_AGE, auto_merge=AutoMerge(MergeMethod.SQUASH)),
    ),
    (Wave("canary", soak=SOAK, wait_at_most=WAIT_AT_MOST), Wave("rest")),
)
"""One repository goes first, and on to production; pull requests merge once their checks are green."""


class Killed(BaseException):
    """The process ends here, as if by SIGKILL: nothing after it happens, and its leases stay."""


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


@dataclass(slots=True)
class WatchfulForge(FakeForge):
    """Notes for each repository when the bot looked last and what it saw; a write against that breaks the law.

    So does what begins while everything is paused or frozen, and a build on a digest that is quarantined.
    """

    is_paused: bool = False
    freeze: Freeze | None = None
    shown: dict[str, str] = field(default_factory=dict)
    """What each base shows now, by its reference."""
    quarantined: dict[str, str] = field(default_factory=dict)
    """The digest of each base that is held back."""
    looks: dict[int, tuple[datetime, bool]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    opened: list[datetime] = field(default_factory=list)
    """When pull requests were opened or asked for, however that ended."""

    async def standings(self, repositories: Sequence[Identity]) -> Mapping[Identity, OwnWord]:
        found = await FakeForge.standings(self, repositories)
        for identity, standing in found.items():
            self._note(identity, standing)
        return found

    async def look(
        self,
        repository: Identity,
        branch: str,
        paths: Sequence[str],
        wishes: Wishes = NOTHING_WISHED,
    ) -> BranchLook:
        found = await FakeForge.look(self, repository, branch, paths, wishes)
        self._note(repository, found.standing)
        return found

    async def carry_out(
        self, repository: Identity, change: BranchChange | None, prepared: str | None, request: RequestChange
    ) -> PullRequest:
        self._check(repository, "a pull request")
        if request.current is None:
            self._check_may_begin(repository, "a pull request")
            self._check_brought(repository, change.files if change is not None else (), "a pull request")
            self._spend()
        return await FakeForge.carry_out(self, repository, change, prepared, request)

    async def dispatch(
        self, repository: Identity, workflow: str, *, ref: str, inputs: Mapping[str, str]
    ) -> int | None:
        self._check(repository, "a dispatch")
        self._check_may_begin(repository, "a dispatch")
        if workflow == WORKFLOW_FILE:
            self._check_floating(repository)
        else:
            self._check_gated(repository, workflow)
        return await FakeForge.dispatch(self, repository, workflow, ref=ref, inputs=inputs)

    async def grant(self, repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook) -> Granted:
        home = self._find(repository)
        if home is not None and wishes.merge is not MergeMethod.NEVER:
            self._check_text(home, home.content(request.branch), "a merge without a person")
        return await FakeForge.grant(self, repository, request, wishes, look)

    def _check_may_begin(self, identity: Identity, what: str) -> None:
        if self.is_paused:
            self.broken.append(f"{what} in {identity} while everything is paused")
        if self.freeze is not None and self.freeze.holds(self.clock.now(), None):
            self.broken.append(f"{what} in {identity} in a freeze")

    def _check_brought(self, identity: Identity, files: Sequence[BranchFile], what: str) -> None:
        home = self._find(identity)
        for file in files:
            if home is not None and file.content is not None:
                self._check_text(home, file.content.decode(), what)

    def _check_text(self, home: FakeRepository, text: str, what: str) -> None:
        self.broken += [f"{what} brings {held}, which is quarantined" for held in self.held_in(home, text)]

    def held_in(self, home: FakeRepository, text: str) -> list[str]:
        """The quarantined digests that a text brings: a line that the trunk has already is brought by nobody, and
        both bases began with one digest."""
        brought = set(text.splitlines()) - set(home.content(home.trunk).splitlines())
        return [
            f"{base}@{held}"
            for base, held in self.quarantined.items()
            if self.shown[base] == held
            and any(held in line and (base in line or "FROM" not in line) for line in brought)
        ]

    def _check_floating(self, identity: Identity) -> None:
        home = self._find(identity)
        lines = home.content(home.trunk).splitlines() if home is not None else []
        for base, held in self.quarantined.items():
            if self.shown[base] == held and any(f"{base}" in line and "@" not in line for line in lines):
                self.broken.append(f"a build in {identity} on {base}@{held}, which is quarantined")

    def _check_gated(self, identity: Identity, step: str) -> None:
        """Each run of a step follows a green run, of its own, of what comes before it."""
        home = self._find(identity)
        if home is None:
            return
        order = (WORKFLOW_FILE, *STEP_FILES)
        before = order[order.index(step) - 1]
        green = sum(home.runs[run].conclusion == "success" for run, file in home.started.items() if file == before)
        if sum(file == step for file in home.started.values()) >= green:
            self.broken.append(f"{step} in {identity} without a green run of {before} of its own")

    def _spend(self) -> None:
        now = self.clock.now()
        self.opened.append(now)
        for span, most in ((MINUTE, LIMITS.per_minute), (HOUR, LIMITS.per_hour)):
            if sum(at > now - span for at in self.opened) > most:
                self.broken.append(f"more than {most} pull requests in {span}")

    def _note(self, identity: Identity, standing: OwnWord) -> None:
        home = self._find(identity)
        if home is not None:
            self.looks[home.id] = (self.clock.now(), standing.config != OPT_OUT)

    def _check(self, identity: Identity, what: str) -> None:
        home = self._find(identity)
        if home is None:
            return
        looked_at, allowed = self.looks.get(home.id, (datetime.min.replace(tzinfo=UTC), False))
        if self.clock.now() - looked_at > LOOK_HOLDS_FOR:
            self.broken.append(f"{what} in {home.name} without a look within a minute")
        if not allowed:
            self.broken.append(f"{what} in {home.name} although its last word was no")


class AnyTag:
    """A registry that has every tag."""

    async def head(self, base: Base) -> Head:
        return Head(digest(0), "application/vnd.oci.image.index.v1+json")


@dataclass(slots=True)
class Fleet:
    """Three repositories, one for each way in which a rebuild can go, and two workers."""

    database: Database
    clock: ManualClock
    forge: WatchfulForge
    workers: list[Stores]
    numbers: int = 1
    newest: dict[Base, list[int]] = field(default_factory=lambda: {ASPNET: [1], SDK: [1]})
    policy: Policy = AT_ONCE
    killed: int = 0

    @classmethod
    async def begin(cls, template: Path, folder: Path, policy: Policy = AT_ONCE) -> "Fleet":
        shutil.copy(template, folder / "walk.db")
        database = await open_database(f"sqlite:///{folder}/walk.db")
        clock = ManualClock(NOON)
        forge = WatchfulForge(clock)
        aspnet, sdk = (f"{base.name}:{base.tag}" for base in (ASPNET, SDK))
        pins = f"FROM {sdk}@{digest(1)} AS build\n\nFROM {aspnet}@{digest(1)}\n"
        forge.add("contoso/pinned", {"Dockerfile": pins.encode()})
        floating = f"FROM {aspnet}\n".encode()
        workflows = {f".github/workflows/{name}": WORKFLOW.encode() for name in (WORKFLOW_FILE, *STEP_FILES)}
        forge.add("contoso/floating", {"Dockerfile": floating, **workflows})
        forge.add("contoso/marked", {"Dockerfile": floating})
        for home in forge.homes:
            home.requirements = MergeRequirements(requires_checks=True, can_wait=True)
        stores = [Stores.of_worker(database, clock, name) for name in ("one", "two")]
        fleet = cls(database, clock, forge, stores, policy=policy)
        await fleet.discover(0)
        await fleet.see()
        return fleet

    # Stages

    async def discover(self, worker: int) -> None:
        selection = Selection(include=("contoso/*",))
        await discover.tick(
            self.workers[worker].discover, self.forge, Memory(), DiscoverOptions(selection), self._loop(worker)
        )
        stores = self.workers[worker]
        await builds.tick(stores.builds, self.forge, self.policy, "walk", "github", self._loop(worker))

    async def plan(self, worker: int) -> None:
        """Plans what moved and what grows old, and lets the waves go on."""
        stores = self.workers[worker]
        await plan.tick(stores.plan, self.policy, self.clock)
        await aging.tick(stores.age, self.policy, Weekly(), self.clock)
        await quarantine.tick(stores.quarantine)
        await advance.tick(stores.advance, advance.rollout_options_of(self.policy), self.clock)
        for base, held in [*self.forge.quarantined.items()]:
            if self.forge.shown[base] != held:
                del self.forge.quarantined[base]

    async def act(self, worker: int) -> None:
        stores = self.workers[worker]
        options = ActOptions(policy=self.policy)
        steps = StepOptions(freezes=self.policy.freezes)
        try:
            await act.tick(stores.act, self.forge, AnyTag(), refresh, options, self._loop(worker))
            await calling_off.tick(stores.calling_off, self.forge, options, self._loop(worker))
            await act_steps.tick(stores.steps, self.forge, dispatchable, steps, self._loop(worker))
        except Killed:
            self._replace(worker)

    async def follow(self, worker: int) -> None:
        stores = self.workers[worker]
        await follow.tick(stores.follow, self.forge, FollowOptions(), self._loop(worker))
        await proving.tick(
            stores.proving, cast(ImagesPort, AnyTag()), Observed(), ProvingOptions(), self._loop(worker)
        )
        await follow_steps.tick(stores.steps, self.forge, FollowOptions(), self._loop(worker))

    async def everything(self, worker: int) -> None:
        for stage in (self.discover, self.plan, self.act, self.follow):
            await stage(worker)

    async def at_once(self, first: str, second: str) -> None:
        """A stage of each worker in the same moments."""
        await asyncio.gather(getattr(self, first)(0), getattr(self, second)(1))

    # Upstream

    async def publish(self, base: Base, cause: Cause, *, again: int | None = None) -> None:
        """The base moves to a new digest, or back to one that it showed before."""
        if again is None:
            self.numbers += 1
            number = self.numbers
        else:
            number = self.newest[base][again % len(self.newest[base])]
        if number == self.newest[base][-1]:
            return
        self.newest[base].append(number)
        self.clock.advance(timedelta(hours=1))
        await self.see(cause)

    async def see(self, cause: Cause = Cause.DOTNET_RELEASE) -> None:
        stores = self.workers[0]
        now = self.clock.now()
        self.forge.shown = {f"{base.name}:{base.tag}": digest(shown[-1]) for base, shown in self.newest.items()}
        seen = [
            Sighting(
                each.id,
                Sight.MOVED if each.digest else Sight.FIRST,
                Observation(now, each.base, digest(self.newest[each.base][-1]), "10.0.5"),
                now + timedelta(minutes=30),
            )
            for each in await stores.bases(100)
        ]
        await stores.watch.record(seen, {})
        pairs = await stores.assess.unassessed(100)
        moved = [(pair, change_of(pair, cause)) for pair in pairs if pair.before.digest != pair.after.digest]
        await stores.assess.save_changes(moved, await stores.assess.feeds_revision())

    # People

    def open_requests(self, home: FakeRepository) -> list[PullRequest]:
        return [request for request in home.requests.values() if request.is_open]

    async def reopened(self) -> int:
        """How many rebuilds go on in the place of one whose pull request was closed."""
        again = rebuilds.c.state == RebuildState.CANCELLED.value, rebuilds.c.retried_as.is_not(None)
        async with self.database.reading() as connection:
            return int(await connection.scalar(select(func.count()).select_from(rebuilds).where(*again)) or 0)

    def config(self, home: FakeRepository, text: bytes | None) -> None:
        home.commit_to(home.trunk, {CONFIG: text})

    async def hold(self, what: str, base: Base) -> None:
        """A person pauses everything, freezes some hours, or quarantines what a base shows."""
        orders, now = self.workers[0].orders, self.clock.now()
        if what == "pause":
            await orders.pause(None, ANN)
            self.forge.is_paused = True
        elif what == "freeze":
            self.forge.freeze = Freeze(now, now + FREEZE_LASTS, "a walk")
            self.policy = replace(self.policy, freezes=(self.forge.freeze,))
        else:
            name = f"{base.name}:{base.tag}"
            self.forge.quarantined[name] = await orders.quarantine(name, ANN)

    async def let_all_go_on(self) -> None:
        orders = self.workers[0].orders
        await orders.resume(None, ANN)
        async with self.database.reading() as connection:
            going_on = list((await connection.execute(select(rebuilds.c.rollout_id).distinct())).scalars())
        for rollout in sorted(going_on):
            await orders.resume(rollout, ANN)  # a red canary holds its rollout until somebody says so
        for base in (ASPNET, SDK):
            await orders.lift(f"{base.name}:{base.tag}", ANN)
        self.forge.is_paused, self.forge.freeze = False, None
        self.forge.quarantined.clear()
        self.policy = replace(self.policy, freezes=())

    # Law

    def order(self, base: Base, name: str) -> int:
        """When the base showed this digest last: the larger, the newer; -1 where it never did."""
        found = [at for at, number in enumerate(self.newest[base]) if digest(number) == name]
        return found[-1] if found else -1

    # Within

    def _loop(self, worker: int) -> Loop:
        budget = Budget(self.workers[worker].budgets, self.clock, LIMITS, sleep=self._wait)
        return Loop(self.clock, budget=budget, sleep=_never)

    async def _wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def _replace(self, worker: int) -> None:
        """Another process takes the place of the dead one; its leases run out by themselves."""
        self.killed += 1
        self.workers[worker] = Stores.of_worker(self.database, self.clock, f"worker-{self.killed}")


async def _never(_: float) -> None:
    """Leases are renewed by nobody here, since nothing takes time."""
    await asyncio.Event().wait()


UNREACHABLE = Failure(Trouble.UNREACHABLE, "the answer was lost")
THROTTLED = Failure(Trouble.THROTTLED, "slow down", retry_after=timedelta(minutes=1))


def everything_ends(fleet: Fleet) -> None:
    """Runs succeed and people merge, at once."""
    for home in fleet.forge.homes:
        for request in fleet.open_requests(home):
            home.merge(request.number)
        for number, run in home.runs.items():
            if not run.has_concluded:
                home.conclude(number, "success")
