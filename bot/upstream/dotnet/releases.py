"""What the release feed knows: which releases lie between two versions, and which CVEs they fix."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from bot.domain.bases.change import SecurityRelease
from bot.domain.bases.dotnet import DotnetVersion
from bot.domain.feeds.advisory import Evidence, Release
from bot.domain.reference import Base

FEED = "releases.json"
_A_DAY = timedelta(days=1)
_ENDED = "eol"
"""The feed's word for a channel without support."""


@dataclass(frozen=True, slots=True)
class Fixes:
    """The fixes that came after one version up to another one, as far as the feed had shown them.

    `listed`: the feed knows the new version. `flagged`: a release between is marked as a security release though
    no CVE is listed for it; `unsaid`: of one between, the feed does not say whether it fixes something. `cves` keep
    the feed's order, oldest release first; those `ahead` are told by others, `told_by` in words, and not yet by the
    feed. `taken_back` are versions of releases between that the feed has shown and shows no more.
    `security_releases` are those between that fix something, the oldest first.
    """

    listed: bool
    flagged: bool = False
    cves: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    unsaid: bool = False
    ahead: tuple[str, ...] = ()
    told_by: str = ""
    taken_back: tuple[str, ...] = ()
    security_releases: tuple[SecurityRelease, ...] = ()

    @property
    def remark(self) -> str:
        """What is to be added where their number is told: who says so, as long as the feed does not."""
        if not self.ahead:
            return ""
        prefix = "" if self.ahead == self.cves else f"{len(self.ahead)} of them "
        return f"{prefix}told by {self.told_by}, not yet by {FEED}"


@dataclass(frozen=True, slots=True)
class _Row:
    release: Release
    runtime: DotnetVersion
    aspnetcore: DotnetVersion
    sdks: tuple[DotnetVersion, ...]

    def is_in(self, family: str, version: DotnetVersion) -> bool:
        """Whether an image of that version contains this release's fixes.

        An SDK version is compared within its feature band. A release whose bands are all older lies before it; one
        that has newer bands but not this one came after the band had ended.
        """
        if _counts_as_sdk(family, version) and self.sdks:
            same_band = [sdk for sdk in self.sdks if sdk.band == version.band]
            if same_band:
                return min(same_band) <= version
            return all(sdk.band < version.band for sdk in self.sdks)
        return (self.aspnetcore if family == "aspnet" else self.runtime) <= version

    def is_release_of(self, family: str, version: DotnetVersion) -> bool:
        if _counts_as_sdk(family, version):
            return version in self.sdks
        return version == (self.aspnetcore if family == "aspnet" else self.runtime)


class ReleaseIndex:
    """The releases of all channels, asked by image family and version.

    Times matter: a question with `known_at` is answered from what the feed had shown by then; without it, from
    everything.
    """

    def __init__(self, releases: Iterable[Release], *, source: str = FEED) -> None:
        self._source = source
        latest = {(release.channel, release.version): release for release in releases}
        rows: dict[str, list[_Row]] = defaultdict(list)
        for release in latest.values():
            if row := _row(release):
                rows[row.runtime.channel].append(row)
        self._channels = {
            channel: tuple(sorted(channel_rows, key=lambda row: row.runtime))
            for channel, channel_rows in rows.items()
        }
        self._steps = sorted({moment for moment, _ in self.moments()})
        self._answers: dict[tuple[str, str | None, str | None, int], Fixes] = {}

    def channels(self) -> tuple[str, ...]:
        return tuple(sorted(self._channels, key=lambda channel: [int(part) for part in channel.split(".")]))

    def of_channel(self, channel: str) -> tuple[Release, ...]:
        """Returns the releases of a channel, oldest first; empty where the feed has no such channel."""
        return tuple(row.release for row in self._channels.get(channel, ()) if _shows(row.release, None))

    def cves_of(self, channel: str, known_at: datetime) -> frozenset[str]:
        """All CVEs that releases of a channel listed by then."""
        rows = (row.release for row in self._channels.get(channel, ()) if _shows(row.release, known_at))
        return frozenset(
            cve for release in rows if _is_known_at(_listed_at(release), known_at) for cve in release.cves
        )

    def newest_runtime(self, channel: str, known_at: datetime) -> DotnetVersion | None:
        """The runtime of the newest release of a channel by then."""
        rows = (row for row in self._channels.get(channel, ()) if _shows(row.release, known_at))
        return max((row.runtime for row in rows), default=None)

    def ends(self, channel: str | None) -> datetime | None:
        """When the support of a channel ends, or has ended; None where the feed does not say."""
        releases = self.of_channel(channel) if channel is not None else ()
        ends_on = releases[-1].end_of_life if releases else None
        return datetime.combine(ends_on, time(), tzinfo=UTC) if ends_on is not None else None

    def has_ended(self, channel: str | None, now: datetime) -> bool:
        """Whether a channel gets no more fixes, so that nobody is to move to it. One that the feed does not know is
        left to those who list it as maintained."""
        releases = self.of_channel(channel) if channel is not None else ()
        ends = self.ends(channel)
        return (ends is not None and now >= ends) or (bool(releases) and releases[-1].support_phase == _ENDED)

    def moments(self) -> tuple[tuple[datetime, str], ...]:
        """When the feed showed something new, and in which channel; oldest first."""
        moments = {
            (moment, channel)
            for channel, rows in self._channels.items()
            for row in rows
            for moment in (row.release.published_at, _listed_at(row.release), row.release.taken_back_at)
            if moment is not None
        }
        return tuple(sorted(moments))

    def release_of(self, family: str, version: str | None, known_at: datetime | None = None) -> Release | None:
        """The release that shipped this version; None where the feed does not (yet) list it."""
        image_version = DotnetVersion.parse(version)
        if image_version is None:
            return None
        return next(
            (
                row.release
                for row in self._channels.get(image_version.channel, ())
                if row.is_release_of(family, image_version) and _shows(row.release, known_at)
            ),
            None,
        )

    def version_by(self, family: str, like: str | None, moment: datetime) -> str | None:
        """The newest version that was surely out by then, of the channel of `like` and of an SDK its band.

        A feed names the day of a release and not its hour: what came on that very day was not there yet.
        """
        version = DotnetVersion.parse(like)
        if version is None:
            return None
        out_rows = [
            row
            for row in self._channels.get(version.channel, ())
            if row.release.out_since + _A_DAY <= moment and not row.release.is_taken_back
        ]
        if _counts_as_sdk(family, version):
            versions = [sdk for row in out_rows for sdk in row.sdks if sdk.band == version.band]
        else:
            versions = [row.aspnetcore if family == "aspnet" else row.runtime for row in out_rows]
        return str(max(versions)) if versions else None

    def is_missing(self, family: str, version: str | None, release: Release) -> bool:
        """Whether an image of that version lacks this release of the same channel."""
        image_version = DotnetVersion.parse(version)
        row = _row(release)
        if image_version is None or row is None or row.runtime.channel != image_version.channel:
            return False
        return not row.is_in(family, image_version)

    def fixed_between(
        self,
        family: str,
        old_version: str | None,
        new_version: str | None,
        known_at: datetime | None = None,
    ) -> Fixes:
        """CVEs of every release that the new version contains and the old one did not, skipped ones included.

        A step back, another channel or a text that is no .NET version fixes nothing.
        """
        step = len(self._steps) if known_at is None else bisect_right(self._steps, known_at)
        key = (family, old_version, new_version, step)
        if key not in self._answers:
            self._answers[key] = self._fixed_between(family, old_version, new_version, known_at)
        return self._answers[key]

    def _fixed_between(
        self, family: str, old_version: str | None, new_version: str | None, known_at: datetime | None
    ) -> Fixes:
        new_release = self.release_of(family, new_version, known_at)
        old, new = DotnetVersion.parse(old_version), DotnetVersion.parse(new_version)
        if old is None or new is None or old.channel != new.channel:
            return Fixes(new_release is not None)
        every = [
            row.release
            for row in self._channels.get(new.channel, ())
            if row.is_in(family, new) and not row.is_in(family, old)
        ]
        between = [release for release in every if _shows(release, known_at)]
        taken_back = tuple(release.version for release in every if _is_taken_back(release, known_at))
        return replace(self._collect(between, new_release, known_at), taken_back=taken_back)

    def _collect(self, between: list[Release], new_release: Release | None, known_at: datetime | None) -> Fixes:
        cves: dict[str, None] = {}
        for release in between:
            if _is_known_at(_listed_at(release), known_at):
                cves.update(dict.fromkeys(release.cves))
        documents = dict.fromkeys([*between, *([new_release] if new_release else [])])
        return Fixes(
            listed=new_release is not None,
            flagged=any(release.security and not release.cves for release in between),
            unsaid=any(release.is_unsaid for release in between),
            cves=tuple(cves),
            evidence=tuple(self._evidence(release, known_at) for release in documents),
            security_releases=tuple(
                sorted(
                    SecurityRelease(release.out_since, release.version)
                    for release in between
                    if release.security or (release.cves and _is_known_at(_listed_at(release), known_at))
                )
            ),
        )

    def _evidence(self, release: Release, known_at: datetime | None) -> Evidence:
        cves = release.cves if _is_known_at(_listed_at(release), known_at) else ()
        return Evidence(
            source=f"{release.channel}/{self._source}",
            locator=f"release {release.version}" + (f": {', '.join(cves)}" if cves else ""),
            seen_at=max(release.published_at, _listed_at(release)) if cves else release.published_at,
        )


def _counts_as_sdk(family: str, version: DotnetVersion) -> bool:
    """Whether an image declares the version of an SDK: under any name, since no runtime comes to a band."""
    return family == "sdk" or version.band > 0


def family_name(base: Base) -> str:
    """The image family that a base belongs to: the last part of its repository (`aspnet`, `runtime-deps`)."""
    return base.repository.rpartition("/")[2]


def _is_known_at(moment: datetime, known_at: datetime | None) -> bool:
    return known_at is None or moment <= known_at


def _is_taken_back(release: Release, known_at: datetime | None) -> bool:
    return release.taken_back_at is not None and _is_known_at(release.taken_back_at, known_at)


def _shows(release: Release, known_at: datetime | None) -> bool:
    """Whether the feed lists the release at that moment, or now."""
    return _is_known_at(release.published_at, known_at) and not _is_taken_back(release, known_at)


def _listed_at(release: Release) -> datetime:
    """CVEs without a time of their own came with the release."""
    return release.cves_listed_at or release.published_at


def _row(release: Release) -> _Row | None:
    runtime = DotnetVersion.parse(release.runtime) or DotnetVersion.parse(release.version)
    if runtime is None:
        return None
    parse: Callable[[str], DotnetVersion | None] = DotnetVersion.parse
    return _Row(
        release=release,
        runtime=runtime,
        aspnetcore=DotnetVersion.parse(release.aspnetcore) or runtime,
        sdks=tuple(sdk for sdk in map(parse, release.sdks) if sdk is not None),
    )
