"""What something lacks by being behind, in one line: the same words on every surface."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.domain.bases.change import Cause, Change, SecurityRelease, oldest_fix
from bot.domain.feeds.advisory import SEVERE, Severity
from bot.domain.wording.words import counted, duration, in_words

_SHORT = {
    Cause.OS_UPDATE: "an update of the operating system",
    Cause.OS_MOVE: "another distribution",
    Cause.LAYERS_ONLY: "rebuilt layers",
    Cause.BASE_UPDATE: "a rebuilt base of our own",
}


def way_in_words(lacks: Change, releases: Sequence[SecurityRelease], now: datetime | None = None) -> str:
    """`10.0.0 → 10.0.3: 2 security releases, 5 CVEs (1 HIGH), oldest fix out for 63 days`.

    Without `now` the day of the oldest fix is told: a text that is kept stays true. Empty where nothing is told.
    """
    parts = [part for part in (_releases(releases), cves_in_words(lacks), _oldest(releases, now)) if part]
    versions = ""
    if lacks.to_version and lacks.from_version != lacks.to_version:
        versions = f"{lacks.from_version} → {lacks.to_version}" if lacks.from_version else f"to {lacks.to_version}"
    return ": ".join(part for part in (versions, ", ".join(parts)) if part)


def cves_in_words(lacks: Change) -> str:
    """How many fixes it lacks that concern it, and how severe they are: `5 CVEs (1 HIGH)`."""
    cves = [cve for cve in lacks.cves if cve not in lacks.not_relevant]
    if not cves:
        return "no CVE that concerns it" if lacks.cves else ""
    ratings = (severity for cve, severity in lacks.ratings if cve in cves)
    return counted(len(cves), "CVE") + rated_in_words(ratings, lacks.severity, len(cves))


def rated_in_words(ratings: Iterable[Severity], highest: Severity | None, cves: int) -> str:
    """How many of so many CVEs are severe, ` (1 HIGH)`; where none is known to be, the `highest` rating alone."""
    severities = Counter(ratings)
    severe = sorted(SEVERE & severities.keys(), key=lambda each: -each.rank)
    words = ", ".join(f"{severities[severity]} {severity.told}" for severity in severe)
    if not words and highest is not None:
        words = _highest(highest, cves)
    return f" ({words})" if words else ""


def cause_in_short(cause: Cause) -> str:
    """What moved where no version did."""
    return _SHORT.get(cause, in_words(cause))


def _highest(severity: Severity, cves: int) -> str:
    return severity.told if cves == 1 else f"up to {severity.told}"


def _releases(releases: Sequence[SecurityRelease]) -> str:
    return counted(len(releases), "security release") if releases else ""


def _oldest(releases: Sequence[SecurityRelease], now: datetime | None) -> str:
    since = oldest_fix(releases)
    if since is None:
        return ""
    if now is None:
        return f"oldest fix out since {since:%Y-%m-%d}"
    return f"oldest fix out for {duration(now - since)}"
