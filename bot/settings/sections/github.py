"""Where the repositories are, and how the bot signs in."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from bot.settings.section import Section
from bot.settings.values.addresses import GuardedAddress
from bot.settings.values.numbers import Number, WholeNumber
from bot.settings.values.texts import Name


def _installations(value: Any) -> Any:
    names = value if isinstance(value, list) else []
    if value != "all" and not (
        names and all(isinstance(name, str) and 0 < len(name.strip()) <= 1000 for name in names)
    ):
        raise ValueError("write all, or a list with names of organisations and users")
    return value


Installations = Annotated[Literal["all"] | list[Name], BeforeValidator(_installations)]


class AppSettings(Section):
    """A GitHub App: the recommended way, with least-privilege tokens."""

    id: WholeNumber = Field(ge=1, le=10**12, description="The App's id, from its settings page.")
    private_key_file: Path = Field(description="File with the App's private key (PEM).")
    installations: Installations = Field(
        "all", description="Where it is used: all, or the names of organisations and users."
    )
    _only: int | None = PrivateAttr(None)

    @model_validator(mode="wrap")
    @classmethod
    def _renamed(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """The id of one installation, as earlier versions had it, still chooses that one."""
        if not isinstance(values, dict) or "installation" not in values:
            return handler(values)
        if "installations" in values:
            raise ValueError("installation is the old name of installations; keep the new one alone")
        only = values["installation"]
        if only is not None and (isinstance(only, bool) or not str(only).isdecimal()):
            raise ValueError("installation: expected a whole number; it is now called installations")
        app = handler({name: value for name, value in values.items() if name != "installation"})
        app._only = None if only is None else int(only)
        return app

    @property
    def only(self) -> int | None:
        """The id of the one installation to use, where it was set under the old name."""
        return self._only


class RepositorySelection(Section):
    """Which of the repositories that the App or token may see are read."""

    include: list[Name] = Field(["*"], description="Globs over owner/name; with a token each must name its owner.")
    exclude: list[Name] = Field([], description="They win over include.")
    topics: list[Name] = Field([], description="Only repositories with one of these topics; empty means all.")


API = "https://api.github.com"


class GitHubSettings(Section):
    """Where the repositories are, and how the bot signs in."""

    api_url: GuardedAddress = Field(API, description="GitHub Enterprise: https://HOST/api/v3.")
    app: AppSettings | None = Field(None, description="Sign in as a GitHub App.")
    token_file: Path | None = Field(None, description="File with a token, where no App is used.")
    repositories: RepositorySelection = Field(
        RepositorySelection(), description="Which repositories are read; the App or token bounds them too."
    )
    seconds_between_writes: Number = Field(
        1.0, ge=0, le=3600, allow_inf_nan=False, description="GitHub asks for one second between writes."
    )
