"""What one feed document says, whichever kind it is, and the newest time in it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from bot.domain.feeds.advisory import Advisory, Release
from bot.domain.feeds.document import FeedKind, FeedSource
from bot.domain.packages.cves.marks import CveMarks
from bot.upstream.feeds import announcements, discussions, epss, github_advisories, image_info, kev, msrc
from bot.upstream.feeds.dotnet import cve as dotnet_cve
from bot.upstream.feeds.dotnet import releases as dotnet_releases
from bot.upstream.feeds.dotnet import timeline as dotnet_timeline
from bot.upstream.feeds.reading import FeedProblem, Parsed, UtcMoment

_TIME = rb"([0-9][0-9T:.Z+-]{9,39})"


def _key(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'"%s"\s*:\s*"%s"' % (name, _TIME))


_TIMES: Mapping[FeedKind, re.Pattern[bytes]] = {
    FeedKind.DOTNET_INDEX: _key(b"latest-release-date"),
    FeedKind.DOTNET_CVE: _key(b"last_updated"),
    FeedKind.MSRC_UPDATES: _key(b"CurrentReleaseDate"),
    FeedKind.GITHUB_ADVISORIES: _key(b"updated_at"),
    FeedKind.ANNOUNCEMENTS: _key(b"created_at"),
    FeedKind.IMAGE_ANNOUNCEMENTS: re.compile(rb"<published>\s*%s\s*</published>" % _TIME),
    FeedKind.IMAGE_INFO: _key(b"created"),
    FeedKind.KEV: _key(b"dateReleased"),
}
"""What says when an entry was published or changed; of announcements not the last comment, which anybody writes."""
_AHEAD = timedelta(days=1)
"""A date is that of the publisher's day, which may begin before ours."""
_MOMENT: TypeAdapter[datetime] = TypeAdapter(UtcMoment)


def newest_in(kind: FeedKind, data: bytes, now: datetime) -> datetime | None:
    """The newest time that a document names of what it tells, of no day to come; None where it names none, and for
    a kind that is not judged by its age."""
    if kind is FeedKind.EPSS:
        texts = set(filter(None, [epss.day_of(data)]))
    elif (form := _TIMES.get(kind)) is not None:
        texts = {each.decode() for each in form.findall(data)}
    else:
        return None
    return max(
        (moment for text in texts if (moment := _moment(text)) is not None and moment <= now + _AHEAD), default=None
    )


def _moment(text: str) -> datetime | None:
    try:
        return _MOMENT.validate_python(text if "T" in text else f"{text}T00:00:00Z")
    except ValidationError:
        return None


READER = "3"
"""Raised whenever a parser changes what it finds, so that stored documents are read again."""


@dataclass(frozen=True, slots=True)
class FeedContents:
    """`releases` are as if first seen now; `leads_to` and `monthly` are further documents that this one lists.

    `entries` and `since` are those of `Parsed`.
    """

    releases: tuple[Release, ...] = ()
    advisories: tuple[Advisory, ...] = ()
    withdrawn_advisories: tuple[tuple[str, str], ...] = ()
    """Source and CVE of each advisory that its publisher has taken back."""
    leads_to: tuple[FeedSource, ...] = ()
    monthly: tuple[msrc.MonthlyDocument, ...] = ()
    inventory: image_info.TagInventory | None = None
    problems: tuple[FeedProblem, ...] = ()
    entries: int = 0
    since: datetime | None = None
    marks: CveMarks | None = None


def read(source: FeedSource, data: bytes, seen_at: datetime) -> FeedContents:
    """Reads a document with the parser of its kind.

    Raises `Failure` where the document as a whole is not what its kind says.
    """
    if (parse := ADVISORIES.get(source.kind)) is not None:
        advisories = parse(data, seen_at, source.url)
        return FeedContents(
            advisories=advisories.items,
            problems=advisories.problems,
            entries=advisories.entries,
            since=advisories.since,
        )
    return OTHERS[source.kind](source.url, data, seen_at)


def _dotnet_index(url: str, data: bytes, seen_at: datetime) -> FeedContents:
    parsed = dotnet_releases.parse_index(data, seen_at, url)
    addresses = (channel.releases_url for channel in parsed.items)
    channels = tuple(FeedSource(FeedKind.DOTNET_RELEASES, address) for address in addresses if address)
    return FeedContents(leads_to=channels, problems=parsed.problems)


def _dotnet_releases(url: str, data: bytes, seen_at: datetime) -> FeedContents:
    parsed = dotnet_releases.parse(data, seen_at, url)
    return FeedContents(releases=parsed.items, problems=parsed.problems, entries=parsed.entries)


def _dotnet_timeline(url: str, data: bytes, seen_at: datetime) -> FeedContents:
    parsed = dotnet_timeline.parse(data, seen_at, url)
    return FeedContents(leads_to=parsed.items, problems=parsed.problems)


def _msrc_updates(url: str, data: bytes, seen_at: datetime) -> FeedContents:
    parsed = msrc.parse_updates(data, seen_at, url)
    return FeedContents(monthly=parsed.items, problems=parsed.problems)


def _github_advisories(url: str, data: bytes, seen_at: datetime) -> FeedContents:
    parsed = github_advisories.parse(data, seen_at, url)
    withdrawn = tuple((github_advisories.SOURCE, cve) for cve in parsed.withdrawn)
    return FeedContents(advisories=parsed.items, withdrawn_advisories=withdrawn, problems=parsed.problems)


def _image_info(url: str, data: bytes, seen_at: datetime) -> FeedContents:
    inventory, parsed = image_info.read(data, url)
    return FeedContents(inventory=inventory, problems=parsed.problems)


def _kev(url: str, data: bytes, seen_at: datetime) -> FeedContents:
    exploited, problems = kev.parse(data, seen_at, url)
    return FeedContents(marks=CveMarks(exploited=exploited), problems=problems, entries=len(exploited.values))


def _epss(url: str, data: bytes, seen_at: datetime) -> FeedContents:
    scores, problems = epss.parse(data, seen_at, url)
    return FeedContents(marks=CveMarks(epss=scores), problems=problems, entries=len(scores.values))


ADVISORIES: Mapping[FeedKind, Callable[[bytes, datetime, str], Parsed[Advisory]]] = {
    FeedKind.DOTNET_CVE: dotnet_cve.parse,
    FeedKind.MSRC_BULLETIN: msrc.parse,
    FeedKind.ANNOUNCEMENTS: announcements.parse,
    FeedKind.IMAGE_ANNOUNCEMENTS: discussions.parse,
}
"""Documents that hold advisories and nothing else."""
OTHERS: Mapping[FeedKind, Callable[[str, bytes, datetime], FeedContents]] = {
    FeedKind.DOTNET_INDEX: _dotnet_index,
    FeedKind.DOTNET_RELEASES: _dotnet_releases,
    FeedKind.DOTNET_TIMELINE: _dotnet_timeline,
    FeedKind.MSRC_UPDATES: _msrc_updates,
    FeedKind.GITHUB_ADVISORIES: _github_advisories,
    FeedKind.IMAGE_INFO: _image_info,
    FeedKind.KEV: _kev,
    FeedKind.EPSS: _epss,
}
