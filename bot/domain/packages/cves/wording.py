"""How people are told which CVEs a move fixed, and which are still open."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from bot.domain.packages.changes import PlatformChanges
from bot.domain.packages.cves.detected import Rating
from bot.domain.packages.cves.moves import CvePackage, CvesMoved, MovedCve, StillOpen, WhyOpen
from bot.domain.wording.words import counted, first_few

_FEW = 3
_NEITHER = "which were fixed and which are still open is not known"
_MOST_LINES = 60
_MOST_GAPS = 5


@dataclass(frozen=True, slots=True)
class SharedCves:
    """What a move did about CVEs, and the platforms of which that holds alike."""

    platforms: tuple[str, ...]
    cves: CvesMoved


def shared_cves(platforms: Iterable[PlatformChanges]) -> tuple[SharedCves, ...]:
    """Platforms of which the same holds together, as far as anybody asked."""
    groups: dict[CvesMoved, list[str]] = {}
    for each in platforms:
        if each.cves is not None:
            groups.setdefault(each.cves, []).append(each.platform)
    return tuple(SharedCves(tuple(names), cves) for cves, names in groups.items())


def cves_in_words(platforms: Iterable[PlatformChanges], *, some_told: bool = False) -> str:
    """For people, in a line: `1 fixed: CVE-2026-1 (HIGH); 2 still open, no fix yet: CVE-2026-2 (HIGH), …`.

    Platforms are named where they differ. Empty where nobody asked. `some_told` says that CVEs which its .NET
    release fixes stand beside it already: no advisory need tell yet in which package.
    """
    return _of_each(platforms, partial(cve_summary, some_told=some_told))


def cves_counted(platforms: Iterable[PlatformChanges], *, some_told: bool = False) -> str:
    """Counts the CVEs of `cves_in_words` without naming them, to stand above `cve_lines`."""
    return _of_each(platforms, partial(cve_counts, some_told=some_told))


def _of_each(platforms: Iterable[PlatformChanges], worded: Callable[[CvesMoved], str]) -> str:
    """What is said of all platforms, or of each of those that differ."""
    groups = shared_cves(platforms)
    if len(groups) == 1:
        return worded(groups[0].cves)
    return "; ".join(f"{', '.join(group.platforms)}: {worded(group.cves)}" for group in groups)


def cve_summary(moved: CvesMoved, *, some_told: bool = False) -> str:
    """The CVEs of one move in a line, with why not all is known."""
    if moved.fixed is None and moved.still_open is None:
        return f"{_NEITHER}{_word_gaps(moved.gaps)}"
    text = f"{_word_fixed(moved.fixed, some_told)}; {_word_still_open(moved.still_open)}"
    if moved.still_open is None:
        return f"{text}{_word_gaps(moved.gaps)}"
    return f"{text}; not all is known{_word_gaps(moved.gaps)}" if moved.gaps else text


def cve_counts(moved: CvesMoved, *, some_told: bool = False) -> str:
    """How many, and why they are open: `1 fixed (1 HIGH); 3 still open (1 HIGH, 2 LOW): 2 no fix yet, …`."""
    fixed, still_open = moved.fixed, moved.still_open
    if fixed is None and still_open is None:
        return f"{_NEITHER}{_word_gaps(moved.gaps)}"
    text = f"{len(fixed)} fixed ({severities(fixed)})" if fixed else _word_fixed(fixed, some_told)
    if not still_open:
        text = f"{text}; {_word_still_open(still_open)}"
    else:
        text = f"{text}; {len(still_open)} still open ({severities(still_open)}): {reasons(still_open)}"
    return f"{text}; not all is known" if moved.gaps and still_open is not None else text


def still_open_in_words(still_open: StillOpen, not_rebuilt: str = WhyOpen.NOT_REBUILT) -> str:
    """What bases still have, in a line of a message: `Still open in these bases: 1 HIGH, 4 LOW (no fix yet); …`.

    The reason with the most severe comes first. `not_rebuilt` tells who has not, where that is known.
    """
    if still_open.cves is None:
        return f"Which CVEs are still open in these bases is not known{_word_gaps(still_open.gaps)}"
    if not still_open.cves:
        return "No known CVE is still open in these bases"
    by_reason: dict[WhyOpen | None, list[MovedCve]] = {}
    for each in still_open.cves:
        by_reason.setdefault(each.why, []).append(each)
    words: dict[WhyOpen | None, str] = {WhyOpen.NOT_REBUILT: not_rebuilt}
    reason_texts = "; ".join(
        f"{severities(cves)} ({words.get(reason, reason)})" for reason, cves in by_reason.items()
    )
    return f"Still open in these bases: {reason_texts}{'; not all is known' if still_open.gaps else ''}"


def _word_gaps(gaps: Sequence[str]) -> str:
    more = f", and {counted(len(gaps) - 1, 'other reason')}" if len(gaps) > 1 else ""
    return f": {gaps[0]}{more}" if gaps else ""


def _word_fixed(fixed: Sequence[MovedCve] | None, some_told: bool) -> str:
    if fixed is None:
        return "what was fixed is not known"
    if not fixed:
        return "no other fixed" if some_told else "none fixed"
    return f"{len(fixed)} fixed: {_first_names(fixed)}"


def _word_still_open(still_open: Sequence[MovedCve] | None) -> str:
    if still_open is None:
        return "what is still open is not known"
    if not still_open:
        return "none still open"
    return f"{len(still_open)} still open, {reasons(still_open)}: {_first_names(still_open)}"


def reasons(still_open: Iterable[MovedCve]) -> str:
    """`no fix yet` where that holds of all, else `3 no fix yet, 2 base not rebuilt`."""
    numbers = Counter(each.why for each in still_open)
    reason_counts = [(reason, numbers[reason]) for reason in WhyOpen if numbers[reason]]
    return (
        str(reason_counts[0][0])
        if len(reason_counts) == 1
        else ", ".join(f"{number} {reason}" for reason, number in reason_counts)
    )


def _first_names(cves: Sequence[MovedCve]) -> str:
    return first_few((rated(each) for each in cves), _FEW)


def rated(moved: MovedCve) -> str:
    """`CVE-2026-1 (HIGH)`; without a severity where nobody has rated it."""
    return moved.cve if moved.severity is Rating.UNKNOWN else f"{moved.cve} ({moved.severity})"


def severities(cves: Iterable[MovedCve]) -> str:
    """How many of which severity, the worst first: `1 HIGH, 2 LOW`."""
    numbers = Counter(each.severity for each in cves)
    rating_counts = sorted(numbers.items(), key=lambda each: -each[0].rank)
    words = {Rating.UNKNOWN: "not rated"}
    return ", ".join(f"{number} {words.get(rating, rating)}" for rating, number in rating_counts)


def why_in_words(moved: MovedCve, not_rebuilt: str = WhyOpen.NOT_REBUILT) -> str:
    """Why it is still open, with the versions that fix it: `fixed in 3.0.13-0ubuntu3.6, base not rebuilt`.

    `not_rebuilt` tells who has not, where that is known.
    """
    if moved.why is None:
        return "fixed"
    if moved.why is WhyOpen.NO_FIX:
        return str(moved.why)
    versions = dict.fromkeys(each.fixed_in for each in moved.packages)
    return f"fixed in {first_few(versions)}, {not_rebuilt if moved.why is WhyOpen.NOT_REBUILT else moved.why}"


def gap_lines(gaps: Sequence[str]) -> tuple[str, ...]:
    """A line each for the first few things that are not known, and one that counts the rest."""
    more = [counted(len(gaps) - _MOST_GAPS, "other")] if len(gaps) > _MOST_GAPS else []
    return tuple(f"not known: {each}" for each in (*gaps[:_MOST_GAPS], *more))


def packages_in_words(packages: Sequence[CvePackage]) -> str:
    """Names the first few packages with their versions: `libcrypto3 3.5.2-r0, libssl3 3.5.2-r0`."""
    return first_few(f"{each.name} {each.installed}" for each in packages)


def cve_lines(platforms: Iterable[PlatformChanges]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every CVE and every gap in a line of its own, by the platforms that share them; at most a few screens."""
    groups_of_lines = []
    for group in shared_cves(platforms):
        moved = group.cves
        cve_texts = [
            f"{rated(each)} in {packages_in_words(each.packages)}: {why_in_words(each)}"
            for each in (*(moved.fixed or ()), *(moved.still_open or ()))
        ]
        more = [f"and {counted(len(cve_texts) - _MOST_LINES, 'other')}"] if len(cve_texts) > _MOST_LINES else []
        if lines := (*cve_texts[:_MOST_LINES], *more, *gap_lines(moved.gaps)):
            groups_of_lines.append((", ".join(group.platforms), lines))
    return tuple(groups_of_lines)
