"""Stores and clients in the shape in which the stages ask for them, where one of them alone has not all of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from bot.clients.http.client import Http
from bot.clients.notifiers.apprise_service import AppriseService, MessageTexts
from bot.clients.notifiers.cloud_events import CloudEvent, EventsWebhook, key_in
from bot.clients.notifiers.slack import Posted, Slack, SlackBot, SlackWebhook
from bot.clients.notifiers.slack_blocks import blocks_of, notification
from bot.clients.notifiers.teams import TeamsWebhook
from bot.clients.notifiers.teams_card import card_of
from bot.clients.registry import Registry
from bot.domain.bases.image import Head
from bot.domain.bases.lifecycle import end_of_life_day
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.reference import Base
from bot.domain.wording.message import Message
from bot.fleet.report.destinations import Destination, FoundMessage
from bot.fleet.report.markdown import markdown_of
from bot.fleet.report.plain_text import text_of
from bot.fleet.stage import Part
from bot.images.trust.collecting import referrers_of
from bot.settings import BadSettings, Settings, secret
from bot.settings.values.services import service_urls


@dataclass(frozen=True, slots=True)
class LifecycleMarks:
    """What registries hold that is attached to images, as far as it tells of their end."""

    registry: Registry

    async def end_of_life(self, base: Base, digest: str) -> date | None:
        return end_of_life_day(await referrers_of(self.registry, base.registry, base.repository, digest))


@dataclass(frozen=True, slots=True)
class RegistryAnswers:
    """What a registry says of a tag that an inventory lists no more."""

    registry: Registry
    clock: Clock

    async def head(self, base: Base) -> Head:
        return await self.registry.head(base)

    async def has_ended(self, base: Base, digest: str) -> bool:
        end_of_life = await LifecycleMarks(self.registry).end_of_life(base, digest)
        return end_of_life is not None and end_of_life <= self.clock.now().date()


@dataclass(frozen=True, slots=True)
class SlackChannel:
    """Slack as a channel that `report` writes to; `mention` is called where somebody must act."""

    slack: Slack
    mention: str | None = None

    @property
    def can_update(self) -> bool:
        return self.slack.can_update

    async def post(
        self,
        key: str,
        message: Message,
        *,
        thread: dict[str, str] | None = None,
        maybe_sent_since: datetime | None = None,
    ) -> dict[str, str] | None:
        blocks = blocks_of(message, self.mention)
        thread_start = Posted(thread["channel"], thread["ts"]) if thread else None
        posted = await self.slack.post(
            *(key, notification(message), blocks),
            thread=thread_start,
            maybe_sent_since=maybe_sent_since,
            about=message.about,
        )
        return None if posted is None else {"channel": posted.channel, "ts": posted.ts}

    async def find(self, message: Message, since: datetime) -> FoundMessage | None:
        found_message = await self.slack.find(message.about, since) if message.about else None
        if found_message is None:
            return None
        return FoundMessage(
            {"channel": found_message.posted.channel, "ts": found_message.posted.ts}, found_message.about
        )

    async def update(self, remote: dict[str, str], key: str, message: Message) -> None:
        posted = Posted(remote["channel"], remote["ts"])
        blocks = blocks_of(message, self.mention)
        await self.slack.update(posted, key, notification(message), blocks, about=message.about)


class _PostsOnly:
    """A channel that shows nothing of what was posted to it."""

    __slots__ = ()

    @property
    def can_update(self) -> bool:
        return False

    async def update(self, remote: dict[str, str], key: str, message: Message) -> None:
        raise AssertionError("nothing that was posted can be edited")


@dataclass(frozen=True, slots=True)
class TeamsChannel(_PostsOnly):
    """Teams as a channel that `report` writes to: a webhook, which tells nothing of what it has posted."""

    teams: TeamsWebhook

    async def post(
        self,
        key: str,
        message: Message,
        *,
        thread: dict[str, str] | None = None,
        maybe_sent_since: datetime | None = None,
    ) -> None:
        await self.teams.post(card_of(message))


@dataclass(frozen=True, slots=True)
class EventsChannel(_PostsOnly):
    """A receiver of CloudEvents as a channel that `report` writes to: it is told milestones, and edits nothing."""

    events: EventsWebhook

    async def post(
        self,
        key: str,
        message: Message,
        *,
        thread: dict[str, str] | None = None,
        maybe_sent_since: datetime | None = None,
    ) -> None:
        kind = key.partition(":")[0].replace("_", "-")
        data = {"text": message.text, "markdown": markdown_of(message), "needs_person": message.needs_person}
        await self.events.post(CloudEvent(kind, key, message.text, data))


@dataclass(frozen=True, slots=True)
class AppriseChannel(_PostsOnly):
    """A service of apprise as a channel that `report` writes to: it is told milestones, and edits nothing."""

    service: AppriseService

    async def post(
        self,
        key: str,
        message: Message,
        *,
        thread: dict[str, str] | None = None,
        maybe_sent_since: datetime | None = None,
    ) -> None:
        await self.service.post(MessageTexts(text_of(message), markdown_of(message)))


def apprise_services(settings: Settings) -> Iterator[AppriseService]:
    """Opens the services of apprise in the order of their lines; raises `BadSettings` naming the line."""
    if settings.apprise is None:
        return
    purpose, path = "apprise.urls_file", settings.apprise.urls_file
    try:
        urls = service_urls(secret(path, purpose))
    except ValueError as error:
        raise BadSettings([f"{path}: {purpose} {error}"]) from None
    for each in urls:
        try:
            yield AppriseService(each.service, each.url)
        except Failure as failure:
            raise BadSettings([f"{path}: {purpose}, line {each.line}: {failure}"]) from None


def _apprise(settings: Settings) -> Iterator[Destination]:
    """A destination for each line, so that one that fails alone is told again."""
    opened = Counter[str]()
    for service in apprise_services(settings):
        opened[service.service] += 1
        number = opened[service.service]
        name = f"apprise:{service.service}" + (f":{number}" if number > 1 else "")
        yield Destination(name, AppriseChannel(service))


def destinations_of(settings: Settings, http: Http, clock: Clock) -> tuple[Destination, ...]:
    """Opens the places where maintainers are told: everything in the first places, a team's own part in channels of
    its own."""
    destinations = [*_slack(settings, http)]
    if settings.teams is not None:
        teams = TeamsWebhook(http, secret(settings.teams.webhook_file, "teams.webhook_file"))
        destinations.append(Destination("teams", TeamsChannel(teams)))
    if settings.events is not None:
        key = key_in(secret(settings.events.signing_key_file, "events.signing_key_file"))
        events = EventsWebhook(http, clock, secret(settings.events.webhook_file, "events.webhook_file"), key)
        destinations.append(Destination("events", EventsChannel(events)))
    destinations += _apprise(settings)
    return tuple(destinations)


def _slack(settings: Settings, http: Http) -> Iterator[Destination]:
    slack = settings.slack
    if slack is None:
        return
    if slack.webhook_file is not None:
        webhook = SlackWebhook(http, secret(slack.webhook_file, "slack.webhook_file"))
        yield Destination("slack", SlackChannel(webhook, slack.mention))
        return
    assert slack.bot_token_file is not None, "check_secrets comes first"
    token = secret(slack.bot_token_file, "slack.bot_token_file")
    bot = SlackBot(http, token, slack.channel or "", slack.api_url)
    yield Destination("slack", SlackChannel(bot, slack.mention))
    for route in settings.notify:
        channel = SlackChannel(replace(bot, channel=route.channel), route.mention)
        yield Destination(f"slack:{route.channel}", channel, route.match)


DESTINATIONS = Part(lambda bot: destinations_of(bot.settings, bot.http, bot.clock))
"""Empty where nobody is to be told."""
