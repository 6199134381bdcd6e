"""The inventory question, put into what the store can be asked."""

from dataclasses import replace

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import cve_of
from bot.domain.packages.package import PackageType
from bot.domain.packages.versions import BadVersion, compare_versions
from bot.domain.packages.wanted import Sought, WantedPackage, wanted_by
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.images.packages import PackagesStore
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.stores import Stores
from bot.views.images.inventory import FoundPackages

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
