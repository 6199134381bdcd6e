"""`/metrics`, for whoever may read them."""

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.settings.tokens import Right
from bot.store.pages.fleet.figures import FiguresStore
from bot.web.access.guard import allowed
from bot.web.site import site_of


@allowed(Right.METRICS)
async def metrics(request: Request) -> Response:
    """Answers with all metrics in Prometheus' text format."""
    site = site_of(request)
    site.meter.has_no_room(site.stores[FiguresStore].no_room is not None)
    text = await site.meter.metrics_text(site.stores[FiguresStore], site.beats, site.clock.now())
    return Response(text, media_type=CONTENT_TYPE_LATEST)


routes = [Route("/metrics", metrics, name="metrics")]
