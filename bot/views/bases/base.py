"""Bases: each with what it shows now, how it came there, how late it was, and who stands on it."""

from dataclasses import dataclass
from datetime import datetime

from bot.views.bases.image_pages import OnBase
from bot.views.bases.mirrors import MirrorStatus, Took
from bot.views.paging import Page
from bot.views.rollouts.rollout import QuarantineStatus
from bot.views.rows import ChangeRow, NoticeRow


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


@dataclass(frozen=True, slots=True)
class Bases:
    """Those in use, a page at a time."""

    bases: Page[BaseRow]


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
