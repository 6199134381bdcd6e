"""What lies between two versions of .NET: which CVEs a move fixes, also where an advisory tells it before the
release feed does.

On 2026-03-12 `releases.json` lacked 10.0.4 for 70 minutes while MSRC named it. What one source says counts at
once, and is joined with the feed's own word as soon as that comes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.domain.bases.change import Cause, Change, ToldWay
from bot.domain.bases.dotnet import DotnetVersion
from bot.domain.bases.observation import Difference, Observation, compare
from bot.domain.feeds.advisory import Advisory, Evidence, Severity, worst
from bot.upstream.dotnet.releases import FEED, Fixes, ReleaseIndex, family_name
from bot.upstream.dotnet.relevance import Relevance, relevance_to

AHEAD = "told ahead"
"""The source of the evidence that a fix is not in the release feed yet."""
_PUBLISHERS = {
    "msrc": "MSRC",
    "dotnet-cve": "cve.json",
    "github": "GitHub",
    "dotnet-announcements": "the .NET announcements",
    "dotnet-docker": "the image announcements",
}
_NEVER = datetime.min.replace(tzinfo=UTC)
_FIRST_SDK = 100
"""SDK versions count from there on: `8.0.100`."""


def with_told_ahead(
    fixes: Fixes,
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    moved: tuple[str, str | None, str | None],
    known_at: datetime,
) -> Fixes:
    """Adds what advisories say of the versions between two, and no release of their channel lists.

    `moved` is the image family with its versions before and after.
    """
    family, before, after = moved
    old, new = DotnetVersion.parse(before), DotnetVersion.parse(after)
    if old is None or new is None or old.channel != new.channel or new <= old:
        return fixes
    listed_cves = releases.cves_of(new.channel, known_at)
    is_unlisted_sdk = family == "sdk" and not fixes.listed
    newest = releases.newest_runtime(new.channel, known_at) if is_unlisted_sdk else None
    ahead = [
        advisory
        for cve, advisory in sorted(advisories.items())
        if cve not in listed_cves and _is_fixed_between(advisory, family, (old, new), newest)
    ]
    if not ahead:
        return fixes
    return replace(
        fixes,
        cves=(*fixes.cves, *(each.cve for each in ahead)),
        ahead=tuple(each.cve for each in ahead),
        told_by=_publishers(ahead),
        evidence=(*fixes.evidence, *(_evidence_ahead(each, new.channel) for each in ahead)),
    )


def _is_fixed_between(
    advisory: Advisory, family: str, moved: tuple[DotnetVersion, DotnetVersion], newest: DotnetVersion | None
) -> bool:
    """Whether a version that it names as fixed is in what came, and not in what was there.

    An SDK is compared within its feature band. One that the feed does not list is of a release that it does not
    list either: it has the fixes of a runtime newer than the newest that is listed.
    """
    old, new = moved
    fixed = (DotnetVersion.parse(text) for text in advisory.fixed_versions)
    for version in (each for each in fixed if each is not None and each.channel == new.channel):
        if (version.patch >= _FIRST_SDK) == (family == "sdk"):
            if old < version <= new and version.band == new.band:
                return True
        elif newest is not None and version > newest:
            return True
    return False


def _evidence_ahead(advisory: Advisory, channel: str) -> Evidence:
    locator = f"{advisory.cve}: told by {_publishers([advisory])}, not yet by {channel}/{FEED}"
    return Evidence(AHEAD, locator, max((each.seen_at for each in advisory.evidence), default=_NEVER))


def _publishers(advisories: Iterable[Advisory]) -> str:
    sources = dict.fromkeys(each.source for advisory in advisories for each in advisory.evidence)
    publishers = [_PUBLISHERS.get(source, source) for source in sources] or ["an advisory"]
    return publishers[0] if len(publishers) == 1 else f"{', '.join(publishers[:-1])} and {publishers[-1]}"


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


def cause_of_layers(move: Difference) -> Cause:
    """The cause of a move whose version stayed: the OS wins over other layers.

    Where layers are recorded on one side only, the OS layer counts as changed: a rebuild too many is cheaper than
    one too few. Where one side records no platforms at all, the image counts as changed for the same reason.
    """
    if move.os_moves:
        return Cause.OS_MOVE
    if move.os_layers:
        return Cause.OS_UPDATE
    if move.changed or (not move.common and not (move.added and move.dropped)):
        return Cause.LAYERS_ONLY
    return Cause.INDEX_ONLY


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
    stood_on: str | Observation,
    shown: Observation,
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    now: datetime,
) -> ToldWay | None:
    """What lies between what somebody stands on and what its base shows, as one change that nobody saw happen; None
    where nothing tells of it.

    What it stands on is a version, or an image that was read: that tells what else moved where the version did not.
    """
    version = stood_on if isinstance(stood_on, str) else stood_on.version
    fixes = fixes_between(releases, advisories, (family_name(shown.base), version, shown.version), now)
    cause = _cause_of_way(stood_on, shown, fixes)
    if cause is None:
        return None
    judged_cves = judged(fixes.cves, advisories, lambda each: relevance_to(each, shown))
    change = Change(
        base=shown.base,
        at=shown.at,
        from_digest=None if isinstance(stood_on, str) else stood_on.digest,
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
    return ToldWay(change, fixes.security_releases)


def _cause_of_way(stood_on: str | Observation, shown: Observation, fixes: Fixes) -> Cause | None:
    move = Difference(stood_on, shown.version) if isinstance(stood_on, str) else compare(stood_on, shown)
    if move.rolled_back:
        return None
    if move.channel_moved:
        return Cause.CHANNEL_MOVE
    if move.version_moved:
        cause = dotnet_cause(fixes)
        return None if cause is Cause.DOTNET_UNKNOWN else cause
    if isinstance(stood_on, str):
        return None
    cause = cause_of_layers(move)
    return cause if cause.needs_rebuild else None
