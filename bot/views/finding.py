"""What a name may be of: repositories, bases, images, CVEs and packages whose names hold what is looked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


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
