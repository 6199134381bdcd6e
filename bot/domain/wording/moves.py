"""What a move of bases brings, in one line: the same words on every surface."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.domain.bases.change import Cause, Change, SecurityRelease, oldest_fix
from bot.domain.feeds.advisory import SEVERE, Severity, worst
from bot.domain.rollouts.rollout import Occasion
from bot.domain.tags.choice import is_newer
from bot.domain.tags.tag import Tag
from bot.domain.wording.words import counted, duration, in_words


def headline(changes: Sequence[Change], occasion: Occasion = Occasion.CHANGE) -> str:
    """What happened upstream, in one line; where nothing did, what the rollout is for."""
    if occasion is Occasion.AGE:
        return "Weekly rebuild of what would grow too old"
    if occasion is Occasion.CATCH_UP:
        return "Catching up with what bases had left behind"
    bases = {change.base for change in changes}
    if release := _release(changes):
        return release
    if any(change.cause is Cause.OS_UPDATE for change in changes):
        return f"Operating system update in {counted(len(bases), 'base image')}"
    return f"{counted(len(bases), 'base image')} moved under the same tag"


def _release(changes: Sequence[Change]) -> str | None:
    """Which .NET release it is and what that fixes; None where the changes bring none."""
    security = [change for change in changes if change.cause is Cause.DOTNET_SECURITY]
    reached = versions_reached(changes) or "A .NET release"
    if security:
        cves = {cve for change in security for cve in change.cves}
        if not cves:
            return f"{reached} is a security release whose CVEs are not listed yet"
        return f"{reached} fixes {counted(len(cves), 'CVE')}{_rated(security, len(cves))}"
    if any(change.cause in (Cause.DOTNET_RELEASE, Cause.DOTNET_UNKNOWN) for change in changes):
        return f"{reached} is in the base images"
    return None


def _rated(changes: Sequence[Change], cves: int) -> str:
    """How many are critical and high; where none is, or nobody knows how many, the highest rating alone."""
    ratings = dict(rating for change in changes for rating in change.ratings)
    severe = [(severity, list(ratings.values()).count(severity)) for severity in (Severity.CRITICAL, Severity.HIGH)]
    if cves > 1 and any(number for _, number in severe):
        return "".join(f", {number} {severity.told}" for severity, number in severe if number)
    highest = worst(each.severity for each in changes)
    return f", rated {'' if cves == 1 else 'up to '}{highest.told}" if highest else ""


def versions_reached(changes: Iterable[Change]) -> str:
    """`.NET 10.0.10`, or `.NET 8.0.21, 10.0.10`: the newest of each channel; SDK versions only where there are no
    others. Empty where no version moved.
    """
    moved = [change for change in changes if change.to_version and change.from_version != change.to_version]
    runtimes = [change for change in moved if not change.base.is_sdk]
    newest: dict[tuple[int, ...], str] = {}
    for change in runtimes or moved:
        version = change.to_version or ""
        channel = Tag.parse(version).parts[:2]
        if channel not in newest or is_newer(newest[channel], version):
            newest[channel] = version
    product = ".NET" if runtimes else ".NET SDK"
    return f"{product} {', '.join(newest[channel] for channel in sorted(newest))}" if newest else ""


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
