"""What the store knows of images, for the commands that show them: the images, their packages, the ledger of
CVEs."""

from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median

from bot.commands.look.status import read_holds
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import cve_of
from bot.domain.packages.package import PackageType
from bot.domain.packages.versions import BadVersion, compare_versions
from bot.domain.packages.wanted import Sought, WantedPackage, wanted_by
from bot.domain.wording.nearest import did_you_mean
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.images.packages import PackagesStore
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.stores import Stores
from bot.store.views.fleet import FleetViewsStore
from bot.store.views.images import ImageViewsStore
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.bases.tree import Branch, Tree, likely_done, under
from bot.views.images.images import ImageView
from bot.views.images.inventory import FoundPackages
from bot.views.images.ledger import CvePage, Cves
from bot.views.paging import MOST_PER_PAGE, Cut

_LATEST = 20
"""Rollouts in which the rebuilds of a base are looked for."""


async def read_images(settings: Settings, clock: Clock) -> list[ImageView]:
    """Reads all images, in the order of names."""
    async with opened_stores(settings, clock) as stores:
        return await stores[ImageViewsStore].views()


async def read_image_views(settings: Settings, name: str, clock: Clock) -> list[ImageView]:
    """The images of that name, or whose name ends in it; raises `Failure` where there is none."""
    bare = name.partition("@")[0]
    head, colon, tag = bare.rpartition(":")
    bare = head if colon and "/" not in tag else bare
    views = await read_images(settings, clock)
    chosen = [view for view in views if view.image.claim.name == bare]
    chosen = chosen or [view for view in views if f"/{view.image.claim.name}".endswith(f"/{bare}")]
    if not chosen:
        names = {view.image.claim.name for view in views}
        advice = did_you_mean(bare, names, "see `freshness-bot images`")
        raise Failure(Trouble.MISSING, f"no image {name!r} is known", advice=advice)
    return chosen


async def read_tree(settings: Settings, name: str, clock: Clock) -> Tree:
    """A base, by its whole or short name, with the images on it; raises `Failure` where there is no such one."""
    async with opened_stores(settings, clock) as stores:
        bases = await stores[FleetViewsStore].bases()
        base = next((each for each in bases if name in (str(each.base), each.base.short)), None)
        if base is None:
            advice = did_you_mean(name, (each.base.short for each in bases), "see `freshness-bot status`")
            raise Failure(Trouble.MISSING, f"no base {name!r} is watched", advice=advice)
        rollouts = await stores[RolloutViewsStore].rollouts(_LATEST)
        rebuilds = sorted(
            (rebuild for rollout in rollouts for rebuild in rollout.rebuilds), key=lambda each: -each.id
        )
        now = clock.now()
        waits = await read_holds(stores, settings, now)
        branches = under(base.base, await stores[ImageViewsStore].views(), rebuilds, waits)
        return Tree(base.base, base.digest, base.moved_at, branches, await _about(stores, branches, now))


async def _about(stores: Stores, branches: tuple[Branch, ...], now: datetime) -> datetime | None:
    """When the last of what is on its way is likely done, by the median of how long those before took."""
    durations = await stores[RolloutViewsStore].durations()
    took = [each.total_seconds() for each in (*durations.builds, *durations.merges)]
    return likely_done(branches, timedelta(seconds=median(took)), now) if took else None


_LONGEST = 256


async def find_packages(
    settings: Settings, name: str | None, below: str | None, package_type: str | None, cve: str | None, clock: Clock
) -> FoundPackages:
    """The images that hold a package by its name, or one that a CVE affects.

    Raises `Failure` where neither or both are named, for a version that none is, and for a CVE of which no advisory
    tells which versions fix it.
    """
    async with opened_stores(settings, clock) as stores:
        if cve is None:
            sought: tuple[Sought, ...] = (_read_name(name, below, package_type),)
        elif name is not None or below is not None or package_type is not None:
            raise Failure(Trouble.MALFORMED, "a CVE says itself what it affects", advice="give --cve alone")
        else:
            sought = await _affected(stores, cve)
        packages = await stores[PackagesStore].find(sought, settings.packages.stored_platforms)
        return packages if cve is None else replace(packages, gaps=await stores[LedgerStore].gaps())


def _read_name(name: str | None, below: str | None, package_type: str | None) -> WantedPackage:
    if not name or len(name) > _LONGEST:
        raise Failure(Trouble.MALFORMED, "no package is named", advice="give a name, or --cve")
    types = [each.value for each in PackageType]
    if package_type is not None and package_type not in types:
        fault = f"{package_type[:40]!r} is no type of packages"
        raise Failure(Trouble.MALFORMED, fault, where="--type", advice=f"say one of {', '.join(types)}")
    if below is not None and not any(_is_version(each, below) for each in types if package_type in (None, each)):
        kind = f"{package_type} " if package_type else ""
        raise Failure(Trouble.MALFORMED, f"{below[:80]!r} is no {kind}version", where="--below")
    return WantedPackage(name, package_type, (below,) if below is not None else ())


def _is_version(package_type: str, version: str) -> bool:
    try:
        compare_versions(package_type, version, version)
    except BadVersion:
        return False
    return True


async def _affected(stores: Stores, cve: str) -> tuple[Sought, ...]:
    """The packages that Microsoft's advisory of .NET and the publishers of packages say are affected; the feeds are
    loaded where a CVE is asked for alone."""
    from bot.fleet.watch.feeds.rows import FeedsStore
    from bot.fleet.wiring.combined_feeds import CombinedFeeds

    name = cve_of(cve)
    advisory = (await CombinedFeeds(stores[FeedsStore]).known_advisories()).get(name)
    publications = await stores[PackagesStore].affected(name)
    if advisory is None and publications is None:
        released = await stores[LedgerStore].release_note(name)
        fault = released or "neither an advisory of .NET nor data of vulnerabilities that was read tells of it"
        advice = "see that the publishers of your packages are named in `vulnerabilities`"
        raise Failure(Trouble.MISSING, fault, where=cve[:40], advice=advice)
    of_dotnet = wanted_by(advisory) if advisory is not None else ()
    if not of_dotnet and publications is None:
        fault, advice = "its advisory names no version that fixes it", "ask by name and --below"
        raise Failure(Trouble.MISSING, fault, where=cve[:40], advice=advice)
    return (*of_dotnet, *(publications or ()))


_ALL = Cut(1, 100 * MOST_PER_PAGE)


async def read_cves(settings: Settings, clock: Clock) -> Cves:
    """Reads which CVEs images of the fleet still have."""
    async with opened_stores(settings, clock) as stores:
        return await stores[LedgerStore].cves(_ALL)


async def read_cve(settings: Settings, name: str, clock: Clock) -> CvePage:
    """Reads where the fix of one CVE is for each image; raises `Failure` where nothing tells of it. Its name may be
    shortened, as in `2026-10019`."""
    cve = cve_of(name)
    async with opened_stores(settings, clock) as stores:
        page = await stores[LedgerStore].cve(cve, _ALL)
        release_note = await stores[LedgerStore].release_note(cve) if page is None else ""
    if page is None:
        advice = "see `vulnerabilities` and `feeds` in the settings, and `freshness-bot status` for their age"
        fault = release_note or "nothing that was read tells of it"
        raise Failure(Trouble.MISSING, fault, where=name[:64], advice=advice)
    return page
