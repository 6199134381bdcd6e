"""Which base or line of versions a reference follows, and what it becomes when that base moves.

Microsoft publishes a patch version (`10.0.4-noble`) and its floating minor tag (`10.0-noble`) as one index, and
stops updating the patch tag when the next patch is out. So a patch-pinned reference follows the minor tag.
.NET Framework is numbered otherwise: `4.8.1` is a product of its own beside `4.8`, and its tag floats.

A tag that names a release does not move; the release after it has a tag of its own. So the base is the line, and
what it shows is its newest release.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.reference import Base, Reference
from bot.domain.tags.choice import is_compatible, policy_for
from bot.domain.tags.tag import Tag

_FAMILIES = frozenset({"runtime-deps", "runtime", "aspnet", "sdk"})
"""Those whose tags are numbered by the .NET that they hold. `monitor`, `aspire-dashboard` and others have numbers
of their own, of which the version of the .NET inside says nothing: their tags are followed as they are written."""
_PATCH = re.compile(
    r"(?P<minor>\d{1,9}\.\d{1,9})\.(?P<patch>\d{1,9})(?:-(?P<revision>\d{1,9}))?(?P<rest>(?:-[a-z].*)?)", re.ASCII
)
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def followed_base(reference: Reference) -> Base | None:
    """The registry tag to watch for a reference; None for a bare digest, which nothing can follow."""
    if reference.tag is None:
        return None if reference.digest is not None else reference.base
    patch = _patch(reference)
    if patch is None:
        return reference.base
    return Base(reference.registry, reference.repository, f"{patch['minor']}{patch['rest']}")


def is_patch_pinned(reference: Reference) -> bool:
    return _patch(reference) is not None


def pinned_version(reference: Reference) -> str | None:
    """The .NET version that a patch tag without a digest pins: `10.0.4` of `aspnet:10.0.4-noble`."""
    return tagged_version(reference) if reference.digest is None else None


def tagged_version(reference: Reference) -> str | None:
    """The .NET version that a patch tag names, beside a digest or without one."""
    patch = _patch(reference)
    return f"{patch['minor']}.{patch['patch']}" if patch is not None else None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The new reference cannot be told yet; `reason` says why.

    With `is_ahead`, the reference already names something newer than what its base shows.
    """

    reason: str
    is_ahead: bool = False


def reference_after_move(reference: Reference, digest: str, version: str | None) -> Reference | Unknown:
    """The reference after its base moved to `digest` with .NET `version` (None where the image tells none).

    A digest stays a digest, a tag without one stays without; only a patch version in the tag is replaced.
    """
    tag = reference.tag
    patch = _patch(reference)
    if patch is not None:
        if version is None or _VERSION.fullmatch(version) is None:
            return Unknown(f"the patch version behind {digest[:19]} is not known yet")
        proposed = f"{version}{patch['rest']}"
        if not is_compatible(patch[0], proposed, policy_for(reference)):
            return Unknown(f"the base now holds {version}, another minor version than {tag}")
        if version != f"{patch['minor']}.{patch['patch']}":
            tag = proposed
    return reference.with_tag(tag, digest if reference.digest is not None else None)


def _patch(reference: Reference) -> re.Match[str] | None:
    *folders, family = reference.repository.split("/")
    if reference.tag is None or "dotnet" not in folders or "framework" in folders or family not in _FAMILIES:
        return None
    if Tag.parse(reference.tag).is_prerelease:
        return None  # after `11.0.0-preview.1` comes another product, which only a person asks for
    return _PATCH.fullmatch(reference.tag)


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
