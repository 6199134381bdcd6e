"""Bodies of HTTP answers, whole or as they come: of each no more is taken than is accepted.

Given `max_bytes`, they raise `Failure` (malformed) for a longer body; `place` is what that calls it.
"""

import zlib
from collections.abc import AsyncIterator

import httpx

from bot.domain.failure import Failure, Trouble

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
