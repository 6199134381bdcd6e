"""Anything by its name, from every page: a repository, a base, an image, a CVE, a package."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.domain.wording.pages import advisory_path, base_path, cve_path, image_path, repository_path
from bot.settings.tokens import Right
from bot.store.pages.finding import FindingStore
from bot.views.finding import FoundKind, FoundNames
from bot.web.access.guard import allowed
from bot.web.pages.asking import check_page, cut_of, text, wanted_version
from bot.web.pages.rendering import render
from bot.web.site import site_of


def package_path(name: str) -> str:
    return f"/packages/{quote(name, safe='')}"


_PATHS: Mapping[FoundKind, Callable[[str], str]] = {
    FoundKind.REPOSITORY: repository_path,
    FoundKind.BASE: base_path,
    FoundKind.IMAGE: image_path,
    FoundKind.ADVISORY: advisory_path,
    FoundKind.CVE: cve_path,
    FoundKind.PACKAGE: package_path,
}
_LISTS = {
    FoundKind.REPOSITORY: "/",
    FoundKind.BASE: "/bases",
    FoundKind.IMAGE: "/images",
    FoundKind.ADVISORY: "/advisories",
    FoundKind.CVE: "/cves",
}
"""Where all that fit are listed, of those kinds that have a list."""


@allowed(Right.READ)
async def find(request: Request) -> Response:
    """What bears the name that is looked for; the page of what bears exactly it, where that is one thing."""
    wanted = text(request, "q")
    names = await site_of(request).stores[FindingStore].find(wanted) if wanted else FoundNames(wanted)
    if (only := names.only()) is not None:
        kind, name = only
        return RedirectResponse(_PATHS[kind](name), 303)
    return render(request, "find.html", found=names, paths=_PATHS, lists=_LISTS)


@allowed(Right.READ)
async def package(request: Request) -> Response:
    """The images that hold a package, in which version."""
    name = request.path_params["name"][:256]
    wanted = wanted_version(request)
    page = await site_of(request).stores[FindingStore].package(name, cut_of(request), wanted)
    if page is None:
        raise HTTPException(404, f"No image that was read holds a package {name}.")
    check_page(page.images)
    return render(request, "package.html", name=name, found=page, wanted=wanted)


routes = [
    Route("/find", find, name="find"),
    Route("/packages/{name:path}", package, name="package"),
]
