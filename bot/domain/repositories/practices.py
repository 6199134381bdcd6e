"""How a repository stands to each practice as a whole, and what has moved since it was judged before."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.repositories.finding import Finding, Outcome, with_fingerprints

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
