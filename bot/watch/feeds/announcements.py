"""Announcements that Microsoft's .NET teams publish as GitHub issues: the earliest word of a fix.

A security announcement names its CVE in the title and has tables of packages, affected and patched versions.
Its labels tell nothing reliable (many carry none that says security), so the title decides, together with
who wrote it: an issue by anybody outside the organisation is no announcement. All text is untrusted.
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


def query_url(repository: str, api_url: str = "https://api.github.com", label: str | None = None) -> str:
    """The address that lists the newest fifty issues of a repository, with `label` only those that carry it."""
    narrowed = f"&labels={label}" if label else ""
    return f"{api_url}/repos/{repository}/issues?state=all&sort=created&direction=desc&per_page=50{narrowed}"


def parse(data: bytes, seen_at: datetime, document: str = "announcements") -> Parsed[Announcement]:
    """The announcements by insiders that name a CVE or carry the label `Security`, newest first.

    Raises `Failure` where the answer is no list of issues.
    """
    notes = Notes(document)
    rows = json_document(data, document)
    issues = [issue for _, issue in notes.all_of(_Issue, rows, "")]
    announcements = [
        _announcement(issue, seen_at)
        for issue in issues
        if issue.pull_request is None and issue.author_association in _INSIDERS
    ]
    secured = {issue.number for issue in issues if _is_labelled_security(issue, notes)}
    items = tuple(found for found in announcements if found.cves or found.number in secured)
    return Parsed(items, notes.problems, len(rows))


def _is_labelled_security(issue: _Issue, notes: Notes) -> bool:
    labels = notes.each(_Label, issue.labels, f"issue {issue.number}.labels")
    return any(label.name.lower() == "security" for _, label in labels)


def _announcement(issue: _Issue, seen_at: datetime) -> Announcement:
    body = (issue.body or "")[:MAX_BODY]
    touched = reach(_packages(body))
    named = _found(_CVE, issue.title)
    advisories = tuple(
        Advisory(
            cve=cve,
            title=issue.title,
            published_at=issue.created_at,
            families=touched.families,
            systems=touched.systems,
            fixed_versions=touched.versions,
            links=links(issue.html_url),
            evidence=(Evidence(SOURCE, issue.html_url or f"issue {issue.number}", seen_at),),
        )
        for cve in named
    )
    return Announcement(
        number=issue.number,
        title=issue.title,
        url=next(iter(links(issue.html_url)), None),
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
