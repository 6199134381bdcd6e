"""Stores and clients in the shape in which the stages ask for them, where one of them alone has not all of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bot.clients.http import Http
from bot.clients.notifiers.slack import Posted, Slack, SlackBot, SlackWebhook
from bot.clients.notifiers.slack_blocks import blocks_of, notification
from bot.clients.registry import Registry
from bot.domain.bases.advisory import Advisory, Release
from bot.domain.bases.lifecycle import LIFECYCLE, end_of_life
from bot.domain.reference import Base
from bot.domain.wording.message import Message
from bot.report.ports import Channel
from bot.settings import Settings, secret
from bot.store.stages.feeds import FeedsStore
from bot.watch.feeds.combine import combine_all


@dataclass(frozen=True, slots=True)
class Known:
    """What the feeds have shown, one advisory for each CVE."""

    feeds: FeedsStore

    async def known_releases(self) -> Mapping[str, Release]:
        return await self.feeds.known_releases()

    async def known_advisories(self) -> Mapping[str, Advisory]:
        return combine_all(await self.feeds.advisories())


@dataclass(frozen=True, slots=True)
class Marks:
    """What registries hold that is attached to images, as far as it tells of their end."""

    registry: Registry

    async def end_of_life(self, base: Base, digest: str) -> date | None:
        referrers = await self.registry.referrers(base.registry, base.repository, digest, LIFECYCLE)
        return end_of_life(referrers)


@dataclass(frozen=True, slots=True)
class SlackChannel:
    """Slack as the channel that `report` writes to."""

    slack: Slack

    @property
    def can_update(self) -> bool:
        return self.slack.can_update

    async def post(self, key: str, message: Message, maybe_sent_since: datetime | None) -> dict[str, str] | None:
        text, blocks = notification(message), blocks_of(message)
        posted = await self.slack.post(key, text, blocks, maybe_sent_since=maybe_sent_since)
        return None if posted is None else {"channel": posted.channel, "ts": posted.ts}

    async def update(self, remote: dict[str, str], key: str, message: Message) -> None:
        posted = Posted(remote["channel"], remote["ts"])
        await self.slack.update(posted, key, notification(message), blocks_of(message))


def channel_of(settings: Settings, http: Http) -> Channel | None:
    """Where maintainers are told; None where nobody is to be."""
    slack = settings.slack
    if slack is None:
        return None
    if slack.webhook_file is not None:
        return SlackChannel(SlackWebhook(http, secret(slack.webhook_file, "slack.webhook_file")))
    assert slack.bot_token_file is not None, "check_secrets comes first"
    token = secret(slack.bot_token_file, "slack.bot_token_file")
    return SlackChannel(SlackBot(http, token, slack.channel or "", slack.api_url))
