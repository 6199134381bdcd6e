"""The lists of pages as CSV: all that fits the address's filter, for a spreadsheet."""

from collections.abc import Iterable, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.domain.repositories.finding import Outcome
from bot.domain.running.exposure import Asked
from bot.settings.tokens import Right
from bot.store.pages.bases.advisories import AdvisoryPagesStore
from bot.store.pages.finding import FindingStore
from bot.store.pages.fleet.fleet import FleetStore
from bot.store.pages.fleet.needs import NeedsStore
from bot.store.pages.fleet.practices import PracticesStore
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.pages.rollouts import RolloutPagesStore
from bot.views.bases.advisories import FixState
from bot.views.fleet.fleet import RepositoryRow
from bot.views.fleet.needs import NeedReason
from bot.views.paging import WHOLE
from bot.views.rows import RebuildRow
from bot.views.running.exposed import COLUMNS, Narrowed, table
from bot.views.spreadsheet import as_csv
from bot.web.access.guard import allowed
from bot.web.pages.asking import check_sources, chosen, fleet_filter, text, wanted_rebuilds, wanted_version
from bot.web.site import site_of


def _answer(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(as_csv(columns, rows), media_type="text/csv; charset=utf-8", headers=headers)


@allowed(Right.READ)
async def fleet(request: Request) -> Response:
    page = await site_of(request).stores[FleetStore].fleet(fleet_filter(request), WHOLE)
    columns = ("repository", "standing", "behind_since", "bases", "usages", "rebuild", "rollout", "url", "support")
    return _answer("fleet", columns, map(_repository, page.repositories.items))


def _repository(row: RepositoryRow) -> tuple[object, ...]:
    support = row.support.told if row.support else None
    state = row.name, row.standing, row.behind_since, row.bases, row.usages
    return (*state, row.rebuild, row.rollout, row.url, support)


@allowed(Right.READ)
async def needs(request: Request) -> Response:
    word = request.path_params["reason"]
    if word not in set(NeedReason):
        raise HTTPException(404, "Nothing waits for a person for such a reason.")
    group = await site_of(request).stores[NeedsStore].group(NeedReason(word))
    rows = ((need.subject, need.since, need.why, need.url) for need in (group.first if group else ()))
    return _answer(word, ("subject", "since", "why", "url"), rows)


@allowed(Right.READ)
async def practice(request: Request) -> Response:
    check = request.path_params["check"][:64]
    outcome = chosen(request, "outcome", Outcome)
    page = await site_of(request).stores[PracticesStore].practice(check, outcome, WHOLE)
    if page is None:
        raise HTTPException(404, f"No practice is called {check}.")
    rows = ((row.name, row.outcome, row.standing) for row in page.repositories.items)
    return _answer(check, ("repository", "outcome", "standing"), rows)


@allowed(Right.READ)
async def advisory(request: Request) -> Response:
    cve, fix = request.path_params["cve"][:32], chosen(request, "fix", FixState)
    page = await site_of(request).stores[AdvisoryPagesStore].advisory(cve, WHOLE, fix)
    if page is None:
        raise HTTPException(404, f"No advisory tells of {cve}.")
    return _answer(cve, _REBUILD_COLUMNS, map(_rebuild, page.rebuilds.items))


_REBUILD_COLUMNS = ("repository", "state", "what", "wave", "began", "ended", "how it stands", "url")


def _rebuild(row: RebuildRow) -> tuple[object, ...]:
    return row.repository, row.state, row.what, row.wave, row.attempted_at, row.ended_at, row.reason, row.url


@allowed(Right.READ)
async def rollout(request: Request) -> Response:
    site, number = site_of(request), request.path_params["number"]
    wanted, store = wanted_rebuilds(request), site.stores[RolloutPagesStore]
    page = await store.rollout(number, site.rollout_options, WHOLE, wanted) if number < 2**62 else None
    if page is None:
        raise HTTPException(404, f"There is no rollout {number}.")
    return _answer(f"rollout-{number}", _REBUILD_COLUMNS, map(_rebuild, page.rebuilds.items))


@allowed(Right.READ)
async def cve(request: Request) -> Response:
    name = request.path_params["cve"][:64]
    page = await site_of(request).stores[LedgerStore].cve(name, WHOLE, text(request, "stuck"), text(request, "who"))
    if page is None:
        raise HTTPException(404, f"Nothing that was read tells of {name}.")
    rows = (
        (row.image, row.repository, ", ".join(row.packages), row.state, row.says, row.who)
        for row in page.images.items
    )
    return _answer(page.cve.cve, ("image", "produced by", "packages", "stuck at", "why", "who"), rows)


@allowed(Right.READ)
async def exposure(request: Request) -> Response:
    from bot.store.pages.running.answering import exposure_of

    site, name = site_of(request), request.path_params["cve"][:64]
    check_sources(site)
    answer = await exposure_of(site.stores, name, Asked(site.clock.now()), Narrowed())
    if not answer.is_told:
        raise HTTPException(404, f"Nothing that was read tells of {name}.")
    return _answer(f"{name}-exposure", COLUMNS, table(answer))


@allowed(Right.READ)
async def running(request: Request) -> Response:
    from bot.store.pages.running.report import ExposureReportStore
    from bot.views.running import report as told

    site = site_of(request)
    check_sources(site)
    report = await site.stores[ExposureReportStore].report()
    return _answer("exposure", told.COLUMNS, told.table(report))


@allowed(Right.READ)
async def package(request: Request) -> Response:
    name = request.path_params["name"][:256]
    page = await site_of(request).stores[FindingStore].package(name, WHOLE, wanted_version(request))
    if page is None:
        raise HTTPException(404, f"No image that was read holds a package {name}.")
    rows = ((row.image, row.package, row.version) for row in page.images.items)
    return _answer("package", ("image", "package", "version"), rows)


routes = [
    Route("/fleet.csv", fleet, name="fleet_table"),
    Route("/needs/{reason}.csv", needs, name="needs_table"),
    Route("/practices/{check}.csv", practice, name="practice_table"),
    Route("/advisories/{cve}.csv", advisory, name="advisory_table"),
    Route("/rollouts/{number:int}.csv", rollout, name="rollout_table"),
    Route("/cves/{cve}/exposure.csv", exposure, name="exposure_table"),
    Route("/cves/{cve}.csv", cve, name="cve_table"),
    Route("/running.csv", running, name="running_table"),
    Route("/packages/{name:path}.csv", package, name="package_table"),
]
