"""Which packages are asked for: by name and version, or as those that an advisory says are affected."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.domain.feeds.advisory import Advisory
from bot.domain.packages.package import RUNTIME_PACK, Package, PackageType
from bot.domain.packages.versions import BadVersion, compare_versions

_FRAMEWORKS = {"runtime": "Microsoft.NETCore.App", "aspnet": "Microsoft.AspNetCore.App"}
_RUNTIME_IDENTIFIERS = tuple(
    f"{system}-{architecture}" for system in ("linux", "linux-musl") for architecture in ("x64", "arm64", "arm")
)
"""Of what an image can run."""


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
    versions of the same first two numbers alone, as .NET publishes a fix for each of its channels. `packs` are
    other packages with the same content and version.
    """

    name: str
    type: str | None = None
    below: tuple[str, ...] = ()
    by_channel: bool = False
    packs: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.packs, *(f"{RUNTIME_PACK}{pack}" for pack in self.packs))

    @property
    def release(self) -> None:
        """None, since packages of any image are asked for, whatever release of .NET it has."""
        return None

    def fit(self, package: Package) -> Fit:
        """Unknown where no rule tells which of the versions is newer."""
        is_named = package.name == self.name or package.advisory_name in self.packs
        is_source = package.source == self.name
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


def fit_of(package: Package, sought_packages: Collection[Sought], release: str | None = None) -> Fit:
    """Whether it is wanted in an image of that release; the first that is not `NO` counts."""
    of_release = (each for each in sought_packages if each.release in (None, release))
    return next((fit for each in of_release if (fit := each.fit(package)) is not Fit.NO), Fit.NO)


def wanted_by(advisory: Advisory) -> tuple[WantedPackage, ...]:
    """The packages that an advisory of .NET says are affected, each below the fix of its channel.

    None where it names no fixed version. What an application brings itself of a framework is a runtime pack.
    """
    families = advisory.families or frozenset(_FRAMEWORKS)
    names = [name for family, name in _FRAMEWORKS.items() if family in families]
    below = _fixed_runtimes(advisory.fixed_versions)
    return tuple(
        WantedPackage(name, PackageType.NUGET, below, by_channel=True, packs=_packs(name))
        for name in names
        if below
    )


def _fixed_runtimes(versions: Sequence[str]) -> tuple[str, ...]:
    """An advisory names the fixed SDKs of a channel beside its fixed runtime, whose number is the lowest."""
    lowest: dict[tuple[str, ...], str] = {}
    for version in versions:
        lowest_version = lowest.get(channel_of(version))
        if lowest_version is None or compare_versions(PackageType.NUGET, version, lowest_version) < 0:
            lowest[channel_of(version)] = version
    return tuple(version for _, version in sorted(lowest.items()))


def _packs(framework: str) -> tuple[str, ...]:
    return tuple(f"{framework}.Runtime.{identifier}" for identifier in _RUNTIME_IDENTIFIERS)


def names_of(sought_packages: Iterable[Sought]) -> list[str]:
    """Returns the names of all packages that are asked for, each once, in order."""
    return sorted({name for each in sought_packages for name in each.names})


def channel_of(version: str) -> tuple[str, ...]:
    """The first two numbers of a .NET version, by which fixes are published."""
    return tuple(version.split(".")[:2])
