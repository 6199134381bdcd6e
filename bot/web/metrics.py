"""`/metrics` for whoever may read them, and the time that each request took by the kind of page it asked for."""

import time

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.fleet.meter import OTHER, Meter
from bot.settings.tokens import Right
from bot.web.access.guard import allowed
from bot.web.site import site_of


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


@allowed(Right.METRICS)
async def metrics(request: Request) -> Response:
    """Answers with all metrics in Prometheus' text format; what counts them is loaded with the first question."""
    from bot.store.pages.fleet.figures import FiguresStore

    site = site_of(request)
    site.meter.has_no_room(site.stores[FiguresStore].no_room is not None)
    text = await site.meter.metrics_text(site.stores[FiguresStore], site.beats, site.clock.now())
    return Response(text, media_type=CONTENT_TYPE_LATEST)


routes = [Route("/metrics", metrics, name="metrics")]
