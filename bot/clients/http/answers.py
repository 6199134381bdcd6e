"""Answers over HTTP as values, the failure that some of them are, and their bodies, of which no more is taken
than allowed.

Given `max_bytes`, they raise `Failure` (malformed) for a longer body; `place` is what that calls it.
"""

import json
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from bot.clients.http import bounds
from bot.domain.failure import Failure, Trouble


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
        return bounds.where_of(httpx.URL(self.url))

    def json(self) -> Any:
        """The body as JSON. Raises `Failure` (malformed) where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            fault = "answered with something that is not JSON"
            raise Failure(Trouble.MALFORMED, fault, where=self.where, status=self.status) from error

    def retry_after(self, now: datetime) -> timedelta | None:
        return bounds.retry_after(self.headers.get("retry-after"), now)


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body is taken as it comes; `headers` and `redirected` are as in `Answer`."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    redirected: bool = False


def conditions(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """The headers that ask for a document unless it is still what these validators mark (RFC 9110, section 13)."""
    headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in headers.items() if value}


def validator(answer: Answer | Streamed, name: str, longest: int) -> str:
    """A validator to send back later; empty for one that is too long or not printable, which is done without."""
    value = answer.headers.get(name, "")
    return value if value.isascii() and value.isprintable() and len(value) <= longest else ""


def is_turned_away(answer: Answer) -> bool:
    """Whether the host could not or would not answer now."""
    return answer.status == 429 or answer.status >= 500


def turned_away(answer: Answer, now: datetime) -> Failure:
    """Returns what an answer that is turned away amounts to: THROTTLED for 429, else UNREACHABLE."""
    throttled = answer.status == 429
    return Failure(
        Trouble.THROTTLED if throttled else Trouble.UNREACHABLE,
        "asks for fewer requests (429)" if throttled else f"has trouble of its own ({answer.status})",
        where=answer.where,
        advice="it is tried again later",
        retry_after=answer.retry_after(now),
        status=answer.status,
    )


MEBIBYTE = 1024 * 1024
_MOST_SKIPPED = 64 * 1024
_UNENCODED = frozenset({"identity", ""})


async def whole(response: httpx.Response, max_bytes: int, place: str) -> bytes:
    """The body without its Content-Encoding; see `decoded`."""
    sent = bytearray()
    async for chunk in _bounded_chunks(response, max_bytes, place):
        sent += chunk
    return decoded(bytes(sent), _encoding(response), max_bytes, place)


async def plain(response: httpx.Response, max_bytes: int, place: str) -> AsyncIterator[bytes]:
    """The chunks of a body that is sent as it is. Raises `Failure` for one that is encoded."""
    encoding = _encoding(response)
    if encoding not in _UNENCODED:
        raise _unasked_encoding(encoding, place)
    async for chunk in _bounded_chunks(response, max_bytes, place):
        yield chunk


async def skip(response: httpx.Response) -> None:
    """Reads a body that nobody wants to its end, where that is near: the connection then serves again."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    size = 0
    async for chunk in response.stream:
        size += len(chunk)
        if size > _MOST_SKIPPED:
            return


async def _bounded_chunks(response: httpx.Response, max_bytes: int, place: str) -> AsyncIterator[bytes]:
    # `aiter_raw` gives the same, but refuses an answer that a test double holds ready.
    assert isinstance(response.stream, httpx.AsyncByteStream)
    size = 0
    async for chunk in response.stream:
        size += len(chunk)
        if size > max_bytes:
            raise _too_long(max_bytes, place)
        yield chunk


def _encoding(response: httpx.Response) -> str:
    return str(response.headers.get("content-encoding", "identity")).strip().lower()


def decoded(sent: bytes, encoding: str, max_bytes: int, place: str) -> bytes:
    """The body without its Content-Encoding. Raises `Failure` (malformed), also where it inflates to more than is
    accepted."""
    if encoding in _UNENCODED or not sent:
        return sent
    if encoding not in ("gzip", "x-gzip"):
        raise _unasked_encoding(encoding, place)
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = inflater.decompress(sent, max_bytes + 1)
    except zlib.error as error:
        raise Failure(Trouble.MALFORMED, "sent a damaged gzip body", where=place) from error
    if len(body) > max_bytes:
        raise _too_long(max_bytes, place)
    if not inflater.eof or inflater.unused_data:
        raise Failure(Trouble.MALFORMED, "sent a gzip body that ends too early or too late", where=place)
    return body


def _unasked_encoding(encoding: str, place: str) -> Failure:
    """Makes the failure of a body in an encoding that was not asked for."""
    return Failure(Trouble.MALFORMED, f"sent the unasked encoding {encoding[:40]!r}", where=place)


def _too_long(max_bytes: int, place: str) -> Failure:
    """Makes the failure of a body of more than `max_bytes`."""
    limit = f"{max_bytes / MEBIBYTE:g} MiB" if max_bytes >= MEBIBYTE else f"{max_bytes} bytes"
    return Failure(Trouble.MALFORMED, f"sent more than the {limit} that are accepted", where=place)
