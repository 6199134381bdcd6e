"""What a build that runs has of one CVE, by what its platforms hold and what publishers say is affected.

The node's platform is not told: an index with one platform that has it counts as having it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.packages.cves.vulnerability import ANY_RELEASE, AffectedPackage
from bot.domain.packages.package import Package
from bot.domain.packages.wanted import Fit
from bot.domain.running.exposure import NOBODY, BuildInside
from bot.domain.wording.words import first_few


@dataclass(frozen=True, slots=True)
class HeldPlatform:
    """One platform that a build may be: its packages of the names in question, as far as it was read.

    `is_whole` where nothing else is inside; `error` says why it was not read. `release` is None for a distribution
    that publishers do not list.
    """

    platform: str
    release: str | None
    is_read: bool
    is_whole: bool
    packages: tuple[Package, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class AskedCve:
    """What publishers say is affected by a CVE, and of which distributions, by the beginnings of their releases,
    data is read."""

    affected: tuple[AffectedPackage, ...]
    publishers: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for each in self.affected for name in each.names)

    def fits(self, package: Package) -> tuple[tuple[AffectedPackage, Fit], ...]:
        """All that may be said of a package, whatever release it is of; the same for all that hold it."""
        named = (each for each in self.affected if not each.names.isdisjoint(package.listed_names))
        return tuple((each, each.fit(package)) for each in named)


Fits = Mapping[Package, Sequence[tuple[AffectedPackage, Fit]]]
"""What `AskedCve.fits` says of each package."""


def inside_of(
    digest: str, platforms: Sequence[HeldPlatform], cve: AskedCve, fits: Fits, repository: str = ""
) -> BuildInside:
    """Judges a build by its platforms: what one has, it has; free are only those that are all known."""
    if not platforms:
        return BuildInside(digest, None, (), NOBODY, repository)
    having, doubts = list[str](), list[str]()
    looked_at = list[str]()
    for each in platforms:
        for package in each.packages:
            fit, name = _fit(package, each, fits), f"{package.name} {package.version}"
            looked_at.append(name)
            if fit is Fit.YES:
                having.append(f"{name} ({told})" if (told := _fix(package, each, fits)) else name)
            elif fit is Fit.UNKNOWN:
                doubts.append(f"whether {name} has it cannot be told from its version")
        doubts += _unknowns(each, cve)
    if having:
        return BuildInside(digest, True, tuple(sorted(set(having))), "", repository)
    names = tuple(sorted(set(looked_at)))
    if doubts:
        return BuildInside(digest, None, names, doubts[0], repository)
    why = f"{first_few(names)} {'is' if len(names) == 1 else 'are'} not affected" if names else "not in the image"
    return BuildInside(digest, False, names, why, repository)


def _fit(package: Package, held: HeldPlatform, fits: Fits) -> Fit:
    found = {fit for _, fit in _of_release(package, held, fits)}
    return next((fit for fit in (Fit.YES, Fit.UNKNOWN) if fit in found), Fit.NO)


def _of_release(package: Package, held: HeldPlatform, fits: Fits) -> Iterator[tuple[AffectedPackage, Fit]]:
    """What is said of a package in images of that release."""
    return ((each, fit) for each, fit in fits.get(package, ()) if each.release in (ANY_RELEASE, held.release))


def _fix(package: Package, held: HeldPlatform, fits: Fits) -> str:
    affected = [each for each, fit in _of_release(package, held, fits) if fit is Fit.YES]
    fixed = [version for each in affected if (version := each.fixed_for(package))]
    return f"fixed in {fixed[0]}" if len(fixed) == len(affected) else "no fix"


def _unknowns(held: HeldPlatform, cve: AskedCve) -> Iterator[str]:
    if not held.is_read:
        why = f": {held.error}" if held.error else ""
        yield f"the packages of {held.platform} are not read{why}"
    elif not held.is_whole:
        yield f"not all of the packages of {held.platform} can be read"
    of_distributions = any(each.release != ANY_RELEASE for each in cve.affected)
    if held.is_read and of_distributions:
        if held.release is None:
            yield "its distribution is one of which no CVE data is read"
        elif held.release.partition(":")[0] not in cve.publishers:
            yield f"no CVE data of {held.release.partition(':')[0]} is read"
