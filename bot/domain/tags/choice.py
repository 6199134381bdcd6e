"""Which tag may follow which, and how firmly a reference holds on to one build."""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.reference import Reference
from bot.domain.tags.tag import Tag


class PinStrength(StrEnum):
    """How far the image under a reference may move without an edit; the first is the firmest."""

    DIGEST = "digest"
    PATCH = "patch"
    """One release or one named build (`8.0.11-noble`, `20240101`): by convention it no longer moves."""
    MINOR = "minor"
    MAJOR = "major"
    LATEST = "latest"
    """No version at all: it moves across every release, even where the tag names a system (`noble`)."""


@dataclass(frozen=True, slots=True)
class TagPolicy:
    """What a proposed tag may cross without somebody asking for it.

    `optional_revision`: `-1` after the version is a rebuild of that release, so a tag with one may follow a tag
    without (.NET republishes `10.0.4` as `10.0.4-1`). Elsewhere such a number is a precision of its own.
    """

    cross_major: bool = True
    cross_minor: bool = True
    optional_revision: bool = False


GENERIC = TagPolicy()
"""What Docker users expect of an update tool: any newer release of the same shape and variant."""
DOTNET = TagPolicy(cross_major=False, cross_minor=False, optional_revision=True)
"""A .NET channel (`major.minor`) is what an application targets: a rebuild must not change it."""

_DOTNET_REPOSITORY = re.compile(r"(?:^|/)dotnet/")


def policy_for(reference: Reference) -> TagPolicy:
    """`DOTNET` for Microsoft's .NET repositories, wherever they are mirrored; `GENERIC` for the rest."""
    return DOTNET if _DOTNET_REPOSITORY.search(reference.repository) else GENERIC


def pins(reference: Reference) -> PinStrength:
    """How firmly the reference, as written, holds on to one build."""
    if reference.digest is not None:
        return PinStrength.DIGEST
    tag = Tag.parse(reference.tag or "latest")
    if tag.names_one_build or tag.precision >= 3:
        return PinStrength.PATCH
    return {0: PinStrength.LATEST, 1: PinStrength.MAJOR, 2: PinStrength.MINOR}[tag.precision]


def is_newer(a: Tag | str, b: Tag | str) -> bool:
    """Whether `b` is newer than `a`: a strict order over versioned tags; without a version nothing is newer."""
    a, b = _tag(a), _tag(b)
    return a.is_versioned and b.is_versioned and _age(a) < _age(b)


def is_compatible(a: Tag | str, b: Tag | str, policy: TagPolicy = GENERIC) -> bool:
    """Whether `b` may be proposed where `a` stands: same variant, same precision, nothing crossed unasked.

    Says nothing of which is newer. A stable tag never leads to a pre-release; a numbered pre-release
    (`rc.1`) may lead to the release that it came before, a moving channel (`10.0-preview`) only to its like.
    """
    a, b = _tag(a), _tag(b)
    return (
        a.is_versioned
        and b.is_versioned
        and _shape(a, policy) == _shape(b, policy)
        and _prerelease_allows(a, b)
        and (policy.cross_major or a.parts[:1] == b.parts[:1])
        and (policy.cross_minor or a.parts[:2] == b.parts[:2])
    )


def _tag(value: Tag | str) -> Tag:
    return Tag.parse(value) if isinstance(value, str) else value


def _age(tag: Tag) -> tuple[object, ...]:
    before_release = (0, tag.prerelease.rank) if tag.prerelease else (1, (0, ()))
    return (tag.release, before_release, tag.revisions, tag.stamp or "", tag.builds)


def _shape(tag: Tag, policy: TagPolicy) -> tuple[object, ...]:
    """What two tags must share to stand for each other."""
    precision = "complete" if tag.complete else tag.precision
    loose = policy.optional_revision or tag.complete
    revisions = None if loose else tuple(len(numbers) for numbers in tag.revisions)
    return (
        tag.prefix,
        precision,
        revisions,
        _kind_of_number(tag),
        tag.is_dated,
        tag.commit is not None,
        tag.words,
    )


def _kind_of_number(tag: Tag) -> str:
    """A year or a moment is no successor of a counted version: `16.2` is older than `2012.1` by its number only."""
    first = tag.parts[0] if tag.prefix in ("", "v") else 0
    if 1000 <= first < 3000:
        return "year"
    return "count" if first < 10**5 else "day" if first < 10**8 else "moment"


def _prerelease_allows(a: Tag, b: Tag) -> bool:
    if a.prerelease is None or b.prerelease is None:
        return b.prerelease is None and (a.prerelease is None or bool(a.prerelease.numbers))
    if a.prerelease.numbers and b.prerelease.numbers:
        return True
    return a.prerelease == b.prerelease
