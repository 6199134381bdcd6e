"""What still stands of findings once the statements of OpenVEX documents have been heard."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.domain.packages.cves.detected import DetectedVulnerability, is_cve
from bot.images.scanners.report import Report
from bot.images.vex.products import architecture_of, speaks_of
from bot.images.vex.statements import VexStatement

_MOST_PLATFORMS = 20
"""Of which it is told that statements are about them."""
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class VexExcuse:
    """A finding that does not block, and the statement that says why."""

    found: DetectedVulnerability
    statement: VexStatement


def excuse(
    vulnerabilities: Iterable[DetectedVulnerability], statements: Sequence[VexStatement], report: Report
) -> tuple[tuple[DetectedVulnerability, ...], tuple[VexExcuse, ...]]:
    """What still stands, and what the statements take away, in the order of the findings.

    Statements of one time count in the order in which they are given, those without a time before all others.
    """
    by_name: dict[str, dict[int, VexStatement]] = {}
    for number, statement in enumerate(sorted(statements, key=lambda each: each.at or _BEFORE_ALL)):
        for name in statement.vulnerabilities:
            by_name.setdefault(name, {})[number] = statement
    standing: list[DetectedVulnerability] = []
    excused: list[VexExcuse] = []
    for vulnerability in vulnerabilities:
        speaking = [one for one in _naming(vulnerability, by_name) if speaks_of(one, vulnerability, report)]
        if speaking and speaking[-1].excuses:
            excused.append(VexExcuse(vulnerability, speaking[-1]))
        else:
            standing.append(vulnerability)
    return tuple(standing), tuple(excused)


def _naming(
    vulnerability: DetectedVulnerability, by_name: Mapping[str, Mapping[int, VexStatement]]
) -> list[VexStatement]:
    """The statements that name it, the last one last; one that names it by an alias alone, where it names no other
    CVE: an advisory may be about several. By each name, they stand under their place among all."""
    name = vulnerability.id.upper()
    by_number = dict(by_name.get(name, {}))
    for alias in vulnerability.aliases:
        by_number |= {
            number: one
            for number, one in by_name.get(alias.upper(), {}).items()
            if not any(is_cve(other) and other != name for other in one.vulnerabilities)
        }
    return [by_number[number] for number in sorted(by_number)]


def untold_platforms(
    standing: Iterable[DetectedVulnerability], statements: Sequence[VexStatement], report: Report
) -> tuple[str, ...]:
    """Which of the findings that stand would be excused on some platform, a line each, where the report does not
    tell which one it is about."""
    if report.platform:
        return ()
    architectures = {
        arch for one in statements for product in one.products if (arch := architecture_of(product.whole.url))
    }
    lines: list[str] = []
    left = tuple(standing)
    for arch in sorted(architectures)[:_MOST_PLATFORMS]:
        left, excused = excuse(left, statements, replace(report, platform=f"linux/{arch}"))
        lines += [
            f"{pair.found.id} in {pair.found.package}: {pair.statement.author or 'an unnamed author'} excuses it "
            f"on {arch} alone, and the report does not say which platform it is about; have the scanner write its "
            "own JSON"
            for pair in excused
        ]
    return tuple(lines)
