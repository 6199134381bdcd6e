"""What the address of a page asks for; a value that does not exist counts as none, so that old links lead on."""

from enum import StrEnum
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request

from bot.domain.bases.support import SupportState
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.timing.waves import WavePart
from bot.views.finding import WantedVersion
from bot.views.fleet.fleet import AGES, FleetFilter, Sort, Standing
from bot.views.paging import MOST_PAGES, Cut, Page
from bot.views.rollouts.rollout import WantedRebuilds
from bot.web.site import Site

E = TypeVar("E", bound=StrEnum)

_LONGEST_TEXT = 200


def text(request: Request, name: str) -> str:
    return request.query_params.get(name, "").replace("\x00", "").strip()[:_LONGEST_TEXT]


def chosen(request: Request, name: str, kind: type[E]) -> E | None:
    """The value that is asked for; None where none is, or one that does not exist."""
    word = request.query_params.get(name)
    return kind(word) if word in set(kind) else None


def cut_of(request: Request) -> Cut:
    """Which page of a long list is asked for."""
    return Cut(min(max(_number(request, "page") or 1, 1), MOST_PAGES))


def check_page(page: Page[Any]) -> None:
    """Raises `HTTPException` where the list does not go on so far."""
    if page.page > page.pages:
        raise HTTPException(404, f"There are {page.pages} pages.")


def check_sources(site: Site) -> None:
    """Raises `HTTPException` where nothing tells what runs."""
    if not site.has_running:
        raise HTTPException(404, "Settings name no source of what runs.")


def fleet_filter(request: Request) -> FleetFilter:
    """Which repositories of the fleet are asked for."""
    age = text(request, "age")
    return FleetFilter(
        text(request, "q"),
        chosen(request, "standing", Standing),
        text(request, "base"),
        chosen(request, "sort", Sort) or Sort.STANDING,
        chosen(request, "support", SupportState),
        age if age in AGES else "",
    )


def wanted_rebuilds(request: Request) -> WantedRebuilds:
    """Which rebuilds of a rollout are asked for."""
    return WantedRebuilds(
        chosen(request, "state", RebuildState),
        text(request, "wave"),
        _number(request, "distance"),
        chosen(request, "part", WavePart),
    )


def wanted_version(request: Request) -> WantedVersion:
    """Which images that hold a package are asked for."""
    return WantedVersion(text(request, "version"), text(request, "package"), text(request, "type"))


def _number(request: Request, name: str) -> int | None:
    digits = request.query_params.get(name, "")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 7 else None
