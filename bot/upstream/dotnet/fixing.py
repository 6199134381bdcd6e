"""What lies between two versions of .NET: which CVEs a move fixes, which concern an image, and its cause."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory, Evidence, Severity, worst
from bot.upstream.dotnet.releases import Fixes, ReleaseIndex, family_name
from bot.upstream.dotnet.relevance import Relevance, relevance_to
from bot.upstream.dotnet.told_ahead import with_told_ahead


@dataclass(frozen=True, slots=True)
class JudgedCves:
    """CVEs in order; `described` are the advisories of those that have one, and whether each concerns the image.

    A CVE without an advisory counts as relevant and unrated.
    """

    cves: tuple[str, ...]
    described: tuple[tuple[Advisory, Relevance], ...]

    @property
    def concerning(self) -> tuple[str, ...]:
        """All but those of which an advisory says that they do not touch the image."""
        spared_cves = set(self.not_relevant)
        return tuple(cve for cve in self.cves if cve not in spared_cves)

    @property
    def not_relevant(self) -> tuple[str, ...]:
        return tuple(advisory.cve for advisory, relevance in self.described if not relevance)

    @property
    def ratings(self) -> tuple[tuple[str, Severity], ...]:
        """The CVEs that touch the image and are rated, each with its severity."""
        return tuple(
            (advisory.cve, advisory.severity)
            for advisory, relevance in self.described
            if relevance and advisory.severity is not None
        )

    @property
    def severity(self) -> Severity | None:
        """The highest rating among the CVEs that touch the image; None where none is rated."""
        return worst(severity for _, severity in self.ratings)

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """The first address of each: Microsoft's own, where it gives one (see `watch.feeds.combine`)."""
        return tuple((advisory.cve, advisory.links[0]) for advisory, _ in self.described if advisory.links)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(row for each in self.described for row in _evidence(*each))


def fixes_between(
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    versions: tuple[str, str | None, str | None],
    now: datetime,
) -> Fixes:
    """What the release feed and, ahead of it, advisories say of a move, given as family and versions."""
    return with_told_ahead(releases.fixed_between(*versions, now), releases, advisories, versions, now)


def dotnet_cause(fixes: Fixes) -> Cause:
    """A known CVE between the two versions makes it a security fix, even while the newest version is not listed.

    It is known as soon as any source tells of it. Where the feed does not say whether a release fixes something,
    nobody takes that for "nothing".
    """
    if fixes.cves or fixes.flagged:
        return Cause.DOTNET_SECURITY
    return Cause.DOTNET_RELEASE if fixes.listed and not fixes.unsaid else Cause.DOTNET_UNKNOWN


def judged(
    cves: tuple[str, ...], advisories: Mapping[str, Advisory], relevance_of: Callable[[Advisory], Relevance]
) -> JudgedCves:
    """Looks the advisories of CVEs up, and judges by `relevance_of` whether each concerns the image."""
    own_advisories = (advisories[cve] for cve in cves if cve in advisories)
    return JudgedCves(cves, tuple((advisory, relevance_of(advisory)) for advisory in own_advisories))


def _evidence(advisory: Advisory, relevance: Relevance) -> Iterator[Evidence]:
    verdict = "relevant" if relevance else "not relevant"
    for row in advisory.evidence:
        yield replace(row, locator=f"{row.locator} ({advisory.cve}: {verdict}, {relevance.text})")
    for row in advisory.evidence[-1:]:
        for line in advisory.disagreements:
            yield Evidence("advisories differ", f"{advisory.cve}: {line}", row.seen_at)


def way_from(
    version: str, shown: Observation, releases: ReleaseIndex, advisories: Mapping[str, Advisory], now: datetime
) -> Change | None:
    """What lies between a version that somebody pins and what its base shows, as one change that nobody saw happen;
    None where the feeds tell nothing of it."""
    fixes = fixes_between(releases, advisories, (family_name(shown.base), version, shown.version), now)
    cause = dotnet_cause(fixes)
    if cause is Cause.DOTNET_UNKNOWN:
        return None
    judged_cves = judged(fixes.cves, advisories, lambda each: relevance_to(each, shown))
    return Change(
        base=shown.base,
        at=shown.at,
        from_digest=None,
        to_digest=shown.digest,
        cause=cause,
        cause_at_detection=cause,
        from_version=version,
        to_version=shown.version,
        cves=judged_cves.cves,
        not_relevant=judged_cves.not_relevant,
        severity=judged_cves.severity,
        ratings=judged_cves.ratings,
        links=judged_cves.links,
        evidence=(*fixes.evidence, *judged_cves.evidence),
    )
