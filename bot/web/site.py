"""What everything that is served has in common: where it reads from, and what it knows of the process."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from starlette.requests import Request

from bot.domain.clock import Clock
from bot.domain.rollouts.timing.waiting import RolloutOptions
from bot.fleet.heartbeats import Heartbeats
from bot.fleet.meter import Meter
from bot.settings.tokens import Token
from bot.store.stores import Stores
from bot.web.access.bodies import Bodies
from bot.web.access.rates import Rates
from bot.web.access.shared_answers import SharedAnswer


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


@dataclass(frozen=True, slots=True)
class Site:
    """One for each time that the service serves. `forge` is where the forge shows repositories to people."""

    clock: Clock
    stores: Stores
    beats: Heartbeats
    meter: Meter
    access: WebAccess
    rollout_options: RolloutOptions
    forge: str
    rates: Rates
    senders: Senders = Senders()
    bodies: Bodies = field(default_factory=Bodies)
    store_told: SharedAnswer[list[str]] = field(default_factory=SharedAnswer)
    """What is wrong with the store, which everybody may ask."""


def site_of(request: Request) -> Site:
    """Gives the site that the request is for."""
    site: Site = request.app.state.site
    return site
