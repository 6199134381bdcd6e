"""Settings to a bot: every client and store made once, handed to the stages as the ports they ask for."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bot.act.ports import ActOptions
from bot.assess.notices.deciding import AlertOptions
from bot.clients.feeds import FeedReader
from bot.clients.forges.github import AppCredentials, GitHub, GitHubAccess, TokenCredentials
from bot.clients.http import HostRules, Http
from bot.clients.notifiers.slack import Posted, Slack, SlackBot, SlackWebhook
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.discover.selection import Selection
from bot.discover.stage import DiscoverOptions
from bot.domain.advisory import Advisory, Release
from bot.domain.clock import Clock
from bot.domain.document import FeedKind, FeedSource
from bot.domain.policy import Policy
from bot.formats.repository import Memory
from bot.service.accesses import registry_access
from bot.settings import Settings, secret
from bot.store.engine.database import Database, open_database
from bot.store.engine.leases import this_worker
from bot.store.engine.queue import Worker
from bot.store.feeds import FeedsStore
from bot.store.stores import Stores
from bot.watch.feeds.combine import combine_all
from bot.watch.feeds.stage import FeedsToRead
from bot.watch.registry.schedule import PollPolicy
from bot.watch.registry.stage import WatchOptions

_KINDS = {
    "dotnet_releases": FeedKind.DOTNET_INDEX,
    "msrc": FeedKind.MSRC_UPDATES,
    "dotnet_cve": FeedKind.DOTNET_TIMELINE,
    "image_info": FeedKind.IMAGE_INFO,
    "github_advisories": FeedKind.GITHUB_ADVISORIES,
    "announcements": FeedKind.ANNOUNCEMENTS,
    "image_announcements": FeedKind.IMAGE_ANNOUNCEMENTS,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What the feeds have shown, one advisory for each CVE."""

    feeds: FeedsStore

    async def known_releases(self) -> Mapping[str, Release]:
        return await self.feeds.known_releases()

    async def known_advisories(self) -> Mapping[str, Advisory]:
        return combine_all(await self.feeds.advisories())


@dataclass(frozen=True, slots=True)
class SlackChannel:
    """Slack as the channel that `report` writes to."""

    slack: Slack

    @property
    def can_update(self) -> bool:
        return self.slack.can_update

    async def post(
        self, key: str, text: str, blocks: Sequence[Mapping[str, Any]], maybe_sent_since: datetime | None
    ) -> dict[str, str] | None:
        posted = await self.slack.post(key, text, blocks, maybe_sent_since=maybe_sent_since)
        return None if posted is None else {"channel": posted.channel, "ts": posted.ts}

    async def update(
        self, remote: dict[str, str], key: str, text: str, blocks: Sequence[Mapping[str, Any]]
    ) -> None:
        await self.slack.update(Posted(remote["channel"], remote["ts"]), key, text, blocks)


@dataclass(frozen=True, slots=True)
class Bot:
    """All that the stages need. `channel` is None where nobody is to be told."""

    settings: Settings
    clock: Clock
    worker: Worker
    database: Database
    host: GitHub
    registry: Registry
    feed_reader: FeedReader
    channel: SlackChannel | None
    memory: Memory
    stores: Stores
    policy: Policy

    @property
    def discover_options(self) -> DiscoverOptions:
        wanted = self.settings.github.repositories
        selection = Selection(
            tuple(wanted.include), tuple(wanted.exclude), tuple(wanted.topics), tuple(self.settings.bases)
        )
        return DiscoverOptions(selection, self.settings.schedule.discover)

    @property
    def watch_options(self) -> WatchOptions:
        schedule = self.settings.schedule
        return WatchOptions(policy=PollPolicy(schedule.poll, schedule.poll_on_patch_tuesday))

    @property
    def feeds_to_read(self) -> FeedsToRead:
        return FeedsToRead(tuple(_sources(self.settings)), every=self.settings.schedule.feeds)

    @property
    def alert_options(self) -> AlertOptions:
        alerts = self.settings.alerts
        return AlertOptions(alerts.waiting_for_base, alerts.end_of_life)

    @property
    def act_options(self) -> ActOptions:
        return ActOptions(
            follow_every=self.settings.schedule.follow,
            open_pull_requests=self.settings.limits.open_pull_requests_per_repository,
        )


@asynccontextmanager
async def open_bot(settings: Settings, clock: Clock, database: Database | None = None) -> AsyncIterator[Bot]:
    """Opens everything and closes it again; raises `Failure` or `BadSettings` where something is missing.

    `database` is one that the caller opened and closes, where it is not the one in the settings.
    """
    async with AsyncExitStack() as open_parts:
        if database is None:
            database = await open_database(store_url(settings))
            open_parts.push_async_callback(database.close)
        accesses = [registry_access(host, settings) for host in settings.registries]
        http = await open_parts.enter_async_context(Http(clock, _rules(settings, accesses)))
        host = GitHub(_github_access(settings), clock)
        open_parts.push_async_callback(host.close)
        worker = this_worker()
        hosts = frozenset(urlsplit(source.url).netloc for source in _sources(settings))
        yield Bot(
            settings=settings,
            clock=clock,
            worker=worker,
            database=database,
            host=host,
            registry=Registry(http, accesses, clock),
            feed_reader=FeedReader(http, clock, hosts, _feed_headers(settings)),
            channel=_channel(settings, http),
            memory=Memory(),
            stores=Stores.of(database, worker, clock),
            policy=settings.rules,
        )


@asynccontextmanager
async def opened_stores(settings: Settings, clock: Clock) -> AsyncIterator[Stores]:
    """The stores alone, for what needs no client."""
    database = await open_database(store_url(settings))
    try:
        yield Stores.of(database, this_worker(), clock)
    finally:
        await database.close()


def store_url(settings: Settings) -> str:
    """The database's URL with its password put in, where that stands in a file."""
    url, password_file = settings.store.url, settings.store.password_file
    if password_file is None:
        return url
    from sqlalchemy.engine import make_url

    with_password = make_url(url).set(password=secret(password_file, "store.password_file"))
    return with_password.render_as_string(hide_password=False)


def _sources(settings: Settings) -> list[FeedSource]:
    named = {name: getattr(settings.feeds, name) for name in _KINDS}
    return [FeedSource(_KINDS[name], feed.url) for name, feed in named.items() if feed is not None]


def _rules(settings: Settings, accesses: Sequence[RegistryAccess]) -> dict[str, HostRules]:
    """Plain HTTP only where the operator wrote it: an insecure registry, an http:// address of a feed or Slack."""
    written = [source.url for source in _sources(settings)]
    if settings.slack is not None:
        written.append(settings.slack.api_url)
        if settings.slack.webhook_file is not None:
            written.append(secret(settings.slack.webhook_file, "slack.webhook_file"))
    plain = {urlsplit(url).netloc: HostRules(insecure=True) for url in written if url.startswith("http://")}
    return plain | host_rules(accesses)


def _feed_headers(settings: Settings) -> dict[str, dict[str, str]]:
    """GitHub's feeds allow 60 requests an hour without a token, 5,000 with the one that we have for it."""
    github = settings.github
    if github.token_file is None or github.api_url != "https://api.github.com":
        return {}
    token = secret(github.token_file, "github.token_file")
    return {"api.github.com": {"Authorization": f"Bearer {token}"}}


def _github_access(settings: Settings) -> GitHubAccess:
    github = settings.github
    credentials: TokenCredentials | AppCredentials
    if github.app is not None:
        key = secret(github.app.private_key_file, "github.app.private_key_file")
        credentials = AppCredentials(github.app.id, key, github.app.installation)
    else:
        assert github.token_file is not None, "check_secrets comes first"
        credentials = TokenCredentials(secret(github.token_file, "github.token_file"))
    return GitHubAccess(github.api_url, credentials, github.seconds_between_writes)


def _channel(settings: Settings, http: Http) -> SlackChannel | None:
    slack = settings.slack
    if slack is None:
        return None
    if slack.webhook_file is not None:
        return SlackChannel(SlackWebhook(http, secret(slack.webhook_file, "slack.webhook_file")))
    assert slack.bot_token_file is not None, "check_secrets comes first"
    token = secret(slack.bot_token_file, "slack.bot_token_file")
    return SlackChannel(SlackBot(http, token, slack.channel or "", slack.api_url))
