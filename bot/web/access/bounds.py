"""What every request is held to before anything reads it: its size and rate; and the headers of every answer."""

import asyncio
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.access.guard import sender_of
from bot.web.site import Bodies, Site


def refusal(
    connection: HTTPConnection, status: int, text: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Answers with text, or with JSON as the API's description has it where that was asked."""
    if connection.scope["path"].startswith("/api/"):
        return JSONResponse({"detail": text}, status, headers)
    return PlainTextResponse(f"{text}\n", status, headers)


LARGEST_BODY = 64 * 1024
"""What every request may bring; what an event brings beyond needs room among all bodies (`Bodies`)."""
LARGEST_EVENT = 4 * 1024 * 1024
"""Of a webhook: GitHub sends up to 25 MB, for pushes of thousands of commits; polling sees those."""
SNAPSHOTS = "/api/v1/running/"
"""Where a cluster tells what runs in it, behind which its name stands."""
LARGEST_SNAPSHOT = 8 * 1024 * 1024
"""Of what a cluster tells: 25,000 containers."""
SLOWEST_BODY = 20.0
"""Seconds that a body may take to come in."""
_COME_AGAIN = "10"
"""Seconds, where there is no room for a body: about as long as those take that have it."""
_LONGEST_TARGET = 4096
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
POLICY_WITH_SCRIPT = f"{_POLICY}; script-src 'self'; connect-src 'self'"
"""That of pages for people who have signed in, which may have the one script that is served here."""
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_YEAR = 31_536_000


class Bounds:
    """The application within its bounds."""

    def __init__(self, app: ASGIApp, site: Site, slowest_body: float = SLOWEST_BODY) -> None:
        self._app = app
        self._slowest_body = slowest_body
        self._site = site
        self._headers = dict(_HEADERS)
        if site.access.is_https:
            self._headers["Strict-Transport-Security"] = f"max-age={_YEAR}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        connection = HTTPConnection(scope)
        most = _largest_body(scope["path"])
        if (refused := self._refusal(connection, most)) is not None:
            await refused(scope, receive, sent)
            return
        body = _Body(receive, most, self._site.bodies, self._slowest_body)
        try:
            await self._app(scope, body.received, sent)
        except ClientDisconnect:
            return  # who is gone is answered nothing
        finally:
            body.end()

    def _refusal(self, connection: HTTPConnection, most: int) -> Response | None:
        scope = connection.scope
        if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > _LONGEST_TARGET:
            return refusal(connection, 414, "the address is too long")
        if "\0" in scope["path"]:  # PostgreSQL takes it in no text
            return refusal(connection, 404, "there is no such page")
        wait = self._site.rates.requests.take(sender_of(connection, self._site))
        if wait:
            return refusal(connection, 429, "too many requests", {"Retry-After": str(int(wait) + 1)})
        length = connection.headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 12 or int(length) > most:
            return refusal(connection, 413, _too_large(most))
        return None


class _Body:
    """One body on its way in: no larger than `most`, not longer than `slowest`, with room among all others."""

    def __init__(self, receive: Receive, most: int, bodies: Bodies, slowest: float) -> None:
        self._receive = receive
        self._most = most
        self._bodies = bodies
        self._until = asyncio.get_running_loop().time() + slowest
        self._size = 0
        self._kept_size = 0
        self._is_whole = False

    async def received(self) -> Message:
        """Receives the next part of the body; raises `HTTPException` where there may be none."""
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "the body did not come in time", {"Connection": "close"}) from None
        self._size += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._size > self._most:
            raise HTTPException(413, _too_large(self._most))
        more = max(0, self._size - LARGEST_BODY) - self._kept_size
        if not self._bodies.keep(more):
            raise HTTPException(503, "too much comes in at once", {"Retry-After": _COME_AGAIN})
        self._kept_size += more
        return message

    def end(self) -> None:
        """Lets go of what is kept of the body."""
        self._bodies.let_go(self._kept_size)
        self._kept_size = 0


def _largest_body(path: str) -> int:
    """What a request to that address may bring. Where that is more than elsewhere, its sender is known first."""
    if path.startswith(SNAPSHOTS):
        return LARGEST_SNAPSHOT
    return LARGEST_EVENT if path.startswith("/hooks/") else LARGEST_BODY


def _too_large(most: int) -> str:
    return f"the body is larger than {most // 1024} KiB"
