"""SARIF: Trivy's has the package and its versions in the text of each result alone, Grype's and that of Trivy's
template in the help of each result's rule.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.packages.detected import DetectedVulnerability, Rating
from bot.verify.scanners.report import (
    GRYPE,
    TRIVY,
    Report,
    bounded,
    bounded_line,
    few,
    name_of,
    named_digests,
    rating_named,
    rating_of_score,
)

_LONGEST_MESSAGE = 8192
_NO_VULNERABILITIES = frozenset({"Secret", "Misconfiguration", "License"})
"""Rules of Trivy's SARIF that are about something else."""
_LINE = re.compile(r"^(Package|(?:Installed )?Version|Severity|(?:Fixed|Fix) Version): ?(.*)$", re.MULTILINE)
_HELP = re.compile(r"Vulnerability (\S{1,100})\n")
_IS_KNOWN = re.compile("trivy|grype", re.IGNORECASE)
_SHORTER = {"Version": "Installed Version", "Fix Version": "Fixed Version"}
"""Grype's words for Trivy's."""
_FOUND = re.compile(r" package: (?P<package>\S{1,200}), version (?P<version>\S{1,200}) was found ")
"""How Grype says in a result's text which version it is: a rule may be about several."""


def read_sarif(runs: list[Any], where: str) -> Report:
    """What all runs of one report found. Raises `Failure` where that is more than one image can have."""
    gaps: list[str] = []
    has_looked = bool(runs)
    found: list[DetectedVulnerability] = []
    digests: set[str] = set()
    if not runs:
        gaps.append("the report has no run of a scanner")
    for run in runs:
        results = run.get("results") if isinstance(run, dict) else None
        if not isinstance(results, list):
            gaps.append("a run has no results, so it cannot be told whether anything was looked for")
            has_looked = False
            continue
        if any(
            isinstance(each, dict) and each.get("executionSuccessful") is False
            for each in _list(run, "invocations")
        ):
            gaps.append("a run did not come to its end")
            has_looked = False
        digests |= named_digests(_list(run.get("properties"), "repoDigests"))
        rules = _rules(run)
        by_id = {bounded_line(each.get("id")): each for each in reversed(rules)}
        others = 0
        for result in results:
            name, rule = _rule_of(result, rules, by_id)
            if bounded_line(rule.get("name")) in _NO_VULNERABILITIES:
                others += 1
                continue
            vulnerability = _vulnerability(result, name, rule)
            if vulnerability is None:
                gaps.append("a result names no package and version, as those of Trivy and Grype do")
                continue
            if vulnerability.severity is Rating.UNKNOWN and not _told(result, rule).get("Severity"):
                gaps.append(f"nothing says how severe {vulnerability.id} is")
            found.append(vulnerability)
        name = bounded_line(_driver(run).get("name"))
        if not results and name and not _IS_KNOWN.search(name):
            gaps.append(
                f"a run of {name[:60]} found nothing, and whether that looks for vulnerabilities is not known"
            )
            has_looked = False
        if others and others == len(results):
            what = "a run tells of secrets, misconfiguration or licences alone"
            gaps.append(f"{what}, so it cannot be told whether vulnerabilities were looked for")
            has_looked = False
    scanner = name_of(_driver(runs[0]).get("name"), TRIVY) if runs else TRIVY
    scanner = GRYPE if GRYPE.lower() in scanner.lower() else scanner
    told = bounded(found, where)
    return Report(told, few(gaps), image_digests=frozenset(digests), scanner=scanner, has_looked=has_looked)


def _driver(run: object) -> Mapping[str, Any]:
    tool = run.get("tool") if isinstance(run, dict) else None
    driver = tool.get("driver") if isinstance(tool, dict) else None
    return driver if isinstance(driver, dict) else {}


def _rules(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each if isinstance(each, dict) else {} for each in _list(_driver(run), "rules")]


def _list(value: object, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _rule_of(
    result: object, rules: Sequence[Mapping[str, Any]], by_id: Mapping[str, Mapping[str, Any]]
) -> tuple[str, Mapping[str, Any]]:
    """The rule that a result names by its id or its place, and its name; without one, nothing is known of it."""
    if not isinstance(result, dict):
        return "", {}
    inner = result.get("rule")
    reference = inner if isinstance(inner, dict) else {}
    name = bounded_line(result.get("ruleId")) or bounded_line(reference.get("id"))
    if name:
        return name, by_id.get(name, {})
    index = result.get("ruleIndex", reference.get("index"))
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(rules):
        return bounded_line(rules[index].get("id")), rules[index]
    return "", {}


def _vulnerability(value: object, name: str, rule: Mapping[str, Any]) -> DetectedVulnerability | None:
    told = _told(value, rule)
    name = told.get("Vulnerability", name)
    package, installed = told.get("Package", ""), told.get("Installed Version", "")
    if not name or not package or not installed:
        return None
    fixed = told.get("Fixed Version", "")
    severity = rating_named(told["Severity"]) if told.get("Severity") else _rating_of(rule)
    return DetectedVulnerability(name, package, installed, fixed, severity, bool(fixed))


def _told(result: object, rule: Mapping[str, Any]) -> Mapping[str, str]:
    """What the lines of a result's text say, or those of its rule's help, which name the vulnerability first."""
    message = _text_under(result, "message")
    told = _lines(message)
    if "Package" in told:
        return told
    explained = _text_under(rule, "help")
    named = _HELP.match(explained)
    if named is None:
        return told
    found = _FOUND.search(message)
    own = {} if found is None else {"Package": found["package"], "Installed Version": found["version"]}
    return {**_lines(explained), **own, "Vulnerability": bounded_line(named[1])}


def _lines(text: str) -> dict[str, str]:
    return {_SHORTER.get(key, key): bounded_line(value.strip()) for key, value in _LINE.findall(text)}


def _text_under(value: object, key: str) -> str:
    inner = value.get(key) if isinstance(value, dict) else None
    text = inner.get("text") if isinstance(inner, dict) else None
    return text[:_LONGEST_MESSAGE] if isinstance(text, str) else ""


def _rating_of(rule: Mapping[str, Any]) -> Rating:
    """What a rule says: the word among its tags, else the band of its score."""
    properties = rule.get("properties")
    words = [bounded_line(tag) for tag in _list(properties, "tags")]
    tagged = next((Rating.named(word) for word in words if word.upper() in Rating.__members__), None)
    if tagged is not None:
        return tagged
    try:
        score = float(properties.get("security-severity", "nan")) if isinstance(properties, dict) else 0.0
    except (TypeError, ValueError, OverflowError):
        return Rating.UNKNOWN
    return rating_of_score(score)
