"""Of an archive whose server gives parts, what is read is fetched, and a change while it is read is told."""

import asyncio
import io
import re
import zipfile
from collections.abc import Callable

import httpx
import pytest

from bot.clients.feeds.dumps import DumpReader
from bot.clients.http.client import Http, Limits
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure
from bot.domain.packages.cves.publication import DumpMark
from tests.builders import NOON

URL = "https://osv.example/Ubuntu/all.zip"
ENTRIES = 400


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
        for number in range(ENTRIES):
            packed.writestr(f"{number}.json", f"{number}".encode().rjust(10_000))
    return file.getvalue()


class Server:
    """Gives parts of an archive as RFC 9110 has it; `etag` may change while it is read."""

    def __init__(self, content: bytes, etag: str = '"v1"') -> None:
        self.content = content
        self.etag = etag
        self.ranges: list[str] = []
        self.sent = 0
        self.asked: Callable[[], None] = lambda: None

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.asked()
        wanted = request.headers.get("range", "")
        self.ranges.append(wanted)
        if request.headers.get("if-none-match") == self.etag:
            return httpx.Response(304)
        if request.headers.get("if-match", self.etag) != self.etag:
            return httpx.Response(412)
        part = re.fullmatch("bytes=([0-9]*)-([0-9]+)", wanted)
        size = len(self.content)
        begin = int(part[1]) if part and part[1] else max(size - int(part[2]), 0) if part else 0
        end = int(part[2]) + 1 if part and part[1] else size
        self.sent += end - begin
        headers = {"ETag": self.etag, "Content-Range": f"bytes {begin}-{end - 1}/{size}"}
        stream = httpx.ByteStream(self.content[begin:end])
        return httpx.Response(206 if part else 200, headers=headers, stream=stream)


async def read(server: Server, *names: str, previous: DumpMark | None = None) -> list[bytes] | None:
    """What these entries hold, or all; None where nothing changed."""
    transport = httpx.MockTransport(server.respond)
    async with (
        Http(ManualClock(NOON), limits=Limits(attempts=1), transport=transport) as http,
        DumpReader(http, 100_000_000).opened(URL, previous) as dump,
    ):
        if dump is None:
            return None

        def contents() -> list[bytes]:
            with zipfile.ZipFile(dump.file) as packed:
                return [packed.read(name) for name in names or packed.namelist()]

        return await asyncio.to_thread(contents)


async def test_all_of_it_comes_in_pieces_that_grow() -> None:
    server = Server(archive())
    contents = await read(server)
    assert contents == [f"{number}".encode().rjust(10_000) for number in range(ENTRIES)]
    assert len(server.ranges) < 12
    assert server.sent < len(server.content) + 200_000


async def test_of_a_few_entries_little_is_fetched() -> None:
    server = Server(archive())
    assert await read(server, "7.json", "200.json") == [b"7".rjust(10_000), b"200".rjust(10_000)]
    assert server.sent < 200_000


async def test_what_is_as_it_was_is_asked_for_once() -> None:
    server = Server(archive())
    assert await read(server, previous=DumpMark('"v1"')) is None
    assert server.ranges == ["bytes=-65536"]


async def test_an_archive_that_is_replaced_while_it_is_read_is_refused_as_a_whole() -> None:
    server = Server(archive())
    server.asked = lambda: setattr(server, "etag", f'"v{len(server.ranges)}"') if len(server.ranges) > 1 else None
    with pytest.raises(Failure, match="was replaced while it was read"):
        await read(server)


@pytest.mark.parametrize("etag", ['W/"v1"', ""])
async def test_without_a_validator_of_its_bytes_it_is_fetched_whole(etag: str) -> None:
    server = Server(archive(), etag)
    assert len(await read(server) or ()) == ENTRIES
    assert server.ranges == ["bytes=-65536", ""]


async def test_a_reader_that_is_left_waits_for_nothing() -> None:
    server = Server(archive())
    transport = httpx.MockTransport(server.respond)
    async with Http(ManualClock(NOON), limits=Limits(attempts=1), transport=transport) as http:
        async with DumpReader(http, 100_000_000).opened(URL, None) as dump:
            assert dump is not None
        with pytest.raises(Failure, match="is not read any more"):
            await asyncio.to_thread(dump.file.read, 10)
