"""Which bases the files of a repository say that an image is built from, and what it should be built on, as one
value.

After docker-library/meta-scripts, whose `buildId` hashes a build's source with the digests of its parents. The
source is left out here: a commit alone makes nothing due.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bot.domain.bases.observation import Observation
from bot.domain.reference import Base
from bot.domain.repositories.usage import BUILT_UPON, Role

_LAST_STAGE = frozenset({Role.FINAL_STAGE, Role.BASE_IMAGE, Role.IMPLICIT_BASE})
_GIVEN_FROM_OUTSIDE = frozenset({Role.BUILD_ARGUMENT, Role.CONTEXT})
"""Roles that name a base of some file's stage from another file: which stage that is does not show."""
_FAMILIES = ("runtime-deps", "runtime", "aspnet", "sdk")
"""Microsoft's images, each built on the one before it. Source: the Dockerfiles of dotnet/dotnet-docker."""


_OFFICIAL = "docker.io/library/"
"""Docker's official images, each built on another of them or on nothing. Source: docker-library/official-images."""


class NamedBase(NamedTuple):
    """A base as one file names it, and for what. `base` is None where nobody watches it. `path` holds its text, and
    `named_at` the file that names it where that is another: a build hands its Dockerfile the base."""

    base: Base | None
    role: Role
    path: str
    named_at: str = ""


@dataclass(frozen=True, slots=True)
class NamedBases:
    """`final` are those that the last stage may be built from, `stages` all that go into the build; both are empty
    where no file tells. `is_open` says that the last stage may as well be built from one that nobody watches."""

    final: tuple[Base, ...] = ()
    stages: tuple[Base, ...] = ()
    is_open: bool = False

    @classmethod
    def of(cls, named_bases: Iterable[NamedBase], built_from: str = "") -> "NamedBases":
        """Reads them off what a repository's files name. `built_from` is the file that builds the image, empty
        where that is not known: then all files count."""
        every = [each for each in named_bases if each.role in BUILT_UPON]
        own = [each for each in every if built_from in (each.path, each.named_at)]
        from_outside = [each for each in every if each.role in _GIVEN_FROM_OUTSIDE]
        counted = {*own, *from_outside} if built_from else set(every)
        final = {each.base for each in counted if each.role in _LAST_STAGE | _GIVEN_FROM_OUTSIDE}
        stages = {each.base for each in counted}
        return cls(_sort_watched(final), _sort_watched(stages), None in final)


NOTHING_NAMED = NamedBases()


def may_hide(upper: Base, lower: Base) -> bool:
    """Whether a build of `upper` that nobody saw may stand on what `lower` shows, or be a copy of it."""
    if upper.name == lower.name or (is_official(upper.name) and not is_official(lower.name)):
        return False
    ranks = [_rank(base) for base in (lower, upper)]
    return None in ranks or ranks == sorted(ranks, key=lambda rank: rank or 0)


def is_official(name: str) -> bool:
    """Whether `registry/repository` is one of Docker's official images."""
    return name.startswith(_OFFICIAL)


def lacks_dotnet(base: Base) -> bool:
    """Whether an application on it brings its own .NET: `runtime-deps`, wherever it is mirrored."""
    return base.repository.rpartition("/")[2] == _FAMILIES[0]


def holds_dotnet(base: Base) -> bool:
    """Whether it is Microsoft's image with a .NET runtime, or a mirror of that by its name."""
    rank = _rank(base)
    return rank is not None and rank > 0


def _sort_watched(bases: Collection[Base | None]) -> tuple[Base, ...]:
    return tuple(sorted(base for base in bases if base is not None))


def _rank(base: Base) -> int | None:
    family = base.repository.rpartition("/")[2]
    return _FAMILIES.index(family) if family in _FAMILIES and "dotnet" in base.repository else None


def hash_of_parents(parents: Mapping[Base, Mapping[str, str]]) -> str:
    """A hash over what each parent shows for each platform that is built."""
    parents_as_text = "\n".join(
        f"{base} {platform} {content}"
        for base, platforms in sorted(parents.items())
        for platform, content in sorted(platforms.items())
    )
    return hashlib.sha256(parents_as_text.encode()).hexdigest()


def shown_by(observation: Observation) -> dict[str, str]:
    """What an observation shows for each of its platforms.

    That is the layers where they are known in full: a parent that was rebuilt with the same layers shows nothing
    new. Else it is the digest of the platform's manifest.
    """
    return {
        platform: " ".join(" ".join(image.diff_ids) or image.digest for image in images)
        for platform, images in observation.by_platform().items()
    }


def is_unchanged(before: Observation, after: Observation) -> bool:
    """Whether who stands on the one stands on the other as well: every platform has the same layers."""
    old, new = shown_by(before), shown_by(after)
    return bool(new) and all(old.get(platform) == content for platform, content in new.items())
