"""What can be set, with defaults and descriptions; the JSON Schema comes from here."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.domain.bases.mirrors import Mirrors
from bot.domain.cron import Cron
from bot.domain.rollouts.policy import Match, Policy
from bot.domain.rollouts.timing.age import Weekly
from bot.settings import defaults
from bot.settings.section import RenamedSection, Section
from bot.settings.sections.audit import AuditSettings, OnboardingSettings
from bot.settings.sections.azure_devops import AzureDevOpsSettings
from bot.settings.sections.gate import GateSettings
from bot.settings.sections.github import GitHubSettings
from bot.settings.sections.images import ImagesSettings, PackagesSettings, ReportsSettings
from bot.settings.sections.policy import WrittenMatch, WrittenRule
from bot.settings.sections.rollout import LimitSettings, RolloutSettings, WrittenFreeze
from bot.settings.sections.running import RunningSettings
from bot.settings.sections.trust import TrustSettings
from bot.settings.sections.upstream import (
    MOST_MIRRORS,
    FeedsSettings,
    MirrorPath,
    RegistrySettings,
    VulnerabilitiesSettings,
    check_mirrors,
    mirrors_of,
)
from bot.settings.sections.web import WebSettings
from bot.settings.values.addresses import GuardedAddress, StoreAddress, host_defect, is_loopback
from bot.settings.values.texts import Mention, Name, RepositoryName, without_credentials
from bot.settings.values.times import CronTime, Duration, Interval, Period, TimeZone

ENVIRONMENT_PREFIX = "FRESHNESS_BOT_"


class StoreSettings(Section):
    """Where the bot remembers."""

    url: StoreAddress = Field(
        "sqlite:///data/freshness.db", description="sqlite:///PATH, or postgresql://USER@HOST/NAME for replicas."
    )
    password_file: Path | None = Field(None, description="File with the database password.")
    retention: Interval = Field(
        timedelta(days=400),
        description="Rebuilds that ended longer ago are forgotten; observations and changes stay.",
    )


class ScheduleSettings(RenamedSection):
    """How often the bot looks, and when it does what comes by the week."""

    FORMER: ClassVar[Mapping[str, str]] = {"digest": "summary"}

    poll: Interval = Field(timedelta(minutes=15), description="How often each base's digest is asked for.")
    poll_on_patch_tuesday: Interval = Field(
        timedelta(minutes=2), description="The same from the hour of release until the expected bases moved."
    )
    discover: Interval = Field(timedelta(hours=1), description="How often repositories are listed.")
    feeds: Interval = Field(timedelta(minutes=15), description="How often feeds are asked for news.")
    follow: Interval = Field(
        timedelta(minutes=5), description="How often open rebuilds are looked at; old pull requests hourly."
    )
    images: Interval = Field(
        timedelta(hours=24), description="How often each image that the fleet builds is looked at."
    )
    weekly_rebuild: CronTime = Field("0 2 * * 1", description="Cron time of the weekly rebuild.")
    weekly_rebuild_over: Period = Field(
        timedelta(hours=6), description="Over how much time the weekly rebuilds are spread."
    )
    summary: CronTime | None = Field(
        "0 9 * * 1", description="Cron time of the summary that maintainers get; null for none."
    )
    timezone: TimeZone = Field("UTC", description="Time zone of these cron times.")


class AlertSettings(Section):
    """When maintainers are told of what no rebuild can mend."""

    waiting_for_base: Duration = Field(
        timedelta(hours=24), description="How long a published fix may miss in its base image."
    )
    end_of_life: Duration = Field(
        timedelta(days=90), description="How long before the end of support of a base it is told."
    )
    stale_inventory: Duration = Field(timedelta(days=1), description="How long feeds.image_info may stay behind.")
    mirror_behind: Duration = Field(
        timedelta(hours=24), description="How long a mirror may stay behind what it is a copy of."
    )


class SlackSettings(Section):
    """Either a webhook, or a bot token with a channel."""

    webhook_file: Path | None = Field(None, description="File with an incoming webhook's URL; it cannot edit.")
    bot_token_file: Path | None = Field(None, description="File with a bot token; it edits its messages.")
    channel: Name | None = Field(None, description="Channel id; goes with bot_token_file.")
    api_url: GuardedAddress = Field("https://slack.com/api", description="Where Slack's Web API is.")
    mention: Mention | None = Field(None, description="Who is called where somebody must act.")


class TeamsSettings(Section):
    """A Workflows webhook of Microsoft Teams; its URL as a whole is the secret."""

    webhook_file: Path = Field(description="File with an incoming webhook's URL; it cannot edit.")


class EventsSettings(Section):
    """A webhook of your own that is sent news as CloudEvents, signed as Standard Webhooks says."""

    webhook_file: Path = Field(description="File with the URL that events are sent to; as a whole it is secret.")
    signing_key_file: Path = Field(description="File with the secret that signs them, whsec_… in base64.")


class AppriseSettings(Section):
    """Other chat and mail services, as the library apprise knows them: freshness-bot[apprise]."""

    urls_file: Path = Field(description="File with a line for each service, SERVICE://…; each line is secret.")


class FleetIssueSettings(Section):
    """One issue that tells how the fleet stands, with boxes that people tick."""

    repository: RepositoryName = Field(description="The repository that it is in.")
    ticks: bool = Field(
        True, description="Heed ticked boxes: whoever may edit issues there can retry, hold and begin rebuilds."
    )


class NotifySettings(Section):
    """A part of the news for a Slack channel of its own."""

    match: WrittenMatch = Field(Match(), description="Which changes and repositories it hears of.")
    channel: str = Field(min_length=1, max_length=60, description="Channel id.")
    mention: Mention | None = Field(None, description="Who is called where somebody must act.")


class Settings(BaseSettings):
    """The settings of the freshness bot."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__"
    )

    github: GitHubSettings = GitHubSettings()
    azure_devops: AzureDevOpsSettings | None = Field(
        None, description="Azure DevOps: where pipelines are started and repositories are read."
    )
    registries: dict[str, RegistrySettings] = Field(
        {defaults.REGISTRY: RegistrySettings()}, description="The only registries that are ever contacted."
    )
    bases: list[Name] = Field(
        list(defaults.BASES),
        validate_default=True,
        description="Globs: which references are watched.",
    )
    mirrors: dict[MirrorPath, MirrorPath] = Field(
        {},
        max_length=MOST_MIRRORS,
        description="Copies and what they are copies of; what stands under one is watched where its upstream is.",
    )
    feeds: FeedsSettings = FeedsSettings()
    vulnerabilities: VulnerabilitiesSettings = VulnerabilitiesSettings()
    store: StoreSettings = StoreSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    alerts: AlertSettings = AlertSettings()
    policy: list[WrittenRule] = Field([], description="The first matching rule wins; later ones fill its gaps.")
    rollout: RolloutSettings = RolloutSettings()
    freezes: list[WrittenFreeze] = Field([], max_length=100, description="Times in which nothing is begun.")
    limits: LimitSettings = LimitSettings()
    images: ImagesSettings = ImagesSettings()
    packages: PackagesSettings = PackagesSettings()
    trust: TrustSettings = TrustSettings()
    gate: GateSettings = GateSettings()
    reports: ReportsSettings = ReportsSettings()
    running: RunningSettings = RunningSettings()
    audit: AuditSettings = AuditSettings()
    onboarding: OnboardingSettings = OnboardingSettings()
    slack: SlackSettings | None = Field(None, description="Where maintainers read everything.")
    notify: list[NotifySettings] = Field(
        [], max_length=200, description="Slack channels that read their own part; they need slack.bot_token_file."
    )
    teams: TeamsSettings | None = Field(None, description="Where maintainers read milestones in Microsoft Teams.")
    events: EventsSettings | None = Field(None, description="Where programs are sent milestones as CloudEvents.")
    apprise: AppriseSettings | None = Field(
        None, description="Other chat and mail services that are told milestones; needs freshness-bot[apprise]."
    )
    fleet_issue: FleetIssueSettings | None = Field(
        None, description="One issue that tells how the fleet stands, with boxes that people tick."
    )
    web: WebSettings = WebSettings()
    log: Literal["json", "text"] = Field("json", description="Form of the service's log lines.")

    @field_validator("registries")
    @classmethod
    def _hosts(cls, registries: dict[str, RegistrySettings]) -> dict[str, RegistrySettings]:
        for host, registry in registries.items():
            without_credentials(host)
            if (defect := host_defect(host)) is not None:
                raise ValueError(f"{host[:100]!r} is {defect}")
            if registry.insecure and registry.password_file and not is_loopback(host.rpartition(":")[0] or host):
                raise ValueError(f"{host}: insecure would send the password in the clear; take one of them out")
        return registries

    @field_validator("bases")
    @classmethod
    def _contactable(cls, bases: list[str], info: ValidationInfo) -> list[str]:
        registries = info.data.get("registries", {})
        for base in bases:
            host = base.partition("/")[0]
            if registries and not set("*?[") & set(host) and host not in registries:
                raise ValueError(f"{base!r} is on {host!r}, which is not in registries; add it there")
        return bases

    @field_validator("mirrors")
    @classmethod
    def _consistent(cls, mirrors: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if {"bases", "registries"} <= info.data.keys():  # else these are refused, and nothing is to be said of them
            check_mirrors(mirrors, info.data["bases"], info.data["registries"])
        return mirrors

    @field_validator("notify")
    @classmethod
    def _each_once(cls, notify: list[NotifySettings]) -> list[NotifySettings]:
        names = [each.channel for each in notify]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} stands twice; put its conditions into one match")
        return notify

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (env_settings, init_settings)

    def former_names(self) -> list[str]:
        """What is set under a name of an earlier version, a line each with the new one."""
        app = self.github.app
        by_id = "github.app.installation is now called github.app.installations and takes names of owners"
        return [
            *self.limits.former_names("limits"),
            *self.schedule.former_names("schedule"),
            *([f"{by_id}; it counts still, rename it"] if app is not None and app.only is not None else []),
        ]

    @property
    def weekly(self) -> Weekly:
        """When what would grow too old is rebuilt, and over how much time that is spread."""
        schedule = self.schedule
        return Weekly(Cron(schedule.weekly_rebuild, schedule.timezone), schedule.weekly_rebuild_over)

    @property
    def summary(self) -> Cron | None:
        """When maintainers get a summary; None where they want none."""
        schedule = self.schedule
        return None if schedule.summary is None else Cron(schedule.summary, schedule.timezone)

    @property
    def mirror_rules(self) -> Mirrors:
        """Which names are copies of which others."""
        return mirrors_of(self.mirrors)

    @property
    def rules(self) -> Policy:
        """The policy: rules, waves in their order, and freezes."""
        return Policy(
            rules=tuple(self.policy),
            waves=tuple(self.rollout.waves),
            freezes=tuple(self.freezes),
            pause_when_failed=self.rollout.pause_when_failed,
        )


@cache
def json_schema() -> dict[str, Any]:
    """Defaults stand in it as an operator would write them, for example `15m`."""
    schema = Settings.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
