"""The pages that show: fleet, rollouts, bases, repositories, advisories, upstream, operations."""

from itertools import islice
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.domain.bases.support import SupportState
from bot.domain.feeds.advisory import Severity
from bot.domain.images.standing import ImageState
from bot.domain.packages.ledger.clocks import Station
from bot.domain.repositories.finding import Outcome
from bot.domain.running.exposure import Asked
from bot.settings.tokens import Right
from bot.store.pages.bases.advisories import AdvisoryPagesStore
from bot.store.pages.bases.bases import BasePagesStore
from bot.store.pages.fleet.figures import OperationsStore
from bot.store.pages.fleet.fleet import FleetStore
from bot.store.pages.fleet.needs import NeedsStore
from bot.store.pages.fleet.practices import PracticesStore
from bot.store.pages.images.contents import ImageContentsStore
from bot.store.pages.images.images import ImagePagesStore
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.pages.repositories import RepositoryPagesStore
from bot.store.pages.rollouts import RolloutPagesStore
from bot.views.bases.advisories import FIX_WORDS, FixState
from bot.views.fleet.figures import StageRow
from bot.views.fleet.fleet import IN_WORDS, Sort
from bot.views.fleet.needs import NeedGroup, NeedReason
from bot.views.images.image_contents import ORIGIN_WORDS, Origin, PackageFilter, WantedCves
from bot.views.images.image_pages import IMAGE_WORDS, WantedImages
from bot.views.images.ledger import STATION_WORDS, CveFilter
from bot.views.paging import PER_PAGE, Cut, page_of
from bot.views.running.exposed import Narrowed, shown_rows
from bot.web.access.guard import allowed
from bot.web.charts import freshness_chart, lag_chart
from bot.web.pages.asking import check_page, check_sources, chosen, cut_of, fleet_filter, text, wanted_rebuilds
from bot.web.pages.rendering import render
from bot.web.site import Site, site_of

_MOST_UNDER_WAY = 3
_SEVERITIES = {each.value: each.told for each in reversed(Severity)}


@allowed(Right.READ)
async def fleet(request: Request) -> Response:
    """The fleet's page."""
    wanted = fleet_filter(request)
    site = site_of(request)
    fleet_page = await site.stores[FleetStore].fleet(wanted, cut_of(request))
    check_page(fleet_page.repositories)
    values: dict[str, Any] = {
        "needs": await site.stores[NeedsStore].needs(),
        "chart": freshness_chart(fleet_page.days),
        "practices": await site.stores[PracticesStore].fleet(),
        "rollouts": await site.stores[RolloutPagesStore].open_rollouts(site.rollout_options, _MOST_UNDER_WAY),
        "words": {standing.value: word for standing, word in IN_WORDS.items()},
        "sorts": tuple(Sort),
        "supports": tuple(SupportState),
    }
    return render(request, "fleet.html", fleet=fleet_page, wanted=wanted, **values)


@allowed(Right.READ)
async def needs(request: Request) -> Response:
    """All that waits for a person for one reason."""
    word = request.path_params["reason"]
    if word not in set(NeedReason):
        raise HTTPException(404, "Nothing waits for a person for such a reason.")
    group = await site_of(request).stores[NeedsStore].group(NeedReason(word)) or NeedGroup(NeedReason(word), 0, ())
    cut = cut_of(request)
    rows = page_of(group.first[cut.offset : cut.offset + cut.per_page], len(group.first), cut)
    check_page(rows)
    return render(request, "needs.html", group=group, rows=rows)


@allowed(Right.READ)
async def practice(request: Request) -> Response:
    """The repositories in which one practice holds or not."""
    outcome = chosen(request, "outcome", Outcome)
    check = request.path_params["check"][:64]
    practice_page = await site_of(request).stores[PracticesStore].practice(check, outcome, cut_of(request))
    if practice_page is None:
        raise HTTPException(404, f"No practice is called {check}.")
    check_page(practice_page.repositories)
    return render(request, "practice.html", found=practice_page, outcome=outcome)


@allowed(Right.READ)
async def practices(request: Request) -> Response:
    return render(request, "practices.html", practices=await site_of(request).stores[PracticesStore].fleet())


@allowed(Right.READ)
async def rollouts(request: Request) -> Response:
    site = site_of(request)
    rollout_page = await site.stores[RolloutPagesStore].rollouts(
        site.rollout_options, Cut(cut_of(request).page, 10)
    )
    check_page(rollout_page)
    return render(request, "rollouts.html", rollouts=rollout_page)


@allowed(Right.READ)
async def rollout(request: Request) -> Response:
    site = site_of(request)
    number, wanted = request.path_params["number"], wanted_rebuilds(request)
    can_exist = number < 2**62
    rollout_page = (
        await site.stores[RolloutPagesStore].rollout(number, site.rollout_options, cut_of(request), wanted)
        if can_exist
        else None
    )
    if rollout_page is None:
        raise HTTPException(404, f"There is no rollout {number}.")
    check_page(rollout_page.rebuilds)
    return render(request, "rollout.html", found=rollout_page, progress=rollout_page.progress, wanted=wanted)


@allowed(Right.READ)
async def images(request: Request) -> Response:
    image_filter = WantedImages(text(request, "q"), chosen(request, "state", ImageState))
    image_page = await site_of(request).stores[ImagePagesStore].images(image_filter, cut_of(request))
    check_page(image_page.images)
    words = {state.value: word for state, word in IMAGE_WORDS.items()}
    return render(request, "images.html", found=image_page, wanted=image_filter, words=words)


@allowed(Right.READ)
async def image(request: Request) -> Response:
    """The page of one image with its worst CVEs; of several tags the one that is asked for."""
    site = site_of(request)
    name, tag = _image_asked(request)
    image_page = await site.stores[ImagePagesStore].image(name, site.forge, tag)
    if image_page is None:
        raise _no_image(request)
    claim, others = image_page.of_tag(image_page.cves.image.tag)
    return render(request, "image.html", found=image_page, shown=claim, others=others, cves=image_page.cves)


@allowed(Right.READ)
async def image_cves(request: Request) -> Response:
    cve_filter = WantedCves(text(request, "q"), chosen(request, "severity", Severity))
    contents = site_of(request).stores[ImageContentsStore]
    name, tag = _image_asked(request)
    cve_page = await contents.cves(name, tag, cve_filter, cut_of(request))
    if cve_page is None:
        raise _no_image(request)
    check_page(cve_page.cves)
    return render(request, "image_cves.html", found=cve_page, wanted=cve_filter, tag=tag, severities=_SEVERITIES)


@allowed(Right.READ)
async def image_packages(request: Request) -> Response:
    package_filter = PackageFilter(text(request, "q"), chosen(request, "origin", Origin))
    contents = site_of(request).stores[ImageContentsStore]
    name, tag = _image_asked(request)
    package_page = await contents.packages(name, tag, package_filter, cut_of(request))
    if package_page is None:
        raise _no_image(request)
    check_page(package_page.packages)
    return render(
        request, "image_packages.html", found=package_page, wanted=package_filter, tag=tag, words=ORIGIN_WORDS
    )


def _image_asked(request: Request) -> tuple[str, str | None]:
    """Reads the image's name, and the tag that is asked for; None where any will do."""
    return request.path_params["name"][:512], text(request, "tag") or None


def _no_image(request: Request) -> HTTPException:
    name, tag = _image_asked(request)
    return HTTPException(404, f"No image is called {f'{name}:{tag}' if tag else name}.")


@allowed(Right.READ)
async def bases(request: Request) -> Response:
    wanted = text(request, "q")
    base_page = await site_of(request).stores[BasePagesStore].bases(wanted, cut_of(request))
    check_page(base_page.bases)
    return render(request, "bases.html", bases=base_page.bases, notices=base_page.notices, text=wanted)


@allowed(Right.READ)
async def base(request: Request) -> Response:
    name = request.path_params["name"][:512]
    base_page = await site_of(request).stores[BasePagesStore].base(name)
    if base_page is None:
        raise HTTPException(404, f"No base is called {name}.")
    chart = lag_chart(base_page.lags, site_of(request).clock.now())
    return render(request, "base.html", found=base_page, base=base_page.base, chart=chart)


@allowed(Right.READ)
async def repository(request: Request) -> Response:
    site = site_of(request)
    name = request.path_params["name"][:255]
    repository_page = await site.stores[RepositoryPagesStore].repository(name, site.forge)
    if repository_page is None:
        raise HTTPException(404, f"No repository is called {name}.")
    words = {standing.value: word for standing, word in IN_WORDS.items()}
    audited = await site.stores[PracticesStore].audited(name)
    return render(request, "repository.html", found=repository_page, audited=audited, words=words)


@allowed(Right.READ)
async def advisories(request: Request) -> Response:
    wanted = text(request, "q")
    advisory_page = await site_of(request).stores[AdvisoryPagesStore].advisories(wanted, cut_of(request))
    check_page(advisory_page.advisories)
    return render(request, "advisories.html", advisories=advisory_page.advisories, text=wanted)


@allowed(Right.READ)
async def advisory(request: Request) -> Response:
    cve = request.path_params["cve"][:32]
    fix = chosen(request, "fix", FixState)
    advisory_page = await site_of(request).stores[AdvisoryPagesStore].advisory(cve, cut_of(request), fix)
    if advisory_page is None:
        raise HTTPException(404, await _without_advisory(request, cve) or f"No advisory tells of {cve}.")
    check_page(advisory_page.rebuilds)
    words = {state.value: word for state, word in FIX_WORDS.items()}
    return render(
        request, "advisory.html", found=advisory_page, advisory=advisory_page.advisory, fix=fix, words=words
    )


@allowed(Right.READ)
async def cves(request: Request) -> Response:
    cve_filter = CveFilter(
        text(request, "q"), chosen(request, "severity", Severity), chosen(request, "station", Station)
    )
    cve_page = await site_of(request).stores[LedgerStore].cves(cut_of(request), cve_filter)
    check_page(cve_page.cves)
    return render(
        request,
        "cves.html",
        found=cve_page,
        wanted=cve_filter,
        severities=_SEVERITIES,
        stations=STATION_WORDS,
        runs=site_of(request).has_running,
    )


@allowed(Right.READ)
async def cve(request: Request) -> Response:
    name = request.path_params["cve"][:64]
    ledger = site_of(request).stores[LedgerStore]
    stuck, who = text(request, "stuck"), text(request, "who")
    cve_page = await ledger.cve(name, cut_of(request), stuck, who)
    if cve_page is None:
        raise HTTPException(404, f"{name} is no name of a CVE, and nothing that was read tells of it.")
    check_page(cve_page.images)
    groups = await ledger.groups(name)
    runs, row = await _where_it_runs(request, name), cve_page.cve
    return render(request, "cve.html", found=cve_page, row=row, groups=groups, stuck=stuck, who=who, runs=runs)


async def _where_it_runs(request: Request, cve: str) -> tuple[str, list[tuple[object, ...]]] | None:
    """The verdict with the places that it is about, as many as a page holds; None where nothing tells what runs."""
    site = site_of(request)
    if not site.has_running:
        return None
    from bot.store.pages.running.answering import exposure_of

    answer = await exposure_of(site.stores, cve, Asked(site.clock.now()), Narrowed())
    return answer.verdict, list(islice(shown_rows(answer), PER_PAGE))


@allowed(Right.READ)
async def running(request: Request) -> Response:
    """What runs, by what its sources tell, and how long that was exposed."""
    site = site_of(request)
    check_sources(site)
    from bot.store.pages.running.places import RunningPlacesStore
    from bot.store.pages.running.report import ExposureReportStore
    from bot.views.running import report as told

    store = site.stores[RunningPlacesStore]
    running_page = await store.running(cut_of(request))
    check_page(running_page.running)
    report = await site.stores[ExposureReportStore].report()
    return render(
        request,
        "running.html",
        found=running_page,
        sources=await store.sources(),
        report=report,
        exposed=list(islice(told.exposed_rows(report), PER_PAGE)),
        promised=list(told.promise_rows(report)),
        trend=list(told.trend_rows(report)),
        columns={"exposed": told.EXPOSED, "promised": told.PROMISED, "trend": told.TREND},
    )


async def _without_advisory(request: Request, cve: str) -> str:
    """What the release feed says of a CVE that nothing else tells of."""
    release_note = await site_of(request).stores[LedgerStore].release_note(cve)
    return f"{cve}: {release_note}." if release_note else ""


@allowed(Right.READ)
async def upstream(request: Request) -> Response:
    upstream_page = await site_of(request).stores[BasePagesStore].upstream()
    chart = lag_chart(upstream_page.lags[::-1], site_of(request).clock.now())
    return render(request, "upstream.html", found=upstream_page, chart=chart)


@allowed(Right.READ)
async def operations(request: Request) -> Response:
    site = site_of(request)
    figures = await site.stores[OperationsStore].operations()
    return render(request, "operations.html", found=figures, stages=stage_rows(site))


def stage_rows(site: Site) -> tuple[StageRow, ...]:
    """Gives a row for each stage of this process."""
    late = set(site.beats.late(site.clock.now()))
    return tuple(
        StageRow(name, beat.every, beat.began, beat.ended, beat.is_running, name in late)
        for name, beat in site.beats.beats.items()
    )


routes = [
    Route("/", fleet, name="fleet"),
    Route("/rollouts", rollouts, name="rollouts"),
    Route("/rollouts/{number:int}", rollout, name="rollout"),
    Route("/images", images, name="images"),
    Route("/images/{name:path}/-/cves", image_cves, name="image_cves"),
    Route("/images/{name:path}/-/packages", image_packages, name="image_packages"),
    Route("/images/{name:path}", image, name="image"),
    Route("/bases", bases, name="bases"),
    Route("/bases/{name:path}", base, name="base"),
    Route("/repositories/{name:path}", repository, name="repository"),
    Route("/advisories", advisories, name="advisories"),
    Route("/advisories/{cve}", advisory, name="advisory"),
    Route("/cves", cves, name="cves"),
    Route("/cves/{cve}", cve, name="cve"),
    Route("/running", running, name="running"),
    Route("/needs/{reason}", needs, name="needs"),
    Route("/practices", practices, name="practices"),
    Route("/practices/{check}", practice, name="practice"),
    Route("/upstream", upstream, name="upstream"),
    Route("/operations", operations, name="operations"),
]
