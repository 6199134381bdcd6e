"""The page of a running bot: its stores, its meter and who gets in."""

from ipaddress import ip_network

from bot.domain.rollouts.timing.standing import rollout_options_of
from bot.fleet.bot import Bot
from bot.fleet.heartbeats import Heartbeats
from bot.fleet.wiring.grants import forge_page
from bot.settings import Settings, secret
from bot.settings.tokens import Token, parse
from bot.web.access.rates import Rates
from bot.web.site import Proxy, Senders, Site, WebAccess


def wire_site(bot: Bot, beats: Heartbeats) -> Site:
    """What the page reads from, and who gets in."""
    return Site(
        clock=bot.clock,
        stores=bot.stores,
        beats=beats,
        meter=bot.meter,
        access=_access(bot.settings),
        rollout_options=rollout_options_of(bot.policy),
        forge=forge_page(bot.settings.github.api_url),
        rates=Rates(),
        senders=_senders(bot.settings),
    )


def _access(settings: Settings) -> WebAccess:
    auth, proxy = settings.web.auth, settings.web.auth.proxy
    believed = None
    if proxy is not None:
        networks = tuple(ip_network(each) for each in proxy.addresses)
        believed = Proxy(networks, proxy.user_header, tuple(proxy.acting))
    return WebAccess(_tokens(settings), believed, settings.web.url, auth.open_badges)


def _senders(settings: Settings) -> Senders:
    hooks = settings.web.hooks
    files = {
        "github": hooks.github_secret_file,
        "registry": hooks.registry_secret_file,
        "registry_path": hooks.registry_path_file,
    }
    secrets = {
        name: secret(file, f"web.hooks.{name}") if file is not None else None for name, file in files.items()
    }
    return Senders(**secrets)


def _tokens(settings: Settings) -> tuple[Token, ...]:
    file = settings.web.auth.tokens_file
    return () if file is None else parse(secret(file, "web.auth.tokens_file"))
