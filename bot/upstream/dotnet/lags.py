"""How long bases took to follow each .NET release and OS update, over all observations of them."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bot.domain.bases.dotnet import DotnetVersion
from bot.domain.bases.notice import Notice, Topic
from bot.domain.bases.observation import Observation, compare
from bot.domain.feeds.advisory import Advisory
from bot.domain.reference import Base
from bot.domain.tags.tag import Tag
from bot.domain.wording.words import duration
from bot.upstream.dotnet.releases import ReleaseIndex, family_name
from bot.upstream.dotnet.relevance import relevance_to
from bot.upstream.dotnet.tag_family import sibling_of


def measured_lags(
    histories: Mapping[Base, Sequence[Observation]],
    releases: ReleaseIndex,
    now: datetime,
    watched: Collection[Base],
) -> list[Notice]:
    """Measures the lags of .NET releases and OS updates, by when each began; histories are oldest first.

    Nothing is awaited of a base that was withdrawn, or is not among the `watched`.
    """
    notices: list[Notice] = []
    for base, history in histories.items():
        notices += release_lag(history, releases)
        is_awaited = base in watched and bool(history) and history[-1].digest is not None
        if is_awaited:
            notices += awaited_release(history, releases, now)
        sibling = sibling_of(base)
        if sibling is not None and sibling in histories:
            lags = sibling_lag(histories[sibling], history, now)
            notices += [lag for lag in lags if lag.until is not None or is_awaited]
    return sorted(notices, key=lambda notice: (notice.since, notice.base))


def release_lag(history: Sequence[Observation], releases: ReleaseIndex) -> tuple[Notice, ...]:
    """Finds for each .NET release that a base moved to how long after its publication; `history` is one base's.

    What a base goes back to, and what it comes back to after that, tells nothing of how late a release was.
    """
    notices: list[Notice] = []
    newest = DotnetVersion.parse(history[0].version) if history else None
    for observation in history:
        version = DotnetVersion.parse(observation.version)
        if version is None or observation.version is None or (newest is not None and version <= newest):
            continue
        newest = version
        release = releases.release_of(family_name(observation.base), observation.version)
        if release is None:
            continue
        delay = observation.at - release.published_at
        when = f"{duration(-delay)} before" if delay < timedelta() else f"{duration(delay)} after"
        text = f"{observation.base.short} had .NET {release.version} {when} the release feed listed it"
        notices.append(
            Notice(Topic.RELEASE_LAG, observation.base, release.published_at, observation.at, delay, text)
        )
    return tuple(notices)


def awaited_release(history: Sequence[Observation], releases: ReleaseIndex, now: datetime) -> tuple[Notice, ...]:
    """Finds the first .NET release that a base has not moved to, of those published since it was first seen.

    None for a tag that names one build, which never moves, nor for a preview, whose tag ends with the release.
    """
    versions = [version for each in history if (version := DotnetVersion.parse(each.version)) is not None]
    if not versions or not max(versions).final or not Tag.parse(history[-1].base.tag).is_floating:
        return ()
    newest, base = max(versions), history[-1].base
    missing = [
        release
        for release in releases.of_channel(newest.channel)
        if history[0].at <= release.published_at <= now
        and releases.is_missing(family_name(base), str(newest), release)
    ]
    if not missing:
        return ()
    first = min(missing, key=lambda release: release.published_at)
    delay = now - first.published_at
    text = f"{base.short} has not followed .NET {first.version} for {duration(delay)}"
    return (Notice(Topic.RELEASE_LAG, base, first.published_at, None, delay, text),)


def sibling_lag(
    sibling: Sequence[Observation], chiseled: Sequence[Observation], now: datetime
) -> tuple[Notice, ...]:
    """Finds for each change of the sibling's OS layer when the chiseled tag was published next, if it was.

    Chiseled images record no base of their own, so the full image of the same distribution is the only sign that
    packages below were fixed. Counts from the chiseled tag's first sight.
    """
    chiseled = [observation for observation in chiseled if observation.digest is not None]
    moments = [observation.at for observation in chiseled]
    notices: list[Notice] = []
    for updated in _os_updates(sibling):
        if not moments or updated.at < moments[0]:
            continue
        base = chiseled[0].base
        place = bisect_left(moments, updated.at)
        until = moments[place] if place < len(moments) else None
        delay = (until or now) - updated.at
        news = f"{updated.base.short} got a new OS layer on {day(updated.at)}"
        if until is None:
            text = f"{news}; {base.short} has not followed for {duration(delay)}"
        elif delay:
            text = f"{news}; {base.short} followed after {duration(delay)}"
        else:
            text = f"{news}; {base.short} came with it"
        notices.append(Notice(Topic.SIBLING_LAG, base, updated.at, until, delay, text))
    return tuple(notices)


def _os_updates(history: Sequence[Observation]) -> list[Observation]:
    observations = [observation for observation in history if observation.digest is not None]
    return [after for before, after in pairwise(observations) if compare(before, after).os_layers]


def _missing_fixes(
    image: Observation, releases: ReleaseIndex, advisories: Mapping[str, Advisory], now: datetime
) -> dict[str, datetime]:
    """CVE → when its fix was published."""
    version = DotnetVersion.parse(image.version)
    if version is None:
        return {}
    family = family_name(image.base)
    missing: dict[str, datetime] = {}
    for release in releases.of_channel(version.channel):
        listed_at = release.cves_listed_at or release.published_at
        if listed_at <= now and releases.is_missing(family, image.version, release):
            missing |= dict.fromkeys((cve for cve in release.cves if cve not in missing), listed_at)
    for cve, advisory in advisories.items():
        published_at = advisory.published_at
        if cve in missing or published_at is None or published_at > now or not _lacks(version, advisory):
            continue
        if relevance_to(advisory, image):
            missing[cve] = published_at
    return {
        cve: fix_time
        for cve, fix_time in missing.items()
        if cve not in advisories or relevance_to(advisories[cve], image)
    }


def _lacks(version: DotnetVersion, advisory: Advisory) -> bool:
    """SDK versions (patch from 100 on) are compared within their feature band, runtime versions as they are."""
    fixed = [DotnetVersion.parse(text) for text in advisory.fixed_versions]
    same = [
        other
        for other in fixed
        if other is not None and other.channel == version.channel and other.band == version.band
    ]
    return bool(same) and all(version < other for other in same)


def day(moment: datetime) -> str:
    return moment.date().isoformat()
