"""Which packages are asked for: by name and version, or as those that an advisory says are affected."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.feeds.advisory import Advisory
from bot.domain.packages.package import Package, PackageType
from bot.domain.packages.versions import BadVersion, compare_versions

_FRAMEWORKS = {"runtime": "Microsoft.NETCore.App", "aspnet": "Microsoft.AspNetCore.App"}


class Fit(StrEnum):
    """Whether a package is one of those that are asked for."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Packages of this name, or built from a source package of this name; of one type, or of any where it is None.

    Only those with a version below one of `below` are wanted; all where it is empty. `by_channel` compares with
    versions of the same first two numbers alone, as .NET publishes a fix for each of its channels.
    """

    name: str
    type: str | None = None
    below: tuple[str, ...] = ()
    by_channel: bool = False

    def fit(self, package: Package) -> Fit:
        """Unknown where no rule tells which of the versions is newer."""
        is_named, is_source = package.name == self.name, package.source == self.name
        if not (is_named or is_source) or self.type not in (None, package.type):
            return Fit.NO
        version = package.version if is_named else package.source_version or package.version
        limits = [each for each in self.below if not self.by_channel or channel_of(each) == channel_of(version)]
        if not self.below:
            return Fit.YES
        try:
            is_below = any(compare_versions(package.type, version, limit) < 0 for limit in limits)
        except BadVersion:
            return Fit.UNKNOWN
        return Fit.YES if is_below else Fit.NO


def fit_of(package: Package, wanted: Collection[Wanted]) -> Fit:
    """The first that is not `NO` counts."""
    return next((fit for each in wanted if (fit := each.fit(package)) is not Fit.NO), Fit.NO)


def wanted_by(advisory: Advisory) -> tuple[Wanted, ...]:
    """The packages that an advisory of .NET says are affected; none where it names no fixed version."""
    families = advisory.families or frozenset(_FRAMEWORKS)
    names = [name for family, name in _FRAMEWORKS.items() if family in families]
    if not advisory.fixed_versions:
        return ()
    return tuple(Wanted(name, PackageType.NUGET, advisory.fixed_versions, by_channel=True) for name in names)


def names_of(wanted: Iterable[Wanted]) -> list[str]:
    """Each name once, in order."""
    return sorted({each.name for each in wanted})


def channel_of(version: str) -> tuple[str, ...]:
    """The first two numbers of a .NET version, by which fixes are published."""
    return tuple(version.split(".")[:2])
