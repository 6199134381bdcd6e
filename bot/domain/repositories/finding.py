"""What one check of one practice found at one place of a repository's files, and how the repository as a whole
stands to each practice by that."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from bot.domain.repositories.usage import Edit


class Outcome(StrEnum):
    """What a check says of one place."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"
    WAIVED = "waived"
    """It fails, and the repository says until when, and why, that is accepted."""


class FindingSeverity(StrEnum):
    """How much a failing check matters, the least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


FindingSeverity.__name__ = FindingSeverity.__qualname__ = "Severity"
"""What the API's description calls it, and clients that are made from that."""


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a file, counted from 1; `end` is the last one."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fix:
    """What to change, in words; with `edits` where that is safe to do without a person's judgement.

    `left_alone` says why there are none where only the way in which the file is written stands against them.
    `suggested` are edits for a person to look at first: the program may need what they take away.
    """

    advice: str
    edits: tuple[Edit, ...] = ()
    left_alone: str = ""
    suggested: tuple[Edit, ...] = ()

    @property
    def in_words(self) -> str:
        """The advice, with why nobody but a person follows it where something stands against that."""
        return f"{self.advice} (left to people: {self.left_alone})" if self.left_alone else self.advice

    @property
    def as_suggestion(self) -> "Fix":
        """The fix with its edits only suggested, to be looked at by a person first."""
        return replace(self, edits=(), suggested=self.edits or self.suggested)


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check at one place.

    `subject` names what was judged apart from its place ("Deployment/api · container api"), `settled_by` is what
    would settle an unknown, empty for the others.
    """

    check: str
    outcome: Outcome
    place: Place
    subject: str
    message: str
    severity: FindingSeverity
    settled_by: str = ""
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class JudgedRepository:
    """All findings, and the last day on which they hold without a change of any text: a waiver ends on it."""

    findings: tuple[Finding, ...]
    until: date | None


def findings_in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sorts findings by file and line, each once, whatever order they came in."""
    return tuple(sorted(dict.fromkeys(findings), key=_order))


def _order(finding: Finding) -> tuple[str, int, int, str, str, str, str]:
    place = finding.place
    return (place.path, place.start, place.end, finding.check, finding.subject, finding.outcome, finding.message)


def with_fingerprints(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Each finding with a name that stays when lines above it are added, removed or moved.

    It is made of the check, the file and the subject; those that share all three are counted in their order.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        key = (finding.check, finding.place.path, finding.subject)
        text = "\0".join((*key, str(counts[key])))
        counts[key] += 1
        yield finding, hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


_WEIGHTIEST_FIRST = (Outcome.FAILS, Outcome.UNKNOWN, Outcome.WAIVED, Outcome.HOLDS, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Moves:
    """How many findings of a check fail that did not before, and how many of those that failed do no more."""

    opened: int = 0
    closed: int = 0


def outcomes(findings: Iterable[Finding]) -> dict[str, Outcome]:
    """Returns for each check that found anything the outcome of the repository as a whole.

    One place that fails decides; then one that cannot be told, one that is waived, one that holds.
    """
    by_check: dict[str, set[Outcome]] = {}
    for finding in findings:
        by_check.setdefault(finding.check, set()).add(finding.outcome)
    return {
        check: next(each for each in _WEIGHTIEST_FIRST if each in check_outcomes)
        for check, check_outcomes in by_check.items()
    }


def moves(before: Iterable[Finding], after: Iterable[Finding]) -> Mapping[str, Moves]:
    """What has opened and closed, by check; a finding whose lines moved is the same."""
    failed, fails = _failing(before), _failing(after)
    opened = Counter(check for name, check in fails.items() if name not in failed)
    closed = Counter(check for name, check in failed.items() if name not in fails)
    return {check: Moves(opened[check], closed[check]) for check in sorted(opened.keys() | closed.keys())}


def _failing(findings: Iterable[Finding]) -> dict[str, str]:
    return {
        name: finding.check for finding, name in with_fingerprints(findings) if finding.outcome is Outcome.FAILS
    }
