"""Reports of a scanner: what it found in an image, and what it cannot tell.

Reports are Trivy's JSON (schema version 2, and the bare list of version 1) and SARIF as Trivy writes it, which has
the package and its versions in the text of each result only.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.failure import Failure, Trouble
from bot.domain.packages.detected import DetectedVulnerability, Rating
from bot.domain.wording.escaping import terminal

LARGEST_REPORT = 128 * 1024 * 1024
_MOST_FINDINGS = 500_000
_LONGEST = 512
_MOST_NAMES = 100
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_FIXED = "fixed"
_PACKAGES = frozenset({"os-pkgs", "lang-pkgs"})
"""Classes of Trivy's results in which vulnerabilities are looked for."""
_NO_VULNERABILITIES = frozenset({"Secret", "Misconfiguration", "License"})
"""Rules of Trivy's SARIF that are about something else."""
_HIGHEST_SCORE = 10.0
_BANDS = ((9.0, Rating.CRITICAL), (7.0, Rating.HIGH), (4.0, Rating.MEDIUM), (0.1, Rating.LOW))
"""From which CVSS score on a vulnerability is so severe."""


@dataclass(frozen=True, slots=True)
class Report:
    """A scanner's findings. `gaps` says what it cannot tell, one line for each; `created_at` where it says so.

    `image_name` is the last part of the name of the image that was scanned, `image_digests` are those it goes by.
    """

    vulnerabilities: tuple[DetectedVulnerability, ...]
    gaps: tuple[str, ...] = ()
    created_at: datetime | None = None
    image_name: str = ""
    image_digests: frozenset[str] = frozenset()


def severities(text: str) -> frozenset[Rating]:
    """`HIGH,CRITICAL` in either case. Raises `Failure` for another word."""
    words = [word.strip().upper() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in Rating.__members__]
    if unknown or not words:
        known = ", ".join(Rating)
        raise Failure(Trouble.MALFORMED, f"{text[:60]!r} names no severity", advice=f"choose from {known}")
    return frozenset(Rating(word) for word in words)


def read_report(data: bytes, where: str) -> Report:
    """Raises `Failure` for what is no report of a scanner."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _malformed("is not valid JSON", where) from error
    match document:
        case {"runs": list(runs)}:
            return _read_sarif(runs, where)
        case {"SchemaVersion": int(version)} if version != 2:
            raise _malformed(f"is a Trivy report of the unknown schema version {version}", where)
        case {"SchemaVersion": 2} | {"Results": list()}:
            return _read_trivy(document, document.get("Results"), where)
        case [*results] if all(isinstance(result, dict) and "Target" in result for result in results):
            return _read_trivy({}, results, where)
        case _:
            raise _malformed("is no report of Trivy, neither JSON nor SARIF", where)


def _read_trivy(document: Mapping[str, Any], results: object, where: str) -> Report:
    gaps: list[str] = []
    if not isinstance(results, list) or not results:
        gaps.append("the scanner found nothing that it knows, so it looked for no vulnerability")
    elif all(isinstance(each, dict) and each.get("Class") not in (None, "", *_PACKAGES) for each in results):
        gaps.append("the scanner looked for something else than vulnerabilities")
    found: list[DetectedVulnerability] = []
    for result in results if isinstance(results, list) else ():
        listed = result.get("Vulnerabilities") if isinstance(result, dict) else None
        if not isinstance(result, dict) or not isinstance(listed, list | None):
            raise _malformed("has a result of another shape than Trivy's", where)
        for each in listed or ():
            vulnerability = _trivy_vulnerability(each)
            if vulnerability is None:
                gaps.append(f"a finding in {str(result.get('Target'))[:80]!r} names no vulnerability or package")
            else:
                found.append(vulnerability)
    name = _text(document.get("ArtifactName")).partition("@")[0].rpartition("/")[2].partition(":")[0]
    digests = _named_digests(document.get("Metadata"), "RepoDigests")
    return Report(_bounded(found, where), _few(gaps), _time(document.get("CreatedAt")), name, digests)


def _named_digests(values: object, key: str) -> frozenset[str]:
    """Those in `registry/name@digest`, as Trivy names the images that it scanned."""
    listed = values.get(key) if isinstance(values, dict) else None
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    digests = (name.rpartition("@")[2] for name in names[:_MOST_NAMES])
    return frozenset(digest for digest in digests if _DIGEST.fullmatch(digest))


def _trivy_vulnerability(value: object) -> DetectedVulnerability | None:
    """Reports of old have no `Status`; there, what names a fixed version has one."""
    if not isinstance(value, dict):
        return None
    name, package = _text(value.get("VulnerabilityID")), _text(value.get("PkgName"))
    if not name or not package:
        return None
    fixed, status = _text(value.get("FixedVersion")), _text(value.get("Status"))
    identifier = value.get("PkgIdentifier")
    return DetectedVulnerability(
        name,
        package,
        _text(value.get("InstalledVersion")),
        fixed,
        Rating.named(_text(value.get("Severity"))),
        status == _FIXED if status else bool(fixed),
        _text(identifier.get("PURL")) if isinstance(identifier, dict) else "",
    )


_SARIF_LINE = re.compile(r"^(Package|Installed Version|Severity|Fixed Version): ?(.*)$", re.MULTILINE)


def _read_sarif(runs: list[Any], where: str) -> Report:
    gaps: list[str] = []
    found: list[DetectedVulnerability] = []
    digests: set[str] = set()
    if not runs:
        gaps.append("the report has no run of a scanner")
    for run in runs:
        results = run.get("results") if isinstance(run, dict) else None
        if not isinstance(results, list):
            gaps.append("a run has no results, so it cannot be told whether anything was looked for")
            continue
        if any(
            isinstance(each, dict) and each.get("executionSuccessful") is False
            for each in _list(run, "invocations")
        ):
            gaps.append("a run did not come to its end")
        digests |= _named_digests(run.get("properties"), "repoDigests")
        rules = _rules(run)
        by_id = {_text(each.get("id")): each for each in reversed(rules)}
        for result in results:
            name, rule = _rule_of(result, rules, by_id)
            if _text(rule.get("name")) in _NO_VULNERABILITIES:
                continue
            vulnerability = _sarif_vulnerability(result, name, rule)
            if vulnerability is None:
                gaps.append("a result names no package and version, as those of Trivy do")
                continue
            if vulnerability.severity is Rating.UNKNOWN and not _is_rated(result):
                gaps.append(f"nothing says how severe {vulnerability.id} is")
            found.append(vulnerability)
    return Report(_bounded(found, where), _few(gaps), image_digests=frozenset(digests))


def _rules(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    tool = run.get("tool")
    driver = tool.get("driver") if isinstance(tool, dict) else None
    return [each if isinstance(each, dict) else {} for each in _list(driver, "rules")]


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
    name = _text(result.get("ruleId")) or _text(reference.get("id"))
    if name:
        return name, by_id.get(name, {})
    index = result.get("ruleIndex", reference.get("index"))
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(rules):
        return _text(rules[index].get("id")), rules[index]
    return "", {}


def _sarif_vulnerability(value: object, name: str, rule: Mapping[str, Any]) -> DetectedVulnerability | None:
    told = _told(value)
    package, installed = told.get("Package", ""), told.get("Installed Version", "")
    if not name or not package or not installed:
        return None
    fixed = told.get("Fixed Version", "")
    severity = Rating.named(told["Severity"]) if told.get("Severity") else _rating_of(rule)
    return DetectedVulnerability(name, package, installed, fixed, severity, bool(fixed))


def _told(value: object) -> Mapping[str, str]:
    match value:
        case {"message": {"text": str(message)}}:
            return {key: _text(text.strip()) for key, text in _SARIF_LINE.findall(message[: 16 * _LONGEST])}
        case _:
            return {}


def _is_rated(result: object) -> bool:
    return bool(_told(result).get("Severity"))


def _rating_of(rule: Mapping[str, Any]) -> Rating:
    """What a rule says: the word among its tags, else the band of its score."""
    properties = rule.get("properties")
    words = [_text(tag) for tag in _list(properties, "tags")]
    tagged = next((Rating.named(word) for word in words if word.upper() in Rating.__members__), None)
    if tagged is not None:
        return tagged
    try:
        score = float(properties.get("security-severity", "nan")) if isinstance(properties, dict) else 0.0
    except (TypeError, ValueError, OverflowError):
        return Rating.UNKNOWN
    return next((rating for least, rating in _BANDS if least <= score <= _HIGHEST_SCORE), Rating.UNKNOWN)


def _text(value: object) -> str:
    """A text as it can be kept and shown on one line."""
    words = value[:_LONGEST] if isinstance(value, str) else ""
    return words if words.isprintable() else terminal(words)


def _time(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(_text(value))
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _bounded(found: list[DetectedVulnerability], where: str) -> tuple[DetectedVulnerability, ...]:
    if len(found) > _MOST_FINDINGS:
        raise _malformed(f"has more than {_MOST_FINDINGS} findings", where)
    return tuple(found)


def _few(gaps: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(gaps))[:10]


def _malformed(what: str, where: str) -> Failure:
    return Failure(Trouble.MALFORMED, what, where=where, advice="nothing of it is used")
