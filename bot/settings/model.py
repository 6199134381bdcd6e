"""What can be set, with defaults and descriptions; the JSON Schema comes from here."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.domain.advisory import Severity
from bot.domain.change import Cause
from bot.domain.policy import ActionPreference, Match, Policy, Rule
from bot.settings import defaults
from bot.settings.values import (
    Address,
    Duration,
    GuardedAddress,
    Interval,
    Name,
    Percent,
    StoreAddress,
    WaveName,
    WindowText,
    host_defect,
    is_loopback,
)
from bot.watch.feeds import addresses

ENVIRONMENT_PREFIX = "FRESHNESS_BOT_"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AppSettings(_Section):
    """A GitHub App: the recommended way, with least-privilege tokens."""

    id: int = Field(description="The App's id, from its settings page.")
    private_key_file: Path = Field(description="File with the App's private key (PEM).")
    installation: int | None = Field(None, description="Installation to use; not needed where there is one only.")


class RepositorySelection(_Section):
    """Which of the repositories that the App or token may see are read."""

    include: list[Name] = Field(["*"], description="Globs over owner/name; with a token each must name its owner.")
    exclude: list[Name] = Field([], description="Globs over owner/name; they win over include.")
    topics: list[Name] = Field([], description="Only repositories with one of these topics; empty means all.")


class GitHubSettings(_Section):
    """Where the repositories are, and how the bot signs in."""

    api_url: GuardedAddress = Field("https://api.github.com", description="GitHub Enterprise: https://HOST/api/v3.")
    app: AppSettings | None = Field(None, description="Sign in as a GitHub App.")
    token_file: Path | None = Field(None, description="File with a token, where no App is used.")
    repositories: RepositorySelection = Field(
        RepositorySelection(), description="Which repositories are read; the App or token bounds them too."
    )
    seconds_between_writes: float = Field(
        1.0, ge=0, le=3600, allow_inf_nan=False, description="GitHub asks for one second between writes."
    )


class RegistrySettings(_Section):
    """How one registry is spoken to; {} is anonymous over https."""

    username: str | None = Field(None, description="User name for Basic or token authentication.")
    password_file: Path | None = Field(None, description="File with the password.")
    ca_file: Path | None = Field(None, description="Certificate authority of a private registry (PEM).")
    insecure: bool = Field(False, description="Speak plain HTTP; with a password only on this machine.")
    token_host: str | None = Field(
        None, description="Token service outside of the registry's domain that may be shown the password."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            given, lacking = ("username", "password_file") if self.username else ("password_file", "username")
            raise ValueError(f"{given} needs {lacking} beside it")
        return self

    @field_validator("token_host")
    @classmethod
    def _host(cls, host: str | None) -> str | None:
        if host is not None and (defect := host_defect(host)) is not None:
            raise ValueError(defect)
        return host


class FeedSettings(_Section):
    """Another place than the published one."""

    url: Address = Field(description="Where the feed is published.")


_FEED_SCHEMA = {
    "anyOf": [
        {"type": "boolean"},
        {
            "type": "object",
            "properties": {"url": {"type": "string", "description": "Where the feed is published."}},
            "required": ["url"],
            "additionalProperties": False,
        },
    ],
}


def _feed(url: str) -> Any:
    def read(value: Any) -> Any:
        if value is None or (not isinstance(value, bool | dict | FeedSettings)):
            raise ValueError("write true, false or {url: https://…}")
        return {"url": url} if value is True else (None if value is False else value)

    return Annotated[FeedSettings | None, BeforeValidator(read), WithJsonSchema(_FEED_SCHEMA)]


class FeedsSettings(_Section):
    """Each feed is true (published place), false, or {url: …}."""

    dotnet_releases: _feed(addresses.DOTNET_RELEASES) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.DOTNET_RELEASES), description="Releases of .NET, and the CVEs that each fixes."
    )
    msrc: _feed(addresses.MSRC) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.MSRC),
        description="Severity and affected platforms of CVEs, from Microsoft's security centre.",
    )
    dotnet_cve: _feed(addresses.DOTNET_TIMELINE) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.DOTNET_TIMELINE),
        description="Microsoft's structured disclosures of each month's .NET CVEs.",
    )
    image_info: _feed(addresses.IMAGE_INFO) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.IMAGE_INFO),
        description="Which tags Microsoft publishes now; only here does a withdrawn one show.",
    )
    github_advisories: _feed(addresses.GITHUB_ADVISORIES) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.GITHUB_ADVISORIES), description="Reviewed advisories of NuGet packages."
    )
    announcements: _feed(addresses.ANNOUNCEMENTS) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.ANNOUNCEMENTS), description="Security announcements of the .NET team."
    )
    image_announcements: _feed(addresses.IMAGE_ANNOUNCEMENTS) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.IMAGE_ANNOUNCEMENTS), description="Announcements of the .NET image team."
    )


class StoreSettings(_Section):
    """Where the bot remembers."""

    url: StoreAddress = Field(
        "sqlite:///data/freshness.db", description="sqlite:///PATH, or postgresql://USER@HOST/NAME for replicas."
    )
    password_file: Path | None = Field(None, description="File with the database password.")
    retention: Interval = Field(
        timedelta(days=400),
        description="Rebuilds that ended longer ago are forgotten; observations and changes stay.",
    )


class ScheduleSettings(_Section):
    """How often the bot looks."""

    poll: Interval = Field(timedelta(minutes=15), description="How often each base's digest is asked for.")
    poll_on_patch_tuesday: Interval = Field(
        timedelta(minutes=2), description="The same from the hour of release until the expected bases moved."
    )
    discover: Interval = Field(timedelta(hours=1), description="How often repositories are listed.")
    feeds: Interval = Field(timedelta(minutes=15), description="How often feeds are asked for news.")
    follow: Interval = Field(
        timedelta(minutes=5), description="How often open rebuilds are looked at; old pull requests hourly."
    )
    weekly_rebuild: str = Field("0 2 * * 1", description="Cron time of the weekly rebuild.")
    digest: str = Field("0 9 * * 1", description="Cron time of the weekly digest.")


class AlertSettings(_Section):
    """When maintainers are told of what no rebuild can mend."""

    waiting_for_base: Duration = Field(
        timedelta(hours=24), description="How long a published fix may miss in its base image."
    )
    end_of_life: Duration = Field(
        timedelta(days=90), description="How long before the end of support of a base it is told."
    )
    stale_inventory: Duration = Field(timedelta(days=1), description="How long feeds.image_info may stay behind.")


class MatchSettings(_Section):
    """What a rule is for. Every condition that is set must hold; {} matches everything."""

    repositories: list[Name] = Field([], description="Globs over owner/name.")
    bases: list[Name] = Field([], description="Globs over the full base name.")
    causes: list[Cause] = Field([], description="Causes of change.")
    min_severity: Severity | None = Field(None, description="Only changes that fix a CVE at least this severe.")


class RuleSettings(_Section):
    """What shall happen where `match` holds. A term that is left out comes from the next rule that matches."""

    match: MatchSettings = Field(MatchSettings(), description="Which changes and repositories the rule is for.")
    action: ActionPreference | None = Field(None, description="auto, pull_request, dispatch or notify.")
    workflow: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.ya?ml$", description="File name of the rebuild workflow."
    )
    settle: Duration | None = Field(None, description="How long a change waits for those that follow it.")
    windows: list[WindowText] | None = Field(None, description="When work may start.")
    max_age: Duration | None = Field(None, description="How stale an image may become.")
    wave: WaveName | None = Field(None, description="Wave that the repositories belong to.")

    def rule(self) -> Rule:
        match = self.match
        return Rule(
            Match(tuple(match.repositories), tuple(match.bases), tuple(match.causes), match.min_severity),
            self.action,
            self.workflow,
            self.settle,
            tuple(self.windows) if self.windows is not None else None,
            self.max_age,
            self.wave,
        )


class WaveSettings(_Section):
    """Repositories that are rebuilt together."""

    name: WaveName = Field(description="As in the rules' wave.")
    soak: Duration = Field(timedelta(0), description="How long the wave must have stood before the next begins.")
    batch: int | None = Field(None, ge=1, description="How many of its rebuilds may be under way at once.")


class RolloutSettings(_Section):
    """In what order a fleet is rebuilt, and when that stops."""

    waves: list[WaveSettings] = Field([WaveSettings(name="rest")], description="In the order in which they begin.")
    pause_when_failed: Percent = Field(0.2, description="Share of failed rebuilds that stops a rollout.")


class LimitSettings(_Section):
    """How much the bot may do to others."""

    open_pull_requests_per_repository: int = Field(2, ge=1, description="A further one waits until one is closed.")
    writes_per_minute: int = Field(20, ge=1, description="Changing requests to GitHub per minute.")
    writes_per_hour: int = Field(400, ge=1, description="Changing requests to GitHub per hour.")


class SlackSettings(_Section):
    """Either a webhook, or a bot token with a channel."""

    webhook_file: Path | None = Field(None, description="File with an incoming webhook's URL; it cannot edit.")
    bot_token_file: Path | None = Field(None, description="File with a bot token; it edits its messages.")
    channel: str | None = Field(None, description="Channel id; goes with bot_token_file.")
    api_url: GuardedAddress = Field("https://slack.com/api", description="Where Slack's Web API is.")


_NOT_YET = (
    ("schedule", "weekly_rebuild"),
    ("schedule", "digest"),
    ("rollout", "waves"),
    ("rollout", "pause_when_failed"),
    ("limits", "writes_per_minute"),
    ("limits", "writes_per_hour"),
)


class Settings(BaseSettings):
    """The settings of the freshness bot."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__"
    )

    github: GitHubSettings = GitHubSettings()
    registries: dict[str, RegistrySettings] = Field(
        {defaults.REGISTRY: RegistrySettings()}, description="The only registries that are ever contacted."
    )
    bases: list[Name] = Field(
        list(defaults.BASES),
        validate_default=True,
        description="Globs: which references are watched.",
    )
    feeds: FeedsSettings = FeedsSettings()
    store: StoreSettings = StoreSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    alerts: AlertSettings = AlertSettings()
    policy: list[RuleSettings] = Field([], description="The first matching rule wins; later ones fill its gaps.")
    rollout: RolloutSettings = RolloutSettings()
    limits: LimitSettings = LimitSettings()
    slack: SlackSettings | None = Field(None, description="Where maintainers read; without it nothing is sent.")
    log: Literal["json", "text"] = Field("json", description="Form of the service's log lines.")

    @field_validator("registries")
    @classmethod
    def _hosts(cls, registries: dict[str, RegistrySettings]) -> dict[str, RegistrySettings]:
        for host, registry in registries.items():
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

    def without_effect(self) -> list[str]:
        """What is set but has no effect in this version, a line each."""
        lines = [
            f"{section}.{name} is accepted, but has no effect in this version"
            for section, name in _NOT_YET
            if name in getattr(self, section).model_fields_set
        ]
        if any(rule.wave is not None for rule in self.policy):
            lines.append("policy: wave is recorded, but waves do not hold anything back in this version")
        return lines

    @property
    def rules(self) -> Policy:
        return Policy(tuple(rule.rule() for rule in self.policy))
