"""What a repository's issue says of practices: what fails, the gravest first, and how many cannot be told."""

from collections.abc import Sequence

from bot.domain.repositories.finding import Finding, FindingSeverity, Outcome
from bot.domain.repositories.issue import IssueSection
from bot.domain.wording.escaping import code, markdown
from bot.domain.wording.words import counted

NAME = "practices"
_MOST = 20
_GRAVEST_FIRST = list(FindingSeverity)[::-1]


def practices_section(findings: Sequence[Finding], *, opens_issue: bool) -> IssueSection | None:
    """The section, which alone opens an issue only where that is wished; None where nothing fails."""
    failing = [each for each in findings if each.outcome is Outcome.FAILS]
    if not failing:
        return None
    failing.sort(
        key=lambda each: (_GRAVEST_FIRST.index(each.severity), each.check, each.place.path, each.place.start)
    )
    lines = [_line(each) for each in failing[:_MOST]]
    if len(failing) > _MOST:
        lines.append(f"- and {len(failing) - _MOST} more")
    unknown = sum(each.outcome is Outcome.UNKNOWN for each in findings)
    if unknown:
        lines.append(f"\n{counted(unknown, 'finding')} cannot be told from the files.")
    lines.append(
        "\n`freshness-bot audit .` in a checkout tells all of it. What is accepted is waived in "
        "`.github/freshness.yaml`, with a reason and a date."
    )
    checks = ", ".join(dict.fromkeys(each.check for each in failing))
    summary = f"{counted(len(failing), 'finding fails', 'findings fail')}: {checks}"
    return IssueSection(NAME, "Practices that fail", "\n".join(lines), summary, opens_issue)


def _line(finding: Finding) -> str:
    advice = f" Advice: {markdown(finding.fix.advice)}." if finding.fix is not None else ""
    place_text = code(f"{finding.place.path}:{finding.place.start}")
    return (
        f"- {place_text} {code(finding.check)}: {markdown(finding.subject)}: {markdown(finding.message)}.{advice}"
    )
