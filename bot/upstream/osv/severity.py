"""How severe a record is: its publisher's word, else the highest band of its CVSS scores."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.domain.feeds.advisory import Severity, worst

_PUBLISHERS = {
    "UBUNTU-": "Ubuntu",
    "USN-": "Ubuntu",
    "DEBIAN-": "Debian",
    "DSA-": "Debian",
    "DLA-": "Debian",
    "ALPINE-": "Alpine",
    "AZL-": "Azure Linux",
    "GHSA-": "GitHub",
}
_WORDS = {"negligible": Severity.LOW, "unimportant": Severity.LOW}
_SAID_UNDER = ("severity", "urgency", "ubuntu_priority", "priority")
_MOST_RATINGS = 50
_LONGEST_VECTOR = 256
_BANDS = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MODERATE), (0.1, Severity.LOW))
_CVSS_2 = "2"
"""The version whose highest band is high."""


@dataclass(frozen=True, slots=True)
class PublishedRating:
    """`by` is a publisher, `CVSS 3.1`, or empty where nobody says anything."""

    severity: Severity | None = None
    by: str = ""
    score: float | None = None


def rating_of(record: str, severities: object, additions: Iterable[object]) -> PublishedRating:
    """The publisher's word where there is one, with the highest CVSS score; else the highest band of such scores.

    `severities` is the list in the record, `additions` are what publishers add to it and to its packages.
    """
    others = [each for each in additions if isinstance(each, Mapping)]
    entries = list(_entries(severities))
    for source in others:
        entries += _entries(source.get("severity"))
    scored = list(_score_vectors(entries))
    score = max((score for score, _ in scored), default=None)
    words = [word for kind, word in entries if not kind.startswith("CVSS")]
    words += [word for each in others for key in _SAID_UNDER if isinstance(word := each.get(key), str)]
    word_severity = worst(map(_severity, words))
    if word_severity is not None:
        by = next((name for start, name in _PUBLISHERS.items() if record.startswith(start)), "its publisher")
        return PublishedRating(word_severity, by, score)
    bands = [(band.rank, points, version, band) for points, version in scored if (band := _band(points, version))]
    if not bands:
        return PublishedRating(score=score)
    _, _, version, severity = max(bands)
    return PublishedRating(severity, f"CVSS {version}", score)


def _band(score: float, version: str) -> Severity | None:
    band = next((severity for least, severity in _BANDS if score >= least), None)
    return Severity.HIGH if band is Severity.CRITICAL and version == _CVSS_2 else band


def _entries(values: object) -> Iterator[tuple[str, str]]:
    for entry in values[:_MOST_RATINGS] if isinstance(values, list) else ():
        if (
            isinstance(entry, Mapping)
            and isinstance(entry.get("type"), str)
            and isinstance(entry.get("score"), str)
        ):
            yield entry["type"], entry["score"][:_LONGEST_VECTOR]


def _severity(word: str) -> Severity | None:
    """Debian writes asterisks behind a word that nobody has confirmed."""
    bare_word = word.strip().rstrip("*").lower()
    return _WORDS.get(bare_word) or Severity.named(bare_word)


def _score_vectors(entries: Iterable[tuple[str, str]]) -> Iterator[tuple[float, str]]:
    """The base score of each vector that is one, with the version of CVSS."""
    from cvss import CVSS2, CVSS3, CVSS4
    from cvss.exceptions import CVSSError

    for kind, vector in entries:
        try:
            match kind:
                case "CVSS_V2":
                    yield float(CVSS2(vector).base_score), _CVSS_2
                case "CVSS_V3":
                    yield float(CVSS3(vector).base_score), vector.partition("/")[0].removeprefix("CVSS:")
                case "CVSS_V4":
                    yield float(CVSS4(vector).base_score), "4.0"
        except CVSSError:
            continue
