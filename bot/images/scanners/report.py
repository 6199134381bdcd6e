"""What a scanner found in an image, whichever wrote it, and what it cannot tell."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from bot.domain.failure import Failure, Trouble
from bot.domain.packages.cves.detected import DetectedVulnerability, Rating, gaps_of_unrated
from bot.domain.packages.gate import Excused
from bot.domain.platform import usual_name
from bot.domain.reference import DEFAULT_REGISTRY, InvalidReference, Reference
from bot.domain.wording.escaping import terminal
from bot.images.packages.reading import items, malformed

T = TypeVar("T")
LARGEST_REPORT = 128 * 1024 * 1024
TRIVY = "Trivy"
GRYPE = "Grype"
_NEGLIGIBLE = "NEGLIGIBLE"
"""Debian's and Ubuntu's word for what is less than low."""
_MOST_FINDINGS = 500_000
_LONGEST = 512
_LONGEST_NAME = 60
_MOST_NAMES = 100
_HIGHEST_SCORE = 10.0
_BANDS = ((9.0, Rating.CRITICAL), (7.0, Rating.HIGH), (4.0, Rating.MEDIUM), (0.1, Rating.LOW))
"""From which CVSS score on a vulnerability is so severe."""
_HUB = ("index.docker.io", "registry-1.docker.io")
"""Other names of Docker Hub's registry."""
_ARCHIVES = (".tar", ".tar.gz", ".tgz")
_GITHUB = re.compile(r"GHSA(-[0-9a-z]{4}){3}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Report:
    """A scanner's findings. `gaps` says what it cannot tell, one line for each; `created_at` where it says so.

    `unrated` are the findings that nobody says the severity of; each is among the vulnerabilities as unknown.
    `image_name` is the name of the image that was scanned, `image_digests` are those it goes by.
    `image_id` is the digest of its configuration, by which engines name it, where the report has that.
    `suppressed` are those that somebody told the scanner to leave out, and in whose words.
    `is_about_several` is True where its parts name different images: then it is about none of them.
    `platform` is that of the image where it is known, as `linux/arm64`.
    `has_looked` is False where the scanner looked for no vulnerability: to have found none says nothing then.
    """

    vulnerabilities: tuple[DetectedVulnerability, ...]
    gaps: tuple[str, ...] = ()
    created_at: datetime | None = None
    image_name: str = ""
    image_digests: frozenset[str] = frozenset()
    scanner: str = TRIVY
    has_looked: bool = True
    image_id: str = ""
    suppressed: tuple[Excused, ...] = ()
    is_about_several: bool = False
    platform: str = ""
    unrated: tuple[DetectedVulnerability, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know beside the findings, a line each."""

    @property
    def all_gaps(self) -> tuple[str, ...]:
        """With those of what nobody rated, which count where that could block."""
        return (*self.gaps, *gaps_of_unrated(self.unrated))

    @property
    def names(self) -> frozenset[str]:
        """All digests that it may be found by."""
        return self.image_digests | ({self.image_id} if self.image_id else frozenset())


def severities(text: str) -> frozenset[Rating]:
    """Reads a text such as `HIGH,CRITICAL`, in either case. Raises `Failure` for another word."""
    words = [word.strip().upper() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in Rating.__members__]
    if unknown or not words:
        choices = ", ".join(Rating)
        raise Failure(Trouble.MALFORMED, f"{text[:60]!r} names no severity", advice=f"choose from {choices}")
    return frozenset(Rating(word) for word in words)


def is_rating(word: object) -> bool:
    """Whether it is a severity in a scanner's words, of which unknown is one."""
    return isinstance(word, str) and word.upper() in {*Rating.__members__, _NEGLIGIBLE}


def rating_named(word: str) -> Rating:
    """The rating that a scanner's word stands for; unknown for any other."""
    return Rating.LOW if word.upper() == _NEGLIGIBLE else Rating.of_word(word)


def rating_of_score(score: object, *, is_of_version_2: bool = False) -> Rating:
    """The band of a score of CVSS, of which version 2 has no critical; unknown for what is none."""
    if isinstance(score, bool) or not isinstance(score, int | float):
        return Rating.UNKNOWN
    band = next((rating for least, rating in _BANDS if least <= score <= _HIGHEST_SCORE), Rating.UNKNOWN)
    return Rating.HIGH if is_of_version_2 and band is Rating.CRITICAL else band


def highest(ratings: Iterable[Rating]) -> Rating:
    """Gives the most severe rating; unknown where there is none."""
    return max(ratings, key=lambda rating: rating.rank, default=Rating.UNKNOWN)


def named_digests(names: Iterable[object]) -> frozenset[str]:
    """Those in `registry/name@digest`, as scanners name the images that they looked at, or alone."""
    texts = [name for name in names if isinstance(name, str)]
    digests = (name.rpartition("@")[2] for name in texts[:_MOST_NAMES])
    return frozenset(digest for digest in digests if _DIGEST.fullmatch(digest))


def image_id_of(value: object) -> str:
    """A digest as engines name images; empty where it is none."""
    return value if isinstance(value, str) and _DIGEST.fullmatch(value) else ""


def platform_in(config: Mapping[str, Any]) -> str:
    """The platform of an image as its configuration has it, without a variant; empty where it does not say."""
    parts = [bounded_line(config.get(key)) for key in ("os", "architecture")]
    return "/".join(parts) if all(parts) else ""


def aliases_among(names: object) -> tuple[str, ...]:
    """The names of GitHub's advisories, mostly about one vulnerability; those of distributions are about many."""
    texts = map(bounded_line, items(names)[:_MOST_NAMES])
    return tuple(dict.fromkeys(name for name in texts if _GITHUB.fullmatch(name)))


def without_tag(image: str) -> str:
    """The name of an image alone: `ghcr.io/contoso/shop` of `ghcr.io/contoso/shop:1.0@sha256:…`."""
    path, slash, last = image.partition("@")[0].rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}"


def full_name(image: str) -> str | None:
    """The name of an image with the registry that it has without one; None for what is no such name."""
    try:
        reference = Reference.parse(image)
    except InvalidReference:
        return None
    return f"{DEFAULT_REGISTRY if reference.registry in _HUB else reference.registry}/{reference.repository}"


def both_subjects(report: Report, other: Report) -> tuple[str, str] | None:
    """What each of two reports is about, where that is not one image or not one platform; None where it is, or
    where a report does not tell. A file or folder that was scanned has no name by which it could be told."""
    names = report.image_name, other.image_name
    one, another = (None if name.endswith(_ARCHIVES) else full_name(name) for name in names)
    if None not in (one, another) and one != another:
        return names
    platforms = report.platform, other.platform
    return platforms if all(platforms) and len(set(map(usual_name, platforms))) > 1 else None


def bounded_line(value: object) -> str:
    """A text as it can be kept and shown on one line; empty where it is none."""
    text = value[:_LONGEST] if isinstance(value, str) else ""
    return text if text.isprintable() else terminal(text)


def name_of(value: object, otherwise: str) -> str:
    """The name of a scanner, in few words."""
    return bounded_line(value)[:_LONGEST_NAME].strip() or otherwise


def moment_of(value: object) -> datetime | None:
    """The moment that a text stands for; None where it names no time zone, or is none."""
    try:
        moment = datetime.fromisoformat(bounded_line(value))
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def suppressed_in_words(status: str, reason: str, source: str) -> str:
    """`suppressed in the report: ignored (not reachable), says .trivyignore.yaml`, as far as it is told."""
    words = f"{status or 'without a word'}{f' ({reason})' if reason else ''}{f', says {source}' if source else ''}"
    return f"suppressed in the report: {words}"


def out_of_support(scanner: str, distribution: str) -> str:
    """What to know of findings in a distribution that its publisher has left."""
    return (
        f"{scanner} says that {distribution} is out of support: what becomes known is not fixed, nor listed in full"
    )


def bounded(findings: Sequence[T], place: str) -> tuple[T, ...]:
    """Gives all findings. Raises `Failure` where they are too many to be of one image."""
    if len(findings) > _MOST_FINDINGS:
        raise malformed(f"has more than {_MOST_FINDINGS} findings", place)
    return tuple(findings)


def few(gaps: Iterable[str]) -> tuple[str, ...]:
    """Gives the first ten texts, each once."""
    return tuple(dict.fromkeys(gaps))[:10]
