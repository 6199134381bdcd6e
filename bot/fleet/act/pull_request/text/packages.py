"""What a reviewer reads of packages: folded, a line for each base, and at most a screen below it."""

from collections.abc import Iterator, Mapping

from bot.domain.packages.changes import PackageChange
from bot.domain.packages.moves import PlatformChanges, SharedChanges, few_notices, shared, summary
from bot.domain.reference import Base
from bot.domain.wording.escaping import code, html, markdown
from bot.domain.wording.words import counted

_MOST_ROWS = 24
"""Over all bases of a pull request."""


def packages_section(packages: Mapping[Base, tuple[PlatformChanges, ...]]) -> str:
    """Words the packages, empty where nothing is known; bases and platforms that changed alike are told
    together."""
    bases_by_changes: dict[SharedChanges, list[Base]] = {}
    for base, platforms in sorted(packages.items()):
        for group in shared(platforms):
            bases_by_changes.setdefault(group, []).append(base)
    room = _MOST_ROWS
    parts: list[str] = []
    for group, bases in bases_by_changes.items():
        parts.append(_fold_packages(group, bases, room))
        room -= min(room, len(group.changes))
    return "\n".join(parts)


def _fold_packages(group: SharedChanges, bases: list[Base], most: int) -> str:
    names = ", ".join(dict.fromkeys(base.short for base in bases))
    head = f"Packages of {names} on {', '.join(group.platforms)}: {summary(group)}"
    if not group.changes:
        return f"{markdown(head)}."
    table = "\n".join(_rows(group.changes, most))
    return f"<details><summary>{html(head)}</summary>\n\n{table}\n\n</details>"


def _rows(changes: tuple[PackageChange, ...], most: int) -> Iterator[str]:
    if most:
        yield "| package | before | after | how |"
        yield "|---|---|---|---|"
    for change in changes[:most]:
        before, after = (code(version) if version else "" for version in (change.before, change.after))
        words = f"{change.direction}, {few_notices(change)}" if change.notices else change.direction
        yield f"| {code(change.name)} | {before} | {after} | {markdown(words)} |"
    if len(changes) > most:
        yield f"\nAnd {counted(len(changes) - most, 'other')}."
