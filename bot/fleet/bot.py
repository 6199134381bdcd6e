"""What every stage is given: the settings, opened clients and stores, and the loop that they work in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar, cast

from bot.clients.http.client import Http
from bot.clients.registry import Registry
from bot.domain.clock import Clock
from bot.domain.forge.port import Forge, ForgeHost
from bot.domain.rollouts.policy import Policy
from bot.fleet.meter import Meter
from bot.reconcile.loop import Loop
from bot.settings import Settings
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.stores import Stores

T = TypeVar("T")


class Part(Generic[T]):
    """What a bot opens once, for one stage or for several: a key into it, with how it is opened."""

    def __init__(self, opened: Callable[["Bot"], T]) -> None:
        self.opened = opened


@dataclass(frozen=True, slots=True)
class Bot:
    """A message is edited again only after `edits_every`; `forge_host` is where the forge pauses."""

    settings: Settings
    clock: Clock
    loop: Loop
    worker: Worker
    database: Database
    stores: Stores
    http: Http
    forge: Forge
    forge_host: ForgeHost
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
