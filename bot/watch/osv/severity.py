"""How severe a record is: its publisher's word, else the band of its highest CVSS score."""

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


@dataclass(frozen=True, slots=True)
class PublishedRating:
    """`by` is a publisher, `CVSS 3.1`, or empty where nobody says anything."""

    severity: Severity | None = None
    by: str = ""
    score: float | None = None


def rating_of(record: str, severities: object, said: Iterable[object]) -> PublishedRating:
    """The publisher's word where there is one, with the highest CVSS score; else that score's band.

    `severities` is the list in the record, `said` what publishers add to it and to its packages.
    """
    others = [each for each in said if isinstance(each, Mapping)]
    entries = list(_entries(severities))
    for each in others:
        entries += _entries(each.get("severity"))
    scored = max(_scored(entries), default=None)
    score = scored[0] if scored is not None else None
    words = [word for kind, word in entries if not kind.startswith("CVSS")]
    words += [word for each in others for key in _SAID_UNDER if isinstance(word := each.get(key), str)]
    named = worst(map(_severity, words))
    if named is not None:
        by = next((name for start, name in _PUBLISHERS.items() if record.startswith(start)), "its publisher")
        return PublishedRating(named, by, score)
    if scored is None:
        return PublishedRating()
    band = next((severity for least, severity in _BANDS if scored[0] >= least), None)
    return PublishedRating(band, f"CVSS {scored[1]}" if band is not None else "", score)


def _entries(values: object) -> Iterator[tuple[str, str]]:
    for each in values[:_MOST_RATINGS] if isinstance(values, list) else ():
        if isinstance(each, Mapping) and isinstance(each.get("type"), str) and isinstance(each.get("score"), str):
            yield each["type"], each["score"][:_LONGEST_VECTOR]


def _severity(word: str) -> Severity | None:
    return _WORDS.get(word.strip().lower()) or Severity.named(word)


def _scored(entries: Iterable[tuple[str, str]]) -> Iterator[tuple[float, str]]:
    """The base score of each vector that is one, with the version of CVSS."""
    from cvss import CVSS2, CVSS3, CVSS4
    from cvss.exceptions import CVSSError

    for kind, vector in entries:
        try:
            match kind:
                case "CVSS_V2":
                    yield float(CVSS2(vector).base_score), "2"
                case "CVSS_V3":
                    yield float(CVSS3(vector).base_score), vector.partition("/")[0].removeprefix("CVSS:")
                case "CVSS_V4":
                    yield float(CVSS4(vector).base_score), "4.0"
        except CVSSError:
            continue
