"""Bases: each with what it shows now, how it came there, how late it was, and who stands on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.bases.observation import NotJudged, ShowsTwo
from bot.views.bases.mirrors import MirrorStatus, Took
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
