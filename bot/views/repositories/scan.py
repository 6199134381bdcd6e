"""The references of a local checkout, and which of them are stale."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.domain.bases.dotnet_image import family_of
from bot.domain.bases.unwatched import Unwatched
from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import OpenReference, SourceProblem, Usage


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
    holds now, as its image declares it, where that had to be asked."""

    usage: Usage
    base: Base | None
    freshness: Freshness
    becomes: Reference | None = None
    note: str = ""
    version: str | None = None

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

    def count(self, freshness: Freshness) -> int:
        return sum(item.freshness is freshness for item in self.scanned)


def as_json(folder_scan: FolderScan) -> list[dict[str, Any]]:
    """Gives each reference as plain JSON values."""
    return [_row(item) for item in folder_scan.scanned]


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
        "becomes": str(item.becomes) if item.becomes else None,
        "note": item.note or usage.fixed_because,
    }
