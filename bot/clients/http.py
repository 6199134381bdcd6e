"""The one way in which the bot speaks HTTP: bounded in size, time, attempts and redirects.

Answers below 500 other than 429 come back as an `Answer`; everything else ends in a `Failure` that names host
and path, never the query or a header, since those may carry secrets.
"""

import asyncio
import json
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import stamina

from bot.domain.clock import Clock, SystemClock
from bot.domain.failure import Failure, Trouble

USER_AGENT = f"freshness-bot/{version('freshness-bot')}"
ANY_HOST = frozenset({"*"})
"""For `allow_redirects_to`: registries hand their blobs over to content networks with changing names."""

# A retried request is no news: what failed for good is reported once, by the stage that asked for it.
stamina.instrumentation.set_on_retry_hooks([])

_IDEMPOTENT = frozenset({"GET", "HEAD"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, counts and bytes within which every request ends.

    `total` bounds one attempt with its redirects and body, `patience` the time in which further attempts may
    start, and so also the longest Retry-After that is waited for here rather than handed to the caller.
    """

    connect: float = 10
    read: float = 20
    total: float = 60
    patience: float = 30
    attempts: int = 3
    redirects: int = 5
    per_host: int = 8
    max_bytes: int = 16 * _MEBIBYTE


@dataclass(frozen=True, slots=True)
class HostRules:
    """What an operator set for one host (`name` or `name:port`).

    `ca_file` is a PEM bundle trusted instead of the machine's own; `insecure` permits plain `http://`.
    """

    ca_file: Path | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `headers` are looked up in any case; `url` is where the redirects ended.

    `redirected` says that another host than the one asked gave it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    redirected: bool = False

    @property
    def where(self) -> str:
        return where_of(httpx.URL(self.url))

    def json(self) -> Any:
        """The body as JSON. Raises `Failure` (malformed) where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Failure(
                Trouble.MALFORMED,
                "answered with something that is not JSON",
                where=self.where,
                status=self.status,
            ) from error

    def retry_after(self, now: datetime) -> timedelta | None:
        return retry_after(self.headers.get("retry-after"), now)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Retry-After in either of its forms, seconds or an HTTP-date (RFC 9110, section 10.2.3), else None.

    A moment in the past is no wait at all; more than a day is cut to a day.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        wait = timedelta(seconds=min(int(text[:9]), 86400))
    else:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, IndexError, OverflowError):
            return None
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), timedelta(days=1))


def where_of(url: httpx.URL) -> str:
    """Host and path, for a person; no query, no userinfo."""
    return f"{url.netloc.decode('ascii', 'replace')}{url.path}"


@dataclass(slots=True)
class Http:
    """An async context manager around one connection pool.

    `hosts` holds the rules of hosts that need some; a host without rules is spoken to over HTTPS only.
    """

    clock: Clock = field(default_factory=SystemClock)
    hosts: Mapping[str, HostRules] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    transport: httpx.AsyncBaseTransport | None = None
    _client: httpx.AsyncClient | None = field(default=None, init=False, repr=False)
    _slots: dict[str, asyncio.Semaphore] = field(default_factory=dict, init=False, repr=False)

    async def __aenter__(self) -> Self:
        limits = self.limits
        client = httpx.AsyncClient(
            http2=True,
            timeout=httpx.Timeout(limits.read, connect=limits.connect, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=4 * limits.per_host),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
            follow_redirects=False,
            transport=self.transport,
            mounts={
                f"https://{host}": httpx.AsyncHTTPTransport(http2=True, verify=_trust(host, rules.ca_file))
                for host, rules in self.hosts.items()
                if rules.ca_file is not None
            },
        )
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._client = await client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
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
    ) -> Answer:
        """Sends one request and reads the whole answer.

        Retries 429, 5xx and broken connections, honouring Retry-After: by default for GET and HEAD alone,
        since a POST that seemed to fail may have been done. Redirects within the host, or to a host named in
        `allow_redirects_to`, are followed for GET and HEAD; another host is told nothing but `Accept`.

        Raises `Failure`: UNREACHABLE (no answer in time, 5xx), THROTTLED (429, with `retry_after` where the
        host said so) or MALFORMED (more than `max_bytes` after decompression, a redirect out of bounds).
        """
        target = self._target(url)
        repeat = method in _IDEMPOTENT if retry is None else retry
        cap = self.limits.max_bytes if max_bytes is None else max_bytes

        async def attempt() -> Answer:
            return await self._attempt(method, target, headers or {}, content, cap, allow_redirects_to)

        if not repeat:
            return await attempt()
        return await self._retrying(self._worth_another, attempt)

    @property
    def _retrying(self) -> stamina.AsyncRetryingCaller:
        return stamina.AsyncRetryingCaller(
            attempts=self.limits.attempts, timeout=self.limits.patience, wait_initial=0.5, wait_max=10
        )

    def _worth_another(self, error: Exception) -> bool | timedelta:
        if not isinstance(error, Failure) or error.trouble not in (Trouble.UNREACHABLE, Trouble.THROTTLED):
            return False
        if isinstance(error.__cause__, httpx.ConnectError) and _certificate_refused(error.__cause__):
            return False
        if error.retry_after is None:
            return True
        return error.retry_after if error.retry_after.total_seconds() <= self.limits.patience else False

    def _target(self, url: str) -> httpx.URL:
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise Failure(Trouble.MALFORMED, f"{url[:80]!r} is no URL: {error}") from error
        rules = self.hosts.get(_host(target), HostRules())
        if not target.host or target.userinfo or target.scheme not in ("http", "https"):
            raise Failure(Trouble.MALFORMED, "is no http(s) URL without user information", where=where_of(target))
        if target.scheme == "http" and not rules.insecure:
            raise Failure(
                Trouble.DENIED,
                "plain http is not permitted",
                where=where_of(target),
                advice="use https, or set `insecure: true` for this host",
            )
        return target

    async def _attempt(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes | None,
        max_bytes: int,
        allowed: frozenset[str],
    ) -> Answer:
        where = where_of(url)
        try:
            async with self._slot(url), asyncio.timeout(self.limits.total):
                answer = await self._follow(method, url, headers, content, max_bytes, allowed)
        except TimeoutError as error:
            what = f"gave no complete answer within {self.limits.total:g} s"
            raise Failure(Trouble.UNREACHABLE, what, where=where, advice="it is tried again later") from error
        except httpx.HTTPError as error:
            raise _unreachable(error, where) from error
        if answer.status == 429:
            wait = answer.retry_after(self.clock.now())
            raise Failure(
                Trouble.THROTTLED,
                "asks for fewer requests (429)",
                where=answer.where,
                advice="it is left alone for a while",
                retry_after=wait,
                status=429,
            )
        if answer.status >= 500:
            raise Failure(
                Trouble.UNREACHABLE,
                f"has trouble of its own ({answer.status})",
                where=answer.where,
                advice="it is tried again later",
                retry_after=answer.retry_after(self.clock.now()),
                status=answer.status,
            )
        return answer

    def _slot(self, url: httpx.URL) -> asyncio.Semaphore:
        return self._slots.setdefault(_host(url), asyncio.Semaphore(self.limits.per_host))

    async def _follow(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes | None,
        max_bytes: int,
        allowed: frozenset[str],
    ) -> Answer:
        asked = url
        for _ in range(self.limits.redirects + 1):
            answer = await self._send(method, url, headers, content, max_bytes)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None:
                return answer if _same_host(asked, url) else replace(answer, redirected=True)
            following = _redirected(method, url, location, allowed)
            if not _same_host(url, following):
                headers = {name: value for name, value in headers.items() if name.lower() == "accept"}
            url = following
        raise Failure(Trouble.MALFORMED, f"redirects more than {self.limits.redirects} times", where=where_of(url))

    async def _send(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], content: bytes | None, max_bytes: int
    ) -> Answer:
        if self._client is None:
            raise RuntimeError("Http is used outside of its `async with`")
        async with self._client.stream(method, url, headers=dict(headers), content=content) as response:
            encoding = response.headers.get("content-encoding", "identity").strip().lower()
            where = where_of(url)
            raw = await _read(response.aiter_raw(), max_bytes, where)
            body = _decoded(raw, encoding, max_bytes, where)
            return Answer(response.status_code, response.headers, body, str(url))


async def _read(chunks: AsyncIterator[bytes], max_bytes: int, where: str) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(max_bytes, where)
    return bytes(body)


def _decoded(raw: bytes, encoding: str, max_bytes: int, where: str) -> bytes:
    """Inflates at most `max_bytes`: httpx would let a small body fill the memory."""
    if encoding in ("identity", "") or not raw:
        return raw
    if encoding not in ("gzip", "x-gzip"):
        raise Failure(Trouble.MALFORMED, f"sent the unasked encoding {encoding[:40]!r}", where=where)
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = inflater.decompress(raw, max_bytes + 1)
    except zlib.error as error:
        raise Failure(Trouble.MALFORMED, "sent a damaged gzip body", where=where) from error
    if len(body) > max_bytes:
        raise _too_large(max_bytes, where)
    if not inflater.eof:
        raise Failure(Trouble.MALFORMED, "sent a truncated gzip body", where=where)
    return body


def _too_large(max_bytes: int, where: str) -> Failure:
    size = f"{max_bytes / _MEBIBYTE:g} MiB" if max_bytes >= _MEBIBYTE else f"{max_bytes} bytes"
    return Failure(Trouble.MALFORMED, f"sent more than the {size} that are accepted", where=where)


def _redirected(method: str, url: httpx.URL, location: str, allowed: frozenset[str]) -> httpx.URL:
    """Where a redirect leads, or a `Failure` that says why it is not followed."""
    where = where_of(url)
    if method not in _IDEMPOTENT:
        raise Failure(Trouble.MALFORMED, f"redirects a {method}, which is not followed", where=where)
    try:
        target = url.join(location)
    except httpx.InvalidURL as error:
        raise Failure(Trouble.MALFORMED, "redirects to something that is no URL", where=where) from error
    if not target.host or target.userinfo or target.scheme not in ("https", url.scheme):
        raise Failure(
            Trouble.MALFORMED,
            f"redirects to {target.scheme}://{where_of(target)}, which is not followed",
            where=where,
        )
    if not (_same_host(url, target) or "*" in allowed or _host(target) in allowed):
        raise Failure(
            Trouble.MALFORMED,
            f"redirects to another host, {_host(target)}, which is not followed",
            where=where,
            advice="correct the configured address",
        )
    return target


def _same_host(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.host, one.port) == (other.host, other.port)


def _host(url: httpx.URL) -> str:
    return url.netloc.decode("ascii", "replace")


def _trust(host: str, ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise Failure(
            Trouble.MALFORMED,
            f"its ca_file {ca_file} cannot be used ({error.strerror or error})",
            where=host,
            advice="name a readable PEM bundle",
        ) from error


def _certificate_refused(error: httpx.ConnectError) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _unreachable(error: httpx.HTTPError, where: str) -> Failure:
    if isinstance(error, httpx.ConnectError) and _certificate_refused(error):
        what, advice = "its certificate is not trusted", "set `ca_file` for this host"
    elif isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        what, advice = "cannot be connected to", "check its name and the network"
    elif isinstance(error, httpx.TimeoutException):
        what, advice = "was silent for too long", "it is tried again later"
    else:
        what, advice = f"broke off the conversation ({type(error).__name__})", "it is tried again later"
    return Failure(Trouble.UNREACHABLE, what, where=where, advice=advice)
