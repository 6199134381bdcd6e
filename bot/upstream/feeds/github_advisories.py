"""GitHub's reviewed security advisories for .NET's NuGet packages (REST `GET /advisories`).

The runtime packs that an advisory names tell what Microsoft's own document does not: whether a fix is for musl
or for Windows alone, and whether it is in the runtime or in ASP.NET Core.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from bot.domain.feeds.advisory import Advisory, Evidence, Severity
from bot.upstream.feeds.packages import FixedPackage, reach
from bot.upstream.feeds.reading import (
    Cve,
    FeedShape,
    Notes,
    OneLine,
    Parsed,
    UtcMoment,
    is_version,
    json_document,
    links,
)

SOURCE = "github"


@dataclass(frozen=True, slots=True)
class GithubAdvisories(Parsed[Advisory]):
    """`withdrawn` are CVEs whose advisory GitHub has taken back: what it said before no longer counts."""

    withdrawn: tuple[str, ...] = ()


class _Package(FeedShape):
    ecosystem: OneLine
    name: OneLine | None = None


class _Vulnerability(FeedShape):
    package: _Package | None = None
    first_patched_version: OneLine | None = None


class _Score(FeedShape):
    score: Annotated[float, Field(ge=0, le=10)] | None = None


class _Scores(FeedShape):
    cvss_v3: _Score | None = None
    cvss_v4: _Score | None = None


class _Row(FeedShape):
    ghsa_id: Annotated[str, Field(pattern=r"^GHSA(-[0-9a-z]{4}){3}$")] = ""
    cve_id: Cve | None = None
    html_url: str | None = None
    summary: OneLine = ""
    severity: OneLine | None = None
    references: Any = None
    published_at: UtcMoment | None = None
    withdrawn_at: UtcMoment | None = None
    vulnerabilities: Any = None
    cvss: Any = None
    cvss_severities: Any = None


def parse(data: bytes, seen_at: datetime, document: str = "GitHub advisories") -> GithubAdvisories:
    """The advisories that touch a .NET image. Raises `Failure` where the answer is no list of advisories."""
    notes = Notes(document)
    rows = json_document(data, document)
    items: dict[str, Advisory] = {}
    withdrawn: dict[str, None] = {}
    for position, row in notes.all_of(_Row, rows, ""):
        place = f"{position} ({row.ghsa_id or row.cve_id or 'unnamed'})"
        if not row.ghsa_id and not row.cve_id:
            notes.add(position, "has neither a number of GitHub's nor of a CVE; the entry is skipped")
            continue
        if row.withdrawn_at is not None:
            if row.cve_id:
                withdrawn[row.cve_id] = None
            continue
        advisory = _advisory(row, seen_at, notes, place)
        if advisory is not None:
            items.setdefault(advisory.cve, advisory)
    return GithubAdvisories(
        items=tuple(items.values()),
        problems=notes.problems,
        entries=len(rows),
        withdrawn=tuple(cve for cve in withdrawn if cve not in items),
    )


def _advisory(row: _Row, seen_at: datetime, notes: Notes, place: str) -> Advisory | None:
    packages = []
    before = notes.count
    entries = list(notes.each(_Vulnerability, row.vulnerabilities, f"{place}.vulnerabilities"))
    are_whole = notes.count == before
    for _, entry in entries:
        if entry.package and entry.package.name and entry.package.ecosystem == "nuget":
            patched = entry.first_patched_version
            if patched and not is_version(patched):
                notes.add(place, f"the patched version {patched} is no version; it is skipped")
            packages.append(FixedPackage(entry.package.name, patched if is_version(patched) else None))
    touched = reach(packages)
    if not touched.families and are_whole:
        return None
    if row.cve_id is None:
        notes.add(place, "has no CVE number yet; the entry is skipped")
        return None
    references = row.references if isinstance(row.references, list) else []
    return Advisory(
        cve=row.cve_id,
        title=row.summary,
        severity=_severity(row, notes, place),
        score=_score(row, notes, place),
        published_at=row.published_at,
        families=touched.families if are_whole else frozenset(),
        systems=touched.systems if are_whole else frozenset(),
        fixed_versions=touched.versions,
        links=links(row.html_url, *references),
        evidence=(Evidence(SOURCE, row.ghsa_id or row.cve_id, seen_at),),
    )


def _severity(row: _Row, notes: Notes, place: str) -> Severity | None:
    severity = Severity.named(row.severity)
    if severity is None and row.severity not in (None, "", "unknown"):
        notes.add(place, f"the severity {row.severity} is unknown; it is skipped")
    return severity


def _score(row: _Row, notes: Notes, place: str) -> float | None:
    """CVSS 3, as Microsoft publishes it, else CVSS 4; GitHub writes 0 where it has none."""
    scores = notes.shaped(_Scores, row.cvss_severities or {}, f"{place}.cvss_severities")
    older = notes.shaped(_Score, row.cvss or {}, f"{place}.cvss")
    candidates = (scores and scores.cvss_v3, older, scores and scores.cvss_v4)
    return next((candidate.score for candidate in candidates if candidate and candidate.score), None)
