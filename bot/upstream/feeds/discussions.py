"""Announcements of the .NET image team: discussions of dotnet/dotnet-docker, as GitHub's Atom feed lists them.

GitHub's REST interface offers no discussions, but each category has an Atom feed (RFC 4287). Only maintainers can
start a discussion in a category of announcements. A container image advisory names its CVE in the title. What it
concerns, more often a package of the operating system than .NET, is told in prose: so it warns early and gives a
link, and says nothing of families, systems and versions.
"""

from datetime import datetime
from xml.etree.ElementTree import Element

from bot.domain.feeds.advisory import Advisory, Evidence
from bot.upstream.feeds.reading import (
    MAX_ENTRIES,
    FeedShape,
    Notes,
    OneLine,
    Parsed,
    UtcMoment,
    cves_in,
    links,
    malformed_feed,
    one_line,
    xml_document,
)

SOURCE = "dotnet-docker"

_ATOM = {"atom": "http://www.w3.org/2005/Atom"}


class _Entry(FeedShape):
    title: OneLine
    published: UtcMoment | None = None
    address: str | None = None


def parse(data: bytes, seen_at: datetime, document: str = "discussions") -> Parsed[Advisory]:
    """One advisory for each CVE that an announcement names in its title.

    Raises `Failure` where the document is no Atom feed.
    """
    notes = Notes(document)
    root = xml_document(data, document)
    if root.tag != f"{{{_ATOM['atom']}}}feed":
        raise malformed_feed(document, "should be an Atom feed")
    entries = root.findall("atom:entry", _ATOM)
    shaped = notes.all_of(_Entry, [_values(entry) for entry in entries[:MAX_ENTRIES]], "entry")
    if len(entries) > MAX_ENTRIES:
        notes.add("", f"has {len(entries)} entries; those after the first {MAX_ENTRIES} are skipped")
    advisories = tuple(advisory for _, entry in shaped for advisory in _advisories(entry, seen_at))
    since = min((entry.published for _, entry in shaped if entry.published), default=None)
    return Parsed(advisories, notes.problems, len(entries), since)


def _values(entry: Element) -> dict[str, str | None]:
    link = next(
        (link for link in entry.findall("atom:link", _ATOM) if link.get("rel", "alternate") == "alternate"), None
    )
    title = entry.find("atom:title", _ATOM)
    return {
        "title": None if title is None else "".join(title.itertext()),
        "published": entry.findtext("atom:published", None, _ATOM),
        "address": None if link is None else link.get("href"),
    }


def _advisories(entry: _Entry, seen_at: datetime) -> list[Advisory]:
    address = links(entry.address)
    return [
        Advisory(
            cve=cve,
            title=entry.title,
            published_at=entry.published,
            links=address,
            evidence=(Evidence(SOURCE, next(iter(address), one_line(entry.title)), seen_at),),
        )
        for cve in cves_in(entry.title)
    ]
