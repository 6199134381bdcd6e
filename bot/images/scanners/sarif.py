"""SARIF of scanners: what its results tell of, which of them somebody suppressed, and which image it is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.domain.packages.cves.detected import DetectedVulnerability, Rating
from bot.domain.packages.gate import Excused
from bot.images.packages.reading import items, mapping
from bot.images.scanners.report import (
    GRYPE,
    TRIVY,
    Report,
    bounded,
    bounded_line,
    few,
    image_id_of,
    is_rating,
    name_of,
    named_digests,
    rating_named,
    rating_of_score,
    suppressed_in_words,
    without_tag,
)
from bot.images.scanners.sarif_texts import looks_for_vulnerabilities, told_of

_NO_VULNERABILITIES = frozenset({"Secret", "Misconfiguration", "License"})
"""Rules of Trivy's SARIF that are about something else."""
_LICENCES = "snyk:lic:"
"""How the rules of Snyk's SARIF begin that are about licences."""
_NO_FINDINGS = frozenset({"pass", "notApplicable"})
"""Kinds of results that say that nothing is wrong."""


@dataclass(slots=True)
class _Read:
    """What was read of the runs so far."""

    found: list[DetectedVulnerability] = field(default_factory=list)
    unrated: list[DetectedVulnerability] = field(default_factory=list)
    suppressed: list[Excused] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    digests: list[frozenset[str]] = field(default_factory=list)
    images: set[tuple[str, str]] = field(default_factory=set)
    has_looked: bool = True

    def has_not_looked(self, why: str) -> None:
        self.gaps.append(why)
        self.has_looked = False


def read_sarif(runs: list[Any], place: str) -> Report:
    """What all runs of one report found. Raises `Failure` where that is more than one image can have."""
    read = _Read()
    if not runs:
        read.has_not_looked("the report has no run of a scanner")
    for run in runs:
        _read_run(run, read)
    scanner = name_of(_driver(runs[0]).get("name"), TRIVY) if runs else TRIVY
    scanner = next((name for name in (TRIVY, GRYPE) if name.lower() in scanner.lower()), scanner)
    image, name = next(iter(read.images)) if len(read.images) == 1 else ("", "")
    digests = frozenset.intersection(*read.digests) if read.digests else frozenset[str]()
    return Report(
        bounded(read.found, place),
        few(read.gaps),
        None,
        name,
        digests,
        scanner,
        read.has_looked,
        image,
        bounded(read.suppressed, place),
        is_about_several=bool(read.digests) and not digests and not image,
        unrated=tuple(read.unrated),
    )


def _read_run(run: object, read: _Read) -> None:
    results = run.get("results") if isinstance(run, dict) else None
    if not isinstance(run, dict) or not isinstance(results, list):
        read.has_not_looked("a run has no results, so it cannot be told whether anything was looked for")
        return
    if _list(run.get("externalPropertyFileReferences"), "results"):
        read.has_not_looked("a run has its results in other files, which are not read")
    ends = [mapping(each).get("executionSuccessful") for each in _list(run, "invocations")]
    if any(end is False for end in ends):
        read.has_not_looked("a run did not come to its end")
    about = run.get("properties")
    if isinstance(about, dict):
        read.digests += filter(None, [named_digests(_list(about, "repoDigests"))])
        read.images.add((image_id_of(about.get("imageID")), without_tag(bounded_line(about.get("imageName")))))
    rules = _rules(run)
    by_id = {bounded_line(each.get("id")): each for each in reversed(rules)}
    others = 0
    for result in results:
        name, rule = _rule_of(result, rules, by_id)
        if bounded_line(rule.get("name")) in _NO_VULNERABILITIES or name.startswith(_LICENCES):
            others += 1
        else:
            _read_result(result, name, rule, read)
    tool = bounded_line(_driver(run).get("name"))
    if tool and not looks_for_vulnerabilities(tool) and all(map(_is_no_finding, results)):
        gap = f"a run of {tool[:60]} found nothing"
        read.has_not_looked(f"{gap}, and whether that looks for vulnerabilities is not known")
    if others and others == len(results):
        gap = "a run tells of secrets, misconfiguration or licences alone"
        read.has_not_looked(f"{gap}, so it cannot be told whether vulnerabilities were looked for")


def _read_result(result: object, name: str, rule: Mapping[str, Any], read: _Read) -> None:
    if _is_no_finding(result):
        return
    reading = told_of(result, name, rule)
    if isinstance(reading, str):
        read.gaps.append(reading)
        return
    is_rated = is_rating(reading.severity)
    severity = rating_named(reading.severity)
    if severity is Rating.UNKNOWN:
        severity = _rating_of(rule)
    vulnerability = DetectedVulnerability(
        reading.id,
        reading.package,
        reading.installed,
        reading.fixed,
        severity,
        bool(reading.fixed),
        reading.package_url,
        reading.aliases,
    )
    words = _suppressed_by(result)
    if words is not None:
        read.suppressed.append(Excused(vulnerability, words))
        return
    if severity is Rating.UNKNOWN and not is_rated:
        read.unrated.append(vulnerability)
    read.found.append(vulnerability)


def _is_no_finding(result: object) -> bool:
    return isinstance(result, dict) and (
        bounded_line(result.get("kind")) in _NO_FINDINGS or result.get("baselineState") == "absent"
    )


def _suppressed_by(result: object) -> str | None:
    """Who suppressed a result, in words; None where nobody did, or where that was refused or is not decided."""
    suppressions = _list(result, "suppressions")
    states = [each.get("status", "accepted") if isinstance(each, dict) else None for each in suppressions]
    if not states or any(state != "accepted" for state in states):
        return None
    reasons = (bounded_line(each.get("justification")) for each in suppressions)
    return suppressed_in_words("accepted", next((reason for reason in reasons if reason), ""), "")


def _driver(run: object) -> Mapping[str, Any]:
    return mapping(mapping(mapping(run).get("tool")).get("driver"))


def _rules(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [mapping(each) for each in _list(_driver(run), "rules")]


def _list(value: object, key: str) -> list[Any]:
    return items(mapping(value).get(key))


def _rule_of(
    result: object, rules: Sequence[Mapping[str, Any]], by_id: Mapping[str, Mapping[str, Any]]
) -> tuple[str, Mapping[str, Any]]:
    """The rule that a result names by its id or its place, and its name; without one, nothing is known of it, nor
    of the rules that a part of the tool has. Rules of one id are told apart by their places."""
    if not isinstance(result, dict):
        return "", {}
    reference = mapping(result.get("rule"))
    name = bounded_line(result.get("ruleId")) or bounded_line(reference.get("id"))
    if reference.get("toolComponent"):
        return name, {}
    index = result.get("ruleIndex", reference.get("index"))
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(rules):
        placed = bounded_line(rules[index].get("id"))
        if name in ("", placed):
            return placed, rules[index]
    return name, by_id.get(name, {})


def _rating_of(rule: Mapping[str, Any]) -> Rating:
    """Reads a rule's rating: the word among its tags, else the band of its score."""
    properties = mapping(rule.get("properties"))
    words = [bounded_line(tag) for tag in _list(properties, "tags")]
    tagged = next((Rating.of_word(word) for word in words if word.upper() in Rating.__members__), None)
    if tagged is not None:
        return tagged
    try:
        score = float(properties.get("security-severity", "nan"))
    except (TypeError, ValueError, OverflowError):
        return Rating.UNKNOWN
    return rating_of_score(score)
