"""Signing in with a token, and out again."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.settings.tokens import whose
from bot.store.sessions import SessionsStore
from bot.web.access.forms import FormRefused, read_form, set_cookie
from bot.web.access.guard import (
    COOKIE,
    KEPT,
    LASTS,
    cookie_of,
    note_wrong_token,
    person_of,
    person_of_cookie,
    session_of,
)
from bot.web.pages.rendering import inside, render
from bot.web.site import site_of


async def login(request: Request) -> Response:
    """Shows the form; with a token in it, begins the session."""
    site = site_of(request)
    if request.method != "POST":
        request.state.person = await person_of(request, site)
        return render(
            request, "login.html", wrong="", target=inside(request.query_params.get("next", "/"), may_ask=True)
        )
    try:
        fields = await read_form(request)
    except FormRefused as refusal:
        return render(request, "login.html", 403, wrong=f"Not signed in: {refusal}.", target="/")
    target = inside(fields.get("next", "/"), may_ask=True)
    person = whose(site.access.tokens, fields.get("token", "").strip())
    token = next((each for each in site.access.tokens if each.person == person), None)
    if token is None:
        note_wrong_token(request, site)
        return render(request, "login.html", 401, wrong="That is nobody's token.", target=target)
    if wait := site.rates.sessions.take(token.person.name):
        raise HTTPException(429, "You sign in too often.", {"Retry-After": str(int(wait) + 1)})
    answer = RedirectResponse(target, 303)
    set_cookie(answer, site, COOKIE, cookie_of(token, site.clock), seconds=int(LASTS.total_seconds()))
    return answer


async def logout(request: Request) -> Response:
    """Ends the session, in this browser and wherever else its cookie has been taken to."""
    site = site_of(request)
    try:
        await read_form(request)
    except FormRefused as refusal:
        return PlainTextResponse(f"{refusal}\n", 403)
    cookie = request.cookies.get(COOKIE, "")
    if person_of_cookie(cookie, site.access.tokens, site.clock) is not None:
        await site.stores[SessionsStore].end(session_of(cookie), site.clock.now() + KEPT)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=site.access.is_https)
    return answer


routes = [
    Route("/login", login, methods=["GET", "POST"], name="login"),
    Route("/logout", logout, methods=["POST"], name="logout"),
]
