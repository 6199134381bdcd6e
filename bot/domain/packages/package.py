"""What is inside an image: its packages and the distribution they come from, and SBOMs in which somebody lists
them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.evidence import Strength

RUNTIME_PACK = "runtimepack."
"""How `*.deps.json` begins the name of a runtime pack: a shared framework that an application brings itself."""
EDITION = 2
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


class SbomOrigin(StrEnum):
    """How an SBOM came to an image."""

    BUILDKIT = "BuildKit's attestation"
    ATTESTATION = "signed attestation"
    REFERRER = "referrer"
    TAG = "cosign's tag"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Sbom:
    """What one document lists; its problems say why something of it, or all, cannot be read.

    It is proved only where somebody trusted has signed an attestation of it about this image, else claimed;
    `signer_text` says by whom it is signed, or why that does not count. `document` is the digest of the text.
    """

    document: str
    origin: SbomOrigin
    strength: Strength
    signer_text: str
    inventory: Inventory
    judged_by: str | None = None
    """The mark of who was trusted when it was proved; None of what is claimed."""
    judged_until: datetime | None = None
    """The first moment at which its signature may be judged otherwise; None where time decides nothing."""


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """One platform's image in its registry: the digest of its manifest, and that of the index that lists it.

    Both are the same where there is no index.
    """

    registry: str
    repository: str
    digest: str
    index: str

    @property
    def name(self) -> str:
        return f"{self.registry}/{self.repository}"

    @property
    def digests(self) -> tuple[str, ...]:
        """The digests by which a statement about this image may name it."""
        return tuple(dict.fromkeys((self.digest, self.index)))
