"""The page of a running bot: its stores, its meter and who gets in."""

from bot.service.wiring.container import Bot
from bot.settings import Settings, secret
from bot.web.access.tokens import Token, parse
from bot.web.heartbeats import Heartbeats
from bot.web.site import Site


def site_of(bot: Bot, beats: Heartbeats) -> Site:
    """What the page reads from, with the tokens that open it."""
    return Site(bot.clock, bot.stores, beats, bot.meter, _tokens(bot.settings))


def _tokens(settings: Settings) -> tuple[Token, ...]:
    file = settings.web.auth.tokens_file
    return () if file is None else parse(secret(file, "web.auth.tokens_file"))
