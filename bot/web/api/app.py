"""The API's addresses. Each answers one view; what may be asked for is checked before the store is."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import AwareDatetime, BeforeValidator
from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.domain.bases.support import SupportState
from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Severity
from bot.domain.images.standing import ImageState
from bot.domain.packages.ledger.clocks import Station
from bot.domain.repositories.finding import Outcome
from bot.domain.rollouts.rebuild import ENDED, RebuildState
from bot.domain.rollouts.timing.waves import WavePart
from bot.settings.tokens import Right
from bot.store.pages.bases.advisories import AdvisoryPagesStore
from bot.store.pages.bases.bases import BasePagesStore
from bot.store.pages.finding import FindingStore
from bot.store.pages.fleet.figures import OperationsStore
from bot.store.pages.fleet.fleet import FleetStore
from bot.store.pages.fleet.needs import NeedsStore
from bot.store.pages.fleet.practices import PracticesStore
from bot.store.pages.images.contents import ImageContentsStore
from bot.store.pages.images.images import ImagePagesStore
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.pages.repositories import RepositoryPagesStore
from bot.store.pages.rollouts import RolloutPagesStore
from bot.views.bases.advisories import Advisories, AdvisoryPage, FixState
from bot.views.bases.base import BasePage, Bases
from bot.views.bases.upstream import Upstream
from bot.views.finding import FoundNames, PackagePage, WantedVersion
from bot.views.fleet.fleet import AGES, Fleet, FleetFilter, Sort, Standing
from bot.views.fleet.needs import NeedReason, NeedsYou
from bot.views.fleet.practices import Audited, FleetPractices, PracticePage
from bot.views.images.image_contents import ImageCves, ImagePackages, Origin, PackageFilter, WantedCves
from bot.views.images.image_pages import ImagePage, Images, WantedImages
from bot.views.images.ledger import CveFilter, CvePage, Cves
from bot.views.paging import MOST_PAGES, MOST_PER_PAGE, PER_PAGE, Cut, Page
from bot.views.repositories.explanation import RepositoryPage
from bot.views.rollouts.rollout import RolloutSummary, WantedRebuilds
from bot.views.running.asking import asked_of
from bot.views.running.exposed import ExposurePage, Narrowed, exposure_page
from bot.views.running.places import RunningList
from bot.web.access.guard import person_of
from bot.web.api.shapes import BotAtWork, Problem, RolloutDetail, answered, detail_of
from bot.web.pages.looking import stage_rows
from bot.web.site import Site, site_of

_TEXT = r"^[^\x00-\x1f]*$"
Exact = Annotated[str, Query(max_length=200, pattern=_TEXT, description="All of it, as the answer has it.")]
Text = Annotated[str, Query(max_length=200, pattern=_TEXT, description="What its name, or title, holds.")]
Wanted = Annotated[str, Query(min_length=1, max_length=200, pattern=_TEXT, description="A part of the name.")]
Age = Annotated[
    str, Query(pattern=f"^({'|'.join(AGES)})?$", description="For how long it is behind, of those that are.")
]
Tag = Annotated[
    str | None,
    Query(
        max_length=128,
        pattern=r"^[A-Za-z0-9_.-]+$",
        description="Of several tags under the name; else the one that needs a look first.",
    ),
]
Name = Annotated[str, Path(max_length=512, pattern=r"^[^\x00-\x1f]+$")]
Part = Annotated[str, Path(max_length=128, pattern=r"^[^\x00-\x1f/]+$")]
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Nobody has signed in."},
    403: {"model": Problem, "description": "Whoever has may not read."},
    414: {"model": Problem, "description": "The address is too long."},
    429: {"model": Problem, "description": "Too many requests, or too many wrong tokens."},
    503: {"model": Problem, "description": "The store does not answer."},
}
_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "As it was when the ETag was given."}}
_MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such thing."}}


def _cut(
    page: Annotated[int, Query(ge=1, le=MOST_PAGES)] = 1,
    per_page: Annotated[int, Query(ge=1, le=MOST_PER_PAGE)] = PER_PAGE,
) -> Cut:
    return Cut(page, per_page)


OnePage = Annotated[Cut, Depends(_cut)]


async def _reader(request: Request) -> None:
    person = await person_of(request, site_of(request))
    if person is None:
        raise HTTPException(401, "sign in first", {"WWW-Authenticate": 'Bearer realm="freshness-bot"'})
    if not person.may(Right.READ):
        raise HTTPException(403, f"{person.name} has no right to read")


def api_of(site: Site) -> FastAPI:
    """Makes the API of one site, to be mounted at `/api/v1`."""
    app = _empty()
    app.router.routes = [*_routes()]
    app.state.site = site
    app.add_exception_handler(Failure, _store_is_away)
    return app


@cache
def _routes() -> Sequence[BaseRoute]:
    """Those of every site: what they take and answer is read from the types of forty functions, which takes longer
    than a page."""
    app = _empty()
    _add_lists(app)
    _add_details(app)
    _add_running(app)

    @app.get("/openapi.json", include_in_schema=False)
    async def description(request: Request) -> Response:
        return JSONResponse(request.app.openapi())

    return app.routes


def _empty() -> FastAPI:
    return FastAPI(
        title="freshness bot",
        version="1",
        description="How a fleet of .NET container images stands to its bases. Everything here reads.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        servers=[{"url": "/api/v1"}],
        dependencies=[Depends(_reader), Security(HTTPBearer(auto_error=False))],
        responses={**_REFUSALS, **_NOT_MODIFIED},
    )


async def _repository(request: Request, name: str) -> Response:
    site = site_of(request)
    repository_page = await site.stores[RepositoryPagesStore].repository(name, site.forge)
    if repository_page is None:
        raise HTTPException(404, "there is no such repository")
    return answered(request, repository_page, RepositoryPage)


async def _findings(request: Request, name: str) -> Response:
    audit = await site_of(request).stores[PracticesStore].audited(name)
    if audit is None:
        raise HTTPException(404, "there is no such repository")
    return answered(request, audit, Audited)


def _add_lists(app: FastAPI) -> None:
    @app.get("/fleet", response_model=Fleet, summary="The fleet, a page of repositories at a time")
    async def fleet(
        request: Request,
        cut: OnePage,
        q: Text = "",
        standing: Standing | None = None,
        base: Text = "",
        sort: Sort = Sort.STANDING,
        support: SupportState | None = None,
        age: Age = "",
    ) -> Response:
        fleet_filter = FleetFilter(q, standing, base, sort, support, age)
        fleet_page = await site_of(request).stores[FleetStore].fleet(fleet_filter, cut)
        return answered(request, fleet_page, Fleet, fleet_page.repositories)

    @app.get("/find", response_model=FoundNames, summary="Everything whose name holds a text")
    async def find(request: Request, q: Wanted) -> Response:
        return answered(request, await site_of(request).stores[FindingStore].find(q), FoundNames)

    @app.get("/needs", response_model=NeedsYou, summary="What only a person can move, by reason")
    async def needs(request: Request, reason: NeedReason | None = None) -> Response:
        stores = site_of(request).stores
        if reason is None:
            return answered(request, await stores[NeedsStore].needs(), NeedsYou)
        group = await stores[NeedsStore].group(reason)
        return answered(request, NeedsYou((group,) if group else ()), NeedsYou)

    @app.get("/practices", response_model=FleetPractices, summary="How the fleet stands to each practice")
    async def practices(request: Request) -> Response:
        return answered(request, await site_of(request).stores[PracticesStore].fleet(), FleetPractices)

    @app.get("/rollouts", response_model=Page[RolloutSummary], summary="Rollouts, the newest first")
    async def rollouts(request: Request, cut: OnePage) -> Response:
        site = site_of(request)
        rollout_page = await site.stores[RolloutPagesStore].rollouts(site.rollout_options, cut)
        return answered(request, rollout_page, Page[RolloutSummary], rollout_page)

    @app.get("/images", response_model=Images, summary="Images that the fleet builds, those that are behind first")
    async def images(request: Request, cut: OnePage, q: Text = "", state: ImageState | None = None) -> Response:
        image_page = await site_of(request).stores[ImagePagesStore].images(WantedImages(q, state), cut)
        return answered(request, image_page, Images, image_page.images)

    @app.get("/bases", response_model=Bases, summary="Bases in use")
    async def bases(request: Request, cut: OnePage, q: Text = "") -> Response:
        base_page = await site_of(request).stores[BasePagesStore].bases(q, cut)
        return answered(request, base_page, Bases, base_page.bases)

    @app.get("/advisories", response_model=Advisories, summary="Advisories, the newest first")
    async def advisories(request: Request, cut: OnePage, q: Text = "") -> Response:
        advisory_page = await site_of(request).stores[AdvisoryPagesStore].advisories(q, cut)
        return answered(request, advisory_page, Advisories, advisory_page.advisories)

    @app.get("/cves", response_model=Cves, summary="CVEs that images still have, by where the fix is stuck")
    async def cves(
        request: Request,
        cut: OnePage,
        q: Text = "",
        severity: Severity | None = None,
        station: Station | None = None,
    ) -> Response:
        cve_page = await site_of(request).stores[LedgerStore].cves(cut, CveFilter(q, severity, station))
        return answered(request, cve_page, Cves, cve_page.cves)

    @app.get("/upstream", response_model=Upstream, summary="How late upstream is, and what it withdrew")
    async def upstream(request: Request) -> Response:
        return answered(request, await site_of(request).stores[BasePagesStore].upstream(), Upstream)

    @app.get("/operations", response_model=BotAtWork, summary="The bot at work")
    async def operations(request: Request) -> Response:
        site = site_of(request)
        figures, full = await site.stores[OperationsStore].operations(), site.stores[OperationsStore].no_room
        at_work = BotAtWork(figures, stage_rows(site), None if full is None else full.told)
        return answered(request, at_work, BotAtWork)


def _add_details(app: FastAPI) -> None:
    @app.get(
        "/practices/{check}",
        response_model=PracticePage,
        responses=_MISSING,
        summary="The repositories in which one practice holds or not",
    )
    async def practice(request: Request, check: Part, cut: OnePage, outcome: Outcome | None = None) -> Response:
        practice_page = await site_of(request).stores[PracticesStore].practice(check, outcome, cut)
        if practice_page is None:
            raise HTTPException(404, "there is no such practice")
        return answered(request, practice_page, PracticePage, practice_page.repositories)

    @app.get(
        "/packages/{name:path}", response_model=PackagePage, responses=_MISSING, summary="Images with a package"
    )
    async def package(
        request: Request,
        name: Name,
        cut: OnePage,
        version: Exact = "",
        package: Exact = "",
        type: Exact = "",  # noqa: A002 - the parameter's name
    ) -> Response:
        wanted = WantedVersion(version, package, type)
        package_page = await site_of(request).stores[FindingStore].package(name, cut, wanted)
        if package_page is None:
            raise HTTPException(404, "no image that was read holds it")
        return answered(request, package_page, PackagePage, package_page.images)

    @app.get("/rollouts/{number}", response_model=RolloutDetail, responses=_MISSING, summary="One rollout")
    async def rollout(
        request: Request,
        number: Annotated[int, Path(ge=1, lt=2**53)],
        cut: OnePage,
        state: RebuildState | None = None,
        wave: Text = "",
        distance: Annotated[int | None, Query(ge=0, le=1000)] = None,
        part: WavePart | None = None,
    ) -> Response:
        site = site_of(request)
        wanted = WantedRebuilds(state, wave, distance, part)
        rollout_page = await site.stores[RolloutPagesStore].rollout(number, site.rollout_options, cut, wanted)
        if rollout_page is None:
            raise HTTPException(404, f"there is no rollout {number}")
        return answered(request, detail_of(rollout_page, ENDED), RolloutDetail, rollout_page.rebuilds)

    _add_contents(app)

    @app.get("/images/{name:path}", response_model=ImagePage, responses=_MISSING, summary="One image")
    async def image(request: Request, name: Name, tag: Tag = None) -> Response:
        site = site_of(request)
        image_page = await site.stores[ImagePagesStore].image(name, site.forge, tag)
        if image_page is None:
            raise HTTPException(404, "there is no such image")
        return answered(request, image_page, ImagePage)

    @app.get("/bases/{name:path}", response_model=BasePage, responses=_MISSING, summary="One base")
    async def base(request: Request, name: Name) -> Response:
        base_page = await site_of(request).stores[BasePagesStore].base(name)
        if base_page is None:
            raise HTTPException(404, "there is no such base")
        return answered(request, base_page, BasePage)

    @app.get(
        "/repositories/{owner}/{name}", response_model=RepositoryPage, responses=_MISSING, summary="One repository"
    )
    async def repository(request: Request, owner: Part, name: Part) -> Response:
        return await _repository(request, f"{owner}/{name}")

    @app.get(
        "/repositories/{owner}/{name}/findings",
        response_model=Audited,
        responses=_MISSING,
        summary="What the audit found in one repository",
    )
    async def findings(request: Request, owner: Part, name: Part) -> Response:
        return await _findings(request, f"{owner}/{name}")

    @app.get(
        "/repositories/{organisation}/{project}/{name}",
        response_model=RepositoryPage,
        responses=_MISSING,
        summary="One repository of Azure Repos",
    )
    async def azure_repository(request: Request, organisation: Part, project: Part, name: Part) -> Response:
        return await _repository(request, f"{organisation}/{project}/{name}")

    @app.get(
        "/repositories/{organisation}/{project}/{name}/findings",
        response_model=Audited,
        responses=_MISSING,
        summary="What the audit found in one repository of Azure Repos",
    )
    async def azure_findings(request: Request, organisation: Part, project: Part, name: Part) -> Response:
        return await _findings(request, f"{organisation}/{project}/{name}")

    @app.get("/advisories/{cve}", response_model=AdvisoryPage, responses=_MISSING, summary="One advisory")
    async def advisory(request: Request, cve: Part, cut: OnePage, fix: FixState | None = None) -> Response:
        advisory_page = await site_of(request).stores[AdvisoryPagesStore].advisory(cve[:32], cut, fix)
        if advisory_page is None:
            raise HTTPException(404, "there is no such advisory")
        return answered(request, advisory_page, AdvisoryPage, advisory_page.rebuilds)

    @app.get("/cves/{cve}", response_model=CvePage, responses=_MISSING, summary="Where one CVE's fix is stuck")
    async def cve(request: Request, cve: Part, cut: OnePage, stuck: Text = "", who: Text = "") -> Response:
        cve_page = await site_of(request).stores[LedgerStore].cve(cve[:64], cut, stuck, who)
        if cve_page is None:
            raise HTTPException(404, "nothing that was read tells of it")
        return answered(request, cve_page, CvePage, cve_page.images)


_WRITTEN_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _as_described(value: object) -> object:
    """Lets no other way to write a time in than the one that the description names: a number is none."""
    if not isinstance(value, str) or _WRITTEN_TIME.fullmatch(value) is None:
        raise ValueError("write it as 2026-03-10T14:30:00Z")
    return value


_TIME = Annotated[
    Annotated[AwareDatetime, BeforeValidator(_as_described)] | None,
    Query(description="Then, or at any time since, as 2026-03-10T14:30:00Z."),
]
_RECORD = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]*$")]
_PLACE = Annotated[str | None, Query(max_length=200, pattern=_TEXT, description="An environment, or a source.")]
_BUILDER = Annotated[str | None, Query(max_length=200, pattern=_TEXT, description="Who builds what runs there.")]


def _add_running(app: FastAPI) -> None:
    """What runs, and where it has a CVE."""

    @app.get("/running", response_model=RunningList, summary="What runs now, by what its sources have told last")
    async def running(request: Request, cut: OnePage, environment: _PLACE = None) -> Response:
        from bot.store.pages.running.places import RunningPlacesStore

        now = await site_of(request).stores[RunningPlacesStore].running(cut, environment)
        return answered(request, now, RunningList, now.running)

    @app.get(
        "/cves/{cve}/exposure",
        response_model=ExposurePage,
        summary="Where one CVE runs, or ran",
    )
    async def exposure(
        request: Request,
        cve: _RECORD,
        cut: OnePage,
        at: _TIME = None,
        since: _TIME = None,
        environment: _PLACE = None,
        repository: _BUILDER = None,
        org: _BUILDER = None,
        team: _BUILDER = None,
    ) -> Response:
        from bot.store.pages.running.answering import exposure_of

        site = site_of(request)
        asked = asked_of(at, since, site.clock.now())
        answer = await exposure_of(site.stores, cve, asked, Narrowed(environment, repository, org, team))
        page = exposure_page(answer, cut)
        return answered(request, page, ExposurePage, page.places)


def _add_contents(app: FastAPI) -> None:
    @app.get(
        "/images/{name:path}/-/cves",
        response_model=ImageCves,
        responses=_MISSING,
        summary="CVEs of one image, the most severe first",
    )
    async def image_cves(
        request: Request, name: Name, cut: OnePage, tag: Tag = None, q: Text = "", severity: Severity | None = None
    ) -> Response:
        cve_page = await site_of(request).stores[ImageContentsStore].cves(name, tag, WantedCves(q, severity), cut)
        if cve_page is None:
            raise HTTPException(404, "there is no such image")
        return answered(request, cve_page, ImageCves, cve_page.cves)

    @app.get(
        "/images/{name:path}/-/packages",
        response_model=ImagePackages,
        responses=_MISSING,
        summary="Packages of one image, what it adds to its base first",
    )
    async def image_packages(
        request: Request, name: Name, cut: OnePage, tag: Tag = None, q: Text = "", origin: Origin | None = None
    ) -> Response:
        package_page = (
            await site_of(request).stores[ImageContentsStore].packages(name, tag, PackageFilter(q, origin), cut)
        )
        if package_page is None:
            raise HTTPException(404, "there is no such image")
        return answered(request, package_page, ImagePackages, package_page.packages)


async def _store_is_away(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": "the store does not answer"}, 503, {"Retry-After": "10"})
