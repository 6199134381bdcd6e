"""Grype's reports in JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.packages.cves.detected import DetectedVulnerability, Rating, is_cve
from bot.domain.packages.gate import Excused
from bot.images.packages.reading import items, malformed, mapping
from bot.images.scanners.report import (
    GRYPE,
    Report,
    aliases_among,
    bounded,
    bounded_line,
    few,
    highest,
    image_id_of,
    is_rating,
    moment_of,
    named_digests,
    out_of_support,
    platform_in,
    rating_named,
    rating_of_score,
    suppressed_in_words,
    without_tag,
)

_FIXED = "fixed"
_STATES = frozenset({_FIXED, "not-fixed", "wont-fix", "unknown"})
_IMAGE = "image"


def read_grype(document: Mapping[str, Any], place: str) -> Report:
    """What Grype matched; what it was told to ignore it lists apart.

    What it left out for the state of its fix alone is found all the same: whether that counts, whoever asks says.

    Raises `Failure` where the matches have another shape than Grype's.
    """
    matches = document.get("matches")
    if not isinstance(matches, list):
        raise malformed("has no list of matches, as Grype's reports have", place)
    gaps: list[str] = []
    findings: list[DetectedVulnerability] = []
    unrated: list[DetectedVulnerability] = []
    ignored = items(document.get("ignoredMatches"))
    for match in (*matches, *filter(_is_left_out_for_its_fix, ignored)):
        match_findings = list(_read_match(match))
        findings += match_findings
        if not match_findings:
            gaps.append("a match names no vulnerability or package")
            continue
        if not _tells_fix(match):
            gaps.append(f"nothing says whether {match_findings[0].id} in {match_findings[0].package} has a fix")
        if match_findings[0].severity is Rating.UNKNOWN and not is_rating(_severity_of(match)):
            unrated += match_findings
    descriptor = mapping(document.get("descriptor"))
    if mapping(descriptor.get("configuration")).get("only-notfixed") is True:
        gaps.append("Grype was told to leave out what has a fix (--only-notfixed)")
    notes, unread = _alerts(document.get("alertsByPackage"))
    source = mapping(document.get("source"))
    target = mapping(source.get("target")) if source.get("type") == _IMAGE else {}
    digests = named_digests([target.get("manifestDigest"), *items(target.get("repoDigests"))])
    created_at = moment_of(descriptor.get("timestamp"))
    name = without_tag(bounded_line(target.get("userInput")))
    image = image_id_of(target.get("imageID"))
    return Report(
        bounded(findings, place),
        few([*gaps, *unread]),
        created_at,
        name,
        digests,
        GRYPE,
        image_id=image,
        suppressed=bounded(list(_suppressed(ignored)), place),
        platform=platform_in(target),
        unrated=tuple(unrated),
        notes=few(notes),
    )


def _is_left_out_for_its_fix(match: object) -> bool:
    """Whether `--only-fixed` or `--ignore-states` took a match away: rules that ask for the state of the fix alone.

    Some of what a rule does not ask for, Grype writes as empty texts.
    """
    rules = [mapping(rule) for rule in items(mapping(match).get("appliedIgnoreRules"))]
    rule_keys = {key for rule in rules for key, value in rule.items() if value and key not in ("reason", "package")}
    of_packages = any(value for rule in rules for value in mapping(rule.get("package")).values())
    return rule_keys == {"fix-state"} and not of_packages


def _suppressed(matches: list[Any]) -> Iterator[Excused]:
    """What somebody's rules or VEX documents took away. By rules of its own, of the kind of match, Grype leaves the
    kernel out where an image has its headers alone: that is nobody's word, and no finding."""
    for match in matches:
        rules = [mapping(rule) for rule in items(mapping(match).get("appliedIgnoreRules"))]
        by_people = [rule for rule in rules if not rule.get("match-type")]
        if (rules and not by_people) or _is_left_out_for_its_fix(match):
            continue
        why = _words(by_people[0] if by_people else {})
        yield from (Excused(vulnerability, why) for vulnerability in _read_match(match))


def _words(rule: Mapping[str, Any]) -> str:
    words = {key: bounded_line(rule.get(key)) for key in ("vex-status", "vex-justification", "reason")}
    status = words["vex-status"].replace("_", " ") or "ignored"
    return suppressed_in_words(status, words["vex-justification"] or words["reason"], "")


def _alerts(packages: object) -> tuple[list[str], list[str]]:
    """What Grype says of distributions of packages: those out of support, and those that it does not look at."""
    notes: list[str] = []
    gaps: list[str] = []
    for package in items(packages):
        for alert in items(mapping(package).get("alerts")):
            kind, about = mapping(alert).get("type"), mapping(mapping(alert).get("metadata"))
            distribution = " ".join(filter(None, (bounded_line(about.get(key)) for key in ("name", "version"))))
            if kind == "distro-eol":
                notes.append(out_of_support(GRYPE, distribution or "its distribution"))
            elif kind == "distro-disabled":
                gaps.append(f"Grype looks for no vulnerability in packages of {distribution or 'its distribution'}")
    return notes, gaps


def _read_match(match: object) -> Iterator[DetectedVulnerability]:
    """What a match says of one package: an advisory that stands for CVEs is told by these, as elsewhere."""
    vulnerability = mapping(mapping(match).get("vulnerability"))
    artifact = mapping(mapping(match).get("artifact"))
    name, package = bounded_line(vulnerability.get("id")), bounded_line(artifact.get("name"))
    if not name or not package:
        return
    fix = mapping(vulnerability.get("fix"))
    fixed = ", ".join(filter(None, map(bounded_line, items(fix.get("versions")))))
    rating = _rating_of(match)
    state = bounded_line(fix.get("state"))
    names = _names(name, mapping(match).get("relatedVulnerabilities"))
    for vulnerability_name in names:
        yield DetectedVulnerability(
            vulnerability_name,
            package,
            bounded_line(artifact.get("version")),
            fixed,
            rating,
            state == _FIXED if state in _STATES else bool(fixed),
            bounded_line(artifact.get("purl")),
            aliases_among([name]) if names != [name] else (),
        )


def _tells_fix(match: object) -> bool:
    fix = mapping(mapping(mapping(match).get("vulnerability")).get("fix"))
    return bounded_line(fix.get("state")) in _STATES or isinstance(fix.get("versions"), list)


def _severity_of(match: object) -> str:
    return bounded_line(mapping(mapping(match).get("vulnerability")).get("severity"))


def _rating_of(match: object) -> Rating:
    """The word that Grype chose, else the highest band of the CVSS scores of it and of what it names as related."""
    rating = rating_named(_severity_of(match))
    if rating is not Rating.UNKNOWN:
        return rating
    inner = mapping(match)
    scored = [mapping(each) for each in (inner.get("vulnerability"), *items(inner.get("relatedVulnerabilities")))]
    scores = [mapping(score) for each in scored for score in items(each.get("cvss"))]
    return highest(
        rating_of_score(
            mapping(score.get("metrics")).get("baseScore"),
            is_of_version_2=str(score.get("version")).startswith("2"),
        )
        for score in scores
    )


def _names(name: str, related: object) -> list[str]:
    if is_cve(name):
        return [name]
    related_names = [bounded_line(mapping(each).get("id")) for each in items(related)]
    return list(dict.fromkeys(each for each in related_names if is_cve(each))) or [name]
