"""How the packages of a base changed with its moves, platform by platform, and how people are told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.domain.packages.changes import Direction, PackageChange, net_changes
from bot.domain.packages.cves.moves import CvesMoved
from bot.domain.packages.package import PackageType
from bot.domain.wording.words import counted

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
