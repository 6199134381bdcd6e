"""Upstream: how late it is, what it withdrew, whose support ends, and how old the feeds are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.views.bases.mirrors import Took
from bot.views.bases.promises import PromiseRecord
from bot.views.rows import NoticeRow


def feed_name(ecosystem: str) -> str:
    """What the dump of an ecosystem is called among the feeds: `osv-azure-linux`."""
    return f"osv-{ecosystem.lower().replace(' ', '-')}"


def shown_address(url: str) -> str:
    """Returns the address of a document as people read it: without the query, which may be longer than the line."""
    return url.partition("?")[0]


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One document of a feed."""

    url: str
    kind: str
    checked_at: datetime | None
    changed_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class MirrorRow:
    """One mirror: how many of its bases do not show what upstream does, and for how long the first of them. `took`
    is how long it took in the last year, None where nothing was measured."""

    place: str
    behind: int
    longest: timedelta
    took: Took | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """`promises` is how upstream kept them in the last year, `notices` are those that stand, `lags` the latest that
    were measured."""

    promises: tuple[PromiseRecord, ...]
    lags: tuple[NoticeRow, ...]
    notices: tuple[NoticeRow, ...]
    feeds: tuple[FeedRow, ...]
    document_count: int
    mirrors: tuple[MirrorRow, ...] = ()
    silent: tuple[str, ...] = ()
    """A sentence for each source that has told nothing new for longer than it ever does."""
