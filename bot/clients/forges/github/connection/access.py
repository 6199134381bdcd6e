"""Whose credentials GitHub is asked with, and how much it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass

from github import Auth
from jwt.exceptions import PyJWTError

from bot.domain.failure import Failure, Trouble


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    """A token of a person, of a machine account or of an App's installation; it is never shown."""

    token: str

    @property
    def is_of_app(self) -> bool:
        """Whether an App's installation was given it, as a workflow is given its token: it sees the repositories of
        that installation and no others, and GitHub signs what is committed with it."""
        return self.token.startswith("ghs_")

    def __repr__(self) -> str:
        return "TokenCredentials(token=***)"


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """A GitHub App: one of its installations, with a token that has only these `permissions`; without
    `installation` the App itself, which may ask for its installations and nothing else."""

    id: int
    private_key: str
    installation: int | None = None
    permissions: Mapping[str, str] | None = None

    @property
    def is_of_app(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"AppCredentials(id={self.id}, private_key=***)"


@dataclass(frozen=True, slots=True)
class GitHubAccess:
    """Where GitHub is, how to sign in, and how fast to ask; `timeout` is in seconds, `threads` are PyGithub's."""

    api_url: str
    credentials: TokenCredentials | AppCredentials
    seconds_between_writes: float = 1.0
    threads: int = 4
    timeout: int = 20
    attempts: int = 3
    read_reserve: float = 0.0
    """Share of each hourly limit that is left to others."""


def _app(credentials: AppCredentials) -> Auth.AppAuth:
    """Raises `Failure` where the key is none: better at the login than as a riddle at the first request."""
    try:
        app = Auth.AppAuth(credentials.id, credentials.private_key)
        app.create_jwt()
    except (ValueError, TypeError, AssertionError, PyJWTError) as error:
        raise Failure(
            Trouble.DENIED,
            "the GitHub App's private key cannot be read",
            advice="github.app.private_key_file must hold the PEM file that GitHub gave for the App",
        ) from error
    return app


def signed_in(credentials: AppCredentials) -> Auth.Auth:
    app = _app(credentials)
    if credentials.installation is None:
        return app
    permissions = dict(credentials.permissions) if credentials.permissions is not None else None
    return app.get_installation_auth(credentials.installation, permissions)
