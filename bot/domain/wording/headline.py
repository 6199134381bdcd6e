"""A rollout in one line: what happened upstream, and which .NET versions that leads to."""

from collections.abc import Iterable, Sequence

from bot.domain.bases.change import Cause, Change
from bot.domain.feeds.advisory import Severity, worst
from bot.domain.rollouts.rollout import Occasion
from bot.domain.tags.choice import is_newer
from bot.domain.tags.tag import Tag
from bot.domain.wording.words import counted


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
