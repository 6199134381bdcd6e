"""Announcements that Microsoft's .NET teams publish as GitHub issues: the earliest word of a fix.

A security announcement names its CVE in the title and has tables of packages, affected and patched versions. No
label marks them reliably: that of CVE-2025-55315 is labelled `Patch-Tuesday` and nothing that says security.
All text is untrusted, and an issue counts only where a maintainer stands behind it: as its author, or by a label,
which only maintainers can give (GitHub shows members that keep their membership private as outsiders).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.advisory import Advisory, Evidence
from bot.watch.feeds.packages import FixedPackage, in_order, reach
from bot.watch.feeds.reading import (
    CVE,
    VERSION,
    FeedShape,
    Line,
    Moment,
    Notes,
    Parsed,
    is_version,
    json_document,
    links,
    one_line,
)

SOURCE = "dotnet-announcements"

MAX_BODY = 200_000
MAX_FOUND = 200

_INSIDERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_CVE = re.compile(CVE, re.IGNORECASE)
_VERSION = re.compile(rf"(?<![\w.-]){VERSION}(?![\w-]|\.[0-9])")
_NAME = re.compile(r"\[?([A-Za-z][A-Za-z0-9.-]{3,99})(?:\]\([^()]{1,300}\))?")


@dataclass(frozen=True, slots=True)
class Announcement:
    """One announcement. `cves` and `versions` are those found in its title and body, in order.

    `versions` may be affected or fixed ones; what an advisory says is in `advisories`, one for each CVE of the
    title, without a severity.
    """

    number: int
    title: str
    url: str | None
    published_at: datetime | None
    cves: tuple[str, ...]
    versions: tuple[str, ...]
    advisories: tuple[Advisory, ...]


class _Label(FeedShape):
    name: Line = ""


class _Issue(FeedShape):
    number: int
    title: Line
    body: str | None = None
    html_url: str | None = None
    created_at: Moment | None = None
    author_association: str = "NONE"
    labels: Any = None
    pull_request: Any = None


def parse(data: bytes, seen_at: datetime, document: str = "announcements") -> Parsed[Announcement]:
    """The maintainers' announcements that name a CVE or carry the label `Security`, newest first.

    Raises `Failure` where the answer is no list of issues.
    """
    notes = Notes(document)
    rows = json_document(data, document)
    items = []
    for where, issue in notes.all_of(_Issue, rows, ""):
        labels = {label.name.lower() for _, label in notes.each(_Label, issue.labels, f"{where}.labels")}
        if issue.pull_request is None and (labels or issue.author_association in _INSIDERS):
            announcement = _announcement(issue, seen_at)
            if announcement.cves or "security" in labels:
                items.append(announcement)
    return Parsed(tuple(items), notes.problems, len(rows))


def _announcement(issue: _Issue, seen_at: datetime) -> Announcement:
    body = (issue.body or "")[:MAX_BODY]
    touched = reach(_packages(body))
    named = _found(_CVE, issue.title)
    url = next(iter(links(issue.html_url)), None)
    advisories = tuple(
        Advisory(
            cve=cve,
            title=issue.title,
            published_at=issue.created_at,
            families=touched.families,
            systems=touched.systems,
            fixed_versions=touched.versions,
            links=links(url),
            evidence=(Evidence(SOURCE, url or one_line(f"issue {issue.number}"), seen_at),),
        )
        for cve in named
    )
    return Announcement(
        number=issue.number,
        title=issue.title,
        url=url,
        published_at=issue.created_at,
        cves=_found(_CVE, f"{issue.title}\n{body}"),
        versions=in_order(version for version in _found(_VERSION, f"{issue.title}\n{body}")),
        advisories=advisories,
    )


def _packages(body: str) -> Iterator[FixedPackage]:
    """The rows `package | affected | patched` of Markdown tables; the package may be a link."""
    for line in body.splitlines():
        cells = [cell.strip(" `\t") for cell in line.strip().strip("|").split("|")]
        name = _NAME.fullmatch(cells[0]) if len(cells) == 3 else None
        if name:
            yield FixedPackage(name[1], cells[2] if is_version(cells[2]) else None)


def _found(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in pattern.finditer(text):
        found[match[0].upper() if pattern is _CVE else match[0]] = None
        if len(found) >= MAX_FOUND:
            break
    return tuple(found)
