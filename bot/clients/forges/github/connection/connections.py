"""Whose credentials GitHub is asked with, and PyGithub's requester and connections, one for each thread."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from github import Auth, Github
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)
from jwt.exceptions import PyJWTError

from bot.clients.forges.github.connection.answers import LOCATION
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.tokens import is_of_app


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    """A token of a person, of a machine account or of an App's installation; it is never shown."""

    token: str

    @property
    def is_of_app(self) -> bool:
        """Whether an App's installation was given it, as `bot.domain.forge.tokens` says."""
        return is_of_app(self.token)

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


API_VERSION = "2022-11-28"
"""Sent with every request: without it, GitHub moves on. Enterprise Server up to 3.20 knows no later one."""
MEDIA_TYPE = "application/vnd.github+json"
"""Asked for with every request, as GitHub recommends."""


def requester_for(access: GitHubAccess) -> Requester:
    """PyGithub's requester that signs in as `access` says, and neither retries nor spaces by itself.

    Raises `Failure` where the App's key is none.
    """
    credentials = access.credentials
    auth = Auth.Token(credentials.token) if isinstance(credentials, TokenCredentials) else signed_in(credentials)
    return Github(
        auth=auth,
        base_url=access.api_url,
        timeout=access.timeout,
        retry=None,
        pool_size=access.threads,
        seconds_between_requests=None,
        seconds_between_writes=None,  # for PyGithub a GraphQL query is a write too
        api_version=API_VERSION,
        per_page=100,
        user_agent="freshness-bot",
    ).requester


class _Unfollowed:
    """An answer whose `location` PyGithub does not see: it would follow, but without the query."""

    def __init__(self, response: RequestsResponse) -> None:
        self.status = response.status
        self.read = response.read
        self._headers = response.getheaders()

    def getheaders(self) -> list[tuple[str, str]]:
        return [(LOCATION if key.lower() == "location" else key, value) for key, value in self._headers]


class _PlainConnection(HTTPRequestsConnectionClass):
    def getresponse(self) -> RequestsResponse:
        return cast(RequestsResponse, _Unfollowed(super().getresponse()))


class _SecureConnection(HTTPSRequestsConnectionClass):
    def getresponse(self) -> RequestsResponse:
        return cast(RequestsResponse, _Unfollowed(super().getresponse()))


class Connections:
    """One for each thread: PyGithub's own keeps the request on itself until the answer is read.

    So two threads that shared it could each get the other's answer.
    """

    def __init__(self, access: GitHubAccess) -> None:
        self._access = access
        self._mine = threading.local()
        self._all: list[HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass] = []

    def own(self) -> HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass:
        connection: HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass | None
        connection = getattr(self._mine, "connection", None)
        if connection is None:
            address = urlsplit(self._access.api_url)
            kind = _PlainConnection if address.scheme == "http" else _SecureConnection
            connection = kind(address.hostname or "", address.port, timeout=self._access.timeout, pool_size=1)
            self._mine.connection = connection
            self._all.append(connection)
        return connection

    def close(self) -> None:
        for connection in self._all:
            connection.close()
