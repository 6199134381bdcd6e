"""Fixes that an advisory names for a .NET version before the release feed does.

On 2026-03-12 `releases.json` lacked 10.0.4 for 70 minutes while MSRC named it. What one source says counts at
once, and is joined with the feed's own word as soon as that comes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.bases.dotnet_version import DotnetVersion
from bot.domain.feeds.advisory import Advisory, Evidence
from bot.upstream.dotnet.releases import FEED, Fixes, ReleaseIndex

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
        evidence=(*fixes.evidence, *(_evidence(each, new.channel) for each in ahead)),
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


def _evidence(advisory: Advisory, channel: str) -> Evidence:
    locator = f"{advisory.cve}: told by {_publishers([advisory])}, not yet by {channel}/{FEED}"
    return Evidence(AHEAD, locator, max((each.seen_at for each in advisory.evidence), default=_NEVER))


def _publishers(advisories: Iterable[Advisory]) -> str:
    sources = dict.fromkeys(each.source for advisory in advisories for each in advisory.evidence)
    publishers = [_PUBLISHERS.get(source, source) for source in sources] or ["an advisory"]
    return publishers[0] if len(publishers) == 1 else f"{', '.join(publishers[:-1])} and {publishers[-1]}"
