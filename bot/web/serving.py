"""The page's server within the service's own event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from bot.domain.failure import Failure, Trouble

_BACKLOG = 128
_LAST_ANSWERS = 3
"""Seconds that running requests get at the end."""


@contextmanager
def bound(listen: str) -> Iterator[socket.socket]:
    """A socket that listens there, as `HOST:PORT`; raises `Failure` where the address cannot be had."""
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
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_LAST_ANSWERS,
        limit_concurrency=256,
        h11_max_incomplete_event_size=16 * 1024,
        ws="none",
        http="h11",
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the service's own."""
        yield
