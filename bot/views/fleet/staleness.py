"""How stale a fleet is: what it pins or was built on, since when, and what that lacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.bases.change import Cause, Change, SecurityRelease, oldest_fix
from bot.domain.feeds.advisory import Severity, worst
from bot.domain.reference import Base
from bot.domain.rollouts.pinning import BehindUsage, FleetBehind, lacking
from bot.domain.wording.moves import cause_in_short, way_in_words
from bot.domain.wording.words import counted


@dataclass(frozen=True, slots=True)
class Left:
    """One thing that a base has left behind, and who still stands on it.

    `pinned` is a digest or a patch tag; None for what floats and was built before, `published_at` then is the
    oldest build. `changes` counts what the base went through since, `lacks` sums it up as of then, and
    `security_releases` are those on the way.
    """

    base: Base
    pinned: str | None
    published_at: datetime | None
    repositories: tuple[str, ...]
    usages: int
    changes: int
    lacks: Change
    security_releases: tuple[SecurityRelease, ...] = ()

    @property
    def oldest_fix(self) -> datetime | None:
        """Since when the first of the fixes that it lacks is out."""
        return oldest_fix(self.security_releases)

    @property
    def cves(self) -> tuple[str, ...]:
        """Those fixed since that concern the image."""
        return tuple(cve for cve in self.lacks.cves if cve not in self.lacks.not_relevant)


@dataclass(frozen=True, slots=True)
class Staleness:
    """`left` begins with what is oldest; what cannot be dated stands at the end."""

    left: tuple[Left, ...]
    followed: int
    left_alone: int
    untold: int

    @property
    def repositories(self) -> tuple[str, ...]:
        """Those that are behind."""
        return tuple(sorted({name for each in self.left for name in each.repositories}))

    @property
    def usages(self) -> int:
        return sum(each.usages for each in self.left)

    @property
    def oldest(self) -> datetime | None:
        return min((each.published_at for each in self.left if each.published_at is not None), default=None)

    @property
    def undated(self) -> tuple[Left, ...]:
        return tuple(each for each in self.left if each.published_at is None)

    @property
    def cves(self) -> tuple[str, ...]:
        return tuple(sorted({cve for each in self.left for cve in each.cves}))

    @property
    def severity(self) -> Severity | None:
        """The worst that is lacking anywhere."""
        return worst(each.lacks.severity for each in self.left)

    @property
    def worst_first(self) -> tuple[Left, ...]:
        """What lacks the most severe fixes, then the most, then what is oldest."""
        return tuple(
            sorted(self.left, key=lambda each: (-_rank(each.lacks.severity), -len(each.cves), _age_key(each)))
        )

    @property
    def oldest_fix(self) -> datetime | None:
        """Since when the first of all fixes that are lacking is out."""
        return oldest_fix(release for each in self.left for release in each.security_releases)

    @property
    def ratings(self) -> Mapping[str, Severity]:
        """The CVEs that are rated."""
        return {cve: severity for each in self.left for cve, severity in each.lacks.ratings if cve in each.cves}


@dataclass(frozen=True, slots=True)
class ProposedWave:
    """Repositories that are best brought along together: those that lack a fix rated `severity`, or worse, and were
    not in a wave before; None for all that remains, of which so many lack CVEs."""

    severity: Severity | None
    repositories: tuple[str, ...]
    with_cves: int = 0


def proposed_waves(staleness: Staleness) -> tuple[ProposedWave, ...]:
    """The order in which a fleet is best brought along, the most severe first; waves without a repository are left
    out."""
    remaining = set(staleness.repositories)
    waves: list[ProposedWave] = []
    for severity in (Severity.CRITICAL, Severity.HIGH):
        entries = [each for each in staleness.left if _rank(each.lacks.severity) >= severity.rank]
        names = {name for each in entries for name in each.repositories} & remaining
        if names:
            waves.append(ProposedWave(severity, tuple(sorted(names)), len(names)))
        remaining -= names
    if remaining:
        with_cves = {name for each in staleness.left if each.cves for name in each.repositories} & remaining
        waves.append(ProposedWave(None, tuple(sorted(remaining)), len(with_cves)))
    return tuple(waves)


def _rank(severity: Severity | None) -> int:
    return -1 if severity is None else severity.rank


def _age_key(left: Left) -> tuple[bool, float]:
    return left.published_at is None, left.published_at.timestamp() if left.published_at is not None else 0


def staleness_of(fleet_behind: FleetBehind, now: datetime) -> Staleness:
    """Gathers what is behind by what it names: a fleet made from templates names the same few digests."""
    grouped: dict[tuple[Base, str | None], list[BehindUsage]] = {}
    for usage in fleet_behind.usages:
        grouped.setdefault((usage.base, usage.pinned), []).append(usage)
    left = [_left(base, pinned, usages, now) for (base, pinned), usages in grouped.items()]
    left.sort(key=lambda each: (each.published_at is None, each.published_at or now, each.base, each.pinned or ""))
    return Staleness(tuple(left), fleet_behind.followed, fleet_behind.left_alone, fleet_behind.untold)


def _left(base: Base, pinned: str | None, usages: list[BehindUsage], now: datetime) -> Left:
    furthest = max(usages, key=lambda each: len(each.moves))
    return Left(
        base,
        pinned,
        min((each.published_at for each in usages if each.published_at is not None), default=None),
        tuple(sorted({each.member.name for each in usages})),
        len(usages),
        len(furthest.moves),
        lacking(furthest, now),
        furthest.told_way.security_releases if furthest.told_way is not None else (),
    )


def lacks_in_words(left: Left) -> str:
    """Words what is lacking: `10.0.0 → 10.0.3: 2 security releases, 5 CVEs (1 HIGH), oldest fix out for 63 days`.

    Where no version moved, what did.
    """
    way = way_in_words(left.lacks, left.security_releases, left.lacks.at)
    if way:
        return way
    changes = f"{counted(left.changes, 'change')} since" if left.changes else ""
    cause = "" if left.lacks.cause is Cause.AGE else cause_in_short(left.lacks.cause)
    return ", ".join(part for part in (changes, cause) if part) or "what it lacks cannot be told"


def as_json(staleness: Staleness) -> dict[str, Any]:
    """Gives it as plain JSON values."""
    return {
        "repositories": len(staleness.repositories),
        "followed": staleness.followed,
        "left_alone": staleness.left_alone,
        "untold": staleness.untold,
        "usages": staleness.usages,
        "oldest": staleness.oldest,
        "undated": len(staleness.undated),
        "cves": list(staleness.cves),
        "severity": staleness.severity,
        "behind": [_entry(each) for each in staleness.left],
    }


def _entry(left: Left) -> dict[str, Any]:
    return {
        "base": str(left.base),
        "pinned": left.pinned,
        "published_at": left.published_at,
        "repositories": list(left.repositories),
        "usages": left.usages,
        "changes": left.changes,
        "cause": left.lacks.cause,
        "from_version": left.lacks.from_version,
        "to_version": left.lacks.to_version,
        "cves": list(left.cves),
        "severity": left.lacks.severity,
        "security_releases": [release.version for release in left.security_releases],
        "oldest_fix": left.oldest_fix,
    }
