"""Every page, table, badge and webhook, and the API: what is served beside health and metrics."""

from starlette.datastructures import MutableHeaders
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.hooks import clusters, receiving
from bot.web.late import Late
from bot.web.pages import acting, badge, finding, looking, signing, tables
from bot.web.site import Site
from bot.web.static_files import MarkedFiles

_METHOD_NOT_ALLOWED = 405


def pages_of(site: Site) -> ASGIApp:
    """Makes what is served of one site."""

    def made_api() -> ASGIApp:
        from bot.web.api.app import api_of

        return api_of(site)

    routes = [
        *signing.routes,
        *tables.routes,
        *finding.routes,
        *looking.routes,
        *acting.routes,
        *badge.routes,
        *receiving.routes,
        *clusters.routes,
        Mount("/api/v1", WithHead(Late(made_api)), name="api"),
        Mount("/static", MarkedFiles(), name="static"),
    ]
    return Router(routes, redirect_slashes=False)  # it would lead to whatever host the request names


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
