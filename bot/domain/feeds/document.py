"""A feed document as fetched, and how old it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.failure import Failure
from bot.domain.wording.words import duration

MAX_DOCUMENT_BYTES = 20 * 1024 * 1024
"""Seven times the largest real document (a month of MSRC, 2.9 MB)."""


class FeedKind(StrEnum):
    """What a feed document is, and so which parser reads it."""

    DOTNET_INDEX = "dotnet-index"
    DOTNET_RELEASES = "dotnet-releases"
    DOTNET_TIMELINE = "dotnet-timeline"
    DOTNET_CVE = "dotnet-cve"
    MSRC_UPDATES = "msrc-updates"
    MSRC_BULLETIN = "msrc-bulletin"
    GITHUB_ADVISORIES = "github-advisories"
    ANNOUNCEMENTS = "announcements"
    IMAGE_ANNOUNCEMENTS = "image-announcements"
    IMAGE_INFO = "image-info"


@dataclass(frozen=True, slots=True, order=True)
class FeedSource:
    """One document to follow; the URL alone identifies it."""

    kind: FeedKind
    url: str


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """The last good copy of a document.

    `fetched_at` is when these bytes were first received, `checked_at` when the server last confirmed them;
    `reader` names the version of the parsers that read them.
    """

    url: str
    etag: str | None
    last_modified: str | None
    body: bytes
    fetched_at: datetime
    checked_at: datetime
    reader: str = ""


@dataclass(frozen=True, slots=True)
class NewContent:
    """The server sent bytes that differ from the stored copy."""

    document: StoredDocument


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The stored copy is current; `document` is that copy with a new `checked_at` and validators."""

    document: StoredDocument


@dataclass(frozen=True, slots=True)
class NotFetched:
    """Nothing usable came; the stored copy stays in use."""

    failure: Failure


Fetched = NewContent | Unchanged | NotFetched


def staleness(document: StoredDocument, now: datetime, limit: timedelta) -> str | None:
    """A sentence where nobody has confirmed the copy for longer than `limit`, else None."""
    age = now - document.checked_at
    if age <= limit:
        return None
    return (
        f"{document.url} was last read {duration(age)} ago, more than the {duration(limit)} allowed: "
        "releases and fixes published since are not known"
    )
