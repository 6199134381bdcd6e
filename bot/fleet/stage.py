"""What every stage is given, what a stage is, and how one of them is run."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Table

from bot.clients.http.client import Http
from bot.clients.registry import Registry
from bot.domain.builder.port import Builder
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.forge.port import Forge
from bot.domain.host import Hosts
from bot.domain.log import log
from bot.domain.rollouts.policy import Policy
from bot.fleet.meter import Meter
from bot.reconcile.loop import Loop
from bot.settings import Settings
from bot.store.engine.database import Database, SchemaChanged
from bot.store.engine.queue.claiming import Worker
from bot.store.stores import Stores

T = TypeVar("T")


class Part(Generic[T]):
    """What a bot opens once, for one stage or for several: a key into it, with how it is opened."""

    def __init__(self, opened: Callable[["Bot"], T]) -> None:
        self.opened = opened


@dataclass(frozen=True, slots=True)
class Bot:
    """A message is edited again only after `edits_every`; `hosts` are where the forge and the builder pause.
    `forge` is all `forges` as one, but for what lists repositories."""

    settings: Settings
    clock: Clock
    loop: Loop
    worker: Worker
    database: Database
    stores: Stores
    http: Http
    forges: Mapping[str, Forge]
    forge: Forge
    builder: Builder
    hosts: Hosts
    registry: Registry
    policy: Policy
    meter: Meter
    edits_every: timedelta = timedelta(0)
    _parts: dict[Part[Any], Any] = field(default_factory=dict, init=False, repr=False)

    def __getitem__(self, part: Part[T]) -> T:
        if part not in self._parts:
            self._parts[part] = part.opened(self)
        return cast(T, self._parts[part])

    def open(self, parts: Iterable[Part[Any]]) -> None:
        """Opens these now, so that `BadSettings` is raised at the start rather than in a tick."""
        for part in parts:
            self[part]


@dataclass(frozen=True, slots=True)
class TickOutcome:
    """What one tick did, as figures, and what went wrong, a line each; `broke` where it was cut short. Whoever runs
    the `stage` says which it was."""

    figures: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    broke: bool = False
    stage: str = ""

    @property
    def did_something(self) -> bool:
        return any(self.figures.values()) or bool(self.problems)


LONGEST_SLEEP = timedelta(minutes=1)
"""So long a stage of which nothing is due sleeps at the most: what no news tells of waits no longer than this."""


@dataclass(frozen=True, slots=True)
class Stage:
    """`every` is how soon after one tick the next may begin. That is when something was written in the store, or a
    row of the tables that it `claims` from has fallen due; what is due and when stands in the store. `only_reads`
    where it changes nothing outside of the store. `parts` are opened with the bot, so that what they lack is said
    at the start."""

    name: str
    tick: Callable[[Bot], Awaitable[TickOutcome]]
    every: timedelta
    only_reads: bool = False
    parts: tuple[Part[Any], ...] = ()
    claims: tuple[Table, ...] = ()

    @property
    def sleeps(self) -> timedelta:
        """After so long it ticks again, also where nothing is new."""
        return max(self.every, LONGEST_SLEEP)


async def run_stage(stage: Stage, bot: Bot) -> TickOutcome:
    """One tick with its log line; a defect of ours is logged with its trace and stops no other stage.

    Raises `SchemaChanged`, and does nothing, where another version of the bot has migrated the database.
    """
    try:
        await bot.database.check_schema()
        outcome = replace(await stage.tick(bot), stage=stage.name)
    except SchemaChanged:
        raise
    except Failure as failure:
        outcome = TickOutcome({}, [str(failure)], broke=True, stage=stage.name)
    except Exception as error:
        log.exception("stage broke", stage=stage.name)
        breakage = f"{stage.name} broke: {type(error).__name__}: {error}"
        return TickOutcome({}, [breakage], broke=True, stage=stage.name)
    for problem in outcome.problems:
        log.warning("problem", stage=stage.name, detail=problem)
    if outcome.did_something:
        log.info("tick", stage=stage.name, **outcome.figures)
    return outcome
