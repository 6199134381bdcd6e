"""Forms that change something: read within bounds, and only where they come from our own page.

A form counts where the browser says that it comes from this page (`Origin`, else `Sec-Fetch-Site`), and where its
hidden field holds what the cookie holds, which another site can neither read nor set.
"""

import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from bot.web.access.guard import shows_token
from bot.web.site import Site, site_of

COOKIE = "freshness_form"
FIELD = "form"
_MOST_FIELDS = 20


class FormRefused(Exception):
    """A form that is not ours, or is none; the text says why."""


def form_token(request: Request) -> str:
    """Gives the token that forms of this page hold; `keep_token` has the browser keep it."""
    token = request.cookies.get(COOKIE, "")
    if len(token) == 43 and token.isascii():
        return token
    if not hasattr(request.state, "form_token"):
        request.state.form_token = secrets.token_urlsafe(32)
    made: str = request.state.form_token
    return made


def keep_token(request: Request, response: Response) -> None:
    """Sets the cookie where the page made a new token."""
    made = getattr(request.state, "form_token", None)
    if made is not None:
        set_cookie(response, site_of(request), COOKIE, made)


def set_cookie(response: Response, site: Site, name: str, value: str, *, seconds: int | None = None) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=site.access.is_https, httponly=True, samesite="strict"
    )


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form of ours; raises `FormRefused` for any other. Who shows a token needs no page."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise FormRefused("this is no form")
    is_program = shows_token(request)
    if not is_program and not _is_ours(request):
        raise FormRefused("the form comes from another page")
    try:
        pairs = parse_qsl(
            (await request.body()).decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except (ValueError, UnicodeDecodeError):
        raise FormRefused("the form cannot be read") from None
    fields = dict(pairs)
    cookie = request.cookies.get(COOKIE, "")
    if len(fields) != len(pairs):
        raise FormRefused("the form names a field twice")
    field = fields.pop(FIELD, "")
    if not is_program and not (cookie and hmac.compare_digest(cookie.encode(), field.encode())):
        raise FormRefused("the form is too old; load the page again")
    return fields


def _is_ours(request: Request) -> bool:
    origins, hosts = request.headers.getlist("origin"), request.headers.getlist("host")
    if len(hosts) != 1 or len(origins) > 1:
        return False
    url = site_of(request).access.url
    mine = {hosts[0].lower()} | ({urlsplit(url).netloc.lower()} if url else set())
    if origins:
        return urlsplit(origins[0]).netloc.lower() in mine
    return request.headers.get("sec-fetch-site") == "same-origin"
