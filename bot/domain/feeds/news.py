"""How old each source is: by the newest time in what it publishes, beside how often it publishes anything.

A source that is fetched every day may have stood still for months; what it does not tell is not known then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.feeds.document import FeedKind
from bot.domain.packages.cves.publication import CvePublication


@dataclass(frozen=True, slots=True)
class Cadence:
    """What a source is called, how long it may tell nothing new, and what that follows from."""

    name: str
    limit: timedelta
    grounds: str


_DAILY = "its publisher changes records every day"
_OF_CVES = "a CVE of .NET was published at least every 126 days since 2023"

CADENCES: Mapping[str, Cadence] = {
    CvePublication.UBUNTU: Cadence("the CVE data of Ubuntu", timedelta(days=7), _DAILY),
    CvePublication.DEBIAN: Cadence("the CVE data of Debian", timedelta(days=7), _DAILY),
    CvePublication.ALPINE: Cadence("the CVE data of Alpine", timedelta(days=21), "records change in most weeks"),
    CvePublication.AZURE_LINUX_3_OVAL: Cadence(
        "the OVAL of Azure Linux 3",
        timedelta(days=7),
        "it is written anew every day, at most two days apart in 2024; "
        "its time counts while an advisory in it is of the 45 days before",
    ),
    CvePublication.AZURE_LINUX_2_OVAL: Cadence(
        "the OVAL of CBL-Mariner 2", timedelta(days=7), "as that of Azure Linux 3"
    ),
    CvePublication.AZURE_LINUX: Cadence(
        "the OSV data of Azure Linux", timedelta(days=14), "Microsoft says that it exports it a few times a day"
    ),
    CvePublication.NUGET: Cadence("the CVE data of NuGet", timedelta(days=21), "records change in most weeks"),
    FeedKind.DOTNET_INDEX: Cadence(
        ".NET's releases-index.json", timedelta(days=63), "there were at most 56 days between releases since 2023"
    ),
    FeedKind.DOTNET_CVE: Cadence(".NET's cve.json", timedelta(days=133), _OF_CVES),
    FeedKind.MSRC_UPDATES: Cadence(
        "MSRC's list of updates", timedelta(days=42), "two second Tuesdays are at most 35 days apart"
    ),
    FeedKind.GITHUB_ADVISORIES: Cadence("GitHub's advisories of .NET", timedelta(days=133), _OF_CVES),
    FeedKind.ANNOUNCEMENTS: Cadence(".NET's announcements", timedelta(days=133), _OF_CVES),
    FeedKind.IMAGE_ANNOUNCEMENTS: Cadence(
        "the announcements of .NET's images", timedelta(days=182), "half a year: it has no rhythm of its own"
    ),
    FeedKind.IMAGE_INFO: Cadence(
        "the inventory of .NET's images", timedelta(days=28), "some tag moved at least every 21 days since 2023"
    ),
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
