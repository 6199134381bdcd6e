"""One repository's texts → all findings."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.repositories.finding import Finding, Fix, JudgedRepository, Outcome, Place, findings_in_order
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.rules import RULES
from bot.files.audit.waivers import next_end, waived
from bot.files.formats.shell.commands import UNKNOWN

_TOLD = frozenset({Outcome.FAILS, Outcome.UNKNOWN})
_FILLED_IN_BY_RUN = "\N{HORIZONTAL ELLIPSIS}"


def audit(
    files: Mapping[str, bytes],
    now: datetime,
    unwaivable: Collection[str] = (),
    rules: Sequence[Rule] = RULES,
    name: str = "",
) -> tuple[Finding, ...]:
    """Every rule's findings on the files of one repository, as `judge_repository` gives them."""
    return judge_repository(RepositoryTexts(files, name), now, unwaivable, rules).findings


def judge_repository(
    repository: RepositoryTexts, now: datetime, unwaivable: Collection[str] = (), rules: Sequence[Rule] = RULES
) -> JudgedRepository:
    """Every rule's findings on one repository, in the order of paths and lines.

    Never raises: what breaks a rule is an unknown of that rule. `now` tells which waivers have ended, `unwaivable`
    names checks that nobody but the operator may waive. The order of the files makes no difference.
    """
    findings = findings_in_order(waived(repository, _findings(repository, rules), now, unwaivable))
    return JudgedRepository(findings, next_end(repository, now))


def _findings(repository: RepositoryTexts, rules: Sequence[Rule]) -> Iterator[Finding]:
    for rule in rules:
        try:
            verdicts = list(rule.judge(repository))
        except Exception as error:
            why = f"it could not be judged ({type(error).__name__}); please report this repository"
            yield Finding(
                rule.check, Outcome.UNKNOWN, Place("", 1, 1), "repository", why, rule.severity, "a corrected bot"
            )
            continue
        for verdict in verdicts:
            why = repository.scope.why_no_source(verdict.place.path) if verdict.outcome in _TOLD else ""
            yield Finding(
                rule.check,
                verdict.outcome,
                verdict.place,
                _line(verdict.subject),
                _line(f"{verdict.message} ({why}, which is no source)" if why else verdict.message),
                rule.severity,
                _line(verdict.settled_by),
                _in_lines(_of_no_source(verdict.fix, why) if why else verdict.fix),
            )


def _of_no_source(fix: Fix | None, why: str) -> Fix | None:
    """Advice for what the file was made of: an edit of the file itself would be lost."""
    return Fix(fix.advice, left_alone=f"{why}: its source has to be changed") if fix is not None else None


def _in_lines(fix: Fix | None) -> Fix | None:
    return replace(fix, advice=_line(fix.advice), left_alone=_line(fix.left_alone)) if fix is not None else None


def _line(text: str) -> str:
    """The text on one line, with three dots for what only a run fills in."""
    return " ".join(text.replace(UNKNOWN, _FILLED_IN_BY_RUN).split())
