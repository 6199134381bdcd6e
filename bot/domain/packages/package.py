"""What is inside an image: its packages, the distribution they come from, and what could not be read."""

from dataclasses import dataclass
from enum import StrEnum

RUNTIME_PACK = "runtimepack."
"""How `*.deps.json` begins the name of a runtime pack: a shared framework that an application brings itself."""
EDITION = 1
"""Of what is read of a layer, to be raised where that becomes more: what an earlier one has read is read anew for
the next image that stands on it."""


class PackageType(StrEnum):
    """The package types whose versions can be compared; each is its type in a package URL as well."""

    DEB = "deb"
    RPM = "rpm"
    APK = "apk"
    NUGET = "nuget"


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package, named as its package manager writes it.

    `type` is one of `PackageType`, another type of a package URL, or empty where an SBOM gives no more than a name.
    `version` holds the epoch where there is one, `3.0.13-0ubuntu3.5` or `2:9.0-1.azl3`. What the database does not
    say is None: Ubuntu's chiseled images name no source packages, NuGet has no architectures.
    """

    type: str
    name: str
    version: str
    architecture: str | None = None
    source: str | None = None
    source_version: str | None = None

    @property
    def sort_key(self) -> tuple[str, str, str, str]:
        """Sorts packages by type and name, then by architecture and version."""
        return (self.type, self.name, self.architecture or "", self.version)

    @property
    def advisory_name(self) -> str:
        """The name under which advisories know it: a runtime pack is published without its prefix."""
        return self.name.removeprefix(RUNTIME_PACK) if self.type == PackageType.NUGET else self.name

    @property
    def listed_names(self) -> frozenset[str]:
        """All names under which a publisher may list it, in lower case."""
        return frozenset(name.lower() for name in (self.advisory_name, self.source) if name)


@dataclass(frozen=True, slots=True)
class Distribution:
    """What `os-release` says: `ubuntu` and `24.04`, `azurelinux` and `3.0`; either may be empty."""

    id: str
    version: str

    def __str__(self) -> str:
        return f"{self.id} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything found in one image or folder.

    `problems` holds a line for each database or entry that is there and could not be read: as long as there is one,
    a package that is not listed may be installed all the same.
    """

    packages: tuple[Package, ...] = ()
    distribution: Distribution | None = None
    problems: tuple[str, ...] = ()
