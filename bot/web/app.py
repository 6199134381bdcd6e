"""Everything that is served, put together."""

from collections.abc import Sequence
from dataclasses import replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from bot.domain.failure import Failure
from bot.store.engine.failures import NoRoom
from bot.web import health
from bot.web import metrics as metrics
from bot.web.access.bounds import Bounds, refusal
from bot.web.access.connections import Rates
from bot.web.access.guard import person_of
from bot.web.late import Late
from bot.web.metrics import Measured
from bot.web.site import Site, site_of

_TITLES = {
    404: "There is no such page",
    405: "That is not asked for like this",
    429: "Too many attempts",
}


def app_of(site: Site) -> ASGIApp:
    """Makes the application for one site: health and metrics at once, all else with the first who asks for it."""

    def made_pages() -> ASGIApp:
        from bot.web.pages.app import pages_of

        return pages_of(site)

    return _bounded(site, [*health.routes, *metrics.routes, Mount("", Late(made_pages))])


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
    from bot.web.pages.rendering import render

    request.state.person = person
    page = render(request, "refused.html", status, title=title, text=text)
    page.headers.update(headers)
    return page
