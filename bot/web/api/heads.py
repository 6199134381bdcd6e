"""`HEAD` for routes that know `GET` alone, as those of FastAPI do (RFC 9110, 9.3.2)."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
