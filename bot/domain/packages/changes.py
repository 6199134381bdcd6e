"""What differs between two inventories, and how the packages of a base changed with its moves, platform by
platform."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.packages.cves.moves import CvesMoved
from bot.domain.packages.package import Package, PackageType
from bot.domain.packages.versions import BadVersion, compare_versions
from bot.domain.wording.words import counted

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
    published_keys = {key: (key[0], name, key[2]) for side in (old, new) for key, (name, _) in side.items()}
    keys = sorted(published_keys, key=lambda key: (key[0], published_keys[key][1], key[2] or ""))
    nothing: tuple[str, list[str]] = ("", [])
    return tuple(
        change
        for key in keys
        for change in _differences(published_keys[key], old.get(key, nothing)[1], new.get(key, nothing)[1])
    )


def in_order_of_publication(notice: str) -> tuple[tuple[int, str], ...]:
    """By the numbers in its name: `USN-10000-1` comes after `USN-7278-1`, and `DSA-5500-2` after `DSA-5500-1`."""
    parts = re.split(r"([0-9]+)", notice)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)


def net_changes(changes: Iterable[PackageChange]) -> tuple[PackageChange, ...]:
    """What is left of the changes of several steps: what came and went again, or went and came back, is none."""
    old_versions: dict[_Key, list[str]] = {}
    new_versions: dict[_Key, list[str]] = {}
    notices: dict[_Key, set[str]] = {}
    for change in changes:
        key = (change.type, change.name, change.architecture)
        notices.setdefault(key, set()).update(change.notices)
        for versions, version in ((old_versions, change.before), (new_versions, change.after)):
            if version is not None and version not in versions.setdefault(key, []):
                versions[key].append(version)
    keys = sorted(old_versions.keys() | new_versions.keys(), key=lambda key: (key[0], key[1], key[2] or ""))
    return tuple(
        replace(change, notices=tuple(sorted(notices[key], key=in_order_of_publication)))
        if change.direction is Direction.UP
        else change
        for key in keys
        for change in _differences(key, old_versions.get(key, []), new_versions.get(key, []))
    )


def _typed(packages: list[Package], others: list[Package]) -> Iterator[Package]:
    """The packages, those known by name only as the one that they are on the other side."""
    by_name = {(other.name, other.version): other for other in others if other.type}
    for package in packages:
        yield package if package.type else by_name.get((package.name, package.version), package)


def _by_key(packages: Iterable[Package]) -> dict[_Key, tuple[str, list[str]]]:
    """Groups packages that are one but for their version; of each the name, and all versions."""
    by_key: dict[_Key, tuple[str, list[str]]] = {}
    for package in packages:
        name = package.advisory_name
        key = (package.type, name.lower() if package.type == PackageType.NUGET else name, package.architecture)
        _, versions = by_key.setdefault(key, (name, []))
        if package.version not in versions:
            versions.append(package.version)
    return by_key


def _differences(key: _Key, before: list[str], after: list[str]) -> Iterator[PackageChange]:
    removed_versions = [version for version in before if version not in after]
    added_versions = [version for version in after if version not in before]
    if len(removed_versions) == len(added_versions) == 1:
        yield PackageChange(
            *key, removed_versions[0], added_versions[0], _direction(key[0], removed_versions[0], added_versions[0])
        )
        return
    for version in removed_versions:
        yield PackageChange(*key, version, None, Direction.REMOVED)
    for version in added_versions:
        yield PackageChange(*key, None, version, Direction.ADDED)


def _direction(package_type: str, before: str, after: str) -> Direction:
    try:
        order = compare_versions(package_type, before, after)
    except BadVersion:
        return Direction.CHANGED
    return {-1: Direction.UP, 0: Direction.CHANGED, 1: Direction.DOWN}[order]


_FEW = 3
"""So many changes are named in one line; of more, as many and the number of the others."""


@dataclass(frozen=True, slots=True)
class PlatformChanges:
    """What changed on one platform; `changes` is None as long as it is not known.

    Without `is_complete` a part of what is inside could not be read: more may have changed. `cves` are those that
    were fixed and those that are still open, None where nobody asked.
    """

    platform: str
    changes: tuple[PackageChange, ...] | None
    is_complete: bool = True
    cves: CvesMoved | None = None


@dataclass(frozen=True, slots=True)
class SharedChanges:
    """The same changes on some platforms; which architecture a package is for is left out of them."""

    platforms: tuple[str, ...]
    changes: tuple[PackageChange, ...]
    is_complete: bool


def composed(moves: Sequence[Sequence[PlatformChanges]]) -> tuple[PlatformChanges, ...]:
    """What several moves of a base, oldest first, changed in all; a platform that one leaves out did not move."""
    steps: dict[str, list[PlatformChanges]] = {}
    for move in moves:
        for each in move:
            steps.setdefault(each.platform, []).append(each)
    return tuple(_compose_steps(platform, steps[platform]) for platform in sorted(steps))


def _compose_steps(platform: str, steps: Sequence[PlatformChanges]) -> PlatformChanges:
    known_changes = [each.changes for each in steps if each.changes is not None]
    if len(known_changes) < len(steps):
        return PlatformChanges(platform, None, is_complete=False)
    changes = (
        known_changes[0]
        if len(known_changes) == 1
        else net_changes([change for step in known_changes for change in step])
    )
    return PlatformChanges(platform, changes, all(each.is_complete for each in steps))


def shared(platforms: Iterable[PlatformChanges]) -> tuple[SharedChanges, ...]:
    """Platforms with the same changes together, as far as it is known what changed."""
    groups: dict[tuple[tuple[PackageChange, ...], bool], list[str]] = {}
    for each in platforms:
        if each.changes is not None:
            alike = sorted({replace(change, architecture=None) for change in each.changes}, key=_order)
            groups.setdefault((tuple(alike), each.is_complete), []).append(each.platform)
    return tuple(SharedChanges(tuple(names), *key) for key, names in groups.items())


def _order(change: PackageChange) -> tuple[bool, str, str, str, str]:
    """Orders changes by type and name, those of .NET itself first."""
    is_dotnet = change.type == PackageType.NUGET and change.name.startswith("Microsoft.")
    return (not is_dotnet, change.type, change.name, change.before or "", change.after or "")


def moves_in_words(platforms: Iterable[PlatformChanges]) -> str:
    """For people, in one line: `only libssl3t64 3.0.13-0ubuntu3.5 → 3.0.13-0ubuntu3.6`.

    Platforms are named where they differ. Empty where nothing is known.
    """
    groups = shared(platforms)
    if len(groups) == 1:
        return summary(groups[0])
    return "; ".join(f"{', '.join(group.platforms)}: {summary(group)}" for group in groups)


def summary(group: SharedChanges) -> str:
    """The changes of one group in a line, without its platforms."""
    changes, more = group.changes, "" if group.is_complete else ", and what could not be read"
    if not changes:
        return f"no package changed{more}"
    names = ", ".join(one_change(change) for change in changes[:_FEW])
    if len(changes) <= _FEW:
        return f"only {names}{more}" if group.is_complete else f"{names}{more}"
    numbers = {direction: sum(change.direction is direction for change in changes) for direction in Direction}
    counts = ", ".join(f"{number} {direction}" for direction, number in numbers.items() if number)
    return f"{counts}: {names} and {counted(len(changes) - _FEW, 'other')}{more}"


def changes_by_platform(platforms: Iterable[PlatformChanges]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every change in a line of its own, by the platforms that share them; empty where `moves_in_words` has named
    all."""
    groups = shared(platforms)
    if all(len(group.changes) <= _FEW for group in groups):
        return ()
    return tuple((", ".join(group.platforms), tuple(map(one_change, group.changes))) for group in groups)


def one_change(change: PackageChange) -> str:
    """Words the change of one package: `libc6 2.39-0ubuntu8.4 → 2.39-0ubuntu8.5 (USN-7259-1)`."""
    if change.before is None or change.after is None:
        return f"{change.name} {change.after or change.before} {change.direction}"
    moved = f"{change.name} {change.before} → {change.after}"
    if change.direction is Direction.DOWN:
        return f"{moved} (down)"
    return f"{moved} ({few_notices(change)})" if change.notices else moved


def few_notices(change: PackageChange) -> str:
    """The names of fixes that came with a package, the latest few of them: `USN-7278-1`."""
    names = ", ".join(change.notices[-_FEW:])
    more = len(change.notices) - _FEW
    return f"{names} and {counted(more, 'other')}" if more > 0 else names
