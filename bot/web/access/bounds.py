"""What every request is held to before anything reads it: its size and rate; and the headers of every answer."""

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.access.guard import comes_by
from bot.web.site import Site

LARGEST_BODY = 64 * 1024
LARGEST_EVENT = 4 * 1024 * 1024
"""Of a webhook: GitHub sends up to 25 MB, for pushes of thousands of commits; polling sees those."""
SLOWEST_BODY = 20.0
"""Seconds that a body may take to come in."""
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
        most = LARGEST_EVENT if scope["path"].startswith("/hooks/") else LARGEST_BODY
        if (refusal := self._refusal(connection, most)) is not None:
            await refusal(scope, receive, sent)
            return
        received, is_whole = 0, False
        until = asyncio.get_running_loop().time() + self._slowest_body

        async def counted() -> Message:
            nonlocal received, is_whole
            if is_whole:
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "the body did not come in time", {"Connection": "close"}) from None
            received += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if received > most:
                raise HTTPException(413, _too_large(most))
            return message

        await self._app(scope, counted, sent)

    def _refusal(self, connection: HTTPConnection, most: int) -> PlainTextResponse | None:
        scope = connection.scope
        if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > _LONGEST_TARGET:
            return PlainTextResponse("the address is too long\n", 414)
        if "\0" in scope["path"]:  # PostgreSQL takes it in no text
            return PlainTextResponse("there is no such page\n", 404)
        wait = self._site.rates.requests.take(self._sender(connection))
        if wait:
            return PlainTextResponse("too many requests\n", 429, {"Retry-After": str(int(wait) + 1)})
        length = connection.headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 12 or int(length) > most:
            return PlainTextResponse(_too_large(most), 413)
        return None

    def _sender(self, connection: HTTPConnection) -> str:
        """The address; behind a proxy that is known, the name that it tells."""
        proxy = self._site.access.proxy
        peer = connection.client.host if connection.client is not None else ""
        if proxy is not None and comes_by(proxy, connection):
            return f"{peer} {connection.headers.get(proxy.header, '')[:100]}"
        return peer


def _too_large(most: int) -> str:
    return f"the body is larger than {most // 1024} KiB\n"
