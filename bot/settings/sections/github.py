"""Where the repositories are, and how the bot signs in."""

from pathlib import Path

from pydantic import Field

from bot.settings.sections.section import Section
from bot.settings.sections.values import GuardedAddress, Name


class AppSettings(Section):
    """A GitHub App: the recommended way, with least-privilege tokens."""

    id: int = Field(description="The App's id, from its settings page.")
    private_key_file: Path = Field(description="File with the App's private key (PEM).")
    installation: int | None = Field(None, description="Installation to use; not needed where there is one only.")


class RepositorySelection(Section):
    """Which of the repositories that the App or token may see are read."""

    include: list[Name] = Field(["*"], description="Globs over owner/name; with a token each must name its owner.")
    exclude: list[Name] = Field([], description="Globs over owner/name; they win over include.")
    topics: list[Name] = Field([], description="Only repositories with one of these topics; empty means all.")


class GitHubSettings(Section):
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
