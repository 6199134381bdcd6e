"""A feed document as fetched, and how old each source is by the newest time in what it publishes.

A source that is fetched every day may have stood still for months; what it does not tell is not known then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.failure import Failure
from bot.domain.packages.cves.publication import CvePublication
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
    KEV = "kev"
    EPSS = "epss"


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


@dataclass(frozen=True, slots=True)
class Cadence:
    """What a source is called, how long it may tell nothing new, what that follows from, and which is the newest
    time in it."""

    name: str
    limit: timedelta
    grounds: str
    newest: str


_DAILY = "its publisher changes records every day"
_WEEKLY = "records change in most weeks"
_OF_CVES = "a CVE of .NET was published at least every 126 days since 2023"
_OF_RECORDS = "`modified` of any record"
_OF_OVAL = "its timestamp; that of its newest advisory where this is more than 45 days older"

CADENCES: Mapping[str, Cadence] = {
    CvePublication.UBUNTU: Cadence("the CVE data of Ubuntu", timedelta(days=7), _DAILY, _OF_RECORDS),
    CvePublication.DEBIAN: Cadence("the CVE data of Debian", timedelta(days=7), _DAILY, _OF_RECORDS),
    CvePublication.ALPINE: Cadence("the CVE data of Alpine", timedelta(days=21), _WEEKLY, _OF_RECORDS),
    CvePublication.AZURE_LINUX_3_OVAL: Cadence(
        "the OVAL of Azure Linux 3",
        timedelta(days=7),
        "it is written anew every day, at most two days apart in 2024; "
        "its time counts while an advisory in it is of the 45 days before",
        _OF_OVAL,
    ),
    CvePublication.AZURE_LINUX_2_OVAL: Cadence(
        "the OVAL of CBL-Mariner 2", timedelta(days=7), "as that of Azure Linux 3", _OF_OVAL
    ),
    CvePublication.AZURE_LINUX: Cadence(
        "the OSV data of Azure Linux",
        timedelta(days=14),
        "Microsoft says that it exports it a few times a day",
        _OF_RECORDS,
    ),
    CvePublication.NUGET: Cadence("the CVE data of NuGet", timedelta(days=21), _WEEKLY, _OF_RECORDS),
    FeedKind.DOTNET_INDEX: Cadence(
        ".NET's releases-index.json",
        timedelta(days=63),
        "there were at most 56 days between releases since 2023",
        "`latest-release-date`",
    ),
    FeedKind.DOTNET_CVE: Cadence(
        ".NET's cve.json", timedelta(days=133), _OF_CVES, "`last_updated` of the newest month"
    ),
    FeedKind.MSRC_UPDATES: Cadence(
        "MSRC's list of updates",
        timedelta(days=42),
        "two second Tuesdays are at most 35 days apart",
        "`CurrentReleaseDate`",
    ),
    FeedKind.GITHUB_ADVISORIES: Cadence(
        "GitHub's advisories of .NET", timedelta(days=133), _OF_CVES, "`updated_at`"
    ),
    FeedKind.ANNOUNCEMENTS: Cadence(".NET's announcements", timedelta(days=133), _OF_CVES, "`created_at`"),
    FeedKind.IMAGE_ANNOUNCEMENTS: Cadence(
        "the announcements of .NET's images",
        timedelta(days=182),
        "half a year: it has no rhythm of its own",
        "`published`",
    ),
    FeedKind.IMAGE_INFO: Cadence(
        "the inventory of .NET's images",
        timedelta(days=28),
        "some tag moved at least every 21 days since 2023",
        "`created`",
    ),
    FeedKind.KEV: Cadence(
        "CISA's known exploited vulnerabilities", timedelta(days=28), "entries come in most weeks", "`dateReleased`"
    ),
    FeedKind.EPSS: Cadence("EPSS", timedelta(days=7), "its scores are of each day", "`score_date`"),
}
"""By the kinds of documents and the publications. What only leads to others has no age of its own, and what an API
says of packages here alone has none that could be told from a publisher who stands still."""


def silence(source: str, newest_at: datetime | None, now: datetime) -> str | None:
    """A sentence where the newest time in a source is older than its cadence allows, in words that stay true
    tomorrow; None where it is not, and where nothing tells."""
    cadence = CADENCES.get(source)
    if cadence is None or newest_at is None or now - newest_at <= cadence.limit:
        return None
    return f"{cadence.name} has told nothing new since {newest_at:%Y-%m-%d}"
