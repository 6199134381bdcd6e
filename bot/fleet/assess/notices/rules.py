"""How far upstream itself is behind, and which bases lead nowhere: each finding with one sentence for people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bot.domain.bases.dotnet import DotnetVersion, goes_back
from bot.domain.bases.mirrors import Behind, mirror_prefix
from bot.domain.bases.notice import Notice, Topic
from bot.domain.bases.observation import Observation, compare
from bot.domain.feeds.advisory import Advisory
from bot.domain.reference import Base
from bot.domain.wording.words import duration
from bot.fleet.assess.baseline import BaseStanding
from bot.upstream.dotnet.lags import _missing_fixes, day
from bot.upstream.dotnet.releases import ReleaseIndex, family_name
from bot.upstream.dotnet.relevance import relevance_to
from bot.upstream.dotnet.tag_family import TagFamily


def waiting_for_base(
    standings: Iterable[BaseStanding],
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    now: datetime,
) -> tuple[Notice, ...]:
    """Bases whose .NET lacks a fix that is already published, by the release feed or by an advisory."""
    notices: list[Notice] = []
    for standing in standings:
        missing = _missing_fixes(standing.last, releases, advisories, now)
        if not missing or standing.withdrawn_at is not None:
            continue
        since, cves = min(missing.values()), sorted(missing)
        cves_text = cves[0] if len(cves) == 1 else f"{len(cves)} CVEs"
        text = (
            f"{standing.base.short} is still on .NET {standing.last.version}; the fix for {cves_text} is out for "
        )
        text += duration(now - since)
        notices.append(Notice(Topic.WAITING_FOR_BASE, standing.base, since, None, now - since, text))
    return tuple(notices)


def mirror_behind(behind_mirrors: Iterable[Behind], now: datetime) -> tuple[Notice, ...]:
    """Bases in mirrors that do not show yet what upstream does, or that show something else for good."""
    notices: list[Notice] = []
    for behind in behind_mirrors:
        delay = max(now - behind.since, timedelta())
        prefix = mirror_prefix(behind.base, behind.upstream)
        late_by = f"{prefix} has not shown what {behind.upstream} shows for {duration(delay)}"
        text = behind.told(now) if behind.is_foreign(now) else late_by
        notices.append(Notice(Topic.MIRROR_BEHIND, behind.base, behind.since, None, delay, text))
    return tuple(notices)


def withdrawn(standings: Iterable[BaseStanding], releases: ReleaseIndex, now: datetime) -> tuple[Notice, ...]:
    """Bases that left the published inventory, with up to three live ones to move to."""
    everything = list(standings)
    live = [standing for standing in everything if standing.withdrawn_at is None]
    notices: list[Notice] = []
    for standing in everything:
        if standing.withdrawn_at is None:
            continue
        toward = successors(standing, live, releases, now)
        delay = now - standing.withdrawn_at
        advice = f"move to {toward[0].tag}" if toward else "no live tag resembles it"
        text = f"{standing.base.short} {_word_withdrawal(standing, delay)} and gets no more fixes; {advice}"
        notices.append(Notice(Topic.WITHDRAWN, standing.base, standing.withdrawn_at, None, delay, text, toward))
    return tuple(notices)


def end_of_life_notices(
    standings: Iterable[BaseStanding],
    releases: ReleaseIndex,
    now: datetime,
    within: timedelta = timedelta(days=180),
) -> tuple[Notice, ...]:
    """Live bases whose channel is out of support, or will be within that time."""
    notices: list[Notice] = []
    for standing in standings:
        channel = _channel_of(standing)
        ends = releases.ends(channel) if standing.withdrawn_at is None else None
        if ends is None or ends - now > within:
            continue
        is_over = now >= ends
        phase = (
            f"has been out of support for {duration(now - ends)}"
            if is_over
            else f"is supported for {duration(ends - now)} more"
        )
        text = f"{standing.base.short}: .NET {channel} {phase} (end of life {day(ends)})"
        notices.append(Notice(Topic.END_OF_LIFE, standing.base, ends, None, now - ends, text))
    return tuple(notices)


def rolled_back(
    history: Sequence[Observation], releases: ReleaseIndex, advisories: Mapping[str, Advisory], now: datetime
) -> tuple[Notice, ...]:
    """Finds that a base shows an older version than it has shown before, and the CVEs that this opens again.

    `history` is one base's. It holds until the base has come forward again.
    """
    sights = [observation for observation in history if observation.digest is not None and observation.version]
    newest: Observation | None = None
    since: datetime | None = None
    for sight in sights:
        if newest is None or not goes_back(newest.version, sight.version):
            newest, since = sight, None
        elif since is None:
            since = sight.at
    if newest is None or since is None:
        return ()
    last = sights[-1]
    fixes = releases.fixed_between(family_name(last.base), last.version, newest.version, now)
    cves = [cve for cve in fixes.cves if cve not in advisories or relevance_to(advisories[cve], last)]
    text = f"{last.base.short} went back from {newest.version} to {last.version}"
    if cves:
        cves_text = cves[0] if len(cves) == 1 else f"{len(cves)} CVEs"
        text += f", which opens {cves_text} again"
    text += "; no rebuild goes to it but where a rule says follow_rollbacks"
    return (Notice(Topic.ROLLBACK, last.base, since, None, now - since, text),)


def moved_underneath(history: Sequence[Observation]) -> tuple[Notice, ...]:
    """Finds when a tag that names no distribution (or no channel) got another one under its users, and when a tag
    lost a platform."""
    notices: list[Notice] = []
    sights = [observation for observation in history if observation.digest is not None]
    for before, after in pairwise(sights):
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
            notices.append(Notice(Topic.MOVED_UNDERNEATH, after.base, after.at, after.at, timedelta(), text))
    return tuple(notices)


def successors(
    standing: BaseStanding, live: Iterable[BaseStanding], releases: ReleaseIndex, now: datetime, limit: int = 3
) -> tuple[Base, ...]:
    """The live tags of the same repository that come nearest, the best first.

    The one that holds the very image; then the same C library, channel, flavours and distribution family, in its
    newest version. A channel that gets no more fixes leads to the next one that does, whatever is still listed.
    """
    old_tag = TagFamily.of(standing.base.tag)
    ranking = [
        (rank, other.base)
        for other in live
        if other.base.name == standing.base.name
        and not releases.has_ended(_channel_of(other), now)
        and (rank := _rank(standing, old_tag, other, TagFamily.of(other.base.tag))) is not None
    ]
    return tuple(base for _, base in sorted(ranking, reverse=True)[:limit])


def _word_withdrawal(standing: BaseStanding, delay: timedelta) -> str:
    if standing.withdrawn_unseen:
        return "is not in the published inventory"
    return f"was withdrawn {duration(delay)} ago" if delay >= timedelta(hours=1) else "was withdrawn"


def _channel_of(standing: BaseStanding) -> str | None:
    version = DotnetVersion.parse(standing.last.version)
    return version.channel if version else TagFamily.of(standing.base.tag).channel


_Rank = tuple[bool, bool, bool, tuple[int, ...], int, bool, int, bool, tuple[int, ...], str]


def _rank(standing: BaseStanding, old_tag: TagFamily, other: BaseStanding, parts: TagFamily) -> _Rank | None:
    """None where the other tag is no way forward: an older channel, or a preview for somebody who was on none."""
    channel, gone_channel = _numbers(parts.channel), _numbers(old_tag.channel)
    if channel < gone_channel or (parts.preview and not old_tag.preview):
        return None
    if old_tag.channel is not None and parts.channel is None:
        return None
    family = 2 * (parts.family == old_tag.family) + (parts.family == old_tag.successor_family)
    return (
        other.last.digest == standing.last.digest,
        parts.is_musl == old_tag.is_musl,
        channel == gone_channel,
        tuple(-number for number in channel),
        -len(parts.flavours ^ old_tag.flavours),
        parts.distribution is not None if old_tag.distribution else parts.distribution is None,
        family,
        bool(parts.release) == bool(old_tag.release),
        parts.release,
        other.base.tag,
    )


def _numbers(channel: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in channel.split(".")) if channel else ()
