"""The page's server within the service's own event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.domain.failure import Failure, Trouble
from bot.web.access.connections import HeldConnections

_BACKLOG = 128
SLOWEST_HEAD = 15.0
"""Seconds in which a request's head has to come in, and the next one after an answer."""
SLOWEST_READER = 60.0
"""Seconds in which an answer has to be taken, as far as it waits for that."""
_LAST_ANSWERS = 3
"""Seconds that running requests get at the end."""
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 21\r\n\r\ntoo many connections\n"
)


@contextmanager
def bound(listen: str, setting: str = "web.listen") -> Iterator[socket.socket]:
    """Opens a socket that listens there, as `HOST:PORT`, which stands in that setting; raises `Failure` where the
    address cannot be had."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, int(port)))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise Failure(
            Trouble.CONFLICT,
            f"cannot be listened on: {error.strerror or error}",
            where=listen,
            advice=f"set {setting} to a free address, or to null",
        ) from error
    try:
        yield listening
    finally:
        listening.close()


@dataclass(frozen=True, slots=True)
class Listening:
    """Where is listened: for everything, and for health and metrics alone; None where it is not."""

    page: socket.socket | None = None
    health: socket.socket | None = None


@contextmanager
def listening_on(page: str | None, health: str | None) -> Iterator[Listening]:
    """Opens both sockets, as far as they are wanted; raises `Failure` where one cannot be had."""
    with contextlib.ExitStack() as opened:
        yield Listening(
            None if page is None else opened.enter_context(bound(page)),
            None if health is None else opened.enter_context(bound(health, "web.health_listen")),
        )


@asynccontextmanager
async def serving(
    app: ASGIApp, listening: socket.socket, connections: HeldConnections | None = None
) -> AsyncIterator[None]:
    """Serves while the body goes on. Requests that are under way at its end get a moment."""
    bounded = HeldConnections() if connections is None else connections
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        log_level="error",
        proxy_headers=False,
        server_header=False,
        date_header=True,
        lifespan="off",
        backlog=_BACKLOG,
        timeout_keep_alive=int(SLOWEST_HEAD),
        timeout_graceful_shutdown=_LAST_ANSWERS,
        h11_max_incomplete_event_size=16 * 1024,
        ws="none",
        http=cast(type[asyncio.Protocol], partial(_Protocol, bounded)),
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.end()
        await task


class _Protocol(H11Protocol):
    """One connection within the bounds of all; it ends where no request comes, or nobody takes an answer."""

    def __init__(self, connections: HeldConnections, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._all = connections
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._all.admit(self, self.client[0] if self.client is not None else ""):
            transport.write(_FULL)
            transport.close()
            return
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.ended(self)
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._tell()

    def on_response_complete(self) -> None:
        self._all.rests(self)
        super().on_response_complete()
        self._tell()
        self._await_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(SLOWEST_READER, self.transport.abort)

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
            super().resume_writing()

    def give_way(self) -> None:
        self.transport.abort()

    def _tell(self) -> None:
        if self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete:
            self._all.asks(self)

    def _await_request(self) -> None:
        self.loop.call_later(SLOWEST_HEAD, self._close_where_none_came, self.cycle)

    def _close_where_none_came(self, before: object) -> None:
        if self.cycle is before and not self.transport.is_closing():
            self.transport.close()
            self.loop.call_later(SLOWEST_READER, self.transport.abort)  # where what is left to send is not taken


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ends = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._ends.set()

    async def main_loop(self) -> None:
        """Sets the date of answers each second, which is all that there is to do between requests."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._ends.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the service."""
        yield
