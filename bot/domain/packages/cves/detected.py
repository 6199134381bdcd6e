"""Vulnerabilities as they are found in one image, by a scanner's report or by the kept data, and which block."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.feeds.advisory import Severity

_MOST_NAMED = 10

VulnerabilityKey = tuple[str, str]
"""What makes a vulnerability the same in two images: its id, and the package that has it, of whatever version."""


def is_cve(name: str) -> bool:
    """Whether a vulnerability of that name is a CVE, and no advisory of a publisher."""
    return name.upper().startswith("CVE-")


class Rating(StrEnum):
    """How severe a vulnerability is, in the words of scanners, the least first."""

    UNKNOWN = "UNKNOWN"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"

    @classmethod
    def of_word(cls, word: str) -> "Rating":
        """The rating that a word stands for in either case; unknown for any other word."""
        return cls(word.upper()) if word.upper() in cls.__members__ else cls.UNKNOWN

    @classmethod
    def of(cls, severity: Severity | None) -> "Rating":
        """Turns a vendor's rating into that of scanners; unknown where there is none."""
        return cls.UNKNOWN if severity is None else cls(severity.told)

    @property
    def rank(self) -> int:
        return list(Rating).index(self)


@dataclass(frozen=True, slots=True)
class DetectedVulnerability:
    """One vulnerability of one package of an image.

    `fixed` and `package_url` are empty where there is no fix, and where no package URL is known. `aliases` are
    other names of the very same vulnerability, under which another look may have found it.
    """

    id: str
    package: str
    installed: str
    fixed: str
    severity: Rating
    has_fix: bool
    package_url: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def identity(self) -> VulnerabilityKey:
        return (self.id, self.package)

    @property
    def identities(self) -> Collection[VulnerabilityKey]:
        """Pairs each of its names with the package, as other looks may have found it."""
        return [(name, self.package) for name in (self.id, *self.aliases)]

    @property
    def is_cve(self) -> bool:
        return is_cve(self.id)

    @property
    def told(self) -> str:
        """Words it: `CVE-2026-1 (HIGH) in libssl3t64 3.0.13-0ubuntu3.5, fixed in 3.0.13-0ubuntu3.6`."""
        fix = f", fixed in {self.fixed}" if self.fixed else ", fixed" if self.has_fix else ", not fixed yet"
        return f"{self.id} ({self.severity}) in {self.package} {self.installed}{fix}"


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """Which findings block: of these severities, and of those without a fix only where `ignore_unfixed` is off."""

    severities: frozenset[Rating] = frozenset({Rating.HIGH, Rating.CRITICAL})
    ignore_unfixed: bool = True

    def blocks(self, vulnerability: DetectedVulnerability) -> bool:
        return vulnerability.severity in self.severities and (vulnerability.has_fix or not self.ignore_unfixed)


def blocking(
    vulnerabilities: Iterable[DetectedVulnerability],
    policy: GatePolicy,
    before: Iterable[DetectedVulnerability] | None = None,
) -> tuple[DetectedVulnerability, ...]:
    """What blocks, in the order given; with `before`, what the image before had, only what is new.

    What the image before had already is not new, however it was rated, fixed or named then. One name in common is
    enough, but for two CVEs that have another name in common: one advisory may be about several.
    """
    had = tuple(before or ())
    ids = {each.identity for each in had}
    names = {name for each in had for name in each.identities}
    of_a_cve = ids | {name for each in had if not each.is_cve for name in each.identities}

    def is_new(each: DetectedVulnerability) -> bool:
        shared = of_a_cve if each.is_cve else names
        return each.identity not in names and shared.isdisjoint(each.identities)

    return tuple(each for each in vulnerabilities if policy.blocks(each) and is_new(each))


def undecided(
    unrated: Iterable[DetectedVulnerability],
    vulnerabilities: Iterable[DetectedVulnerability],
    policy: GatePolicy,
    before: Iterable[DetectedVulnerability] | None = None,
) -> tuple[DetectedVulnerability, ...]:
    """Of what somebody did not rate, what would block if it were severe enough; what is rated elsewhere among
    `vulnerabilities` is decided by that."""
    rated = {each.identity for each in vulnerabilities if each.severity is not Rating.UNKNOWN}
    candidates = [each for each in unrated if each.identity not in rated and not policy.blocks(each)]
    return blocking(candidates, replace(policy, severities=frozenset(Rating)), before)


def gaps_of_unrated(unrated: Iterable[DetectedVulnerability]) -> tuple[str, ...]:
    """What cannot be told of those that nobody rated, a line each, the first ten."""
    return tuple(dict.fromkeys(f"nothing says how severe {each.id} is" for each in unrated))[:_MOST_NAMED]
