"""A registry that does what no registry should, over plain sockets on loopback."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

Misdeed = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class Hostile:
    """`misdeeds` answer the paths that end as their key does; everything else is 404."""

    misdeeds: dict[str, Misdeed] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    sent: int = 0
    """Bytes of bodies that the other side took."""
    _server: asyncio.Server | None = None

    @property
    def host(self) -> str:
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self.tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await _read(reader)
            self.asked.append(asked)
            await self._misdeed(asked.path)(asked, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _misdeed(self, path: str) -> Misdeed:
        return next((misdeed for end, misdeed in self.misdeeds.items() if path.endswith(end)), says(404))

    def endless(self, headers: Mapping[str, str]) -> Misdeed:
        async def misdeed(asked: Asked, writer: asyncio.StreamWriter) -> None:
            _head(writer, 200, {**headers, "transfer-encoding": "chunked"})
            while True:
                writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                await writer.drain()
                self.sent += 0x10000

        return misdeed


def says(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Misdeed:
    async def misdeed(asked: Asked, writer: asyncio.StreamWriter) -> None:
        _head(writer, status, {"content-length": str(len(body)), **(headers or {})})
        writer.write(b"" if asked.method == "HEAD" else body)
        await writer.drain()

    return misdeed


def dribbles(headers: Mapping[str, str]) -> Misdeed:
    """A byte now and then: never silent for long, and never done."""

    async def misdeed(asked: Asked, writer: asyncio.StreamWriter) -> None:
        _head(writer, 200, {**headers, "content-length": "1000000"})
        async for _ in _moments():
            writer.write(b" ")
            await writer.drain()

    return misdeed


async def never_answers(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Dribbles its headers."""
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    async for _ in _moments():
        writer.write(b"y")
        await writer.drain()


async def _moments() -> AsyncIterator[None]:
    while True:
        yield
        await asyncio.sleep(0.05)


async def _read(reader: asyncio.StreamReader) -> Asked:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = lines[0].split(" ")
    pairs = (line.partition(": ") for line in lines[1:] if line)
    return Asked(method, path, {name.lower(): value for name, _, value in pairs})


def _head(writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items()), "connection: close"]
    writer.write("\r\n".join([*lines, "", ""]).encode())
