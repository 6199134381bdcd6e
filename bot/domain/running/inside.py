"""What a build that runs has of one CVE, by what its platforms hold and what publishers say is affected.

The node's platform is not told: an index with one platform that has it counts as having it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bot.domain.packages.cves.vulnerability import ANY_RELEASE, AffectedPackage
from bot.domain.packages.package import Package
from bot.domain.packages.wanted import Fit
from bot.domain.running.exposure import NOBODY, BuildInside
from bot.domain.wording.words import first_few


@dataclass(frozen=True, slots=True)
class SaidPackage:
    """A package in words, with whether it is affected in images of its release, and what fixes that; `excuse` says
    who takes that away, and why."""

    name: str
    fit: Fit
    fix: str = ""
    excuse: str = ""

    def excused(self, excuse: str) -> "SaidPackage":
        return replace(self, fit=Fit.NO, fix="", excuse=excuse)


@dataclass(frozen=True, slots=True)
class HeldPlatform:
    """One platform that a build may be, with those of its packages that the CVE is about, as far as it was read.

    `is_whole` where nothing else is inside; `error` says why it was not read. `release` is None for a distribution
    that publishers do not list.
    """

    platform: str
    release: str | None
    is_read: bool
    is_whole: bool
    packages: tuple[SaidPackage, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class AskedCve:
    """What publishers say is affected by a CVE, and of which distributions, by the beginnings of their releases,
    data is read."""

    affected: tuple[AffectedPackage, ...]
    publishers: frozenset[str] = frozenset()

    @cached_property
    def is_of_distributions(self) -> bool:
        return any(each.release != ANY_RELEASE for each in self.affected)

    def is_about(self, package: Package) -> bool:
        """Whether anything is said of a package of that name, whatever its version."""
        return any(not each.names.isdisjoint(package.listed_names) for each in self.affected)

    def may_have(self, package: Package) -> bool:
        """Whether it is affected in images of some release."""
        return any(each.fit(package) is Fit.YES for each in self.affected)

    def said_of(self, package: Package, release: str | None) -> SaidPackage:
        """What is said of a package in images of a release."""
        fits = [(each, each.fit(package)) for each in self.affected if each.release in (ANY_RELEASE, release)]
        found = {fit for _, fit in fits}
        fit = next((each for each in (Fit.YES, Fit.UNKNOWN) if each in found), Fit.NO)
        fixes = [each.fixed_for(package) for each, fit in fits if fit is Fit.YES]
        fix = f"fixed in {fixes[0]}" if fixes and all(fixes) else "no fix"
        return SaidPackage(f"{package.name} {package.version}", fit, fix if fit is Fit.YES else "")


def inside_of(
    digest: str, platforms: Sequence[HeldPlatform], cve: AskedCve, repository: str = "", error: str = ""
) -> BuildInside:
    """Judges a build by its platforms: what one has, it has; free are only those that are all known. `error` says
    why nothing was read of one that nobody is known to build."""
    if not platforms:
        return BuildInside(digest, None, (), why_incomplete(platforms, (), error), repository)
    said = {package for each in platforms for package in each.packages}
    having = sorted({f"{each.name} ({each.fix})" for each in said if each.fit is Fit.YES})
    if having:
        return BuildInside(digest, True, tuple(having), "", repository)
    names = tuple(sorted({each.name for each in said}))
    if doubt := next(_doubts(platforms, cve), None):
        return BuildInside(digest, None, names, doubt, repository)
    return BuildInside(digest, False, names, _why_free(said), repository)


def _why_free(said: Collection[SaidPackage]) -> str:
    """Why none of these has it: by its version, or as somebody says."""
    names = sorted({each.name for each in said if not each.excuse})
    by_version = f"{first_few(names)} {'is' if len(names) == 1 else 'are'} not affected" if names else ""
    excuses = sorted({f"{each.name} is {each.excuse}" for each in said if each.excuse})
    return "; ".join(filter(None, (by_version, first_few(excuses)))) or "not in the image"


def _doubts(platforms: Sequence[HeldPlatform], cve: AskedCve) -> Iterator[str]:
    for held in platforms:
        for package in held.packages:
            if package.fit is Fit.UNKNOWN:
                yield why_uncertain(f"whether {package.name} has it")
        if unread := _why_unread(held, cve.publishers if cve.is_of_distributions else None):
            yield unread


def why_incomplete(platforms: Sequence[HeldPlatform], publishers: Collection[str], error: str = "") -> str:
    """Why a build may have more CVEs than those that are known of it, whatever they are; empty where it cannot."""
    if not platforms:
        return f"{NOBODY}: {error}" if error else NOBODY
    return next(filter(None, (_why_unread(each, publishers) for each in platforms)), "")


def why_uncertain(what: str) -> str:
    """Why that is not known of a package whose version cannot be compared with those of publishers."""
    return f"{what} cannot be told from its version"


def _why_unread(held: HeldPlatform, publishers: Collection[str] | None) -> str:
    """`publishers` are those of distributions of which data is read, None where none of theirs matters."""
    if not held.is_read:
        why = f": {held.error}" if held.error else ""
        return f"the packages of {held.platform} are not read{why}"
    if not held.is_whole:
        return f"not all of the packages of {held.platform} can be read"
    if publishers is None:
        return ""
    if held.release is None:
        return "its distribution is one of which no CVE data is read"
    publisher = held.release.partition(":")[0]
    return "" if publisher in publishers else f"no CVE data of {publisher} is read"
