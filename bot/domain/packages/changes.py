"""What differs between two inventories: a base before and after a change, or an image and its SBOM."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.packages.package import Package, PackageType
from bot.domain.packages.versions import BadVersion, compare_versions

_Key = tuple[str, str, str | None]


class Direction(StrEnum):
    """What became of a package between two inventories."""

    ADDED = "added"
    REMOVED = "removed"
    UP = "up"
    DOWN = "down"
    CHANGED = "changed"
    """Another version, and no rule says which of both is newer."""


@dataclass(frozen=True, slots=True)
class PackageChange:
    """`before` is None where the package was added, `after` where it was removed.

    `notices` are what its publisher calls the fixes that came with it, as far as known: `USN-7278-1`, or a CVE
    where it publishes no notices.
    """

    type: str
    name: str
    architecture: str | None
    before: str | None
    after: str | None
    direction: Direction
    notices: tuple[str, ...] = ()


def package_changes(before: Iterable[Package], after: Iterable[Package]) -> tuple[PackageChange, ...]:
    """Every difference, by type and published name.

    A package of one version on both sides that has another is up or down. Where several versions lie side by
    side, as NuGet's do, those that both have are left out, and what remains is added or removed unless it is one
    on each side. What an SBOM knows by name only is the package of that name and version on the other side. Case
    does not count in the names of NuGet: it is named as it is after.
    """
    first, second = list(before), list(after)
    old, new = _by_key(_typed(first, second)), _by_key(_typed(second, first))
    named = {key: (key[0], name, key[2]) for found in (old, new) for key, (name, _) in found.items()}
    keys = sorted(named, key=lambda key: (key[0], named[key][1], key[2] or ""))
    nothing: tuple[str, list[str]] = ("", [])
    return tuple(
        change
        for key in keys
        for change in _differences(named[key], old.get(key, nothing)[1], new.get(key, nothing)[1])
    )


def in_order_of_publication(notice: str) -> tuple[tuple[int, str], ...]:
    """By the numbers in its name: `USN-10000-1` comes after `USN-7278-1`, and `DSA-5500-2` after `DSA-5500-1`."""
    parts = re.split(r"([0-9]+)", notice)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)


def net_changes(changes: Iterable[PackageChange]) -> tuple[PackageChange, ...]:
    """What is left of the changes of several steps: what came and went again, or went and came back, is none."""
    gone: dict[_Key, list[str]] = {}
    come: dict[_Key, list[str]] = {}
    notices: dict[_Key, set[str]] = {}
    for change in changes:
        key = (change.type, change.name, change.architecture)
        notices.setdefault(key, set()).update(change.notices)
        for versions, version in ((gone, change.before), (come, change.after)):
            if version is not None and version not in versions.setdefault(key, []):
                versions[key].append(version)
    keys = sorted(gone.keys() | come.keys(), key=lambda key: (key[0], key[1], key[2] or ""))
    return tuple(
        replace(change, notices=tuple(sorted(notices[key], key=in_order_of_publication)))
        if change.direction is Direction.UP
        else change
        for key in keys
        for change in _differences(key, gone.get(key, []), come.get(key, []))
    )


def _typed(packages: list[Package], others: list[Package]) -> Iterator[Package]:
    """The packages, those known by name only as the one that they are on the other side."""
    named = {(other.name, other.version): other for other in others if other.type}
    for package in packages:
        yield package if package.type else named.get((package.name, package.version), package)


def _by_key(packages: Iterable[Package]) -> dict[_Key, tuple[str, list[str]]]:
    """The name of each package and its versions."""
    found: dict[_Key, tuple[str, list[str]]] = {}
    for package in packages:
        name = package.advisory_name
        key = (package.type, name.lower() if package.type == PackageType.NUGET else name, package.architecture)
        _, versions = found.setdefault(key, (name, []))
        if package.version not in versions:
            versions.append(package.version)
    return found


def _differences(key: _Key, before: list[str], after: list[str]) -> Iterator[PackageChange]:
    gone = [version for version in before if version not in after]
    come = [version for version in after if version not in before]
    if len(gone) == len(come) == 1:
        yield PackageChange(*key, gone[0], come[0], _direction(key[0], gone[0], come[0]))
        return
    for version in gone:
        yield PackageChange(*key, version, None, Direction.REMOVED)
    for version in come:
        yield PackageChange(*key, None, version, Direction.ADDED)


def _direction(package_type: str, before: str, after: str) -> Direction:
    try:
        order = compare_versions(package_type, before, after)
    except BadVersion:
        return Direction.CHANGED
    return {-1: Direction.UP, 0: Direction.CHANGED, 1: Direction.DOWN}[order]
