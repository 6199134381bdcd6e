"""The references of a local checkout, and which of them are stale."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from bot.domain.bases.change import ToldWay, oldest_fix
from bot.domain.bases.dotnet import Unwatched, family_of
from bot.domain.bases.support import Support
from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import OpenReference, SourceProblem, Usage
from bot.domain.wording.moves import cause_in_short, way_in_words
from bot.domain.wording.words import counted


class Freshness(StrEnum):
    """How a reference stands to what its base shows now."""

    FRESH = "fresh"
    STALE = "stale"
    FLOATING = "floating"
    """The tag itself always names the newest image; whether the last build took it, the text cannot say."""
    UNKNOWN = "unknown"
    UNWATCHED = "unwatched"


@dataclass(frozen=True, slots=True)
class ScannedUsage:
    """`becomes` is the reference as it should be now, where that is known and differs; `version` is what the base
    holds now, as its image declares it, where that had to be asked. `shown` is the digest that it shows now, and
    `way` what releases tell of the way there, where that was asked for."""

    usage: Usage
    base: Base | None
    freshness: Freshness
    becomes: Reference | None = None
    note: str = ""
    version: str | None = None
    shown: str | None = None
    way: ToldWay | None = None
    support: Support | None = None
    """What of it gets no more fixes first, and when, as far as that is known."""

    @property
    def could_not_look(self) -> bool:
        """Whether a registry was asked for this base and did not tell."""
        return self.freshness is Freshness.UNKNOWN and bool(self.note)


@dataclass(frozen=True, slots=True)
class FolderScan:
    """What a look through a folder has found; `files` counts those that were read."""

    files: int
    scanned: tuple[ScannedUsage, ...]
    problems: tuple[SourceProblem, ...]
    open_references: tuple[OpenReference, ...] = ()
    """Where an image is named that the texts do not tell."""
    unwatched: tuple[Unwatched, ...] = ()
    """The .NET images that no line of `bases` takes in."""
    unread: tuple[str, ...] = ()
    """What could not be read of that which tells what stale pins lack."""

    def ended(self, today: date) -> list[ScannedUsage]:
        """The references whose support has ended."""
        return [item for item in self.scanned if item.support is not None and item.support.has_ended(today)]

    def count(self, freshness: Freshness) -> int:
        return sum(item.freshness is freshness for item in self.scanned)


def as_json(folder_scan: FolderScan, now: datetime | None = None) -> list[dict[str, Any]]:
    """Gives each reference as plain JSON values; with `now` also what it lacks by then, where it is stale."""
    if now is None:
        return [_row(item) for item in folder_scan.scanned]
    return [_row(item) | _why(item, now) for item in folder_scan.scanned]


def why_in_words(item: ScannedUsage, now: datetime) -> str:
    """What a stale pin lacks: the versions, security releases and CVEs on the way, or what moved where no version
    did; empty for what is not stale."""
    if item.freshness is not Freshness.STALE:
        return ""
    if item.way is None:
        return "what it lacks cannot be told"
    return way_in_words(item.way.change, item.way.security_releases, now) or cause_in_short(item.way.change.cause)


def support_in_words(folder_scan: FolderScan, today: date) -> list[str]:
    """A line for each version and distribution whose support has ended or soon will, with how many stand on it."""
    numbers = Counter(
        item.support for item in folder_scan.scanned if item.support is not None and item.support.is_told(today)
    )
    by_day = sorted(numbers.items(), key=lambda pair: (pair[0].until, pair[0].subject))
    return [f"{counted(number, 'reference')}: {support.told(today)}" for support, number in by_day]


def _why(item: ScannedUsage, now: datetime) -> dict[str, Any]:
    change = item.way.change if item.way is not None else None
    releases = item.way.security_releases if item.way is not None else ()
    concerning = [cve for cve in change.cves if cve not in change.not_relevant] if change is not None else []
    return {
        "why": why_in_words(item, now) or None,
        "cause": change.cause if change is not None else None,
        "from_version": change.from_version if change is not None else None,
        "to_version": change.to_version if change is not None else None,
        "security_releases": [release.version for release in releases],
        "cves": concerning,
        "severity": change.severity if change is not None else None,
        "oldest_fix": oldest_fix(releases),
    }


def _row(item: ScannedUsage) -> dict[str, Any]:
    usage = item.usage
    reference = usage.reference
    return {
        "file": usage.path,
        "kind": usage.kind,
        "line": usage.line,
        "start": usage.span.start if usage.span else None,
        "end": usage.span.end if usage.span else None,
        "reference": str(reference),
        "image": reference.name,
        "registry": reference.registry,
        "repository": reference.repository,
        "family": family_of(reference),
        "tag": reference.tag,
        "digest": reference.digest,
        "role": usage.role,
        "stage": usage.stage,
        "named_at": str(usage.named_at) if usage.named_at else None,
        "platforms": list(usage.platforms),
        "watched": item.base is not None,
        "assembled": usage.assembled,
        "marker": usage.marker,
        "base": str(item.base) if item.base else None,
        "freshness": item.freshness,
        "supported_until": item.support.until if item.support is not None else None,
        "becomes": str(item.becomes) if item.becomes else None,
        "note": item.note or usage.fixed_because,
    }
