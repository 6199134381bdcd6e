"""The one way in which the bot speaks HTTP: bounded in size, time, attempts and redirects.

Answers below 500 other than 429 come back as an `Answer`; everything else ends in a `Failure` that names host
and path, never the query or a header, since those may carry secrets.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import httpx
import stamina

from bot.clients.http import answers, bounds
from bot.clients.http.answers import Answer, Streamed, is_turned_away, turned_away
from bot.domain.clock import Clock, SystemClock
from bot.domain.failure import Failure, Trouble


class Observer(Protocol):
    """Is told of every request and limit; the metrics are counted behind it."""

    def answered(self, host: str, method: str, status: int | None) -> None:
        """A request came to its end; `status` is None where there was no answer."""
        ...

    def left(self, resource: str, remaining: int, limit: int) -> None:
        """GitHub has said how much is left of one of its limits."""
        ...


class Nobody:
    """Is told, and does nothing."""

    def answered(self, host: str, method: str, status: int | None) -> None: ...

    def left(self, resource: str, remaining: int, limit: int) -> None: ...


USER_AGENT = f"freshness-bot/{version('freshness-bot')}"
ANY_HOST = frozenset({"*"})
"""For `allow_redirects_to`: registries hand their blobs over to content networks with changing names."""

# httpx logs whole URLs, and some of those are secrets.
logging.getLogger("httpx").setLevel(logging.WARNING)
# A retried request is no news: what failed for good is reported once, by the stage that asked for it.
stamina.instrumentation.set_on_retry_hooks([])


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, counts and bytes within which every request ends.

    `total` bounds one attempt with its redirects and body, `patience` the time in which further attempts may
    start, and so also the longest Retry-After that is waited for here rather than handed to the caller. `streaming`
    bounds an answer that is taken as it comes.
    """

    connect: float = 10
    read: float = 20
    total: float = 60
    patience: float = 30
    streaming: float = 1_800
    attempts: int = 3
    redirects: int = 5
    per_host: int = 8
    max_bytes: int = 16 * answers.MEBIBYTE


@dataclass(frozen=True, slots=True)
class HostRules:
    """What an operator set for one host (`name` or `name:port`).

    `ca_file` is a PEM bundle trusted instead of the machine's own; `tls` takes its place where a certificate of
    ours is shown too. `insecure` permits plain `http://`.
    """

    ca_file: Path | None = None
    insecure: bool = False
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    content: bytes | None
    max_bytes: int
    allowed: frozenset[str]


@dataclass(slots=True)
class Http:
    """An async context manager around one connection pool.

    `hosts` holds the rules of hosts that need some; a host without rules is spoken to over HTTPS only.
    """

    clock: Clock = field(default_factory=SystemClock)
    hosts: Mapping[str, HostRules] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    transport: httpx.AsyncBaseTransport | None = None
    observer: Observer = field(default_factory=Nobody)
    _client: httpx.AsyncClient | None = field(default=None, init=False, repr=False)
    _slots: dict[str, asyncio.Semaphore] = field(default_factory=dict, init=False, repr=False)

    async def __aenter__(self) -> Self:
        """Raises `Failure` (malformed) for a `ca_file` that cannot be used."""
        limits = self.limits
        client = httpx.AsyncClient(
            http2=True,
            timeout=httpx.Timeout(limits.read, connect=limits.connect, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=4 * limits.per_host),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
            follow_redirects=False,
            transport=self.transport,
            mounts={
                f"https://{host}": httpx.AsyncHTTPTransport(
                    http2=True, verify=rules.tls or _trust(host, rules.ca_file)
                )
                for host, rules in self.hosts.items()
                if rules.tls is not None or rules.ca_file is not None
            },
        )
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._client = await client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.__aexit__(kind, error, traceback)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        max_bytes: int | None = None,
        allow_redirects_to: frozenset[str] = frozenset(),
        retry: bool | None = None,
        place: str | None = None,
    ) -> Answer:
        """Sends one request and reads the whole answer.

        Retries 429, 5xx and broken connections, honouring Retry-After: by default for GET and HEAD alone,
        since a POST that seemed to fail may have been done. Redirects within the host, or to a host named in
        `allow_redirects_to`, are followed for GET and HEAD; another host is told nothing but `Accept`.
        `place` is what failures call it, for a URL that is itself a secret.

        Raises `Failure`: UNREACHABLE (no answer in time, 5xx), THROTTLED (429, with `retry_after` where the
        host said so) or MALFORMED (more than `max_bytes` after decompression, a redirect out of bounds).
        """
        repeat = method in bounds.IDEMPOTENT if retry is None else retry
        cap = self.limits.max_bytes if max_bytes is None else max_bytes
        try:
            question = _Request(method, self._target(url), headers or {}, content, cap, allow_redirects_to)
            if not repeat:
                return await self._attempt(question)
            return await self._retrying(self._is_worth_another, self._attempt, question)
        except Failure as failure:
            if place is None:
                raise
            raise failure.altered(where=place) from None

    @property
    def _retrying(self) -> stamina.AsyncRetryingCaller:
        return stamina.AsyncRetryingCaller(
            attempts=self.limits.attempts, timeout=self.limits.patience, wait_initial=0.5, wait_max=10
        )

    def _is_worth_another(self, error: Exception) -> bool | timedelta:
        """Whether to try again, and after which wait where the host named one."""
        if not isinstance(error, Failure) or error.trouble not in (Trouble.UNREACHABLE, Trouble.THROTTLED):
            return False
        if bounds.is_untrusted(error.__cause__):
            return False
        if error.retry_after is None:
            return True
        return error.retry_after if error.retry_after.total_seconds() <= self.limits.patience else False

    def _target(self, url: str) -> httpx.URL:
        target = bounds.address(url)
        if target is None:
            raise Failure(Trouble.MALFORMED, "is no URL", where=url.partition("?")[0][:80])
        place = bounds.where_of(target)
        if not target.host or target.userinfo or target.scheme not in ("http", "https"):
            raise Failure(Trouble.MALFORMED, "is no http(s) URL without user information", where=place)
        if target.scheme == "http" and not self.hosts.get(bounds.host_of(target), HostRules()).insecure:
            advice = "use https, or set `insecure: true` for this host"
            raise Failure(Trouble.DENIED, "plain http is not permitted", where=place, advice=advice)
        return target

    @asynccontextmanager
    async def stream(
        self,
        url: str,
        *,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        allow_redirects_to: frozenset[str] = frozenset(),
    ) -> AsyncIterator[Streamed]:
        """GETs what is too large to be kept: the chunks come as they are sent, `max_bytes` in all.

        Nothing is tried again, since what was taken cannot be taken back. Redirects and failures are those of
        `request`; failures may come with each chunk.
        """
        question = _Request("GET", self._target(url), headers or {}, None, max_bytes, allow_redirects_to)
        async with (
            self._bound(question.url, self.limits.streaming),
            self._follow_redirects(question) as (response, last),
        ):
            answer = self._check_answer(_answer_of(response, question, last))
            chunks = answers.plain(response, last.max_bytes, bounds.where_of(last.url))
            yield Streamed(answer.status, answer.headers, chunks, answer.redirected)

    async def _attempt(self, question: _Request) -> Answer:
        async with (
            self._bound(question.url, self.limits.total),
            self._follow_redirects(question) as (response, last),
        ):
            body = await answers.whole(response, last.max_bytes, bounds.where_of(last.url))
            return self._check_answer(_answer_of(response, question, last, body))

    def _check_answer(self, answer: Answer) -> Answer:
        if is_turned_away(answer):
            raise turned_away(answer, self.clock.now())
        return answer

    @asynccontextmanager
    async def _follow_redirects(self, question: _Request) -> AsyncIterator[tuple[httpx.Response, _Request]]:
        """The first answer that is no redirect, with the request that it is to."""
        first = question.url
        for _ in range(self.limits.redirects + 1):
            async with self._exchange(question) as response:
                location = response.headers.get("location")
                if response.status_code not in bounds.REDIRECTS or location is None:
                    yield response, question
                    return
                await answers.skip(response)
            question = _redirect(question, location)
        fault = f"redirects more than {self.limits.redirects} times"
        raise Failure(Trouble.MALFORMED, fault, where=bounds.where_of(first))

    @asynccontextmanager
    async def _exchange(self, question: _Request) -> AsyncIterator[httpx.Response]:
        """The answer to one request, of which the observer is told when it ends."""
        if self._client is None:
            raise RuntimeError("Http is used outside of its `async with`")
        status = None
        try:
            async with self._client.stream(
                question.method, question.url, headers=dict(question.headers), content=question.content
            ) as response:
                status = response.status_code
                yield response
        except (httpx.HTTPError, asyncio.CancelledError):
            status = None
            raise
        finally:
            self.observer.answered(bounds.host_of(question.url), question.method, status)

    @asynccontextmanager
    async def _bound(self, url: httpx.URL, seconds: float) -> AsyncIterator[None]:
        """One of the host's turns for so long; what goes wrong meanwhile becomes a `Failure`."""
        place = bounds.where_of(url)
        slot = self._slots.setdefault(bounds.host_of(url), asyncio.Semaphore(self.limits.per_host))
        try:
            async with slot, asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            fault = f"gave no complete answer within {seconds:g} s"
            raise Failure(Trouble.UNREACHABLE, fault, where=place, advice="it is tried again later") from error
        except httpx.HTTPError as error:
            raise bounds.unreachable(error, place) from error
        except UnicodeError as error:  # httpx reads Location, followed or not, and does not catch this itself
            raise Failure(Trouble.MALFORMED, bounds.NO_URL, where=place) from error


def _redirect(question: _Request, location: str) -> _Request:
    """The request that a redirect asks for. Raises `Failure` where it may not be followed."""
    target = bounds.redirect_target(question.method, question.url, location, question.allowed)
    if not bounds.is_same_host(question.url, target):
        question = replace(question, headers=bounds.headers_for_another_host(question.headers.items()))
    return replace(question, url=target)


def _answer_of(response: httpx.Response, first: _Request, last: _Request, body: bytes = b"") -> Answer:
    """The answer to the `first` request, which is that to the `last` request after its redirects."""
    redirected = not bounds.is_same_host(first.url, last.url)
    return Answer(response.status_code, response.headers, body, str(last.url), redirected)


def _trust(host: str, ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        fault = f"its ca_file {ca_file} cannot be used ({error.strerror or error})"
        raise Failure(Trouble.MALFORMED, fault, where=host, advice="name a readable PEM bundle") from error
