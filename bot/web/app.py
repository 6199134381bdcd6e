"""Everything that is served, put together."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from bot.domain.failure import Failure
from bot.web import health
from bot.web.metrics import page as metrics
from bot.web.metrics.measuring import Measured
from bot.web.site import Site


def app_of(site: Site) -> ASGIApp:
    """The application for one site."""
    app = Starlette(
        routes=[*health.routes, *metrics.routes],
        exception_handlers={Failure: _store_is_away},
    )
    app.state.site = site
    return Measured(app, site.meter)


async def _store_is_away(request: Request, error: Exception) -> Response:
    return PlainTextResponse("the store does not answer; try again\n", 503, {"Retry-After": "10"})
