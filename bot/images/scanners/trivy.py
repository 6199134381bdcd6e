"""Trivy's reports in JSON: schema version 2, the bare list of version 1, and those of a cluster (`trivy k8s`)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.domain.packages.cves.detected import DetectedVulnerability, Rating
from bot.domain.packages.gate import Excused
from bot.images.packages.reading import items, listed, malformed, mapping
from bot.images.scanners.report import (
    TRIVY,
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
    rating_of_score,
    suppressed_in_words,
    without_tag,
)

_FIXED = "fixed"
_STATUSES = frozenset(
    {
        *(_FIXED, "affected", "not_affected", "under_investigation", "will_not_fix", "fix_deferred", "end_of_life"),
        "unknown",
    }
)
_SCORE_2 = "V2Score"
_SCORES = (_SCORE_2, "V3Score", "V40Score")
_PACKAGES = frozenset({"os-pkgs", "lang-pkgs"})
"""Classes of Trivy's results in which vulnerabilities are looked for."""
_EXCUSING = frozenset({"ignored", "not_affected", "fixed"})
"""What it says of a finding that does not count; it also knows those that are affected, or looked into."""
_RESOURCES = ("Resources", "Findings", "Vulnerabilities")
"""Where reports of a cluster list what was scanned in it: the whole, the summary, and those of old."""
_ELSE = ("Secrets", "Misconfigurations", "MisconfSummary", "Licenses")


def read_trivy(document: Mapping[str, Any], results: object, place: str) -> Report:
    """What Trivy found. Raises `Failure` where a result has another shape than Trivy's."""
    gaps: list[str] = []
    if not isinstance(results, list) or not results:
        gaps.append("the scanner found nothing that it knows, so it looked for no vulnerability")
    elif all(isinstance(each, dict) and not _is_of_packages(each) for each in results):
        gaps.append("the scanner looked for something else than vulnerabilities")
    has_looked = not gaps
    vulnerabilities: list[DetectedVulnerability] = []
    unrated: list[DetectedVulnerability] = []
    suppressed: list[Excused] = []
    for result in items(results):
        findings = result.get("Vulnerabilities") if isinstance(result, dict) else None
        if not isinstance(result, dict) or not isinstance(findings, list | None):
            raise malformed("has a result of another shape than Trivy's", place)
        standing, excuses = _modified(result)
        suppressed += excuses
        for finding in (*(findings or ()), *standing):
            vulnerability = _vulnerability(finding)
            if vulnerability is None:
                gaps.append(f"a finding in {str(result.get('Target'))[:80]!r} names no vulnerability or package")
                continue
            if vulnerability.severity is Rating.UNKNOWN and not is_rating(finding.get("Severity")):
                unrated.append(vulnerability)
            vulnerabilities.append(vulnerability)
    metadata = mapping(document.get("Metadata"))
    return Report(
        bounded(vulnerabilities, place),
        few(gaps),
        moment_of(document.get("CreatedAt")),
        without_tag(bounded_line(document.get("ArtifactName"))),
        named_digests(items(metadata.get("RepoDigests"))),
        has_looked=has_looked,
        image_id=image_id_of(metadata.get("ImageID")),
        suppressed=bounded(suppressed, place),
        platform=platform_in(mapping(metadata.get("ImageConfig"))),
        unrated=tuple(unrated),
        notes=_notes(mapping(metadata.get("OS"))),
    )


def read_trivy_of_cluster(document: Mapping[str, Any], place: str) -> Report:
    """What Trivy found in the resources of a cluster, each with its images; what two of them share counts once.

    A resource that it could not scan is a gap. Raises `Failure` as `read_trivy` does.
    """
    resources = [mapping(each) for key in _RESOURCES for each in listed(document, key, place)]
    results = [result for each in resources for result in listed(each, "Results", place)]
    failed = [each for each in resources if each.get("Error")]
    gaps = (f"{_resource(each)} was not scanned: {bounded_line(each['Error'])}" for each in failed)
    read = read_trivy({}, results, place)
    return replace(
        read,
        vulnerabilities=tuple(dict.fromkeys(read.vulnerabilities)),
        gaps=few((*read.gaps, *gaps)),
        is_about_several=True,
    )


def _resource(resource: Mapping[str, Any]) -> str:
    return "/".join(bounded_line(resource.get(key)) for key in ("Namespace", "Kind", "Name") if resource.get(key))


def _notes(system: Mapping[str, Any]) -> tuple[str, ...]:
    if system.get("EOSL") is not True:
        return ()
    distribution = " ".join(filter(None, (bounded_line(system.get(key)) for key in ("Family", "Name"))))
    return (out_of_support(TRIVY, distribution or "its distribution"),)


def _is_of_packages(result: Mapping[str, Any]) -> bool:
    """Whether vulnerabilities were looked for there; where the class is not told, by what else was found there."""
    if result_class := result.get("Class"):
        return bounded_line(result_class) in _PACKAGES
    return result.get("Vulnerabilities") is not None or not any(result.get(key) for key in _ELSE)


def _modified(result: Mapping[str, Any]) -> tuple[list[object], list[Excused]]:
    """What Trivy lists apart with `--show-suppressed`: what stands all the same, and what an ignore file or a VEX
    document takes away."""
    standing: list[object] = []
    excused: list[Excused] = []
    for entry in items(result.get("ExperimentalModifiedFindings")):
        vulnerability = _vulnerability(mapping(entry).get("Finding"))
        if vulnerability is None:
            continue
        status, statement, source = (bounded_line(entry.get(key)) for key in ("Status", "Statement", "Source"))
        if status in _EXCUSING:
            excused.append(Excused(vulnerability, suppressed_in_words(status.replace("_", " "), statement, source)))
        else:
            standing.append(entry["Finding"])
    return standing, excused


def _vulnerability(value: object) -> DetectedVulnerability | None:
    """Reports of old have no `Status`; there, and by one that is none, what names a fixed version has one."""
    if not isinstance(value, dict):
        return None
    name, package = bounded_line(value.get("VulnerabilityID")), bounded_line(value.get("PkgName"))
    if not name or not package:
        return None
    fixed, status = (
        bounded_line(value.get("FixedVersion")).strip(),
        bounded_line(value.get("Status")).strip().lower(),
    )
    return DetectedVulnerability(
        name,
        package,
        bounded_line(value.get("InstalledVersion")),
        fixed,
        _rating_of(value),
        status == _FIXED if status in _STATUSES else bool(fixed),
        bounded_line(mapping(value.get("PkgIdentifier")).get("PURL")),
        aliases_among(value.get("VendorIDs")),
    )


def _rating_of(vulnerability: Mapping[str, Any]) -> Rating:
    """The word that Trivy chose, else the highest band of the CVSS scores that anybody gave."""
    rating = Rating.of_word(bounded_line(vulnerability.get("Severity")))
    by_source = vulnerability.get("CVSS")
    if rating is not Rating.UNKNOWN or not isinstance(by_source, dict):
        return rating
    score_pairs = (
        (key, scores.get(key)) for scores in by_source.values() if isinstance(scores, dict) for key in _SCORES
    )
    return highest(rating_of_score(score, is_of_version_2=key == _SCORE_2) for key, score in score_pairs)
