"""Where Microsoft's structured disclosures (`cve.json`) are: the timeline of .NET releases by year and month.

The timeline lists years, each with a document of its own that lists months; a month with disclosures links to them.
The links are followed as they are written, which their publisher asks for (https://github.com/dotnet/core/issues/10143).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from bot.domain.feeds.document import FeedKind, FeedSource
from bot.upstream.feeds.reading import FeedShape, Notes, Parsed, json_object, malformed_feed, web_address

_YEARS_BACK = 1
"""Older disclosures concern no base that somebody may still move to."""


class _Link(FeedShape):
    href: str


class _Links(FeedShape):
    itself: _Link | None = Field(None, alias="self")
    cve_json: _Link | None = Field(None, alias="cve-json")


class _Year(FeedShape):
    year: Annotated[str, StringConstraints(pattern="^[0-9]{4}$")]
    links: _Links = Field(alias="_links")


class _Month(FeedShape):
    links: _Links = Field(alias="_links")


def parse(data: bytes, seen_at: datetime, document: str = "timeline") -> Parsed[FeedSource]:
    """The documents that the timeline, or one year of it, leads to: years that are recent, and disclosures.

    Raises `Failure` where it lists neither years nor months.
    """
    notes = Notes(document)
    embedded = json_object(data, document).get("_embedded")
    embedded_lists: dict[str, Any] = embedded if isinstance(embedded, dict) else {}
    if "years" in embedded_lists:
        entries, feed_sources = (
            embedded_lists["years"],
            _years(notes, embedded_lists["years"], seen_at.year - _YEARS_BACK),
        )
    elif "months" in embedded_lists:
        entries, feed_sources = embedded_lists["months"], _months(notes, embedded_lists["months"])
    else:
        raise malformed_feed(document, "it should embed years or months")
    sources = tuple(dict.fromkeys(feed_sources))
    return Parsed(sources, notes.problems, len(entries))


def _years(notes: Notes, values: object, since: int) -> Iterator[FeedSource]:
    for place, year in notes.all_of(_Year, values, "_embedded.years"):
        if int(year.year) >= since:
            yield from _source(notes, place, FeedKind.DOTNET_TIMELINE, year.links.itself)


def _months(notes: Notes, values: object) -> Iterator[FeedSource]:
    for place, month in notes.all_of(_Month, values, "_embedded.months"):
        if month.links.cve_json is not None:
            yield from _source(notes, place, FeedKind.DOTNET_CVE, month.links.cve_json)


def _source(notes: Notes, place: str, kind: FeedKind, link: _Link | None) -> Iterator[FeedSource]:
    url = web_address(link.href) if link else None
    if url is None:
        notes.add(place, "links to no address; the entry is skipped")
    else:
        yield FeedSource(kind, url)
