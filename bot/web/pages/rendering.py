"""A view and its template become a page. Whatever is put into a template is escaped there."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.domain.feeds.advisory import Severity, public_record
from bot.domain.repositories.onboarding import counts_in_words
from bot.domain.rollouts.timing.waves import WavePart
from bot.domain.wording.message import Style, with_code
from bot.domain.wording.pages import advisory_path, base_path, cve_path, image_path, repository_path
from bot.domain.wording.words import counted, duration, first_few, in_words, percent
from bot.settings.tokens import Person, Right
from bot.store.pages.fleet.figures import OperationsStore
from bot.views.finding import FoundKind
from bot.views.images.ledger import places_in_words
from bot.views.names import USUAL, short_digest
from bot.web import charts
from bot.web.access.bounds import POLICY_WITH_SCRIPT
from bot.web.access.forms import FIELD, form_token, keep_token, set_cookie
from bot.web.site import site_of
from bot.web.static_files import address_of

_DONE = "freshness_done"
_LONGEST_DONE = 200
_FOLDER = Path(__file__).parents[1] / "templates"
_WHOLE_DAYS = timedelta(days=7)
"""From here on the hour of a day no longer counts."""
NAVIGATION = (
    ("Fleet", "/"),
    ("Rollouts", "/rollouts"),
    ("Images", "/images"),
    ("Bases", "/bases"),
    ("Advisories", "/advisories"),
    ("CVEs", "/cves"),
    ("Upstream", "/upstream"),
    ("Operations", "/operations"),
)
"""What every page leads to. A new page of this kind is a line here."""


_KINDS = {
    FoundKind.REPOSITORY: "Repositories",
    FoundKind.BASE: "Bases",
    FoundKind.IMAGE: "Images",
    FoundKind.ADVISORY: "Advisories",
    FoundKind.CVE: "CVEs, image by image",
    FoundKind.PACKAGE: "Packages",
}


def path_in_address(path: str) -> str:
    """A file's path or a branch as a part of an address, whatever signs git let it have."""
    return quote(path.encode("utf-8", "surrogateescape"))


def outside(url: str | None) -> str | None:
    """The address, where it leads to a web page and nowhere else."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in ("https", "http") and parts.netloc else None


def short(base: str) -> str:
    return base.removeprefix(USUAL)


def short_names(text: str) -> str:
    """A sentence with the names of Microsoft's images as lists show them."""
    return text.replace(USUAL, "")


def short_reference(reference: str) -> str:
    """A reference without the usual registry, its digest shortened."""
    name, sign, pinned = reference.partition("@")
    return f"{short(name)}{sign}{short_digest(pinned)}" if pinned else short(name)


_SEAM = re.compile(r"(?<=[/:@-])")
_HAS_VERSION = re.compile(r"\d\.\d")
_LONGEST_WHOLE = 24


def seamed(name: str) -> Markup:
    """The name of an image so that a line breaks it at its seams alone, never in a version."""
    return Markup("<wbr>").join(
        Markup('<span class="whole">{}</span>').format(part)
        if len(part) <= _LONGEST_WHOLE and _HAS_VERSION.search(part)
        else part
        for part in _SEAM.split(name)
    )


def parts_of_name(name: str) -> tuple[str, str]:
    """Where something is, and its bare name, which is what tells it from others in a list."""
    place, slash, bare = name.rpartition("/")
    return place + slash, bare


def parts_of_address(url: str) -> tuple[str, str]:
    """Where a document is, and its name: `api.msrc.microsoft.com/…/cvrf/`, `2026-Nov`."""
    parts = urlsplit(url)
    *folders, name = unquote(parts.path).strip("/").split("/")
    skipped = "…/" if len(folders) > 1 else ""
    folder = f"{folders[-1]}/" if folders else ""
    return f"{parts.netloc}/{skipped}{folder}", f"{name}?{parts.query}" if parts.query else name


def digits(digest: str | None) -> str:
    """The first twelve digits of a digest, as a list shows it."""
    return short_digest(digest).partition(":")[2]


def code(text: str) -> Markup:
    """A sentence with what stands between backticks as code."""
    return Markup().join(
        Markup("<code>{}</code>").format(run.text) if run.style is Style.CODE else escape(run.text)
        for run in with_code(text)
    )


def moment(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M} UTC"


def _query(request: Request, **changed: Any) -> str:
    """Writes the address of this page's list with other parameters; None takes one away."""
    all_parameters = {**dict(request.query_params), **changed}
    parameters = {name: value for name, value in all_parameters.items() if value not in (None, "")}
    return f"{request.url.path}{f'?{urlencode(parameters)}' if parameters else ''}#list"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "moment": moment,
        "code": code,
        "duration": duration,
        "first_few": first_few,
        "in_words": in_words,
        "short": short,
        "short_names": short_names,
        "public_record": public_record,
        "parts_of_address": parts_of_address,
        "short_reference": short_reference,
        "digest": short_digest,
        "digits": digits,
        "repository_path": repository_path,
        "base_path": base_path,
        "advisory_path": advisory_path,
        "cve_path": cve_path,
        "severity_told": lambda value: Severity(value).told,
        "told": places_in_words,
        "image_path": image_path,
        "parts_of_name": parts_of_name,
        "seamed": seamed,
        "path_in_address": path_in_address,
        "outside": outside,
    }
    made.globals |= {
        "onboardings_in_words": counts_in_words,
        "counted": counted,
        "percent": percent,
        "charts": charts,
        "navigation": NAVIGATION,
        "kinds": _KINDS,
        "drawn_with": address_of,
        "wave_parts": tuple(WavePart),
        "Right": Right,
        "str": str,
    }
    return made


_TEMPLATES = _environment()


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Makes the page; who acts gets forms with the token that the browser keeps."""
    site = site_of(request)
    person: Person | None = getattr(request.state, "person", None)
    now = site.clock.now()

    def since(moment: datetime | None) -> str:
        return "never" if moment is None else ago(now - moment)

    context: Mapping[str, Any] = {
        "request": request,
        "person": person,
        "acts": person is not None and person.may(Right.ACT),
        "form_field": FIELD,
        "form_token": form_token(request),
        "now": now,
        "ago": since,
        "query": lambda **changed: _query(request, **changed),
        "path": request.url.path,
        "no_room": site.stores[OperationsStore].no_room,
        "done": unquote(request.cookies.get(_DONE, ""))[:_LONGEST_DONE],
        **values,
    }
    page = HTMLResponse(_TEMPLATES.get_template(template).render(context), status)
    if person is not None:
        page.headers["Content-Security-Policy"] = POLICY_WITH_SCRIPT
    keep_token(request, page)
    if _DONE in request.cookies:
        page.delete_cookie(_DONE, path="/")
    return page


def tell_once(request: Request, answer: Response, done: str) -> None:
    """Has the next page of this browser say what was done; in a link, anybody could have it say anything."""
    set_cookie(answer, site_of(request), _DONE, quote(done[:_LONGEST_DONE], safe=""), seconds=60)


def ago(past: timedelta) -> str:
    """`5.7 h ago`, `28 days ago`, `in 4 min`."""
    length = abs(past)
    if length < timedelta(seconds=1):
        return "just now"
    words = f"{length.days} days" if length >= _WHOLE_DAYS else duration(length)
    return f"{words} ago" if past >= timedelta() else f"in {words}"


def inside(target: str, *, may_ask: bool = False) -> str:
    """A path of this page and nothing else, with `may_ask` also one with a filter: what leads elsewhere leads to
    the fleet."""
    is_path = target.startswith("/") and not target.startswith("//") and "\\" not in target
    if not is_path or not target.isprintable() or len(target) >= 800:
        return "/"
    path, asks, query = target.partition("?")
    if asks and not may_ask:
        return "/"
    return quote(path, safe="/%") + asks + quote(query, safe="%=&+/:,")
