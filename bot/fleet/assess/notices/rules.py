"""How far upstream itself is behind, and which bases lead nowhere: each finding with one sentence for people."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bot.domain.bases.dotnet_version import DotnetVersion
from bot.domain.bases.going_back import goes_back
from bot.domain.bases.mirrors import Behind, mirror_prefix
from bot.domain.bases.notice import Notice, Topic
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Advisory
from bot.domain.reference import Base
from bot.domain.tags.tag import Tag
from bot.domain.wording.words import duration
from bot.fleet.assess.baseline import BaseStanding
from bot.fleet.assess.cause import compare
from bot.upstream.dotnet.releases import ReleaseIndex, family_name
from bot.upstream.dotnet.relevance import relevance_to
from bot.upstream.dotnet.tag_family import TagFamily


def release_lag(history: Sequence[Observation], releases: ReleaseIndex) -> tuple[Notice, ...]:
    """Finds for each .NET release that a base moved to how long after its publication; `history` is one base's.

    What a base goes back to, and what it comes back to after that, tells nothing of how late a release was.
    """
    found: list[Notice] = []
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
        found.append(Notice(Topic.RELEASE_LAG, observation.base, release.published_at, observation.at, delay, text))
    return tuple(found)


def awaited_release(history: Sequence[Observation], releases: ReleaseIndex, now: datetime) -> tuple[Notice, ...]:
    """Finds the first .NET release that a base has not moved to, of those published since it was first seen.

    None for a tag that names one build, which never moves, nor for a preview, whose tag ends with the release.
    """
    versions = [version for each in history if (version := DotnetVersion.parse(each.version)) is not None]
    if not versions or not max(versions).final or not Tag.parse(history[-1].base.tag).is_floating:
        return ()
    newest, base = max(versions), history[-1].base
    missing = [
        each
        for each in releases.of_channel(newest.channel)
        if history[0].at <= each.published_at <= now and releases.is_missing(family_name(base), str(newest), each)
    ]
    if not missing:
        return ()
    first = min(missing, key=lambda each: each.published_at)
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
    chiseled = [seen for seen in chiseled if seen.digest is not None]
    moments = [seen.at for seen in chiseled]
    found: list[Notice] = []
    for updated in _os_updates(sibling):
        if not moments or updated.at < moments[0]:
            continue
        base = chiseled[0].base
        place = bisect_left(moments, updated.at)
        until = moments[place] if place < len(moments) else None
        delay = (until or now) - updated.at
        news = f"{updated.base.short} got a new OS layer on {_day(updated.at)}"
        if until is None:
            text = f"{news}; {base.short} has not followed for {duration(delay)}"
        elif delay:
            text = f"{news}; {base.short} followed after {duration(delay)}"
        else:
            text = f"{news}; {base.short} came with it"
        found.append(Notice(Topic.SIBLING_LAG, base, updated.at, until, delay, text))
    return tuple(found)


def waiting_for_base(
    standings: Iterable[BaseStanding],
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    now: datetime,
) -> tuple[Notice, ...]:
    """Bases whose .NET lacks a fix that is already published, by the release feed or by an advisory."""
    found: list[Notice] = []
    for standing in standings:
        missing = _missing_fixes(standing.last, releases, advisories, now)
        if not missing or standing.withdrawn_at is not None:
            continue
        since, cves = min(missing.values()), sorted(missing)
        named = cves[0] if len(cves) == 1 else f"{len(cves)} CVEs"
        text = f"{standing.base.short} is still on .NET {standing.last.version}; the fix for {named} is out for "
        text += duration(now - since)
        found.append(Notice(Topic.WAITING_FOR_BASE, standing.base, since, None, now - since, text))
    return tuple(found)


def mirror_behind(late: Iterable[Behind], now: datetime) -> tuple[Notice, ...]:
    """Bases in mirrors that do not show yet what upstream does, or that show something else for good."""
    found: list[Notice] = []
    for each in late:
        delay = max(now - each.since, timedelta())
        prefix = mirror_prefix(each.base, each.upstream)
        late_by = f"{prefix} has not shown what {each.upstream} shows for {duration(delay)}"
        text = each.told(now) if each.is_foreign(now) else late_by
        found.append(Notice(Topic.MIRROR_BEHIND, each.base, each.since, None, delay, text))
    return tuple(found)


def withdrawn(standings: Iterable[BaseStanding], releases: ReleaseIndex, now: datetime) -> tuple[Notice, ...]:
    """Bases that left the published inventory, with up to three live ones to move to."""
    everything = list(standings)
    live = [standing for standing in everything if standing.withdrawn_at is None]
    found: list[Notice] = []
    for standing in everything:
        if standing.withdrawn_at is None:
            continue
        toward = successors(standing, live, releases, now)
        delay = now - standing.withdrawn_at
        advice = f"move to {toward[0].tag}" if toward else "no live tag resembles it"
        text = f"{standing.base.short} {_gone(standing, delay)} and gets no more fixes; {advice}"
        found.append(Notice(Topic.WITHDRAWN, standing.base, standing.withdrawn_at, None, delay, text, toward))
    return tuple(found)


def end_of_life_notices(
    standings: Iterable[BaseStanding],
    releases: ReleaseIndex,
    now: datetime,
    within: timedelta = timedelta(days=180),
) -> tuple[Notice, ...]:
    """Live bases whose channel is out of support, or will be within that time."""
    found: list[Notice] = []
    for standing in standings:
        channel = _channel_of(standing)
        ends = releases.ends(channel) if standing.withdrawn_at is None else None
        if ends is None or ends - now > within:
            continue
        over = now >= ends
        phase = (
            f"has been out of support for {duration(now - ends)}"
            if over
            else f"is supported for {duration(ends - now)} more"
        )
        text = f"{standing.base.short}: .NET {channel} {phase} (end of life {_day(ends)})"
        found.append(Notice(Topic.END_OF_LIFE, standing.base, ends, None, now - ends, text))
    return tuple(found)


def rolled_back(
    history: Sequence[Observation], releases: ReleaseIndex, advisories: Mapping[str, Advisory], now: datetime
) -> tuple[Notice, ...]:
    """Finds that a base shows an older version than it has shown before, and the CVEs that this opens again.

    `history` is one base's. It holds until the base has come forward again.
    """
    seen = [observation for observation in history if observation.digest is not None and observation.version]
    newest: Observation | None = None
    since: datetime | None = None
    for each in seen:
        if newest is None or not goes_back(newest.version, each.version):
            newest, since = each, None
        elif since is None:
            since = each.at
    if newest is None or since is None:
        return ()
    last = seen[-1]
    fixes = releases.fixed_between(family_name(last.base), last.version, newest.version, now)
    cves = [cve for cve in fixes.cves if cve not in advisories or relevance_to(advisories[cve], last)]
    text = f"{last.base.short} went back from {newest.version} to {last.version}"
    if cves:
        named = cves[0] if len(cves) == 1 else f"{len(cves)} CVEs"
        text += f", which opens {named} again"
    text += "; no rebuild goes to it but where a rule says follow_rollbacks"
    return (Notice(Topic.ROLLBACK, last.base, since, None, now - since, text),)


def moved_underneath(history: Sequence[Observation]) -> tuple[Notice, ...]:
    """Finds when a tag that names no distribution (or no channel) got another one under its users, and when a tag
    lost a platform."""
    found: list[Notice] = []
    seen = [observation for observation in history if observation.digest is not None]
    for before, after in pairwise(seen):
        move = compare(before, after)
        tag = TagFamily.of(after.base.tag)
        news = [
            f"{os.before} became {os.after}"
            for os in dict.fromkeys(move.os_moves)
            if os.after not in after.base.tag
        ]
        if move.channel_moved and tag.channel is None:
            news.append(f".NET {move.from_version} became {move.to_version}")
        news += [f"{platform} is gone" for platform in move.dropped]
        if news:
            text = f"{after.base.short} changed under its users: {', '.join(dict.fromkeys(news))}"
            found.append(Notice(Topic.MOVED_UNDERNEATH, after.base, after.at, after.at, timedelta(), text))
    return tuple(found)


def successors(
    standing: BaseStanding, live: Iterable[BaseStanding], releases: ReleaseIndex, now: datetime, limit: int = 3
) -> tuple[Base, ...]:
    """The live tags of the same repository that come nearest, the best first.

    The one that holds the very image; then the same C library, channel, flavours and distribution family, in its
    newest version. A channel that gets no more fixes leads to the next one that does, whatever is still listed.
    """
    gone = TagFamily.of(standing.base.tag)
    ranked = [
        (rank, other.base)
        for other in live
        if other.base.name == standing.base.name
        and not releases.has_ended(_channel_of(other), now)
        and (rank := _rank(standing, gone, other, TagFamily.of(other.base.tag))) is not None
    ]
    return tuple(base for _, base in sorted(ranked, reverse=True)[:limit])


def _gone(standing: BaseStanding, delay: timedelta) -> str:
    if standing.withdrawn_unseen:
        return "is not in the published inventory"
    return f"was withdrawn {duration(delay)} ago" if delay >= timedelta(hours=1) else "was withdrawn"


def _os_updates(history: Sequence[Observation]) -> list[Observation]:
    seen = [observation for observation in history if observation.digest is not None]
    return [after for before, after in pairwise(seen) if compare(before, after).os_layers]


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
        known = advisory.published_at
        if cve in missing or known is None or known > now or not _lacks(version, advisory):
            continue
        if relevance_to(advisory, image):
            missing[cve] = known
    return {cve: at for cve, at in missing.items() if cve not in advisories or relevance_to(advisories[cve], image)}


def _lacks(version: DotnetVersion, advisory: Advisory) -> bool:
    """SDK versions (patch from 100 on) are compared within their feature band, runtime versions as they are."""
    fixed = [DotnetVersion.parse(text) for text in advisory.fixed_versions]
    same = [
        other
        for other in fixed
        if other is not None and other.channel == version.channel and other.band == version.band
    ]
    return bool(same) and all(version < other for other in same)


def _channel_of(standing: BaseStanding) -> str | None:
    version = DotnetVersion.parse(standing.last.version)
    return version.channel if version else TagFamily.of(standing.base.tag).channel


_Rank = tuple[bool, bool, bool, tuple[int, ...], int, bool, int, bool, tuple[int, ...], str]


def _rank(standing: BaseStanding, gone: TagFamily, other: BaseStanding, parts: TagFamily) -> _Rank | None:
    """None where the other tag is no way forward: an older channel, or a preview for somebody who was on none."""
    channel, gone_channel = _numbers(parts.channel), _numbers(gone.channel)
    if channel < gone_channel or (parts.preview and not gone.preview):
        return None
    if gone.channel is not None and parts.channel is None:
        return None
    family = 2 * (parts.family == gone.family) + (parts.family == gone.successor_family)
    return (
        other.last.digest == standing.last.digest,
        parts.is_musl == gone.is_musl,
        channel == gone_channel,
        tuple(-number for number in channel),
        -len(parts.flavours ^ gone.flavours),
        parts.distribution is not None if gone.distribution else parts.distribution is None,
        family,
        bool(parts.release) == bool(gone.release),
        parts.release,
        other.base.tag,
    )


def _numbers(channel: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in channel.split(".")) if channel else ()


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
