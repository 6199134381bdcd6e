"""PyGithub's requester, and its connections: one for each thread, that follow no redirect by themselves."""

import threading
from typing import cast
from urllib.parse import urlsplit

from github import Auth, Github
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)

from bot.clients.forges.github.connection.access import GitHubAccess, TokenCredentials, signed_in
from bot.clients.forges.github.connection.answers import LOCATION

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
