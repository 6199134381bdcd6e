"""A reverse proxy on loopback that logs, adds what the part behind it lacks, and fails on request."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.domain.clock import Clock, SystemClock
from sandbox.edges.serving import Routes, cut
from sandbox.edges.traffic import Asked, Faults, Traffic

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "date"})
REPLACED = HOP_BY_HOP | {"accept-encoding", "content-length"}
PATIENCE = 300.0
"""Seconds for a part behind an edge: on a busy machine what waits for minutes is not broken."""
AT_ONCE = 32
"""Requests to upstream at once. The others wait here and not in the client's pool, which looks at every one that
waits whenever one begins or ends: a thousand that wait make a million looks."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all edges of one world share."""

    traffic: Traffic = field(default_factory=Traffic)
    faults: Faults = field(default_factory=Faults)
    clock: Clock = field(default_factory=SystemClock)


class Edge:
    """Subclasses add handlers to `routes`; everything else goes to `upstream`.

    The operator (the world setting itself up) is known by a token; its requests are not logged and meet no
    faults.
    """

    service = "edge"

    def __init__(self, upstream: str, surroundings: Surroundings, operator_token: str = "") -> None:
        self.upstream = upstream
        self.surroundings = surroundings
        self.routes = Routes()
        self._operator = operator_token
        self._client: httpx.AsyncClient | None = None
        self._turns = asyncio.Semaphore(AT_ONCE)

    def __getstate__(self) -> dict[str, object]:
        """A copy asks upstream through connections of its own."""
        return {**self.__dict__, "_client": None, "_turns": asyncio.Semaphore(AT_ONCE)}

    def app(self) -> Starlette:
        return Starlette(
            routes=[Route("/{path:path}", self._exchange, methods=METHODS)], lifespan=self._with_client
        )

    @asynccontextmanager
    async def _with_client(self, _: Starlette) -> AsyncIterator[None]:
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE, keepalive_expiry=2)
        async with httpx.AsyncClient(
            base_url=self.upstream, timeout=PATIENCE, limits=limits, trust_env=False, verify=False
        ) as client:
            self._client = client
            yield

    async def _exchange(self, request: Request) -> Response:
        graphql = graphql_in(request.url.path, await request.body())
        if self._operator and self._operator in request.headers.get("authorization", ""):
            return await self.answer(request)
        path = request.url.path
        fault = self.surroundings.faults.take(self.service, request.method, path, graphql)
        response: Response | None = None
        if fault is None or fault.applied or (fault.status is None and not fault.drop):
            response = await self.answer(request)
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.status is not None:
                response = Response(fault.body, fault.status, dict(fault.headers))
        dropped = fault is not None and fault.drop
        self._record(request, None if dropped or response is None else response.status_code, graphql)
        if dropped or response is None:
            await cut(request)
            return Response(status_code=502)
        return response

    def _record(self, request: Request, status: int | None, graphql: str) -> None:
        conditional = "if-none-match" in request.headers or "if-modified-since" in request.headers
        at = self.surroundings.clock.now()
        path, query = request.url.path, request.url.query
        accept = request.headers.get("accept", "")
        asked = Asked(self.service, request.method, path, query, at, status, conditional, graphql, accept)
        self.surroundings.traffic.record(asked)

    async def answer(self, request: Request) -> Response:
        """The undisturbed answer: our own handler's, or upstream's."""
        found = self.routes.find(request.method, request.url.path)
        if found is None:
            return await self.forward(request)
        handler, parameters = found
        return await handler(request, **parameters)

    async def forward(self, request: Request) -> Response:
        """Upstream's answer to the same request, byte for byte."""
        headers = [(name, value) for name, value in request.headers.items() if name not in REPLACED]
        answer = await self.ask(request.method, target(request), content=await request.body(), headers=headers)
        return _response(answer, request.method)

    async def ask(
        self, method: str, path: str, *, content: bytes = b"", headers: Sequence[tuple[str, str]] = ()
    ) -> httpx.Response:
        """A request of our own to upstream."""
        assert self._client is not None, "the edge is not being served"
        sent = [*headers, ("accept-encoding", "identity")]
        async with self._turns:
            return await self._client.request(method, path, content=content, headers=sent)


def graphql_in(path: str, body: bytes) -> str:
    """The document of a GraphQL request in one line, with its variables; empty for any other request."""
    if not path.endswith("/graphql"):
        return ""
    try:
        asked = json.loads(body)
        return f"{' '.join(str(asked['query']).split())} {json.dumps(asked.get('variables'))}"
    except (ValueError, TypeError, KeyError):
        return ""


def target(request: Request) -> str:
    """Path and query exactly as they arrived, escapes included."""
    path: bytes = request.scope["raw_path"]
    return path.decode() + (f"?{request.url.query}" if request.url.query else "")


def _response(answer: httpx.Response, method: str) -> Response:
    response = Response(answer.content, answer.status_code)
    kept = [pair for pair in answer.headers.raw if pair[0].decode().lower() not in REPLACED]
    length = answer.headers.get("content-length") if method == "HEAD" else str(len(answer.content))
    if length is not None and answer.status_code not in (204, 304):
        kept.append((b"content-length", length.encode()))
    response.raw_headers = [(name.lower(), value) for name, value in kept]
    return response
