"""Times each request by the kind of page that it asks for, which is one of few."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.fleet.meter import OTHER, Meter


class Measured:
    """An application whose answers are counted."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = scope.get("route")
            self._meter.served(getattr(route, "name", None) or OTHER, status, time.perf_counter() - began)
