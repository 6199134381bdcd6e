"""Questions to one organisation of Azure DevOps, one at a time and at its pace, and their answers as JSON."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from bot.clients.forges.azure_devops.answers import SUPPRESSED, content_of, decoded
from bot.clients.forges.azure_devops.pace import OrganizationPace
from bot.clients.http.answers import Answer
from bot.clients.http.client import Http
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import SightLost

SERVICE = "https://dev.azure.com"
_IDENTITIES = "https://vssps.dev.azure.com"
VERSION, PREVIEW = "7.1", "7.1-preview.1"
MOST_PAGES = 50
LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes: the list of a large organisation is one answer, and so are fifty files."""
_NEXT = "x-ms-continuationtoken"
Query = Mapping[str, str | int]


@dataclass(slots=True)
class OrganizationTransport:
    """Asks on behalf of one `organization`; `authorization` gives the header, which may be made anew each time.

    What is granted counts by organisation and is told with answers that are right, so each waits for the pace that
    the one before has set.
    """

    http: Http
    clock: Clock
    organization: str
    authorization: Callable[[], Awaitable[str]]
    service: str = SERVICE
    pace: OrganizationPace = field(default_factory=OrganizationPace)
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    async def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON at a path below the organisation. Raises `Failure`."""
        return decoded(await self._ask("GET", path, query or {}), self.clock.now())

    async def page(self, path: str, query: Query) -> list[Mapping[str, Any]]:
        """The beginning of a list, as much of it as the query asks for. Raises `Failure`."""
        answer = await self._ask("GET", path, query)
        return _rows_of(decoded(answer, self.clock.now()), answer.where)

    async def pages(self, path: str, query: Query | None = None) -> list[Mapping[str, Any]]:
        """All of a list, page after page. Raises `Failure`, also where it has no end."""
        rows: list[Mapping[str, Any]] = []
        wanted = dict(query or {})
        for _ in range(MOST_PAGES):
            answer = await self._ask("GET", path, wanted)
            rows += _rows_of(decoded(answer, self.clock.now()), answer.where)
            token = answer.headers.get(_NEXT)
            if not token:
                return rows
            wanted["continuationToken"] = token
        raise Failure(Trouble.MALFORMED, f"the list has more than {MOST_PAGES} pages", where=answer.where)

    async def post(self, path: str, body: Any, *, max_bytes: int = LARGEST_ANSWER) -> Any:
        """What is answered to a body, which is sent once. Raises `Failure`, also where the answer is larger."""
        return decoded(await self._ask("POST", path, {}, body, max_bytes=max_bytes), self.clock.now())

    async def patch(self, path: str, body: Any) -> Any:
        """What is answered to a change, which is sent once. Raises `Failure`."""
        return decoded(await self._ask("PATCH", path, {}, body), self.clock.now())

    async def identities(self, name: str) -> list[Mapping[str, Any]]:
        """Who may be meant by a name. Raises `Failure`."""
        query = {"searchFilter": "General", "filterValue": name, "queryMembership": "None"}
        answer = await self._ask("GET", "_apis/identities", query, place=identities_at(self.service))
        return _rows_of(decoded(answer, self.clock.now()), answer.where)

    async def put_property(self, path: str, name: str, value: str) -> None:
        """One of what stands beside a pull request, under a path that ends with `properties`. Raises `Failure`."""
        body = [{"op": "add", "path": f"/{name}", "value": value}]
        answer = await self._ask(
            "PATCH", path, {"api-version": PREVIEW}, body, sent_as="application/json-patch+json"
        )
        decoded(answer, self.clock.now())

    async def delete(self, path: str) -> None:
        """Raises `Failure`."""
        decoded(await self._ask("DELETE", path, {}), self.clock.now())

    async def archive(self, path: str, body: Any) -> bytes:
        """The files that are asked for by a body, zipped. Raises `Failure`."""
        answer = await self._ask("POST", path, {}, body, kind="application/zip")
        return content_of(answer, self.clock.now(), "zip")

    async def content(self, path: str, query: Query | None = None) -> bytes:
        """A file as it is. Raises `Failure`."""
        answer = await self._ask("GET", path, query or {}, kind="application/octet-stream")
        return content_of(answer, self.clock.now())

    async def _ask(
        self,
        method: str,
        path: str,
        query: Query,
        body: Any = None,
        *,
        kind: str = "application/json",
        sent_as: str = "application/json",
        place: str = "",
        max_bytes: int = LARGEST_ANSWER,
    ) -> Answer:
        address = f"{place or self.service}/{quote(self.organization, safe='')}/{path}"
        headers = {**SUPPRESSED, "Authorization": await self.authorization(), "Accept": kind}
        if body is not None:
            headers["Content-Type"] = sent_as
        async with self._turn:
            if wait := self.pace.wait(self.clock.now()).total_seconds():
                await self.sleep(wait)
            try:
                answer = await self.http.request(
                    *(method, f"{address}?{urlencode({'api-version': VERSION, **query})}"),
                    headers=headers,
                    content=None if body is None else json.dumps(body).encode(),
                    max_bytes=max_bytes,
                )
            except Failure as failure:
                now = self.clock.now()
                self.pace = replace(self.pace, next_at=now + (failure.retry_after or self.pace.apart))
                raise
            self.pace = self.pace.after(answer.headers, self.clock.now())
        return answer


def identities_at(service: str) -> str:
    """Where a service says who is who; a server of one's own does at its own address."""
    return _IDENTITIES if service.rstrip("/") == SERVICE else service


def transport_at(transports: Mapping[str, OrganizationTransport], organization: str) -> OrganizationTransport:
    """Of several by their organisations, in lower case, the one. Raises `SightLost` where it is not set up."""
    transport = transports.get(organization.lower())
    if transport is None:
        reason = f"the organisation {organization} is not set up any more"
        raise SightLost(reason, organization, "name it under azure_devops.organizations again")
    return transport


def _rows_of(shown: Any, where: str) -> list[Mapping[str, Any]]:
    rows = shown.get("value") if isinstance(shown, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Failure(Trouble.MALFORMED, "the list has another shape", where=where)
    return rows
