"""Published fixes and releases, as the feeds show them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from urllib.parse import quote


class Severity(StrEnum):
    """The vendor's rating; ordered by `rank`."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    @property
    def told(self) -> str:
        """As people read it everywhere, in the words of scanners: LOW, MEDIUM, HIGH or CRITICAL."""
        return "MEDIUM" if self is Severity.MODERATE else self.value.upper()

    @classmethod
    def named(cls, text: str | None) -> "Severity | None":
        """The rating that a vendor's word stands for, None where it stands for none.

        Microsoft says `Important` where others say high; CVSS and GitHub say `medium` for moderate.
        """
        return _RATINGS.get(text.strip().lower()) if text else None


Severity.__name__ = Severity.__qualname__ = "CveSeverity"
"""What the API's description calls it: checks have a `Severity` there."""

SEVERE = frozenset({Severity.HIGH, Severity.CRITICAL})
"""Ratings of fixes that wait for no wave, and that open pull requests name as soon as they are known."""


def worst(severities: Iterable[Severity | None]) -> Severity | None:
    """The highest rating of several, None where there is none."""
    return max([severity for severity in severities if severity], key=_RANKS.__getitem__, default=None)


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_CVE = re.compile(r"(?:CVE[- _]?)?((?:19|20)\d\d-\d{4,19})", re.IGNORECASE)
_RATINGS = {
    **{severity.value: severity for severity in Severity},
    "important": Severity.HIGH,
    "medium": Severity.MODERATE,
}


def cve_of(name: str) -> str:
    """The whole name of a CVE that people shorten, as in `2026-10019`; any other name stays as it is."""
    shortened = _CVE.fullmatch(name.strip())
    return f"CVE-{shortened[1]}" if shortened else name


def is_cve(name: str) -> bool:
    """Whether a name is that of a CVE, whole or shortened, and not that of a publisher's own record."""
    return _CVE.fullmatch(name.strip()) is not None


def public_record(cve: str) -> str:
    """Where anybody can read of a CVE."""
    return f"https://www.cve.org/CVERecord?id={quote(cve)}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which document said so, where in it, and when it was read."""

    source: str
    locator: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Advisory:
    """A published fix.

    `families` are the image families touched (`runtime`, `aspnet`, `sdk`, `runtime-deps`), `systems` the
    operating systems (`linux`, `musl`, `windows`, `macos`); empty means that the document does not say.
    `fixed_versions` are .NET runtime or SDK versions.
    """

    cve: str
    title: str = ""
    severity: Severity | None = None
    score: float | None = None
    published_at: datetime | None = None
    families: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    fixed_versions: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    disagreements: tuple[str, ...] = ()
    """Where the sources of a combined advisory contradict each other, a sentence each."""


@dataclass(frozen=True, slots=True)
class Release:
    """One row of .NET's release feed.

    `published_at` and `cves_listed_at` say when the feed first showed the release and its CVEs: the feed's own
    `date` is rewritten by later SDK releases, so it orders nothing. `unread` names the fields here that the feed
    does not tell, or that cannot be read: what they hold says nothing, and `security` does not say that there is
    nothing to fix.
    """

    channel: str
    version: str
    published_at: datetime
    runtime: str | None = None
    aspnetcore: str | None = None
    sdks: tuple[str, ...] = ()
    security: bool = False
    cves: tuple[str, ...] = ()
    cves_listed_at: datetime | None = None
    released_on: date | None = None
    support_phase: str | None = None
    end_of_life: date | None = None
    unread: tuple[str, ...] = ()
    taken_back_at: datetime | None = None
    """When the feed was first seen without the release that it had shown before; None while it shows it."""

    @property
    def is_taken_back(self) -> bool:
        return self.taken_back_at is not None

    @property
    def out_since(self) -> datetime:
        """When it was out at the latest: a feed that is read for the first time shows all that was released before
        now, and names its days. A day that was rewritten is later than the release, never earlier."""
        if self.released_on is None:
            return self.published_at
        return min(self.published_at, datetime.combine(self.released_on, time.min, UTC))

    @property
    def is_unsaid(self) -> bool:
        """Whether nobody can tell that it fixes something, nor that it does not."""
        return not self.cves and "security" in self.unread
