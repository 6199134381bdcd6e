"""Signing in with a token, and out again."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.web.access.forms import FormRefused, read_form, set_cookie
from bot.web.access.guard import person_of
from bot.web.access.sessions import COOKIE, LASTS, cookie_of
from bot.web.access.tokens import whose
from bot.web.pages.rendering import inside, render
from bot.web.site import site_of


async def login(request: Request) -> Response:
    """The form; with a token in it, the session."""
    site = site_of(request)
    if request.method != "POST":
        request.state.person = person_of(request, site)
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
        wait = site.rates.logins.take(request.client.host if request.client is not None else "")
        if wait:
            return PlainTextResponse("too many wrong tokens\n", 429, {"Retry-After": str(int(wait) + 1)})
        return render(request, "login.html", 401, wrong="That is nobody's token.", target=target)
    answer = RedirectResponse(target, 303)
    set_cookie(answer, site, COOKIE, cookie_of(token, site.clock), seconds=int(LASTS.total_seconds()))
    return answer


async def logout(request: Request) -> Response:
    """Ends the session in this browser."""
    try:
        await read_form(request)
    except FormRefused as refusal:
        return PlainTextResponse(f"{refusal}\n", 403)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(
        COOKIE, path="/", httponly=True, samesite="strict", secure=site_of(request).access.is_https
    )
    return answer


routes = [
    Route("/login", login, methods=["GET", "POST"], name="login"),
    Route("/logout", logout, methods=["POST"], name="logout"),
]
