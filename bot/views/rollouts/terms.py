"""What a policy makes of one change in one repository, term by term."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.rollouts.policy import TERMS, Policy, is_severe
from bot.domain.rollouts.timing.windows import ALWAYS, Freeze, Window, frozen_by
from bot.domain.wording.words import duration


@dataclass(frozen=True, slots=True)
class TermsQuestion:
    """The change and the repository that are asked about."""

    repository: str
    base: Base
    cause: Cause
    severity: Severity | None


@dataclass(frozen=True, slots=True)
class Given:
    """One term with its value, and who gave it: the rule by its place from 0, or None and the reason."""

    name: str
    value: Any
    rule: int | None
    why: str


@dataclass(frozen=True, slots=True)
class TermsAnswer:
    """`matching` are the places of the rules that match; `freeze` holds the work back at the moment of asking."""

    question: TermsQuestion
    matching: tuple[int, ...]
    terms: tuple[Given, ...]
    freeze: Freeze | None


def answer(policy: Policy, question: TermsQuestion, now: datetime) -> TermsAnswer:
    """Tells which rule gave each term."""
    about = question.repository, question.base, question.cause, question.severity
    terms, origins = policy.terms(*about), policy.origins(*about)
    matching = tuple(place for place, rule in enumerate(policy.rules) if rule.match.accepts(*about))
    return TermsAnswer(
        question,
        matching,
        (
            *(
                Given(name, getattr(terms, name), origins[name], _why(policy, question, name, origins[name]))
                for name in TERMS
            ),
            *_promises(policy, question.repository),
        ),
        frozen_by(policy.freezes, now, question.severity),
    )


def _promises(policy: Policy, repository: str) -> Iterator[Given]:
    """How soon fixes are to run, a line for each severity of which a rule says so, the worst first."""
    promised = policy.promises(repository)
    for severity in sorted(promised, key=lambda each: -each.rank):
        within, rule = promised[severity]
        yield Given(f"fix_within.{severity.value}", within, rule, f"policy.{rule}")


def as_json(terms_answer: TermsAnswer) -> dict[str, Any]:
    """Gives the answer as plain JSON values; lengths of time in seconds."""
    question, freeze = terms_answer.question, terms_answer.freeze
    return {
        "repository": question.repository,
        "base": str(question.base),
        "cause": question.cause,
        "severity": question.severity,
        "matching_rules": list(terms_answer.matching),
        "terms": {
            term.name: {"value": _plain(term.value), "rule": term.rule, "why": term.why}
            for term in terms_answer.terms
        },
        "frozen_until": freeze.until if freeze else None,
        "frozen_because": freeze.reason if freeze else None,
    }


_WHERE_UNSET = {
    "max_age": "not guaranteed",
    "soak": "as its wave says",
    "reviewers": "as the repository says",
    "commit_message": "the bot's own words",
}


def term_in_words(term: Given) -> str:
    """Words a term's value for a table."""
    is_unset = term.value is None or term.value == ()
    return _WHERE_UNSET[term.name] if is_unset and term.name in _WHERE_UNSET else _worded(term.value)


def _worded(value: Any) -> str:
    match value:
        case None | ():
            return "none"
        case bool():
            return "yes" if value else "no"
        case timedelta():
            return duration(value)
        case Window():
            return _window(value)
        case Enum():
            return str(value.value)
        case tuple():
            return ", ".join(map(_worded, value))
        case _ if is_dataclass(value):
            parts = ((field.name, getattr(value, field.name)) for field in fields(value))
            return " ".join(f"{name}={_worded(part)}" for name, part in parts if part not in (None, ()))
        case _:
            return str(value)


def _why(policy: Policy, question: TermsQuestion, name: str, rule: int | None) -> str:
    if rule is not None:
        return f"policy.{rule}"
    if name == "settle" and is_severe(question.cause, question.severity):
        return "default: a severe security fix does not settle"
    if name == "settle" and question.cause is Cause.BASE_UPDATE:
        return "default: what an own base brings has settled before"
    if name == "wave" and len(policy.waves) > 1:
        return "default: the last wave"
    return "default"


def _window(window: Window) -> str:
    if window == ALWAYS:
        return "always"
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    day_names = ",".join(days[day] for day in sorted(window.days))
    return f"{day_names} {window.start:%H:%M}-{window.end:%H:%M} {window.zone}"


def _plain(value: Any) -> Any:
    match value:
        case timedelta():
            return value.total_seconds()
        case Window():
            return _window(value)
        case Enum():
            return value.value
        case tuple():
            return [_plain(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value
