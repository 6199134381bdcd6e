"""Bases: each with what it shows now, how it came there with the causes of its changes, and how late it was."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.domain.bases.change import Change
from bot.domain.bases.notice import Notice
from bot.domain.bases.observation import NotJudged, ShowsTwo
from bot.domain.packages.changes import PlatformChanges
from bot.views.bases.mirrors import MirrorStatus, Took
from bot.views.bases.support import SupportRow
from bot.views.images.image_pages import OnBase
from bot.views.paging import Page
from bot.views.rollouts.rollout import QuarantineStatus
from bot.views.rows import ChangeRow, NoticeRow


class Watched(Protocol):
    """What every surface knows of a base."""

    @property
    def digest(self) -> str | None: ...

    @property
    def error(self) -> str | None: ...

    @property
    def mirror(self) -> MirrorStatus | None: ...


def is_in_trouble(base: Watched) -> bool:
    """Whether a base needs somebody: it cannot be read, was never seen, or does not show what it is a copy of.

    The store's `IS_IN_TROUBLE` says the same in SQL.
    """
    return bool(base.error) or base.digest is None or (base.mirror is not None and not base.mirror.is_well)


@dataclass(frozen=True, slots=True)
class BaseRow:
    """`repositories` counts those that use it."""

    name: str
    version: str | None
    digest: str | None
    moved_at: datetime | None
    error: str | None
    repositories: int
    mirror: MirrorStatus | None = None
    """How it stands to what it is a copy of."""
    shows_two: ShowsTwo | None = None
    """What its registry shows beside `digest`, in turn."""
    support: SupportRow | None = None
    """That it gets no more fixes, or soon none."""


@dataclass(frozen=True, slots=True)
class Bases:
    """Those in use, a page at a time, what is in trouble first; by name what is to be known of those on it."""

    bases: Page[BaseRow]
    notices: Mapping[str, tuple[NoticeRow, ...]]


@dataclass(frozen=True, slots=True)
class BasePage:
    """`changes` are the latest, newest first; `lags` oldest first; `users` the first of those that use it,
    `images` those that are seen to stand on it."""

    base: BaseRow
    changes: tuple[ChangeRow, ...]
    lags: tuple[NoticeRow, ...]
    notices: tuple[NoticeRow, ...]
    quarantine: QuarantineStatus | None
    users: tuple[str, ...]
    images: OnBase
    took: Took | None = None
    """How long it took to show what upstream had published, where it is a copy."""
    copies: tuple[BaseRow, ...] = ()
    """The bases in mirrors that are copies of this one."""
    not_judged: tuple[NotJudged, ...] = ()
    """What its index lists and nothing is told of."""


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
