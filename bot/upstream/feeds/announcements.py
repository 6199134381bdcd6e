"""Announcements that Microsoft's .NET teams publish as GitHub issues: the earliest word of a fix.

A security announcement names its CVE in the title and has tables of packages, affected and patched versions. No
label marks them reliably: that of CVE-2025-55315 is labelled `Patch-Tuesday` and nothing that says security.
All text is untrusted, and an issue counts only where a maintainer stands behind it: as its author, or by a label,
which only maintainers can give (GitHub shows members that keep their membership private as outsiders).
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bot.domain.feeds.advisory import Advisory, Evidence
from bot.upstream.feeds.packages import FixedPackage, reach
from bot.upstream.feeds.reading import (
    FeedShape,
    Notes,
    OneLine,
    Parsed,
    UtcMoment,
    cves_in,
    is_version,
    json_document,
    links,
    one_line,
)

SOURCE = "dotnet-announcements"

MAX_BODY = 200_000

_INSIDERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_NAME = re.compile(r"\[?([A-Za-z][A-Za-z0-9.-]{3,99})(?:\]\([^()]{1,300}\))?")


class _Label(FeedShape):
    name: OneLine = ""


class _Issue(FeedShape):
    number: int | None = None
    title: OneLine
    body: str | None = None
    html_url: str | None = None
    created_at: UtcMoment | None = None
    author_association: str = "NONE"
    labels: Any = None
    pull_request: Any = None


def parse(data: bytes, seen_at: datetime, document: str = "announcements") -> Parsed[Advisory]:
    """One advisory, without a severity, for each CVE that the title of a maintainers' announcement names.

    The newest come first. `entries` counts all issues. Raises `Failure` where the answer is no list of issues.
    """
    notes = Notes(document)
    rows = json_document(data, document)
    advisories: list[Advisory] = []
    since: datetime | None = None
    for place, issue in notes.all_of(_Issue, rows, ""):
        since = min(issue.created_at, since or issue.created_at) if issue.created_at else since
        labels = any(label.name for _, label in notes.each(_Label, issue.labels, f"{place}.labels"))
        if issue.pull_request is None and (labels or issue.author_association in _INSIDERS):
            advisories.extend(_advisories(issue, seen_at))
    return Parsed(tuple(advisories), notes.problems, len(rows), since)


def _advisories(issue: _Issue, seen_at: datetime) -> Iterator[Advisory]:
    touched = reach(_packages((issue.body or "")[:MAX_BODY]))
    url = next(iter(links(issue.html_url)), None)
    for cve in cves_in(issue.title):
        yield Advisory(
            cve=cve,
            title=issue.title,
            published_at=issue.created_at,
            families=touched.families,
            systems=touched.systems,
            fixed_versions=touched.versions,
            links=links(url),
            evidence=(Evidence(SOURCE, url or one_line(f"issue {issue.number or cve}"), seen_at),),
        )


def _packages(body: str) -> Iterator[FixedPackage]:
    """The rows `package | affected | patched` of Markdown tables; the package may be a link."""
    for line in body.splitlines():
        cells = [cell.strip(" `\t") for cell in line.strip().strip("|").split("|")]
        name = _NAME.fullmatch(cells[0]) if len(cells) == 3 else None
        if name:
            yield FixedPackage(name[1], cells[2] if is_version(cells[2]) else None)
