"""One request to GitHub: PyGithub's requester in a thread, its answers turned into values or a `Failure`."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import stamina
from github import GithubException
from github.Requester import Requester
from requests.exceptions import RequestException

from bot.clients.forges.github.connection.answers import (
    FOUND,
    LOCATION,
    REDIRECTS,
    decoded,
    details,
    error_body,
    meaning,
    next_page,
    refused,
    refused_redirect,
    throttled,
)
from bot.clients.forges.github.connection.connections import (
    MEDIA_TYPE,
    AppCredentials,
    Connections,
    GitHubAccess,
    TokenCredentials,
    requester_for,
)
from bot.clients.forges.github.connection.graphql import GraphAnswer, graphql_answer
from bot.clients.forges.github.connection.quiet import (
    GRAPHQL,
    REST,
    SECONDARY_LIMIT_PAUSE,
    Quiet,
    kept_by,
    named_pause,
    refused_pause,
)
from bot.clients.http.client import Nobody, Observer
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble

T = TypeVar("T")

_LIMITS = frozenset({"core", "graphql", "search", "code_search", "integration_manifest", "dependency_snapshots"})
"""The limits of which GitHub tells, as its documentation names them; others are not kept apart."""


class Transport:
    """Reads are tried again on a 5xx or a lost connection; writes never are (a lost answer may have worked).

    Once GitHub has said that a rate limit is reached, nothing is asked before the time it named: going on may get
    an integration banned. A write that it refused for their number is told by a `Failure` alone; reads go on.
    """

    def __init__(self, access: GitHubAccess, clock: Clock, observer: Observer | None = None) -> None:
        self._access = access
        self._observer = observer or Nobody()
        self._clock = clock
        self._host = urlsplit(access.api_url).netloc
        self._pool = ThreadPoolExecutor(access.threads, thread_name_prefix="github")
        self._connections = Connections(access)
        self._requester: Requester | None = None
        self._connecting = asyncio.Lock()
        self._renewing = threading.Lock()
        self._quiet = Quiet(access.read_reserve)
        self._writing = asyncio.Lock()
        self._next_write = 0.0

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
        self._connections.close()
        if self._requester is not None:
            await asyncio.to_thread(self._requester.close)

    def sign_in_as(self, credentials: TokenCredentials | AppCredentials) -> None:
        """Uses other credentials from the next request on."""
        if credentials != self._access.credentials:
            self._access = replace(self._access, credentials=credentials)
            self._requester = None

    async def read(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        _, body = await self._get(path, parameters)
        return body

    async def pages(
        self, path: str, parameters: Mapping[str, Any] | None = None, *, most: int = 1000
    ) -> AsyncIterator[Any]:
        """The bodies of a listing, page by page, following the Link header."""
        async for _, body in self.dated_pages(path, parameters, most=most):
            yield body

    async def dated_pages(
        self, path: str, parameters: Mapping[str, Any] | None = None, *, most: int = 1000
    ) -> AsyncIterator[tuple[datetime | None, Any]]:
        """Pages as `pages` gives them, each with when the server made it, by its own clock."""
        headers, body = await self._get(path, {"per_page": 100, **(parameters or {})})
        yield _date_of(headers), body
        for _ in range(most - 1):
            target = next_page(headers.get("link", ""))
            if target is None:
                return
            headers, body = await self._get(target, None)
            yield _date_of(headers), body

    async def server_time(self, path: str) -> datetime | None:
        """Asks what time it is by the server's own clock; None where it does not tell."""
        headers, _ = await self._get(path, None)
        return _date_of(headers)

    async def address(self, path: str) -> str:
        """Where GitHub sends whoever asks for a file that it keeps elsewhere."""
        headers, _ = await self._get(path, None, sent_on=True)
        return str(headers[LOCATION])

    async def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        async with self._space_writes():
            _, answer = await self._send(method, path, None, body, writes=True)
        return answer

    async def query(self, document: str, variables: Mapping[str, Any]) -> GraphAnswer:
        """A GraphQL query's data with its errors: what could not be answered is null, and has one.

        Tried again only where the connection was lost: a query that GitHub gave up on costs more the next time.
        """
        async for attempt in stamina.retry_context(
            on=_was_lost, attempts=self._access.attempts, wait_initial=0.2, wait_max=5.0, timeout=30.0
        ):
            with attempt:
                return await self._ask(document, variables)
        raise AssertionError("stamina either returns or raises")

    async def mutate(self, document: str, variables: Mapping[str, Any]) -> GraphAnswer:
        """GraphQL mutations, one after another; a failed one has an error, and the next are run all the same."""
        async with self._space_writes():
            return await self._ask(document, variables, writes=True)

    async def _ask(self, document: str, variables: Mapping[str, Any], *, writes: bool = False) -> GraphAnswer:
        requester = await self._connect()
        place = f"POST {urlsplit(requester.graphql_url).netloc}/graphql"
        payload = {"query": document, "variables": dict(variables)}
        headers, body = await self._send("POST", requester.graphql_url, None, payload, kind=GRAPHQL, writes=writes)
        graph = graphql_answer(body, place)
        if any(error.is_a_limit for error in graph.errors):
            # told with 200, and of that for new content in words that name no limit
            pause = named_pause(headers, self._clock.now()) or SECONDARY_LIMIT_PAUSE
            raise self._throttled(pause, place, kept_by(GRAPHQL, headers, writes))
        return graph

    @asynccontextmanager
    async def _space_writes(self) -> AsyncIterator[None]:
        """One write after another, as far apart as the operator has set."""
        async with self._writing:
            clock = asyncio.get_running_loop().time
            await asyncio.sleep(max(self._next_write - clock(), 0))
            try:
                yield
            finally:
                self._next_write = clock() + self._access.seconds_between_writes

    async def _get(
        self, path: str, parameters: Mapping[str, Any] | None, *, sent_on: bool = False
    ) -> tuple[dict[str, Any], Any]:
        async for attempt in stamina.retry_context(
            on=_worth_another_try, attempts=self._access.attempts, wait_initial=0.2, wait_max=5.0, timeout=30.0
        ):
            with attempt:
                return await self._send("GET", path, parameters, None, sent_on=sent_on)
        raise AssertionError("stamina either returns or raises")

    async def _send(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
        *,
        kind: str = REST,
        writes: bool = False,
        sent_on: bool = False,
    ) -> tuple[dict[str, Any], Any]:
        """`sent_on` where the answer is to be a redirect to another place, which is not followed here."""
        place = f"{method} {self._host}{urlsplit(path).path}"
        if (pause := self._quiet.pause_left(kind, self._clock.now())) > timedelta(0):
            raise throttled(pause, place)
        requester = await self._connect()

        def send() -> tuple[int, dict[str, Any], str]:
            with self._renewing:  # an installation token that ran out is renewed by one thread
                _ = requester.auth.token if requester.auth is not None else None
            return requester.requestJson(
                method,
                path,
                dict(parameters) if parameters else None,
                {"Accept": MEDIA_TYPE},
                dict(body) if body else None,
                self._connections.own(),
            )

        try:
            status, headers, text = await self._in_thread(send, place)
        except Failure as failure:
            self._observer.answered(self._host, method, failure.status)
            raise
        self._observer.answered(self._host, method, status)
        self._tell_limit(headers)
        self._quiet.note(kind, headers, self._clock.now())
        if status == 401:
            self._log_in_again(requester)
        if sent_on and status == FOUND and headers.get(LOCATION):
            return headers, None
        if sent_on and status < 300:
            raise Failure(Trouble.MALFORMED, f"HTTP {status} is no redirect to a file", where=place)
        if status in REDIRECTS:
            raise refused_redirect(status, path, headers, self._host, place)
        if status >= 300:
            raise self._failure(status, headers, error_body(text), place, kept_by(kind, headers, writes))
        return headers, decoded(text, place)

    def _tell_limit(self, headers: Mapping[str, Any]) -> None:
        """GitHub says with each answer how much is left of which limit."""
        resource = str(headers.get("x-ratelimit-resource", ""))
        counts = [str(headers.get(f"x-ratelimit-{name}", "")) for name in ("remaining", "limit")]
        if resource in _LIMITS and all(each.isdecimal() and len(each) < 10 for each in counts):
            self._observer.left(resource, int(counts[0]), int(counts[1]))

    def _log_in_again(self, refused: Requester) -> None:
        """The next request takes a new installation token: the old one may have been revoked."""
        if self._requester is refused:
            self._requester = None

    async def _in_thread(self, call: Callable[[], T], place: str) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except GithubException as error:
            raise self._failure(error.status, error.headers or {}, error.data, place) from error
        except (RequestException, OSError) as error:
            raise Failure(
                Trouble.UNREACHABLE,
                f"no answer ({type(error).__name__})",
                where=place,
                advice="the next pass tries again",
            ) from error

    async def _connect(self) -> Requester:
        async with self._connecting:
            access = self._access
            if self._requester is None:
                self._requester = await self._in_thread(lambda: requester_for(access), f"log in at {self._host}")
            return self._requester

    def _failure(
        self, status: int, headers: Mapping[str, Any], data: Any, place: str, kinds: Sequence[str | None] = (None,)
    ) -> Failure:
        message = str(data.get("message", "")) if isinstance(data, dict) else ""
        if (pause := refused_pause(status, headers, message, self._clock.now())) is not None:
            return self._throttled(pause, place, kinds, status)
        trouble, advice = meaning(status)
        return refused(trouble, details(data), place, advice, status, headers)

    def _throttled(
        self, pause: timedelta, place: str, kinds: Sequence[str | None], status: int | None = None
    ) -> Failure:
        for kind in kinds:
            self._quiet.keep(kind, pause, self._clock.now())
        return throttled(pause, place, status)


def _was_lost(error: Exception) -> bool:
    return _worth_another_try(error) and isinstance(error, Failure) and error.status is None


def _worth_another_try(error: Exception) -> bool:
    return isinstance(error, Failure) and error.trouble is Trouble.UNREACHABLE


def _date_of(headers: Mapping[str, Any]) -> datetime | None:
    try:
        return parsedate_to_datetime(str(headers.get("date", ""))).replace(tzinfo=UTC)
    except ValueError:
        return None
