"""Who holds connections open keeps nobody else out, and not for long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.web.access.connections import HeldConnections
from bot.web.app import app_of
from bot.web.serving import bound, serving
from bot.web.site import Site
from sandbox.programs.processes import ANY_PORT

Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HALF_OPEN = b"GET /healthz HTTP/1.1\r\nHost: pa"
HALF_A_BODY = b"POST /login HTTP/1.1\r\nHost: page\r\nContent-Length: 100\r\n\r\nform="
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: page\r\nConnection: close\r\n\r\n"


class Visitors:
    """HeldConnections to the page from addresses of loopback, which are all this machine's own."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._opened: list[asyncio.StreamWriter] = []

    async def opens(self, peer: int, sent: bytes) -> Opened:
        reader, writer = await asyncio.open_connection(*self._address, local_addr=(f"127.0.0.{peer}", 0))
        self._opened.append(writer)
        writer.write(sent)
        await writer.drain()
        return reader, writer

    async def asks(self, peer: int) -> bytes:
        reader, _ = await self.opens(peer, WHOLE)
        return await asyncio.wait_for(reader.read(), 20)

    def leave(self) -> None:
        for writer in self._opened:
            writer.transport.abort()


@asynccontextmanager
async def visited(site: Site, connections: HeldConnections) -> AsyncIterator[Visitors]:
    with bound(ANY_PORT) as listening:
        async with serving(app_of(site), listening, connections):
            visitors = Visitors(listening.getsockname())
            try:
                yield visitors
            finally:
                visitors.leave()


@pytest.mark.parametrize("sent", [b"", HALF_OPEN, HALF_A_BODY])
async def test_300_half_open_connections_keep_nobody_from_being_answered(site: Site, sent: bytes) -> None:
    connections = HeldConnections()
    async with visited(site, connections) as visitors:
        for _ in range(300):
            await visitors.opens(2, sent)
        assert (await visitors.asks(1)).startswith(b"HTTP/1.1 200")
        assert (await visitors.asks(2)).startswith(b"HTTP/1.1 ")
        assert connections.open_by("127.0.0.2") <= connections.of_peer


async def test_those_of_many_peers_keep_nobody_from_being_answered(site: Site) -> None:
    async with visited(site, HeldConnections(most=8, of_peer=4)) as visitors:
        for number in range(40):
            await visitors.opens(2 + number % 10, HALF_OPEN)
        assert (await visitors.asks(1)).startswith(b"HTTP/1.1 200")


async def test_the_one_that_has_waited_longest_gives_way(site: Site) -> None:
    async with visited(site, HeldConnections(of_peer=2)) as visitors:
        first, _ = await visitors.opens(2, HALF_OPEN)
        second, writer = await visitors.opens(2, HALF_OPEN)
        await visitors.opens(2, HALF_OPEN)
        assert await asyncio.wait_for(first.read(), 20) == b""
        writer.write(b"ge\r\n\r\n")
        assert (await asyncio.wait_for(second.readuntil(b"\r\n"), 20)).startswith(b"HTTP/1.1 200")


async def ask_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"GET /static/style.css HTTP/1.1\r\nHost: page\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0)


async def test_an_answer_that_nobody_takes_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.serving.SLOWEST_READER", 0.1)
    connections = HeldConnections()
    async with visited(site, connections) as visitors:
        reader, writer = await visitors.opens(2, b"")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            await asyncio.wait_for(ask_for_ever(writer), 60)
        assert connections.open_by("127.0.0.2") == 0
