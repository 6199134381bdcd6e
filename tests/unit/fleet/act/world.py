"""A store and a registry in dictionaries, as far as `act` asks them, around the shared fake of the forge."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.bases.change import Cause, Change
from bot.domain.bases.image import Head
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import FleetRepository, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Replacement, SourceProblem
from bot.domain.rollouts.pinning import Refreshed, WantedDigests
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState, Target
from bot.fleet.act import tick as stage
from bot.fleet.act.ports import ActOptions, Job
from bot.fleet.act.tick import ActTally
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.fakes.repository import CONFIG, FakeRepository
from tests.fakes.stores.rebuilds import FakeRebuildStore

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SHOP = "contoso/shop"
NO_ANSWER = Failure(Trouble.UNREACHABLE, "no answer")
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
        "state": RebuildState.PLANNED,
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
        return Refreshed(data, refused=(SourceProblem(path, 1, "it comes from a variable"),))
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
    store: FakeRebuildStore
    forge: FakeForge
    shop: FakeRepository
    registry: Registry
    options: ActOptions = field(default_factory=ActOptions)
    loop: Loop = field(init=False)

    def __post_init__(self) -> None:
        self.loop = Loop(self.clock)

    def add(
        self, added: Rebuild, home: FleetRepository | None = None, *changes: Change, paths: Sequence[str] = ()
    ) -> None:
        """A planned rebuild of the shop, or of `home`, about `changes`, with the files that name its bases."""
        chosen = changes or (change(),)
        named = tuple(paths) or ("Dockerfile",)
        places = {target.base: named for target in added.targets}
        self.store.put(Job(added, home or member(), "main", chosen, named, places=places))

    async def tick(self) -> ActTally:
        return await stage.tick(self.store, self.forge, self.forge, self.registry, refresh, self.options, self.loop)

    def asks(self, text: str) -> None:
        """What the repository writes into its file for the bot."""
        self.shop.commit_to(self.shop.trunk, {CONFIG: text.encode()})

    async def until_it_ends(self, number: int = 1) -> None:
        """Ticks whenever that rebuild is due."""
        while self.store[number].state.awaits_action:
            await self.tick()
            self.clock.move_to(max(self.store[number].due_at, self.clock.now()))

    async def for_days(self, days: int, number: int = 1) -> None:
        """Ticks whenever that rebuild is due, and once at the end; far fewer than a thousand times."""
        end = self.clock.now() + timedelta(days=days)
        for _ in range(1_000):
            await self.tick()
            due = self.store[number].due_at
            if self.store[number].state.has_ended or due >= end:
                break
            self.clock.move_to(max(due, self.clock.now()))
        else:
            raise AssertionError("it is tried without a rest")

    async def later(self, minutes: float = 120) -> ActTally:
        self.clock.advance(timedelta(minutes=minutes))
        return await self.tick()


def new_world() -> World:
    """A repository whose only Dockerfile stands on digest a."""
    clock = ManualClock(NOON)
    forge = FakeForge(clock)
    shop = forge.add(SHOP, {"Dockerfile": f"FROM {reference('a')}\n".encode(), "README.md": b"shop\n"})
    return World(clock, FakeRebuildStore(clock), forge, shop, Registry())
