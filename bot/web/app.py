"""Everything that is served, put together."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.domain.failure import Failure
from bot.store.engine.failures import NoRoom
from bot.web import health
from bot.web import metrics as metrics
from bot.web.access.bounds import Bounds, refusal
from bot.web.access.connections import Rates
from bot.web.access.guard import person_of
from bot.web.hooks import clusters, receiving
from bot.web.metrics import Measured
from bot.web.pages import acting, badge, finding, looking, signing, tables
from bot.web.pages.rendering import render
from bot.web.site import Site, site_of
from bot.web.static_files import MarkedFiles

_METHOD_NOT_ALLOWED = 405


class WithHead:
    """An application that answers `HEAD` as it does `GET`, but for the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_head = scope["type"] == "http" and scope["method"] == "HEAD"
        get_scope = {**scope, "method": "GET"} if is_head else scope

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == _METHOD_NOT_ALLOWED:
                headers = MutableHeaders(scope=message)
                if headers.get("allow") == "GET":
                    headers["allow"] = "GET, HEAD"
            if is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(get_scope, receive, answered)
        finally:
            if "route" in get_scope:  # requests are counted by it
                scope["route"] = get_scope["route"]


class LateApi:
    """The API of one site, loaded and made when somebody first asks for it.

    It takes 9 MB and a second, in which the loop goes on; many a bot is asked for pages and metrics alone.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._app: ASGIApp | None = None
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._made())(scope, receive, send)

    async def _made(self) -> ASGIApp:
        async with self._making:
            if self._app is None:
                self._app = await asyncio.to_thread(_made_api, self._site)
            return self._app


def _made_api(site: Site) -> ASGIApp:
    from bot.web.api.app import api_of

    return api_of(site)


_TITLES = {
    404: "There is no such page",
    405: "That is not asked for like this",
    429: "Too many attempts",
}


def app_of(site: Site) -> ASGIApp:
    """Makes the application for one site."""
    return _bounded(
        site,
        [
            *health.routes,
            *metrics.routes,
            *signing.routes,
            *tables.routes,
            *finding.routes,
            *looking.routes,
            *acting.routes,
            *badge.routes,
            *receiving.routes,
            *clusters.routes,
            Mount("/api/v1", WithHead(LateApi(site)), name="api"),
            Mount("/static", MarkedFiles(), name="static"),
        ],
    )


def health_app_of(site: Site) -> ASGIApp:
    """Health and metrics alone, for a port of their own: what is asked of the page is not counted here."""
    return _bounded(replace(site, rates=Rates()), [*health.routes, *metrics.routes])


def _bounded(site: Site, routes: Sequence[BaseRoute]) -> ASGIApp:
    app = Starlette(
        routes=routes,
        exception_handlers={Failure: _store_is_away, HTTPException: _refused},
    )
    app.router.redirect_slashes = False  # it would lead to whatever host the request names
    app.state.site = site
    return Measured(Bounds(app, site), site.meter)


async def _store_is_away(request: Request, error: Exception) -> Response:
    if isinstance(error, NoRoom):
        text = "Nothing was kept, for the store has no room left; what it holds can be read. Try again later."
        return await _answer_in_kind(request, 503, "The store is full", text, {"Retry-After": "60"})
    text = "The store does not answer. Try again in a moment."
    return await _answer_in_kind(request, 503, "The store is away", text, {"Retry-After": "10"})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = _TITLES.get(error.status_code, "Not done")
    return await _answer_in_kind(request, error.status_code, title, error.detail, dict(error.headers or {}))


async def _answer_in_kind(
    request: Request, status: int, title: str, text: str, headers: dict[str, str]
) -> Response:
    """Answers with a page whoever has signed in and reads pages, and with one line all others."""
    person = await person_of(request, site_of(request))
    if person is None or "text/html" not in request.headers.get("accept", ""):
        return refusal(request, status, text if person is not None else title, headers)
    request.state.person = person
    page = render(request, "refused.html", status, title=title, text=text)
    page.headers.update(headers)
    return page
