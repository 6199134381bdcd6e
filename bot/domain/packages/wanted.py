"""Which packages are asked for: by name and version, or as those that an advisory says are affected."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.domain.feeds.advisory import Advisory
from bot.domain.packages.package import Package, PackageType
from bot.domain.packages.versions import BadVersion, compare_versions

_FRAMEWORKS = {"runtime": "Microsoft.NETCore.App", "aspnet": "Microsoft.AspNetCore.App"}


class Fit(StrEnum):
    """Whether a package is one of those that are asked for."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Sought(Protocol):
    """Packages that are asked for."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the packages, or of the source packages that they are built from."""
        ...

    @property
    def release(self) -> str | None:
        """The one release that images must be of, as publishers list it; None where any will do."""
        ...

    def fit(self, package: Package) -> Fit: ...


@dataclass(frozen=True, slots=True)
class WantedPackage:
    """Packages of this name, or built from a source package of this name; of one type, or of any where it is None.

    Only those with a version below one of `below` are wanted; all where it is empty. `by_channel` compares with
    versions of the same first two numbers alone, as .NET publishes a fix for each of its channels.
    """

    name: str
    type: str | None = None
    below: tuple[str, ...] = ()
    by_channel: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def release(self) -> None:
        """Of any image."""
        return None

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


def fit_of(package: Package, wanted: Collection[Sought], release: str | None = None) -> Fit:
    """Whether it is wanted in an image of that release; the first that is not `NO` counts."""
    of_release = (each for each in wanted if each.release in (None, release))
    return next((fit for each in of_release if (fit := each.fit(package)) is not Fit.NO), Fit.NO)


def wanted_by(advisory: Advisory) -> tuple[WantedPackage, ...]:
    """The packages that an advisory of .NET says are affected; none where it names no fixed version."""
    families = advisory.families or frozenset(_FRAMEWORKS)
    names = [name for family, name in _FRAMEWORKS.items() if family in families]
    if not advisory.fixed_versions:
        return ()
    return tuple(WantedPackage(name, PackageType.NUGET, advisory.fixed_versions, by_channel=True) for name in names)


def names_of(wanted: Iterable[Sought]) -> list[str]:
    """Each name once, in order."""
    return sorted({name for each in wanted for name in each.names})


def channel_of(version: str) -> tuple[str, ...]:
    """The first two numbers of a .NET version, by which fixes are published."""
    return tuple(version.split(".")[:2])
