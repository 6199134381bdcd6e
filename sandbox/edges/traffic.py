"""What was asked of the sandbox, and what is to go wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

READING = frozenset({"GET", "HEAD", "OPTIONS"})


_ASKING = {
    "github": ("/access_tokens",),
    "slack": ("/conversations.history", "/conversations.replies"),
    "azure": ("/blobs", "/permissionevaluationbatch"),
}
"""By service the ends of paths where what is posted changes nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived, and the status it got; None where the connection was cut."""

    service: str
    method: str
    path: str
    query: str
    at: datetime
    status: int | None
    conditional: bool
    """It carried If-None-Match or If-Modified-Since."""
    graphql: str = ""
    """The document with its variables, where it is a GraphQL request."""
    accept: str = ""
    """Which media types were asked for."""

    @property
    def is_write(self) -> bool:
        return self.method not in READING and not self.graphql.startswith("query")


class Traffic:
    """Every request of everybody but the operator (who sets the world up), in the order of the answers."""

    def __init__(self) -> None:
        self._entries: list[Asked] = []
        self.violations: list[str] = []
        """What was asked, or answered by an edge itself, against the published description of the service."""

    def record(self, entry: Asked) -> None:
        self._entries.append(entry)

    def requests(
        self,
        service: str | None = None,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
    ) -> list[Asked]:
        """Those that fit; `path` is a regular expression searched for in the path."""
        pattern = re.compile(path or "")
        return [
            entry
            for entry in list(self._entries)
            if service in (None, entry.service)
            and method in (None, entry.method)
            and status in (None, entry.status)
            and pattern.search(entry.path)
        ]

    def writes(self) -> list[Asked]:
        """What changed a forge, a builder or Slack, or tried to; taking an installation token is no change."""
        return [
            entry
            for entry in list(self._entries)
            if entry.is_write and entry.service in _ASKING and not entry.path.endswith(_ASKING[entry.service])
        ]

    def forget(self) -> None:
        self._entries.clear()


@dataclass(slots=True)
class Fault:
    """Something that goes wrong `times` times, for requests that match."""

    method: str | None
    path: re.Pattern[str]
    service: str | None = None
    status: int | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False
    applied: bool = False
    times: int = 1

    def fits(self, service: str, method: str, path: str, graphql: str) -> bool:
        return (
            self.times > 0
            and self.service in (None, service)
            and self.method in (None, method)
            and self.path.search(f"{path} {graphql}".rstrip()) is not None
        )


SECONDARY_LIMIT = (
    b'{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",'
    b'"documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}'
)


class Faults:
    """The faults to come; the first that fits a request is used up by it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(
        self,
        method: str | None,
        path: str,
        *,
        service: str | None = None,
        status: int | None = None,
        body: bytes | str = b"",
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
        drop: bool = False,
        applied: bool = False,
        times: int = 1,
    ) -> Fault:
        """`path` is a regular expression, for GraphQL over the path, the document and its variables.

        With `status` that is the answer; with `drop` there is none.

        Nothing has happened behind the edge then, unless `applied` is set: the request is carried out first and
        only its answer is replaced or lost. `delay` in seconds comes before the answer.
        """
        payload = body.encode() if isinstance(body, str) else body
        fault = Fault(
            method, re.compile(path), service, status, payload, headers or {}, delay, drop, applied, times
        )
        self._faults.append(fault)
        return fault

    def add_secondary_limit(self, method: str | None, path: str, *, retry_after: int = 60, times: int = 1) -> Fault:
        """GitHub's 403 for writing too fast."""
        return self.add(
            method,
            path,
            service="github",
            status=403,
            body=SECONDARY_LIMIT,
            headers={"retry-after": str(retry_after), "content-type": "application/json; charset=utf-8"},
            times=times,
        )

    def take(self, service: str, method: str, path: str, graphql: str = "") -> Fault | None:
        for fault in self._faults:
            if fault.fits(service, method, path, graphql):
                fault.times -= 1
                return fault
        return None

    def clear(self) -> None:
        self._faults.clear()
