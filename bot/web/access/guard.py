"""Every page but health says what right it asks for; without it nothing is told but that.

So no further secret is needed, replicas know each other's cookies, and a token that is taken away ends its
sessions. Which were ended before their time stands in the store.
"""

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import wraps
from urllib.parse import quote

from itsdangerous import BadSignature, TimestampSigner
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from bot.domain.clock import Clock
from bot.settings.tokens import Person, Right, Token, whose, with_included
from bot.store.sessions import SessionsStore
from bot.web.access.connections import is_among, peer_of
from bot.web.site import Proxy, Site

COOKIE = "freshness_session"
LASTS = timedelta(hours=12)
KEPT = LASTS + timedelta(hours=1)
"""How long it is kept that a session was ended: replicas' clocks differ."""
_LONGEST = 512
_OWN = "~"
"""Stands in no name; what follows tells sessions of one person apart."""


class _Signer(TimestampSigner):
    """Takes the time from our clock."""

    def __init__(self, token: Token, clock: Clock) -> None:
        super().__init__(token.secret, salt="freshness-bot session")
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock.now().timestamp())


def cookie_of(token: Token, clock: Clock) -> str:
    """Makes the cookie that a browser shows from now on."""
    return _Signer(token, clock).sign(f"{token.person.name}{_OWN}{secrets.token_urlsafe(12)}").decode()


def person_of_cookie(cookie: str, tokens: Iterable[Token], clock: Clock) -> Person | None:
    """Tells whose session it is, while it lasts."""
    name = cookie.rsplit(".", 2)[0].partition(_OWN)[0]
    token = next((token for token in tokens if token.person.name == name), None)
    if token is None or len(cookie) > _LONGEST:
        return None
    try:
        _Signer(token, clock).unsign(cookie, max_age=int(LASTS.total_seconds()))
    except BadSignature:
        return None
    return token.person


def session_of(cookie: str) -> str:
    """What a right cookie is known by in the store: its signature can be written in several ways, what that signs
    cannot."""
    return hashlib.sha256(cookie.rpartition(".")[0].encode("utf-8", "surrogateescape")).hexdigest()


Endpoint = Callable[[Request], Awaitable[Response]]
_SCHEME = "bearer "
_NAME = re.compile(r"[^\x00-\x20\x7f<>\"]{1,100}")


def allowed(right: Right) -> Callable[[Endpoint], Endpoint]:
    """Lets a request through to the endpoint where whoever sends it has the right; a browser is led to the form."""

    def guarded(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def answered(request: Request) -> Response:
            refusal = await refused(request, right)
            return await endpoint(request) if refusal is None else refusal

        return answered

    return guarded


async def refused(request: Request, right: Right) -> Response | None:
    """What is answered to whoever may not; None where the request may go on, as `request.state.person`."""
    person = await person_of(request, request.app.state.site)
    if person is None:
        if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/login?next={quote(request.url.path + query, safe='/')}", 303)
        return PlainTextResponse("sign in first\n", 401, {"WWW-Authenticate": 'Bearer realm="freshness-bot"'})
    if not person.may(right):
        return PlainTextResponse(f"{person.name} has no right to {right}\n", 403)
    request.state.person = person
    return None


async def person_of(request: HTTPConnection, site: Site) -> Person | None:
    """Who sends the request, as far as that is proved: by a token, else by the proxy, else by the session.

    Whoever shows a token is judged by that alone. Each request is judged once: raises `HTTPException` where the
    sender has shown too many wrong tokens, and `Failure` where the store cannot say whether the session was ended.
    """
    if not hasattr(request.state, "proved"):
        request.state.proved = None  # also to whoever asks again after it raised
        request.state.proved = await _proved(request, site)
    person: Person | None = request.state.proved
    return person


async def _proved(request: HTTPConnection, site: Site) -> Person | None:
    if headers := request.headers.getlist("authorization"):
        if len(headers) != 1 or not headers[0].lower().startswith(_SCHEME):
            return None
        person = whose(site.access.tokens, headers[0][len(_SCHEME) :].strip())
        if person is None:
            note_wrong_token(request, site)
        return person
    if site.access.proxy is not None and (proxied_person := _named_by(site.access.proxy, request)) is not None:
        return proxied_person
    if cookie := request.cookies.get(COOKIE):
        person = person_of_cookie(cookie, site.access.tokens, site.clock)
        if person is not None and not await site.stores[SessionsStore].has_ended(session_of(cookie)):
            return person
    return None


def note_wrong_token(request: HTTPConnection, site: Site) -> None:
    """Counts a token, or a secret of events, that is nobody's; raises `HTTPException` where there were too many of
    them. A right one is taken all the same, so that whoever guesses locks nobody out."""
    wait = site.rates.logins.take(sender_of(request, site))
    if wait:
        raise HTTPException(429, "too many wrong tokens", {"Retry-After": str(int(wait) + 1)})


def shows_token(request: Request) -> bool:
    """Whether the sender is a program that shows its token itself, which no other page can have a browser do."""
    return request.headers.get("authorization", "").lower().startswith(_SCHEME)


def comes_by(proxy: Proxy, request: HTTPConnection) -> bool:
    """Whether the connection itself comes from the proxy; what headers say of that counts nothing."""
    return is_among(request.client.host if request.client is not None else "", proxy.networks)


def sender_of(connection: HTTPConnection, site: Site) -> str:
    """Whose requests and wrong tokens count together: the peer; behind a proxy that is named, whom that names."""
    host = connection.client.host if connection.client is not None else ""
    proxy = site.access.proxy
    if proxy is not None and comes_by(proxy, connection):
        return f"{host} {connection.headers.get(proxy.header, '')[:100]}"
    return peer_of(host)


def _named_by(proxy: Proxy, request: HTTPConnection) -> Person | None:
    names = request.headers.getlist(proxy.header)
    if not comes_by(proxy, request) or len(names) != 1 or not _NAME.fullmatch(names[0]):
        return None
    acts = any(fnmatchcase(names[0], glob) for glob in proxy.acting)
    return Person(names[0], with_included([Right.ACT if acts else Right.READ]))
