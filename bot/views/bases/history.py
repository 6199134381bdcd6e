"""The changes of a base with their causes, and how late upstream was."""

from dataclasses import asdict, dataclass
from typing import Any

from bot.domain.bases.change import Change
from bot.domain.bases.notice import Notice
from bot.domain.packages.changes import PlatformChanges


@dataclass(frozen=True, slots=True)
class History:
    """The changes of a base, and how long upstream took for each release and each fix of its sibling.

    `packages` say for each change, in the same order, how each platform's packages changed, as far as known.
    """

    changes: tuple[Change, ...]
    upstream: tuple[Notice, ...]
    packages: tuple[tuple[PlatformChanges, ...], ...] = ()


def as_json(history: History) -> dict[str, Any]:
    """Gives the history as plain JSON values."""
    return {
        "changes": [
            {**_change(change), "packages": [asdict(each) for each in packages]}
            for change, packages in zip(history.changes, history.packages, strict=True)
        ],
        "upstream": [_lag(notice) for notice in history.upstream],
    }


def _lag(notice: Notice) -> dict[str, Any]:
    return {
        "topic": notice.topic,
        "base": str(notice.base),
        "since": notice.since,
        "until": notice.until,
        "seconds": int(notice.delay.total_seconds()),
        "text": notice.text,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "at": change.at,
        "base": str(change.base),
        "from": change.from_digest,
        "to": change.to_digest,
        "cause": change.cause,
        "cause_at_detection": change.cause_at_detection,
        "from_version": change.from_version,
        "to_version": change.to_version,
        "cves": list(change.cves),
        "not_relevant": list(change.not_relevant),
        "reopens": list(change.reopens),
        "links": dict(change.links),
        "severity": change.severity,
        "platforms": list(change.platforms),
        "detail": change.detail,
        "evidence": [asdict(evidence) for evidence in change.evidence],
    }
