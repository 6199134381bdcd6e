"""The page's server within the service's own event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.domain.failure import Failure, Trouble

_BACKLOG = 128
SLOWEST_HEAD = 15.0
"""Seconds in which a request's head has to come in, and the next one after an answer."""
_LAST_ANSWERS = 3
"""Seconds that running requests get at the end."""


@contextmanager
def bound(listen: str) -> Iterator[socket.socket]:
    """Opens a socket that listens there, as `HOST:PORT`; raises `Failure` where the address cannot be had."""
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
            advice="set web.listen to a free address, or to null",
        ) from error
    try:
        yield listening
    finally:
        listening.close()


@asynccontextmanager
async def serving(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    """Serves while the body goes on. Requests that are under way at its end get a moment."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        log_level="error",
        proxy_headers=False,
        server_header=False,
        date_header=True,
        lifespan="off",
        timeout_keep_alive=int(SLOWEST_HEAD),
        timeout_graceful_shutdown=_LAST_ANSWERS,
        limit_concurrency=256,
        h11_max_incomplete_event_size=16 * 1024,
        ws="none",
        http=_Protocol,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Protocol(H11Protocol):
    """Closes a connection on which no request has come in whole in time: they are few, and nobody may keep them."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_request()

    def _await_request(self) -> None:
        self.loop.call_later(SLOWEST_HEAD, self._close_where_none_came, self.cycle)

    def _close_where_none_came(self, before: object) -> None:
        if self.cycle is before and not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the service's own."""
        yield
