"""What everything that is served has in common: where it reads from, and what it knows of the process."""

from dataclasses import dataclass, field

from starlette.requests import Request

from bot.domain.clock import Clock
from bot.store.stores import Stores
from bot.web.access.tokens import Token
from bot.web.heartbeats import Heartbeats
from bot.web.metrics.meter import Meter


@dataclass(frozen=True, slots=True)
class Site:
    """One for each time that the service serves."""

    clock: Clock
    stores: Stores
    beats: Heartbeats
    meter: Meter
    tokens: tuple[Token, ...] = field(default=(), repr=False)


def site_of(request: Request) -> Site:
    site: Site = request.app.state.site
    return site
