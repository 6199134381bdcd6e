"""A fleet under the real store and the real stages, with the shared fake forge, for walks that nobody planned.

What people, upstream and the network do are methods; so is each stage's tick by one of two workers.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

from sqlalchemy import RowMapping, func, select

from bot.domain.bases.change import Cause
from bot.domain.bases.image import Head
from bot.domain.bases.observation import Observation, Sight
from bot.domain.builder.definitions import AZURE_PIPELINES
from bot.domain.builder.port import Builder
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange, BranchFile, FileChange
from bot.domain.forge.looks import BranchLook, OwnWord
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import (
    NOTHING_WISHED,
    Granted,
    MergeRequirements,
    PullRequest,
    RequestChange,
    Wishes,
)
from bot.domain.host import Host, Hosts
from bot.domain.reference import Base
from bot.domain.repositories.repository import AZURE_DEVOPS, GITHUB, Identity, Repository, owner_of
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.policy import Match, Policy, PolicyRule
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.terms import AutoMerge, MergeMethod, Step
from bot.domain.rollouts.timing.age import Weekly
from bot.domain.rollouts.timing.pace import HOUR, MINUTE, WriteLimits
from bot.domain.rollouts.timing.waiting import rollout_options_of
from bot.domain.rollouts.timing.waves import Wave
from bot.domain.rollouts.timing.windows import Freeze
from bot.files.formats.memory import Memory
from bot.files.formats.rewrite.refresh import refresh
from bot.files.formats.workflows.dispatchable import dispatchable
from bot.fleet.act import tick as act
from bot.fleet.act.calling_off import tick as calling_off
from bot.fleet.act.ports import ActOptions
from bot.fleet.act.steps import tick as act_steps
from bot.fleet.act.steps.tick import StepOptions
from bot.fleet.discover import tick as discover
from bot.fleet.discover.builds import tick as builds
from bot.fleet.discover.ports import DiscoverOptions
from bot.fleet.discover.selection import Selection
from bot.fleet.follow import tick as follow
from bot.fleet.follow.steps import tick as follow_steps
from bot.fleet.follow.tick import FollowOptions
from bot.fleet.plan import tick as plan
from bot.fleet.plan.age import tick as aging
from bot.fleet.plan.quarantine import tick as quarantine
from bot.fleet.plan.waves import tick as advance
from bot.fleet.verify.images.judging import Observed
from bot.fleet.verify.images.ports import ImagesPort
from bot.fleet.verify.proving import tick as proving
from bot.fleet.verify.proving.tick import ProvingOptions
from bot.fleet.watch.registry.ports import Sighting
from bot.fleet.wiring.routing import Builders, Forges
from bot.reconcile.guarded import Budget
from bot.reconcile.loop import Loop
from bot.store.engine.database import Database, open_database
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from tests.fakes.forge import FakeForge
from tests.fakes.repository import CONFIG, FakeRepository
from tests.integration.model.asked import Asked
from tests.integration.model.clusters import Clusters, keep_packages
from tests.integration.model.disturbed import DisturbedForge
from tests.integration.model.said import HOLDS_FOR, OPT_OUT, UNREADABLE, Said, held_by_orders
from tests.integration.store.filling import ASPNET, SDK, Stores, change_of

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LEASE = timedelta(minutes=10)
NAMES = ("contoso/pinned", "contoso/floating", "fabrikam/team/marked", "fabrikam/team/floating")
"""Two on GitHub, and two in Azure Repos, of which a pipeline builds the last."""
PIPELINE = f"{AZURE_PIPELINES}: fabrikam/team/12"
INCLUDED = tuple(f"{name}*" for name in NAMES)
OWNERS = ("contoso", "fabrikam")
THERE = Host("dev.azure.com", by_owner=True)
HOST = Host(by_owner=True, others={AZURE_DEVOPS: THERE})
BUILDER_HOST = Host(by_owner=True, others={AZURE_DEVOPS: THERE, AZURE_PIPELINES: THERE})
HOSTS = Hosts(HOST, BUILDER_HOST)
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
STAGES = ("discover", "plan", "act", "follow", "look", "everything")
MAX_AGE = timedelta(days=3)
SOAK = timedelta(hours=4)
WAIT_AT_MOST = timedelta(hours=12)
FREEZE_LASTS = timedelta(hours=6)
CANARIES = ("contoso/floating*",)
ANN = Word("Ann", "a walk")
STEPS = (Step("pre-production", STEP_FILES[0]), Step("production", STEP_FILES[1]))
BY_PIPELINE = PolicyRule(Match(repositories=(f"{NAMES[3]}*",)), workflow=PIPELINE)
AT_ONCE = Policy((BY_PIPELINE, PolicyRule(settle=timedelta(minutes=20), max_age=MAX_AGE)))
IN_WAVES = Policy(
    (
        replace(BY_PIPELINE, wave="canary"),
        PolicyRule(Match(repositories=CANARIES), wave="canary", steps=STEPS),
        PolicyRule(settle=timedelta(minutes=20), max_age=MAX_AGE, auto_merge=AutoMerge(MergeMethod.SQUASH)),
    ),
    (Wave("canary", soak=SOAK, wait_at_most=WAIT_AT_MOST), Wave("rest")),
)
"""What nobody merges goes first, one of them on to production; pull requests merge once their checks are green."""


class Killed(BaseException):
    """The process ends here, as if by SIGKILL: nothing after it happens, and its leases stay."""


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


@dataclass(slots=True)
class OwnClock:
    """The bot's, which `clock` is wrong by: the world goes by that one."""

    clock: ManualClock
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return self.clock.now() + self.ahead


@dataclass(slots=True)
class WatchfulForge(FakeForge):
    """Notes for each repository when the bot looked last and what it saw; a write against that breaks the law.

    So does one against what people have said since, what begins while everything is paused or frozen, and a build
    on a digest that is quarantined.
    """

    said: Said = field(init=False)
    is_paused: bool = False
    freeze: Freeze | None = None
    shown: dict[str, str] = field(default_factory=dict)
    """What each base shows now, by its reference."""
    quarantined: dict[str, str] = field(default_factory=dict)
    """The digest of each base that is held back."""
    pushed: dict[str, tuple[dict[str, str], datetime]] = field(default_factory=dict)
    """Where the branches of each stood when it was listed, and since when."""
    asked_for: set[tuple[str, str]] = field(default_factory=set)
    """The branches and workflows of rebuilds that a person has asked for: they pass a freeze."""
    looks: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    opened: dict[str, list[datetime]] = field(default_factory=dict)
    """By account, when pull requests were opened or asked for, however that ended."""
    asks_for_turns: bool = True
    """Whether the bot can know how long ago it wrote."""

    def __post_init__(self) -> None:
        self.said = Said(self.clock)

    async def repositories(self, owners: Sequence[str] | None) -> list[Repository]:
        """With when each was last seen to be pushed to."""
        shown = await FakeForge.repositories(self, owners)
        for home in self.homes:
            branches, _ = self.pushed.get(home.id, ({}, None))
            if branches != home.branches:
                self.pushed[home.id] = {**home.branches}, self.clock.now()
        return [replace(each, pushed_at=self.pushed[each.id or ""][1]) for each in shown]

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

    async def prepare(self, repository: Identity, change: BranchChange) -> str | None:
        self._check_goes_on(repository, "a commit", change.branch)
        return await FakeForge.prepare(self, repository, change)

    async def carry_out(
        self, repository: Identity, change: BranchChange | None, prepared: str | None, request: RequestChange
    ) -> PullRequest:
        current = () if request.current is None else (request.current.number,)
        self._check_goes_on(repository, "a pull request", request.branch, *current)
        if request.current is None:
            self._check_may_begin(repository, "a pull request", request.branch)
            self._check_brought(repository, change.files if change is not None else (), "a pull request")
            self._spend(repository)
        return await FakeForge.carry_out(self, repository, change, prepared, request)

    async def close_pull_request(self, repository: Identity, request: PullRequest, *, body: str) -> None:
        self._check_goes_on(repository, "a close", request.branch, request.number)
        await FakeForge.close_pull_request(self, repository, request, body=body)

    async def delete_branch(self, repository: Identity, branch: str, head: str) -> None:
        self._check_goes_on(repository, "a branch's end", branch)
        await FakeForge.delete_branch(self, repository, branch, head)

    async def dispatch(
        self, repository: Identity, workflow: str, *, ref: str, inputs: Mapping[str, str]
    ) -> int | None:
        self._check(repository, "a dispatch", workflow)
        self._check_may_begin(repository, "a dispatch", workflow)
        if workflow in (WORKFLOW_FILE, PIPELINE):
            self._check_floating(repository)
        else:
            self._check_gated(repository, workflow)
        return await FakeForge.dispatch(self, repository, workflow, ref=ref, inputs=inputs)

    async def grant(self, repository: Identity, request: PullRequest, wishes: Wishes, look: BranchLook) -> Granted:
        """A merge is taken back whatever was said, and while all is paused."""
        home = self._find(repository)
        if wishes != Wishes(no_merge=True):
            self._check_goes_on(repository, "a wish", request.branch, request.number)
        if home is not None and wishes.merge is not MergeMethod.NEVER:
            self._check_text(home, home.content(request.branch), "a merge without a person")
        return await FakeForge.grant(self, repository, request, wishes, look)

    def _check_goes_on(self, identity: Identity, what: str, branch: str, *written: int) -> None:
        """What is about a branch, the pull requests that are open from there, and those that are `written` to."""
        home = self._find(identity)
        requests = home.requests.values() if home is not None else ()
        open_ones = (each.number for each in requests if each.branch == branch and each.is_open)
        self._check(identity, what, branch, *open_ones, *written)
        if self.is_paused:
            self.broken.append(f"{what} in {identity} while everything is paused")

    def _check_may_begin(self, identity: Identity, what: str, of: str) -> None:
        if self.is_paused:
            self.broken.append(f"{what} in {identity} begins while everything is paused")
        home = self._find(identity)
        is_asked_for = home is not None and (home.id, of) in self.asked_for
        if self.freeze is not None and self.freeze.holds(self.clock.now(), None) and not is_asked_for:
            self.broken.append(f"{what} in {identity} in a freeze")

    def _check_brought(self, identity: Identity, files: Sequence[BranchFile | FileChange], what: str) -> None:
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

    def _spend(self, identity: Identity) -> None:
        if not self.asks_for_turns:
            return
        now = self.clock.now()
        opened = self.opened.setdefault(owner_of(identity.name), [])
        opened.append(now)
        for span, most in ((MINUTE, LIMITS.per_minute), (HOUR, LIMITS.per_hour)):
            if sum(at > now - span for at in opened) > most:
                self.broken.append(f"more than {most} pull requests in {span}")

    def _note(self, identity: Identity, standing: OwnWord) -> None:
        home = self._find(identity)
        if home is not None:
            word = home.commits[home.branches[home.trunk]].files.get(CONFIG)
            self.looks[home.id] = (self.clock.now(), word not in (OPT_OUT, *UNREADABLE))

    def _check(self, identity: Identity, what: str, *of: str | int) -> None:
        home = self._find(identity)
        if home is None:
            return
        looked_at, allowed = self.looks.get(home.id, (datetime.min.replace(tzinfo=UTC), False))
        if self.clock.now() - looked_at > HOLDS_FOR:
            self.broken.append(f"{what} in {home.name} without a look within a minute")
        if not allowed:
            self.broken.append(f"{what} in {home.name} although its last word was no")
        self.broken += [f"{what} in {home.name} although {why}" for why in self.said.against(home, of)]


class AnyTag:
    """A registry that has every tag."""

    async def head(self, base: Base) -> Head:
        return Head(digest(0), "application/vnd.oci.image.index.v1+json")


@dataclass(slots=True)
class Fleet:
    """Four repositories on two forges, each for another way in which a rebuild can go, and two workers."""

    database: Database
    own_clock: OwnClock
    forge: WatchfulForge
    workers: list[Stores]
    numbers: int = 1
    newest: dict[Base, list[int]] = field(default_factory=lambda: {ASPNET: [1], SDK: [1]})
    policy: Policy = AT_ONCE
    killed: int = 0
    selection: Selection = Selection(include=("contoso/*", "fabrikam/*"))  # noqa: RUF009 - frozen
    left_out: set[str] = field(default_factory=set)
    """The ids of repositories that the operator does not include."""
    reached: DisturbedForge = field(init=False)
    """The forge as the bot reaches it."""
    clusters: Clusters = field(init=False)
    built: dict[int, int] = field(default_factory=dict)
    """On which number of their base repositories were built last, by their places in `NAMES`."""

    def __post_init__(self) -> None:
        self.clusters = Clusters(self.clock, self.own_clock)
        self.reached = DisturbedForge(self.forge)

    @property
    def clock(self) -> ManualClock:
        """That of the world."""
        return self.own_clock.clock

    @property
    def forges(self) -> Mapping[str, Forge]:
        return {name: cast(Forge, self._asked(name)) for name in (GITHUB, AZURE_DEVOPS)}

    @property
    def port(self) -> Forge:
        return cast(Forge, Forges(self.forges, HOST))

    @property
    def builder(self) -> Builder:
        """What builds, reached in the same way."""
        builders = (GITHUB, AZURE_DEVOPS, AZURE_PIPELINES)
        return cast(Builder, Builders({name: cast(Builder, self._asked(name)) for name in builders}, BUILDER_HOST))

    def _asked(self, name: str) -> Asked:
        return Asked(self.reached, name, self.forge.broken)

    @classmethod
    async def begin(cls, store_url: str, policy: Policy = AT_ONCE) -> "Fleet":
        """In a store with its tables and nothing in them."""
        database = await open_database(store_url)
        clock = ManualClock(NOON)
        forge = WatchfulForge(clock)
        aspnet, sdk = (f"{base.name}:{base.tag}" for base in (ASPNET, SDK))
        pins = f"FROM {sdk}@{digest(1)} AS build\n\nFROM {aspnet}@{digest(1)}\n"
        forge.add(NAMES[0], {"Dockerfile": pins.encode()})
        floating = f"FROM {aspnet}\n".encode()
        workflows = {f".github/workflows/{name}": WORKFLOW.encode() for name in (WORKFLOW_FILE, *STEP_FILES)}
        forge.add(NAMES[1], {"Dockerfile": floating, **workflows})
        forge.add(NAMES[2], {"Dockerfile": floating}, AZURE_DEVOPS)
        forge.add(NAMES[3], {"Dockerfile": floating}, AZURE_DEVOPS).pipelines.add(PIPELINE)
        for home in forge.homes:
            home.requirements = MergeRequirements(requires_checks=True, can_wait=True)
        own_clock = OwnClock(clock)
        stores = [Stores.of_worker(database, cast(ManualClock, own_clock), name) for name in ("one", "two")]
        fleet = cls(database, own_clock, forge, stores, policy=policy, selection=Selection(include=INCLUDED))
        fleet.reached.between = fleet.note
        await keep_packages(database)
        await fleet.discover(0)
        await fleet.see()
        return fleet

    # Stages

    async def discover(self, worker: int) -> None:
        self._take_settings()
        options = DiscoverOptions(self.selection, host=HOST, selections={AZURE_DEVOPS: self.selection})
        stores = self.workers[worker]
        await discover.tick(stores.discover, self.port, Memory(), options, self._loop(worker), self.forges)
        await builds.tick(stores.builds, self.builder, self.policy, "walk", BUILDER_HOST, self._loop(worker))

    async def plan(self, worker: int) -> None:
        """Plans what moved and what grows old, and lets the waves go on."""
        self._take_settings()
        stores = self.workers[worker]
        await plan.tick(stores.plan, self.policy, self.own_clock)
        await aging.tick(stores.age, self.policy, Weekly(), self.own_clock)
        await quarantine.tick(stores.quarantine)
        await advance.tick(stores.advance, rollout_options_of(self.policy), self.own_clock)
        for base, held in [*self.forge.quarantined.items()]:
            if self.forge.shown[base] != held:
                del self.forge.quarantined[base]

    async def act(self, worker: int) -> None:
        self._take_settings()
        stores = self.workers[worker]
        options = ActOptions(policy=self.policy, hosts=HOSTS)
        steps = StepOptions(freezes=self.policy.freezes, hosts=HOSTS)
        try:
            await act.tick(stores.act, self.port, self.builder, AnyTag(), refresh, options, self._loop(worker))
            await calling_off.tick(stores.calling_off, self.port, options, self._loop(worker))
            await act_steps.tick(stores.steps, self.port, self.builder, dispatchable, steps, self._loop(worker))
        except Killed:
            self._replace(worker)

    async def follow(self, worker: int) -> None:
        self._take_settings()
        stores = self.workers[worker]
        options = FollowOptions(hosts=HOSTS)
        await follow.tick(stores.follow, self.port, self.builder, options, self._loop(worker))
        await proving.tick(
            stores.proving, cast(ImagesPort, AnyTag()), Observed(), ProvingOptions(), self._loop(worker)
        )
        await follow_steps.tick(stores.steps, self.port, self.builder, options, self._loop(worker))

    async def look(self, worker: int) -> None:
        """What runs is looked at."""
        await self.clusters.look(self.workers[worker], self._loop(worker))

    async def everything(self, worker: int) -> None:
        for stage in (self.discover, self.plan, self.act, self.follow, self.look):
            await stage(worker)

    async def with_a_wrong_clock(self, worker: int, ahead: timedelta) -> None:
        """A pass while the bot's own clock is wrong: the forge's, and that of people, goes right.

        What was written a moment ago seems long ago to it, so that the forge's own limits alone bound it then.
        """
        self.own_clock.ahead, self.forge.asks_for_turns = ahead, False
        try:
            await self.everything(worker)
        finally:
            self.own_clock.ahead, self.forge.asks_for_turns = timedelta(), True

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
        while due := await stores.bases(100):  # what a clock that was ahead has dated comes after what is due
            seen = [
                Sighting(
                    each.id,
                    Sight.MOVED if each.digest else Sight.FIRST,
                    Observation(now, each.base, digest(self.newest[each.base][-1]), "10.0.5"),
                    now + timedelta(minutes=30),
                )
                for each in due
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
        """A person pauses everything, freezes some hours, or quarantines what a base shows.

        A freeze is in the settings, which count from the next pass on.
        """
        orders, now = self.workers[0].orders, self.clock.now()
        if what == "pause":
            await orders.pause(None, ANN)
            self.forge.is_paused = True
        elif what in ("freeze", "freeze soon"):
            since = now if what == "freeze" else now + timedelta(seconds=30)
            self.policy = replace(self.policy, freezes=(Freeze(since, since + FREEZE_LASTS, "a walk"),))
        else:
            name = f"{base.name}:{base.tag}"
            self.forge.quarantined[name] = await orders.quarantine(name, ANN)

    async def keep_back(self, home: FakeRepository) -> None:
        """A person holds what has not begun in a repository, under the name that the bot knows it by."""
        mine = select(repositories.c.name).where(repositories.c.forge_id == home.id)
        async with self.database.reading() as connection:
            known = await connection.scalar(mine)
        if known is not None:
            await self.workers[0].orders.hold(known, ANN)
            await self.rebuilds()

    async def let_all_go_on(self) -> None:
        orders = self.workers[0].orders
        for row in await self.rebuilds():
            if row["held_because"] is not None and row["ended_at"] is None:
                await orders.retry(str(row["id"]), ANN)
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

    async def roll_out(self, cluster: str, number: int, *, stays: bool) -> None:
        """A cluster runs what a repository has built last."""
        base = self.built.get(number, 1)
        await self.clusters.roll_out(self.database, cluster, number, base, stays=stays)

    def has_built(self, number: int) -> None:
        self.built[number] = self.newest[ASPNET][-1]

    # Law

    def order(self, base: Base, name: str) -> int:
        """When the base showed this digest last: the larger, the newer; -1 where it never did."""
        found = [at for at, number in enumerate(self.newest[base]) if digest(number) == name]
        return found[-1] if found else -1

    async def rebuilds(self) -> Sequence[RowMapping]:
        """All of them as they are now, with the number of their repository; what is held is noted."""
        async with self.database.reading() as connection:
            rows = (await connection.execute(_WITH_REPOSITORY)).mappings().all()
        self.forge.said.held = held_by_orders(rows, {home.id: home for home in self.forge.homes})
        self.forge.asked_for = {
            (row["forge_id"], row["branch"] or row["workflow"])
            for row in rows
            if row["at_request"] and row["ended_at"] is None
        }
        return rows

    @property
    def is_slow(self) -> bool:
        return bool(self.forge.failing or self.forge.after or self.forge.takes)

    # Within

    def note(self) -> None:
        """Notes what is said by now."""
        self.forge.said.note(self.forge.homes, self.left_out)

    def _take_settings(self) -> None:
        """What the operator has set since the last pass counts from this one on."""
        self.left_out = {home.id for home in self.forge.homes if not self.selection.names(home.name)}
        freezes = self.policy.freezes
        self.forge.freeze = None
        if freezes and not self.own_clock.ahead:
            begins = freezes[0].since + (HOLDS_FOR if freezes[0].since > self.clock.now() else timedelta())
            self.forge.freeze = replace(freezes[0], since=begins)
        self.note()

    def _loop(self, worker: int) -> Loop:
        turns, clock = self.workers[worker].budgets, self.own_clock
        there = Budget(turns, clock, LIMITS, sleep=self._wait, host=THERE.name)
        others = {AZURE_DEVOPS: there, AZURE_PIPELINES: there}
        budget = Budget(turns, clock, LIMITS, sleep=self._wait, others=others)
        return Loop(
            self.own_clock, budget=budget, sleep=_never, covers=lambda home: self.selection.names(home.name)
        )

    async def _wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def _replace(self, worker: int) -> None:
        """Another process takes the place of the dead one; its leases run out by themselves."""
        self.killed += 1
        self.workers[worker] = Stores.of_worker(
            self.database, cast(ManualClock, self.own_clock), f"worker-{self.killed}"
        )


async def _never(_: float) -> None:
    """Leases are renewed by nobody here, since nothing takes time."""
    await asyncio.Event().wait()


_OF_REBUILDS = (
    *("id", "rollout_id", "state", "reason", "wave", "planned_at", "waits_since", "overdue_at", "released_at"),
    *(
        "due_at",
        "ended_at",
        "at_request",
        "held_because",
        "quarantine_id",
        "branch",
        "pull_request",
        "workflow",
        "run",
        "steps",
    ),
)
_WITH_REPOSITORY = (
    select(*(rebuilds.c[name] for name in _OF_REBUILDS), repositories.c.forge_id)
    .join(repositories)
    .order_by(rebuilds.c.id)
)
"""Without what has to be decoded: this is read at every step."""
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
