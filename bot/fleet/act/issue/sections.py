"""What a repository's issue says: of rebuilds that failed, of workflows that rebuild too seldom, and of practices.

Of practices the gravest come first, with how many cannot be told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.repositories.finding import Finding, FindingSeverity, Outcome
from bot.domain.repositories.issue import IssueSection
from bot.domain.wording.escaping import code, markdown
from bot.domain.wording.words import counted

PRACTICES = "practices"
FAILURES = "failures"
DEAD_SCHEDULES = "age"
_MOST_FINDINGS = 20
_MOST_FAILURES = 10
_MOST_SCHEDULES = 20
_GRAVEST_FIRST = list(FindingSeverity)[::-1]


@dataclass(frozen=True, slots=True)
class IssueFailure:
    """A rebuild that failed; `url` is its pull request or run, where there is one."""

    bases: tuple[str, ...]
    reason: str
    url: str | None


def failures(failed: Sequence[IssueFailure]) -> IssueSection:
    """Returns the section about rebuilds that failed, the latest first; at least one has."""
    lines = [_failure_line(each) for each in failed[:_MOST_FAILURES]]
    if len(failed) > _MOST_FAILURES:
        lines.append(f"- and {len(failed) - _MOST_FAILURES} more")
    lines.append("\nThis goes away by itself once the images are rebuilt.")
    summary = "; ".join(f"{', '.join(each.bases)}: {each.reason}" for each in failed[:_MOST_FAILURES])
    return IssueSection(FAILURES, "Rebuilds that failed", "\n".join(lines), summary)


def _failure_line(failure: IssueFailure) -> str:
    names = ", ".join(code(name) for name in failure.bases)
    link = (
        f" ([look]({failure.url}))"
        if failure.url and failure.url.startswith("https://") and ")" not in failure.url
        else ""
    )
    return f"- {names}: {markdown(failure.reason)}{link}"


def dead_schedules(faults: Sequence[tuple[str, str]]) -> IssueSection:
    """The section: each workflow with what is wrong with it and the way out; at least one."""
    lines = [f"- {code(workflow)}: {markdown(fault)}" for workflow, fault in faults[:_MOST_SCHEDULES]]
    lines.append("\nThis goes away by itself once that is mended.")
    summary = "; ".join(f"{workflow}: {fault}" for workflow, fault in faults[:_MOST_SCHEDULES])
    return IssueSection(DEAD_SCHEDULES, "Images that are not rebuilt in time", "\n".join(lines), summary)


def practices_section(findings: Sequence[Finding], *, opens_issue: bool) -> IssueSection | None:
    """The section, which alone opens an issue only where that is wished; None where nothing fails."""
    failing = [each for each in findings if each.outcome is Outcome.FAILS]
    if not failing:
        return None
    failing.sort(
        key=lambda each: (_GRAVEST_FIRST.index(each.severity), each.check, each.place.path, each.place.start)
    )
    lines = [_finding_line(each) for each in failing[:_MOST_FINDINGS]]
    if len(failing) > _MOST_FINDINGS:
        lines.append(f"- and {len(failing) - _MOST_FINDINGS} more")
    unknown = sum(each.outcome is Outcome.UNKNOWN for each in findings)
    if unknown:
        lines.append(f"\n{counted(unknown, 'finding')} cannot be told from the files.")
    lines.append(
        "\n`freshness-bot audit .` in a checkout tells all of it. What is accepted is waived in "
        "`.github/freshness.yaml`, with a reason and a date."
    )
    checks = ", ".join(dict.fromkeys(each.check for each in failing))
    summary = f"{counted(len(failing), 'finding fails', 'findings fail')}: {checks}"
    return IssueSection(PRACTICES, "Practices that fail", "\n".join(lines), summary, opens_issue)


def _finding_line(finding: Finding) -> str:
    advice = f" Advice: {markdown(finding.fix.advice)}." if finding.fix is not None else ""
    place_text = code(f"{finding.place.path}:{finding.place.start}")
    return (
        f"- {place_text} {code(finding.check)}: {markdown(finding.subject)}: {markdown(finding.message)}.{advice}"
    )
