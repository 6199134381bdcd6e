"""What a name may be of: repositories, bases, images, CVEs and packages whose names hold what is looked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.views.paging import Page


class FoundKind(StrEnum):
    """What was found, in the order in which it is told."""

    REPOSITORY = "repository"
    BASE = "base"
    IMAGE = "image"
    ADVISORY = "advisory"
    CVE = "cve"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """The names of one kind, the nearest first; `has_more` where others fit too."""

    kind: FoundKind
    names: tuple[str, ...]
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class FoundNames:
    """Everything whose name holds `text`, by kind."""

    text: str
    groups: tuple[FoundGroup, ...] = ()

    def only(self) -> tuple[FoundKind, str] | None:
        """What bears exactly this name, where one thing alone does; of a CVE the advisory."""
        exact = list(self._exact())
        if len(exact) == 2 and {kind for kind, _ in exact} == {FoundKind.ADVISORY, FoundKind.CVE}:
            return exact[0]
        return exact[0] if len(exact) == 1 else None

    def _exact(self) -> Iterator[tuple[FoundKind, str]]:
        for group in self.groups:
            for name in group.names:
                if name.lower() == self.text.lower():
                    yield group.kind, name


@dataclass(frozen=True, slots=True)
class PackageVersion:
    """A version of a package, and how many images hold it on some platform, as their layers show."""

    name: str
    type: str
    version: str
    images: int


@dataclass(frozen=True, slots=True)
class WantedVersion:
    """Which images that hold a package are asked for: what is built from a source package has several names, and
    several distributions may build it."""

    version: str = ""
    package: str = ""
    type: str = ""

    def takes(self, row: PackageVersion) -> bool:
        return all(
            wanted in ("", is_so)
            for wanted, is_so in ((self.version, row.version), (self.package, row.name), (self.type, row.type))
        )


@dataclass(frozen=True, slots=True)
class PackageImage:
    """An image that holds a package, by its tag."""

    image: str
    package: str
    version: str

    @property
    def name(self) -> str:
        """`registry/repository` of the image, without its tag."""
        return self.image.rpartition(":")[0]


@dataclass(frozen=True, slots=True)
class PackagePage:
    """The versions of a package, and of all that is built from a source package of that name, those in the most
    images first; and one page of these images. `not_known` counts images of which not all was read."""

    versions: tuple[PackageVersion, ...]
    images: Page[PackageImage]
    not_known: int
