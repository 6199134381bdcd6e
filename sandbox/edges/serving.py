"""Serves a Starlette application on 127.0.0.1, in a thread of its own."""

import asyncio
import os
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from uvicorn.protocols.http.h11_impl import H11Protocol

Handler = Callable[..., Awaitable[Response]]

_LAST_ROUNDS = 10
"""Turns of the event loop in which an accepted connection gets its transport, and an aborted one is closed."""

_connections: dict[tuple[str, int], asyncio.Transport] = {}


def ask_directly() -> None:
    """From now on no client in this process, and no child of it, asks a proxy for what this machine serves."""
    kept = [os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")]
    hosts = dict.fromkeys(["localhost", "127.0.0.1", *(host.strip() for host in ",".join(kept).split(","))])
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(host for host in hosts if host)


class _Protocol(H11Protocol):
    """Remembers the transport of each client, so that a fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.peer = transport.get_extra_info("peername")
        _connections[self.peer] = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        _connections.pop(self.peer, None)
        super().connection_lost(exc)


async def cut(request: Request) -> None:
    """Ends the connection of `request` without an answer, as a broken network would."""
    if request.client is not None and (transport := _connections.get((request.client.host, request.client.port))):
        transport.abort()
    await asyncio.sleep(0.01)  # lets the server notice before the handler returns


class Routes:
    """Which handler answers a method and path; path parameters arrive as keyword arguments."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, path: str, handler: Handler) -> None:
        """`path` is written as for Starlette: `/orgs/{org}/repos`, `/file/{name:path}`."""
        pattern, _, _ = compile_path(path)
        self._rows.append((method, pattern, handler))

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, Any]] | None:
        for wanted, pattern, handler in self._rows:
            if wanted == method and (match := pattern.match(path)):
                return handler, match.groupdict()
        return None


class Server:
    """An application being served on a port that is taken from construction on; it answers after `start`.

    `certificate` is a PEM file with its key, for HTTPS.
    """

    def __init__(self, app: Starlette | None = None, certificate: Path | None = None) -> None:
        # named as TCP, because asyncio sets TCP_NODELAY only then; without it each answer takes 40 ms
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.app = app
        self._certificate = certificate
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._certificate else 'http'}://{self.host}"

    def start(self, app: Starlette | None = None) -> None:
        """Returns as soon as requests are answered. Raises `RuntimeError` where it serves already."""
        if self._thread is not None and self._thread.is_alive():
            raise RuntimeError(f"the sandbox server on port {self.port} serves already")
        served = app or self.app
        assert served is not None
        config = uvicorn.Config(
            served,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            log_level="critical",
            access_log=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
            server_header=False,
            ssl_certfile=self._certificate,
        )
        self._server = uvicorn.Server(config)
        serving = _served_to_the_end(self._server, self._socket.dup())  # it closes what it serves on
        self._thread = threading.Thread(
            target=asyncio.run, args=(serving,), name=f"sandbox-{self.port}", daemon=True
        )
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError(f"the sandbox server on port {self.port} did not start")
            time.sleep(0.005)

    def pause(self) -> None:
        """Answers nobody any more, and keeps the port for the next `start`."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()

    def stop(self) -> None:
        """Gives the port back too."""
        self.pause()
        self._socket.close()

    def __deepcopy__(self, _: object) -> "Server":
        """Whatever is copied is served in the same place."""
        return self


async def _served_to_the_end(server: uvicorn.Server, listening: socket.socket) -> None:
    """Serves until told to stop, then ends what uvicorn leaves: connections accepted while it was closing."""
    await server.serve(sockets=[listening])
    for _ in range(_LAST_ROUNDS):
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
