"""Every page but health says what right it asks for; without it nothing is told but that."""

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.web.access.tokens import Person, Right, whose
from bot.web.site import site_of

Endpoint = Callable[[Request], Awaitable[Response]]
_SCHEME = "bearer "


def allowed(right: Right) -> Callable[[Endpoint], Endpoint]:
    """Lets a request through to the endpoint where whoever sends it has the right."""

    def guarded(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def answered(request: Request) -> Response:
            person = person_of(request)
            if person is None:
                return PlainTextResponse(
                    "sign in first\n", 401, {"WWW-Authenticate": 'Bearer realm="freshness-bot"'}
                )
            if not person.may(right):
                return PlainTextResponse(f"{person.name} has no right to {right}\n", 403)
            request.state.person = person
            return await endpoint(request)

        return answered

    return guarded


def person_of(request: Request) -> Person | None:
    """Who sends the request, as far as that is proved."""
    given = request.headers.getlist("authorization")
    if len(given) != 1 or not given[0].lower().startswith(_SCHEME):
        return None
    return whose(site_of(request).tokens, given[0][len(_SCHEME) :].strip())
