"""PyGithub's connections, one for each thread, that follow no redirect by themselves."""

import threading
from typing import cast
from urllib.parse import urlsplit

from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, RequestsResponse

from bot.clients.forges.github.connection.access import GitHubAccess
from bot.clients.forges.github.connection.answers import LOCATION


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
        found: HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass | None
        found = getattr(self._mine, "connection", None)
        if found is None:
            address = urlsplit(self._access.api_url)
            kind = _PlainConnection if address.scheme == "http" else _SecureConnection
            found = kind(address.hostname or "", address.port, timeout=self._access.timeout, pool_size=1)
            self._mine.connection = found
            self._all.append(found)
        return found

    def close(self) -> None:
        for connection in self._all:
            connection.close()
