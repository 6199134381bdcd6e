"""Two consecutive observations that differ and why, and what releases tell of the way between two versions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.feeds.advisory import Evidence, Severity
from bot.domain.reference import Base


class Cause(StrEnum):
    """Why a base changed, in one word."""

    DOTNET_SECURITY = "dotnet-security"
    DOTNET_RELEASE = "dotnet-release"
    DOTNET_UNKNOWN = "dotnet-unknown"
    OS_UPDATE = "os-update"
    OS_MOVE = "os-move"
    CHANNEL_MOVE = "channel-move"
    ROLLBACK = "rollback"
    """It went back to an older version. What was built before lacks nothing; only a rule has it rebuilt."""
    LAYERS_ONLY = "layers-only"
    INDEX_ONLY = "index-only"
    PLATFORM_DROPPED = "platform-dropped"
    """Nothing changed but that the index no longer has some platform: news for who builds for that."""
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"
    BASE_UPDATE = "base-update"
    """A base of the organisation's own was rebuilt; what it stands on says what that brings."""
    AGE = "age"
    """Nothing moved: the last build is as old as it may become. No change of a base ever has it."""

    @property
    def needs_rebuild(self) -> bool:
        """Images built before the change lack something that the base now has, or a rule may have them follow."""
        return self not in (Cause.INDEX_ONLY, Cause.PLATFORM_DROPPED, Cause.WITHDRAWN, Cause.RETURNED)


DOTNET_CAUSES = frozenset({Cause.DOTNET_SECURITY, Cause.DOTNET_RELEASE, Cause.DOTNET_UNKNOWN})
"""A newer .NET version within a channel; which of the three it is follows the feeds as they catch up."""
TOLD_BY_FEEDS = DOTNET_CAUSES | {Cause.ROLLBACK}
"""Those whose CVEs feeds may still add, that are fixed or open again."""


@dataclass(frozen=True, slots=True)
class Change:
    """A base moved from one digest to another; `to_digest` is None where it was withdrawn.

    `cause_at_detection` keeps what was said first; `cause` follows the feeds as they catch up. `platforms` are
    the ones whose own digest changed.
    """

    base: Base
    at: datetime
    from_digest: str | None
    to_digest: str | None
    cause: Cause
    cause_at_detection: Cause
    from_version: str | None = None
    to_version: str | None = None
    cves: tuple[str, ...] = ()
    not_relevant: tuple[str, ...] = ()
    """Those of `cves` that concern no part of this image, or only operating systems that it is not."""
    reopens: tuple[str, ...] = ()
    """Of a rollback: the CVEs that the base no longer has fixed, and that concern the image."""
    severity: Severity | None = None
    ratings: tuple[tuple[str, Severity], ...] = ()
    """CVE and its severity, for those of `cves` that touch the image and are rated."""
    links: tuple[tuple[str, str], ...] = ()
    """CVE and where its publisher tells of it, for those of `cves` of which an advisory gives an address."""
    platforms: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    detail: str = ""
    """One sentence for people: what moved, in figures."""
    brings: tuple[int, ...] = ()
    """Of a base of the organisation's own, or a mirror's: the ids of the changes below it that it brings along."""
    causes: tuple[Cause, ...] = ()
    """Of these changes, those at the root."""
    lacks: tuple[str, ...] = ()
    """Platforms that the base has had since it is watched, and that `to_digest` does not have."""
    published_at: datetime | None = None
    """Of a mirror's base: when upstream showed what it came to show; None where that was not seen."""

    @property
    def counts_from(self) -> datetime:
        """From when settle time and `max_age` count: others follow a publication, however late a mirror is with it,
        and what stands on the base lacks it since then."""
        return self.at if self.published_at is None else min(self.published_at, self.at)

    @property
    def root_causes(self) -> tuple[Cause, ...]:
        """Why images are to be rebuilt in the end: what an own base brings, else its own cause."""
        return self.causes or (self.cause,)


def lasting(changes: Sequence[Change]) -> tuple[Change, ...]:
    """What lasts of the changes on one way, oldest first.

    A CVE that a later rollback opens again is fixed no more. A change of whose fixes nothing is left is left out.
    Rollbacks themselves bring nothing.
    """
    lasting_changes: list[Change] = []
    open_again: set[str] = set()
    for change in reversed(changes):
        open_again.update(change.reopens)
        fixed = tuple(cve for cve in change.cves if cve not in open_again)
        if change.cause is not Cause.ROLLBACK and (fixed or not change.cves):
            lasting_changes.append(replace(change, cves=fixed))
    return tuple(reversed(lasting_changes))


@dataclass(frozen=True, slots=True)
class Move:
    """A change and the id under which it is stored; `rollout` is the one that has taken it up before, if any.

    One that sums up several has their ids as `steps`, None where it is one by itself.
    """

    id: int
    change: Change
    rollout: int | None = None
    steps: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, order=True)
class SecurityRelease:
    """A release that fixes something; `out_since` is when it was out at the latest."""

    out_since: datetime
    version: str


@dataclass(frozen=True, slots=True)
class ToldWay:
    """The whole way as one change, and the security releases on it, the oldest first."""

    change: Change
    security_releases: tuple[SecurityRelease, ...] = ()


def oldest_fix(releases: Iterable[SecurityRelease]) -> datetime | None:
    """Since when the first of the fixes is out; None where no release tells of any."""
    return min((release.out_since for release in releases), default=None)
