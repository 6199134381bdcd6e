"""Which bases the files of a repository say that an image is built from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from bot.domain.reference import Base
from bot.domain.repositories.usage import BUILT_UPON, Role

_LAST_STAGE = frozenset({Role.FINAL_STAGE, Role.BASE_IMAGE, Role.IMPLICIT_BASE})
_GIVEN_FROM_OUTSIDE = frozenset({Role.BUILD_ARGUMENT, Role.CONTEXT})
"""Roles that name a base of some file's stage from another file: which stage that is does not show."""
_FAMILIES = ("runtime-deps", "runtime", "aspnet", "sdk")
"""Microsoft's images, each built on the one before it. Source: the Dockerfiles of dotnet/dotnet-docker."""


class NamedBase(NamedTuple):
    """A base as one file names it, and for what."""

    base: Base
    role: Role
    path: str


@dataclass(frozen=True, slots=True)
class NamedBases:
    """`final` are those that the last stage may be built from, `stages` all that go into the build; both are empty
    where no file tells."""

    final: tuple[Base, ...] = ()
    stages: tuple[Base, ...] = ()

    @classmethod
    def of(cls, named: Iterable[NamedBase], built_from: str = "") -> "NamedBases":
        """Reads them off what a repository's files name. `built_from` is the file that builds the image, where that
        is known and names a base; else all files count."""
        every = [each for each in named if each.role in BUILT_UPON]
        own = [each for each in every if each.path == built_from]
        given = [each for each in every if each.role in _GIVEN_FROM_OUTSIDE]
        counted = [*own, *given] if own else every
        final = {each.base for each in counted if each.role in _LAST_STAGE | _GIVEN_FROM_OUTSIDE}
        return cls(tuple(sorted(final)), tuple(sorted({each.base for each in counted})))


NOTHING_NAMED = NamedBases()


def may_hide(upper: Base, lower: Base) -> bool:
    """Whether a build of `upper` that nobody saw may stand on what `lower` shows, or be a copy of it."""
    if upper.name == lower.name:
        return False
    ranks = [_rank(base) for base in (lower, upper)]
    return None in ranks or ranks == sorted(ranks, key=lambda rank: rank or 0)


def lacks_dotnet(base: Base) -> bool:
    """Whether an application on it brings its own .NET: `runtime-deps`, wherever it is mirrored."""
    return base.repository.rpartition("/")[2] == _FAMILIES[0]


def _rank(base: Base) -> int | None:
    family = base.repository.rpartition("/")[2]
    return _FAMILIES.index(family) if family in _FAMILIES and "dotnet" in base.repository else None
