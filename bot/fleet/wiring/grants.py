"""What the settings grant to feeds, the forge and hosts: addresses, credentials and where each may be shown."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from bot.clients.forges.github import AppCredentials, Chosen, GitHubAccess, TokenCredentials
from bot.clients.http.client import HostRules
from bot.clients.registry import RegistryAccess, host_rules
from bot.domain.builder.definitions import AZURE_PIPELINES
from bot.domain.clock import Clock
from bot.domain.feeds.document import FeedSource
from bot.domain.repositories.repository import AZURE_DEVOPS
from bot.fleet.wiring.stores import write_limits
from bot.reconcile.guarded import Budget, BudgetStore
from bot.settings import Settings, secret
from bot.settings.sections.github import AppSettings
from bot.settings.sections.upstream import DumpSettings
from bot.upstream.feeds.addresses import KINDS, MARKS
from bot.upstream.osv.addresses import API, PUBLICATIONS, DumpSource


def feed_sources(settings: Settings) -> list[FeedSource]:
    """Reads from the settings the feeds that the bot follows."""
    feeds = {kind: getattr(settings.feeds, name) for name, kind in KINDS.items()}
    marks = {kind: getattr(settings.vulnerabilities, name) for name, kind in MARKS.items()}
    return [FeedSource(kind, feed.url) for kind, feed in (feeds | marks).items() if feed is not None]


def feed_hosts(settings: Settings) -> frozenset[str]:
    """The hosts that feeds may be read from: an index names further documents."""
    return frozenset(urlsplit(source.url).netloc for source in feed_sources(settings))


def dump_sources(settings: Settings) -> list[DumpSource]:
    """Reads from the settings the dumps of vulnerabilities that the bot follows."""
    dumps = {name: getattr(settings.vulnerabilities, name) for name in PUBLICATIONS}
    return [DumpSource(PUBLICATIONS[name], _place(dump)) for name, dump in dumps.items() if dump is not None]


def _place(dump: DumpSettings) -> str:
    return f"{API}{dump.api}" if dump.api is not None else dump.url or str(dump.file)


def http_rules(settings: Settings, accesses: Sequence[RegistryAccess]) -> dict[str, HostRules]:
    """Plain HTTP only where the operator wrote it: an insecure registry, an http:// address of GitHub, Azure
    DevOps, a feed or Slack."""
    addresses = [settings.github.api_url, *(source.url for source in feed_sources(settings))]
    addresses += [source.address for source in dump_sources(settings) if source.address is not None]
    if settings.azure_devops is not None:
        addresses.append(settings.azure_devops.url)
    if settings.slack is not None:
        addresses.append(settings.slack.api_url)
        if settings.slack.webhook_file is not None:
            addresses.append(secret(settings.slack.webhook_file, "slack.webhook_file"))
    if settings.teams is not None:
        addresses.append(secret(settings.teams.webhook_file, "teams.webhook_file"))
    if settings.events is not None:
        addresses.append(secret(settings.events.webhook_file, "events.webhook_file"))
    plain = {urlsplit(url).netloc: HostRules(insecure=True) for url in addresses if url.startswith("http://")}
    return plain | host_rules(accesses)


def feed_headers(settings: Settings) -> dict[str, dict[str, str]]:
    """GitHub's feeds allow 60 requests an hour without a token, 5,000 with the one that we have for it."""
    github = settings.github
    if github.token_file is None or github.api_url != "https://api.github.com":
        return {}
    token = secret(github.token_file, "github.token_file")
    return {"api.github.com": {"Authorization": f"Bearer {token}"}}


def github_access(settings: Settings) -> GitHubAccess:
    """Reads the API's address and the credentials of the App, or of the token."""
    github = settings.github
    credentials: TokenCredentials | AppCredentials
    if github.app is not None:
        key = secret(github.app.private_key_file, "github.app.private_key_file")
        credentials = AppCredentials(github.app.id, key)
    else:
        assert github.token_file is not None, "check_secrets comes first"
        credentials = TokenCredentials(secret(github.token_file, "github.token_file"))
    return GitHubAccess(
        github.api_url,
        credentials,
        github.seconds_between_writes,
        read_reserve=settings.limits.read_reserve,
    )


def chosen_installations(app: AppSettings) -> Chosen:
    """Returns the installations of the App that the settings name."""
    owners = None if app.installations == "all" else frozenset(owner.lower() for owner in app.installations)
    return Chosen(owners, app.only)


def budget_of(settings: Settings, store: BudgetStore, clock: Clock) -> Budget:
    """The turns to write; each installation of an App has limits of its own, a token those of its user, and each
    organisation of Azure DevOps those of the identity there."""
    others: dict[str, Budget] = {}
    if (azure := settings.azure_devops) is not None:
        apart = timedelta(seconds=azure.seconds_between_requests)
        limits = replace(write_limits(settings), apart=apart)
        there = Budget(store, clock, limits, by_owner=True, host=urlsplit(azure.url).netloc)
        others = {AZURE_PIPELINES: there, AZURE_DEVOPS: there}
    by_owner = settings.github.app is not None
    return Budget(store, clock, write_limits(settings), by_owner=by_owner, others=others)


def known_hosts(settings: Settings) -> frozenset[str]:
    """The hosts that a setting names, as requests name them: few enough to be told apart in metrics."""
    addresses = [settings.github.api_url, *(source.url for source in feed_sources(settings))]
    addresses += [source.address for source in dump_sources(settings) if source.address is not None]
    if settings.azure_devops is not None:
        from bot.clients.forges.azure_devops.transport import identities_at

        addresses += [settings.azure_devops.url, identities_at(settings.azure_devops.url)]
    for source in settings.running.sources:
        addresses += [source.address] if source.address is not None else []
        addresses += [source.past.prometheus] if source.past is not None else []
    if settings.slack is not None:
        addresses.append(settings.slack.api_url)
    return frozenset(settings.registries) | {urlsplit(address).netloc for address in addresses}


def forge_page(api_url: str) -> str:
    """Where the forge shows repositories to people: GitHub's own page, or that of an Enterprise Server."""
    return f"{urlsplit(api_url).scheme}://{forge_host(api_url)}"


def forge_host(api_url: str) -> str:
    """The host in addresses of the forge's repositories: `github.com`, `contoso.ghe.com`, that of a server."""
    host = urlsplit(api_url).netloc
    is_service = host == "api.github.com" or host.endswith(".ghe.com")
    return host.removeprefix("api.") if is_service else host
