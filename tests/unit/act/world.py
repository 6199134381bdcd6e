"""A store and a registry in dictionaries, as far as `act` asks them, around the shared fake of the forge."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.act import stage
from bot.act.ports import ActOptions, Job
from bot.act.stage import ActTally
from bot.domain.bases.change import Cause, Change
from bot.domain.bases.image import Head
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import FleetRepository, Identity, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Problem, Replacement
from bot.domain.rollouts.rebuild import AWAITING, Action, Rebuild, State, Target
from bot.domain.rollouts.wanted_digest import Refreshed, WantedDigests
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed
from tests.fakes.forge import CONFIG, FakeForge, FakeRepository
from tests.fakes.queue import StoredRows

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SHOP = "contoso/shop"
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
BRANCH = "freshness/dotnet-aspnet-10.0"


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def reference(letter: str) -> Reference:
    return Reference(ASPNET.name, "10.0", digest(letter))


def change(to: str = "b", **values: Any) -> Change:
    known: dict[str, Any] = {"from_version": "10.0.4", "to_version": "10.0.5"}
    cause = values.pop("cause", Cause.DOTNET_SECURITY)
    return Change(ASPNET, NOON, digest("a"), digest(to), cause, cause, **(known | values))


def rebuild(action: Action = Action.PULL_REQUEST, to: str = "b", **values: Any) -> Rebuild:
    known: dict[str, Any] = {
        "id": 1,
        "rollout": 1,
        "repository": SHOP,
        "state": State.PLANNED,
        "reason": "aspnet:10.0 moved; 10.0 is pinned by digest",
        "targets": (Target(ASPNET, digest("a"), digest(to), (1,)),),
        "replacements": (Replacement(reference("a"), reference(to)),),
        "wave": "rest",
        "due_at": NOON,
        "planned_at": NOON,
    }
    if action is Action.PULL_REQUEST:
        known["branch"] = BRANCH
    if action is Action.DISPATCH:
        known["workflow"] = "weekly-rebuild.yml"
    return Rebuild(action=action, **(known | values))


def member(*workflows: Workflow, name: str = SHOP, **config: Any) -> FleetRepository:
    return FleetRepository(7, name, workflows, RepositoryConfig(**config), node_id="R_1")


WEEKLY = Workflow(".github/workflows/weekly-rebuild.yml", ("correlation", "reason"))


@dataclass(slots=True)
class Store:
    """Rebuilds as stored, and who has claimed them; `stolen` are those whose lease somebody else has taken."""

    clock: ManualClock
    rows: dict[int, Job] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
    stolen: set[int] = field(default_factory=set)
    robbed: set[int] = field(default_factory=set)
    """Whose lease is gone already when the work on them begins to write."""
    taken: set[int] = field(default_factory=set)
    others_open: int = 0

    def add(
        self, added: Rebuild, home: FleetRepository | None = None, *changes: Change, paths: Sequence[str] = ()
    ) -> None:
        chosen = changes or (change(),)
        named = tuple(paths) or ("Dockerfile",)
        places = {target.base: named for target in added.targets}
        self.rows[added.id] = Job(added, home or member(), "main", chosen, named, places=places)

    def __getitem__(self, id_: int) -> Rebuild:
        return self.rows[id_].rebuild

    @property
    def jobs(self) -> StoredRows[Job]:
        return StoredRows(self._take, self._put_off, lambda job: job.rebuild.id in self.robbed)

    def _take(self, now: datetime, limit: int) -> list[tuple[Claimed, Job]]:
        due = [
            job
            for job in self.rows.values()
            if job.rebuild.due_at <= now
            and job.rebuild.id not in self.claimed
            and (job.rebuild.state in AWAITING or self._is_outdated(job.rebuild))
        ]
        for job in due[:limit]:
            self.claimed.add(job.rebuild.id)
            counted = replace(job.rebuild, attempts=job.rebuild.attempts + 1)
            self.rows[job.rebuild.id] = replace(job, rebuild=counted)
        taken = [self.rows[job.rebuild.id] for job in due[:limit]]
        return [(Claimed(job.rebuild.id, f"rebuild {job.rebuild.id}", job.rebuild.attempts), job) for job in taken]

    def _put_off(self, job: Job, due_at: datetime, error: str | None, attempted: bool) -> None:
        kept = self[job.rebuild.id]
        changed = replace(
            kept, due_at=due_at, reason=error or kept.reason, attempts=kept.attempts - (not attempted)
        )
        self.rows[kept.id] = replace(self.rows[kept.id], rebuild=changed)
        self.claimed.discard(kept.id)

    @staticmethod
    def _is_outdated(known: Rebuild) -> bool:
        return known.state is State.OPEN and known.facts_version > known.text_version

    async def save_progress(self, rebuild: Rebuild) -> None:
        self._check(rebuild)
        self.rows[rebuild.id] = replace(self.rows[rebuild.id], rebuild=rebuild)

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None:
        self._check(after)
        if succeeded:
            stored = replace(after, attempts=0)
        else:
            kept = self[after.id]
            stored = replace(
                kept, state=after.state, reason=after.reason, due_at=after.due_at, ended_at=after.ended_at
            )
        self.rows[after.id] = replace(self.rows[after.id], rebuild=stored)
        self.claimed.discard(after.id)

    def _check(self, rebuild: Rebuild) -> None:
        if rebuild.id in self.stolen:
            raise LeaseLost("taken over")

    async def runs_taken(self, repository: str) -> set[int]:
        return self.taken

    async def open_pull_requests(self, repository: str) -> int:
        return self.others_open

    def outdate(self, number: int) -> None:
        """More is known by now of what its pull request is about."""
        known = self[number]
        outdated = replace(known, facts_version=known.facts_version + 1, due_at=self.clock.now())
        self.rows[number] = replace(self.rows[number], rebuild=outdated)

    async def due_for_dispatch(self, limit: int) -> Sequence[Identity]:
        due = [
            job.member.identity
            for job in self.rows.values()
            if job.rebuild.action is Action.DISPATCH
            and job.rebuild.state.awaits_action
            and job.rebuild.due_at <= self.clock.now()
        ]
        return due[:limit]

    async def outdate_pull_requests(self, rebuild: Rebuild) -> None:
        bases = {target.base for target in rebuild.targets}
        for job in list(self.rows.values()):
            known = job.rebuild
            if known.state is State.OPEN and bases >= {target.base for target in known.targets}:
                outdated = replace(known, text_version=known.facts_version - 1, due_at=self.clock.now())
                self.rows[known.id] = replace(job, rebuild=outdated, replaced_by=rebuild.action)


@dataclass(slots=True)
class Registry:
    absent: set[str] = field(default_factory=set)
    failing: Failure | None = None
    asked: int = 0

    async def head(self, base: Base) -> Head:
        self.asked += 1
        if self.failing is not None:
            raise self.failing
        if base.tag in self.absent:
            raise Failure(Trouble.MISSING, "manifest unknown", where=str(base))
        return Head(digest("b"), "application/vnd.oci.image.index.v1+json")


def refresh(files: Mapping[str, bytes], wanted: Mapping[str, WantedDigests]) -> Mapping[str, Refreshed]:
    """Every digest of an ordered base, whichever it was; files with `$` are refused."""
    return {
        path: _refreshed(path, data, wanted[path]) if path in wanted else Refreshed(data)
        for path, data in files.items()
    }


def _refreshed(path: str, data: bytes, orders: WantedDigests) -> Refreshed:
    if b"$" in data:
        return Refreshed(data, refused=(Problem(path, 1, "it comes from a variable"),))
    met = set()
    for order in orders.of_bases:
        name = re.escape(str(order.base).encode())
        if re.search(name, data):
            met.add(order.base)
            data = re.sub(name + rb"@sha256:\w+", f"{order.base}@{order.digest}".encode(), data)
    return Refreshed(data, frozenset(met))


@dataclass(slots=True)
class World:
    clock: ManualClock
    store: Store
    forge: FakeForge
    shop: FakeRepository
    registry: Registry
    options: ActOptions = field(default_factory=ActOptions)
    loop: Loop = field(init=False)

    def __post_init__(self) -> None:
        self.loop = Loop(self.clock)

    async def tick(self) -> ActTally:
        return await stage.tick(self.store, self.forge, self.registry, refresh, self.options, self.loop)

    def asks(self, text: str) -> None:
        """What the repository writes into its file for the bot."""
        self.shop.commit_to(self.shop.trunk, {CONFIG: text.encode()})

    async def until_it_ends(self, number: int = 1) -> None:
        """Ticks whenever that rebuild is due."""
        while self.store[number].state.awaits_action:
            await self.tick()
            self.clock.move_to(max(self.store[number].due_at, self.clock.now()))

    async def later(self, minutes: float = 120) -> ActTally:
        self.clock.advance(timedelta(minutes=minutes))
        return await self.tick()


def new_world() -> World:
    """A repository whose only Dockerfile stands on digest a."""
    clock = ManualClock(NOON)
    forge = FakeForge(clock)
    shop = forge.add(SHOP, {"Dockerfile": f"FROM {reference('a')}\n".encode(), "README.md": b"shop\n"})
    return World(clock, Store(clock), forge, shop, Registry())
