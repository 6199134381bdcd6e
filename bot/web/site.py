"""What everything that is served has in common: where it reads from, and what it knows of the process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from time import monotonic
from typing import Generic, TypeVar

from starlette.requests import Request

from bot.domain.clock import Clock
from bot.domain.rollouts.timing.waiting import RolloutOptions
from bot.fleet.heartbeats import Heartbeats
from bot.fleet.meter import Meter
from bot.settings.tokens import Token
from bot.store.stores import Stores
from bot.web.access.connections import Rates


@dataclass(slots=True)
class Bodies:
    """Counts bytes that are `kept`, of which there are never more than `most`.

    What every request may bring needs no room here: how many there are at a time is bounded (`HeldConnections`).
    """

    most: int = 32 * 1024 * 1024
    kept: int = 0

    def keep(self, size: int) -> bool:
        """Takes room for so many bytes more; False, and nothing taken, where there is none."""
        if self.kept + size > self.most:
            return False
        self.kept += size
        return True

    def let_go(self, size: int) -> None:
        self.kept -= size


T = TypeVar("T")


@dataclass(slots=True)
class SharedAnswer(Generic[T]):
    """What was found is the answer for `lasts` seconds, and one asks at a time."""

    lasts: float = 1.0
    now: Callable[[], float] = monotonic
    _last: tuple[float, T] | None = None
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Gives the last answer where it is new enough, else what `ask` finds."""
        async with self._asking:
            if self._last is None or self.now() - self._last[0] > self.lasts:
                answer = await ask()
                self._last = self.now(), answer
            return self._last[1]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy whose header is believed; `acting` are globs over the names that it tells."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    header: str
    acting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WebAccess:
    """Who gets in. `url` is where people reach the page, where that is known."""

    tokens: tuple[Token, ...] = field(default=(), repr=False)
    proxy: Proxy | None = None
    url: str | None = None
    has_open_badges: bool = False

    @property
    def is_https(self) -> bool:
        return self.url is not None and self.url.startswith("https://")


@dataclass(frozen=True, slots=True)
class Senders:
    """The secrets by which those who send events are known; None where none of them is expected."""

    github: str | None = field(default=None, repr=False)
    registry: str | None = field(default=None, repr=False)
    registry_path: str | None = field(default=None, repr=False)
    azure_devops: str | None = field(default=None, repr=False)
    clusters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of each source that tells what runs in it, by name."""


@dataclass(frozen=True, slots=True)
class Site:
    """One for each time that the service serves. `forge` is where the forge shows repositories to people;
    `has_running` where sources of what runs are named."""

    clock: Clock
    stores: Stores
    beats: Heartbeats
    meter: Meter
    access: WebAccess
    rollout_options: RolloutOptions
    forge: str
    rates: Rates
    senders: Senders = Senders()
    has_running: bool = False
    bodies: Bodies = field(default_factory=Bodies)
    store_told: SharedAnswer[list[str]] = field(default_factory=SharedAnswer)
    """What is wrong with the store, which everybody may ask."""


def site_of(request: Request) -> Site:
    """Gives the site that the request is for."""
    site: Site = request.app.state.site
    return site
