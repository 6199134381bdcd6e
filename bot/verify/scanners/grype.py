"""Grype's reports in JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.packages.detected import DetectedVulnerability, is_cve
from bot.verify.packages.reading import malformed, mapping
from bot.verify.scanners.report import (
    GRYPE,
    Report,
    aliases_among,
    bounded,
    bounded_line,
    few,
    image_id_of,
    is_rating,
    moment_of,
    named_digests,
    platform_in,
    rating_named,
    without_tag,
)

_FIXED = "fixed"
_IMAGE = "image"


def read_grype(document: Mapping[str, Any], where: str) -> Report:
    """What Grype matched. What it was told to ignore it lists apart, and that is not taken in.

    Raises `Failure` where the matches have another shape than Grype's.
    """
    matches = document.get("matches")
    if not isinstance(matches, list):
        raise malformed("has no list of matches, as Grype's reports have", where)
    gaps: list[str] = []
    found: list[DetectedVulnerability] = []
    unrated: list[DetectedVulnerability] = []
    for each in matches:
        told = list(_told(each))
        found += told
        if not told:
            gaps.append("a match names no vulnerability or package")
        elif not is_rating(_severity_of(each)):
            unrated += told
    source = mapping(document.get("source"))
    target = mapping(source.get("target")) if source.get("type") == _IMAGE else {}
    names = target.get("repoDigests")
    digests = named_digests([target.get("manifestDigest"), *(names if isinstance(names, list) else [])])
    created_at = moment_of(mapping(document.get("descriptor")).get("timestamp"))
    name = without_tag(bounded_line(target.get("userInput")))
    image = image_id_of(target.get("imageID"))
    return Report(
        bounded(found, where),
        few(gaps),
        created_at,
        name,
        digests,
        GRYPE,
        image_id=image,
        platform=platform_in(target),
        unrated=tuple(unrated),
    )


def _told(match: object) -> Iterator[DetectedVulnerability]:
    """What a match says of one package: an advisory that stands for CVEs is told by these, as elsewhere."""
    vulnerability = mapping(mapping(match).get("vulnerability"))
    artifact = mapping(mapping(match).get("artifact"))
    name, package = bounded_line(vulnerability.get("id")), bounded_line(artifact.get("name"))
    if not name or not package:
        return
    fix = mapping(vulnerability.get("fix"))
    versions = fix.get("versions")
    fixed = (
        ", ".join(bounded_line(each) for each in versions if bounded_line(each))
        if isinstance(versions, list)
        else ""
    )
    rating = rating_named(_severity_of(match))
    state = bounded_line(fix.get("state"))
    names = _names(name, mapping(match).get("relatedVulnerabilities"))
    for each in names:
        yield DetectedVulnerability(
            each,
            package,
            bounded_line(artifact.get("version")),
            fixed,
            rating,
            state == _FIXED if state else bool(fixed),
            bounded_line(artifact.get("purl")),
            aliases_among([name]) if names != [name] else (),
        )


def _severity_of(match: object) -> str:
    return bounded_line(mapping(mapping(match).get("vulnerability")).get("severity"))


def _names(name: str, related: object) -> list[str]:
    if is_cve(name):
        return [name]
    named = [bounded_line(mapping(each).get("id")) for each in (related if isinstance(related, list) else ())]
    return list(dict.fromkeys(each for each in named if is_cve(each))) or [name]
