"""What can be set, with defaults and descriptions; the JSON Schema comes from here."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.domain.advisory import Severity
from bot.domain.change import Cause
from bot.domain.policy import Match, Policy, Rule, Wish
from bot.domain.windows import Window

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
ENVIRONMENT_PREFIX = "FRESHNESS_BOT_"


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"\s*(\d+)\s*([smhd])\s*", str(value))
    if found is None or isinstance(value, bool):
        raise ValueError("write a number and a unit, for example 90s, 15m, 6h or 7d")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _written(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    unit = next((name for name in "dhm" if seconds and seconds % _UNITS[name] == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"


def _percent(value: Any) -> float:
    found = re.fullmatch(r"\s*(\d{1,3})\s*%\s*", str(value))
    if found is None or int(found[1]) > 100:
        raise ValueError("write a percentage, for example 20%")
    return int(found[1]) / 100


def _window(value: Any) -> Window:
    return value if isinstance(value, Window) else Window.parse(str(value))


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(_written),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d+\s*[smhd]\s*$", "examples": ["15m", "6h"]}),
]
Percent = Annotated[
    float,
    BeforeValidator(_percent),
    PlainSerializer(lambda value: f"{round(value * 100)}%"),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d{1,3}\s*%\s*$", "examples": ["20%"]}),
]
WindowText = Annotated[
    Window,
    BeforeValidator(_window),
    WithJsonSchema({"type": "string", "examples": ["always", "mon-fri 08:00-17:00 Europe/Berlin"]}),
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AppSettings(_Section):
    """A GitHub App: the recommended way, with least-privilege tokens."""

    id: int = Field(description="The App's id, from its settings page.")
    private_key_file: Path = Field(description="File with the App's private key (PEM).")
    installation: int | None = Field(None, description="Installation to use; not needed where there is one only.")


class RepositorySelection(_Section):
    include: list[str] = Field(["*"], description="Globs over owner/name.")
    exclude: list[str] = Field([], description="Globs over owner/name; they win over include.")
    topics: list[str] = Field([], description="Only repositories with one of these topics; empty means all.")


class GitHubSettings(_Section):
    api_url: str = Field("https://api.github.com", description="GitHub Enterprise: https://HOST/api/v3.")
    app: AppSettings | None = Field(None, description="Sign in as a GitHub App.")
    token_file: Path | None = Field(None, description="File with a token, where no App is used.")
    repositories: RepositorySelection = RepositorySelection()
    seconds_between_writes: float = Field(1.0, ge=0, description="GitHub asks for one second between writes.")


class RegistrySettings(_Section):
    username: str | None = Field(None, description="User name for Basic or token authentication.")
    password_file: Path | None = Field(None, description="File with the password.")
    ca_file: Path | None = Field(None, description="Certificate authority of a private registry (PEM).")
    insecure: bool = Field(False, description="Speak plain HTTP: for registries on loopback only.")


class FeedSettings(_Section):
    url: str = Field(description="Where the feed is published.")


def _feed(url: str) -> Any:
    def read(value: Any) -> Any:
        return {"url": url} if value is True else (None if value is False else value)

    return Annotated[FeedSettings | None, BeforeValidator(read)]


_DOTNET = "https://builds.dotnet.microsoft.com/dotnet/release-metadata/releases-index.json"
_MSRC = "https://api.msrc.microsoft.com/cvrf/v3.0/updates"
_IMAGE_INFO = (
    "https://raw.githubusercontent.com/dotnet/versions/main/build-info/docker/"
    "image-info.dotnet-dotnet-docker-main.json"
)
_ADVISORIES = "https://api.github.com/advisories?ecosystem=nuget&type=reviewed&per_page=100"
_ANNOUNCEMENTS = "https://api.github.com/repos/dotnet/announcements/issues?labels=Security&state=all&per_page=100"


class FeedsSettings(_Section):
    """Each feed is true (published place), false, or {url: …}."""

    dotnet_releases: _feed(_DOTNET) = FeedSettings(url=_DOTNET)  # type: ignore[valid-type]
    msrc: _feed(_MSRC) = FeedSettings(url=_MSRC)  # type: ignore[valid-type]
    image_info: _feed(_IMAGE_INFO) = FeedSettings(url=_IMAGE_INFO)  # type: ignore[valid-type]
    github_advisories: _feed(_ADVISORIES) = FeedSettings(url=_ADVISORIES)  # type: ignore[valid-type]
    announcements: _feed(_ANNOUNCEMENTS) = FeedSettings(url=_ANNOUNCEMENTS)  # type: ignore[valid-type]


class StoreSettings(_Section):
    url: str = Field(
        "sqlite:///data/freshness.db", description="sqlite:///PATH, or postgresql://USER@HOST/NAME for replicas."
    )
    password_file: Path | None = Field(None, description="File with the database password.")


class ScheduleSettings(_Section):
    poll: Duration = Field(timedelta(minutes=15), description="How often each base's digest is asked for.")
    poll_on_patch_tuesday: Duration = Field(
        timedelta(minutes=2), description="The same from the hour of release until the expected bases moved."
    )
    discover: Duration = Field(timedelta(hours=1), description="How often repositories are listed.")
    feeds: Duration = Field(timedelta(minutes=15), description="How often feeds are asked for news.")
    follow: Duration = Field(timedelta(minutes=5), description="How often open rebuilds are looked at.")
    weekly_rebuild: str = Field("0 2 * * 1", description="Cron time of the weekly rebuild.")
    digest: str = Field("0 9 * * 1", description="Cron time of the weekly digest.")


class MatchSettings(_Section):
    repositories: list[str] = Field([], description="Globs over owner/name.")
    bases: list[str] = Field([], description="Globs over the full base name.")
    causes: list[Cause] = Field([], description="Causes of change.")
    min_severity: Severity | None = Field(None, description="Only changes that fix a CVE at least this severe.")


class RuleSettings(_Section):
    match: MatchSettings = MatchSettings()
    action: Wish | None = Field(None, description="auto, pull_request, dispatch or notify.")
    workflow: str | None = Field(None, description="File name of the rebuild workflow.")
    settle: Duration | None = Field(None, description="How long a change waits for those that follow it.")
    windows: list[WindowText] | None = Field(None, description="When work may start.")
    max_age: Duration | None = Field(None, description="How stale an image may become.")
    wave: str | None = Field(None, description="Name of the wave that the repositories belong to.")

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
    name: str
    soak: Duration = Field(timedelta(0), description="How long the wave must have stood before the next begins.")
    batch: int | None = Field(None, ge=1, description="How many of its rebuilds may be under way at once.")


class RolloutSettings(_Section):
    waves: list[WaveSettings] = Field([WaveSettings(name="rest")], description="In the order in which they begin.")
    pause_when_failed: Percent = Field(0.2, description="Share of failed rebuilds that stops a rollout.")


class LimitSettings(_Section):
    open_pull_requests_per_repository: int = Field(2, ge=1)
    writes_per_minute: int = Field(20, ge=1)
    writes_per_hour: int = Field(400, ge=1)


class SlackSettings(_Section):
    webhook_file: Path | None = Field(None, description="File with an incoming webhook's URL; it cannot edit.")
    bot_token_file: Path | None = Field(None, description="File with a bot token; it edits and adds threads.")
    channel: str | None = Field(None, description="Channel id; goes with bot_token_file.")
    api_url: str = Field("https://slack.com/api", description="Where Slack's Web API is.")


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
        {"mcr.microsoft.com": RegistrySettings()}, description="The only registries that are ever contacted."
    )
    bases: list[str] = Field(["mcr.microsoft.com/dotnet/*"], description="Globs: which references are watched.")
    feeds: FeedsSettings = FeedsSettings()
    store: StoreSettings = StoreSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    policy: list[RuleSettings] = Field([], description="The first matching rule wins; later ones fill its gaps.")
    rollout: RolloutSettings = RolloutSettings()
    limits: LimitSettings = LimitSettings()
    slack: SlackSettings | None = Field(None, description="Where maintainers read; without it nothing is sent.")
    log: Literal["json", "text"] = Field("json", description="Form of the service's log lines.")

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
