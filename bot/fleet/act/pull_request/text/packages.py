"""What a reviewer reads of packages and of their CVEs: folded, a line for each base, at most a screen below it."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from bot.domain.bases.dotnet import is_microsofts
from bot.domain.packages.changes import PackageChange, PlatformChanges, SharedChanges, few_notices, shared, summary
from bot.domain.packages.cves.moves import CvesMoved, MovedCve, WhyOpen
from bot.domain.packages.cves.wording import (
    cve_counts,
    gap_lines,
    packages_in_words,
    severities,
    shared_cves,
    why_in_words,
)
from bot.domain.reference import Base
from bot.domain.wording.escaping import code, html, markdown
from bot.domain.wording.words import counted

_MOST_PACKAGES = 24
"""Over all bases of a pull request."""

_MOST_CVES = 12
"""Over all bases of a pull request."""


def packages_section(packages: Mapping[Base, tuple[PlatformChanges, ...]]) -> str:
    """Words the packages, empty where nothing is known; bases and platforms that changed alike are told
    together."""
    bases_by_changes: dict[SharedChanges, list[Base]] = {}
    for base, platforms in sorted(packages.items()):
        for group in shared(platforms):
            bases_by_changes.setdefault(group, []).append(base)
    room = _MOST_PACKAGES
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
    table = "\n".join(_package_rows(group.changes, most))
    return f"<details><summary>{html(head)}</summary>\n\n{table}\n\n</details>"


def _package_rows(changes: tuple[PackageChange, ...], most: int) -> Iterator[str]:
    if most:
        yield "| package | before | after | how |"
        yield "|---|---|---|---|"
    for change in changes[:most]:
        before, after = (code(version) if version else "" for version in (change.before, change.after))
        words = f"{change.direction}, {few_notices(change)}" if change.notices else change.direction
        yield f"| {code(change.name)} | {before} | {after} | {markdown(words)} |"
    if len(changes) > most:
        yield f"\nAnd {counted(len(changes) - most, 'other')}."


def cves_section(packages: Mapping[Base, tuple[PlatformChanges, ...]], told_of: Collection[Base] = ()) -> str:
    """Words the CVEs, empty where nobody asked; bases and platforms of which the same holds are told together.

    `told_of` are bases whose .NET release fixes CVEs that are told above.
    """
    bases_by_cves: dict[tuple[CvesMoved, tuple[str, ...], bool, bool], list[Base]] = {}
    for base, platforms in sorted(packages.items()):
        for group in shared_cves(platforms):
            key = (group.cves, group.platforms, is_microsofts(base.registry), base in told_of)
            bases_by_cves.setdefault(key, []).append(base)
    room = _MOST_CVES
    parts: list[str] = []
    for (cves, shown_on, by_microsoft, some_told), bases in bases_by_cves.items():
        names = ", ".join(dict.fromkeys(base.short for base in bases))
        head = f"CVEs in packages of {names} on {', '.join(shown_on)}: {cve_counts(cves, some_told=some_told)}"
        rows = [*(cves.still_open or ()), *(cves.fixed or ())]
        parts.append(_fold_cves(head, rows, cves.gaps, room, "Microsoft has not rebuilt" if by_microsoft else ""))
        room -= min(room, len(rows))
    return "\n".join(parts)


def _fold_cves(head: str, rows: Sequence[MovedCve], gaps: Sequence[str], most: int, who: str) -> str:
    if not rows:
        return f"{markdown(head)}."
    table = "\n".join(_cve_rows(sorted(rows, key=lambda each: -each.severity.rank), most, who))
    more = "".join(f"\n- {markdown(line)}" for line in gap_lines(gaps))
    return f"<details><summary>{html(head)}</summary>\n\n{table}\n{more}\n</details>"


def _cve_rows(rows: Sequence[MovedCve], most: int, who: str) -> Iterator[str]:
    """The most severe first; of the same severity, what is still open before what is fixed."""
    if most:
        yield "| CVE | severity | package | fix |"
        yield "|---|---|---|---|"
    for row in rows[:most]:
        reason = why_in_words(row, who or WhyOpen.NOT_REBUILT)
        packages = code(packages_in_words(row.packages))
        yield f"| {code(row.cve)} | {row.severity} | {packages} | {markdown(reason)} |"
    if more_rows := rows[most:]:
        yield f"\nAnd {len(more_rows)} more: {severities(more_rows)}."
