"""Lines of versions: what a reference to one release of an own base follows, `golden:1.*.*` for `golden:1.4.2`.

A tag that names a release does not move; the release after it has a tag of its own. So the base is the line, and
what it shows is its newest release.
"""

import re
from collections.abc import Iterable

from bot.domain.bases.followed_base import followed_base, is_patch_pinned, pinned_version
from bot.domain.reference import Base, Reference

_RELEASE = re.compile(
    r"(?P<before>v?)(?P<numbers>\d{1,9}\.\d{1,9}\.\d{1,9})(?P<rest>(?:-[a-z][a-z0-9.]*)*)", re.ASCII | re.IGNORECASE
)
_UNFINISHED = re.compile(
    r"-(?:alpha|beta|preview|pre|rc|dev|nightly|snapshot|canary)[.0-9]*(?:-|\Z)", re.IGNORECASE
)
_LONGEST = 64
"""Of a tag, which is kept as the version that a base shows."""
_YEARS = range(1000, 3000)


def line_of(reference: Reference) -> Base | None:
    """The line that a reference to one release follows; None for any other tag.

    It ends with the major version, which a rebuild must not change unasked, but where that is a year.
    """
    release = _RELEASE.fullmatch(reference.tag or "")
    if (
        release is None
        or len(release[0]) > _LONGEST
        or _UNFINISHED.search(release["rest"])
        or is_patch_pinned(reference)
    ):
        return None
    major = release["numbers"].partition(".")[0]
    first = "*" if int(major) in _YEARS else major
    return Base(reference.registry, reference.repository, f"{release['before']}{first}.*.*{release['rest']}")


def is_line(base: Base) -> bool:
    """Whether a base is a line, and no tag that a registry knows."""
    return "*" in base.tag


def newest_in(line: Base, tags: Iterable[str]) -> str | None:
    """The newest release among tags that belong to a line; None where there is none."""
    mine = [tag for tag in tags if line_of(Reference(line.name, tag)) == line]
    return max(mine, key=_numbers, default=None)


def _numbers(tag: str) -> tuple[tuple[int, ...], str]:
    release = _RELEASE.fullmatch(tag)
    return (tuple(map(int, release["numbers"].split("."))) if release else (), tag)


def pinned_to(reference: Reference, base: Base) -> str | None:
    """The version of `base` that a reference without a digest names; None where it floats."""
    if not is_line(base):
        return pinned_version(reference)
    return reference.tag if reference.digest is None else None


def base_among(reference: Reference, bases: Iterable[Base]) -> Base | None:
    """The one of these bases that a reference follows, its line or its tag."""
    candidates = (line_of(reference), followed_base(reference))
    return next((base for base in bases if base in candidates), None)
