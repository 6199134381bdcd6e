"""What a policy makes of one change in one repository, term by term."""

from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.rollouts.policy import TERMS, Policy, is_severe
from bot.domain.rollouts.timing.freezes import Freeze, frozen_by
from bot.domain.rollouts.timing.windows import ALWAYS, Window
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


def answer(policy: Policy, asked: TermsQuestion, now: datetime) -> TermsAnswer:
    """Tells which rule gave each term."""
    about = asked.repository, asked.base, asked.cause, asked.severity
    terms, origins = policy.terms(*about), policy.origins(*about)
    matching = tuple(place for place, rule in enumerate(policy.rules) if rule.match.accepts(*about))
    return TermsAnswer(
        asked,
        matching,
        tuple(
            Given(name, getattr(terms, name), origins[name], _why(policy, asked, name, origins[name]))
            for name in TERMS
        ),
        frozen_by(policy.freezes, now, asked.severity),
    )


def as_json(found: TermsAnswer) -> dict[str, Any]:
    """Gives the answer as plain JSON values; lengths of time in seconds."""
    asked, freeze = found.question, found.freeze
    return {
        "repository": asked.repository,
        "base": str(asked.base),
        "cause": asked.cause,
        "severity": asked.severity,
        "matching_rules": list(found.matching),
        "terms": {
            given.name: {"value": _plain(given.value), "rule": given.rule, "why": given.why}
            for given in found.terms
        },
        "frozen_until": freeze.until.isoformat() if freeze else None,
        "frozen_because": freeze.reason if freeze else None,
    }


_WHERE_UNSET = {
    "max_age": "not guaranteed",
    "soak": "as its wave says",
    "reviewers": "as the repository says",
    "commit_message": "the bot's own words",
}


def term_in_words(given: Given) -> str:
    """Words a term's value for a table."""
    is_unset = given.value is None or given.value == ()
    return _WHERE_UNSET[given.name] if is_unset and given.name in _WHERE_UNSET else _worded(given.value)


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


def _why(policy: Policy, asked: TermsQuestion, name: str, rule: int | None) -> str:
    if rule is not None:
        return f"policy.{rule}"
    if name == "settle" and is_severe(asked.cause, asked.severity):
        return "default: a severe security fix does not settle"
    if name == "settle" and asked.cause is Cause.BASE_UPDATE:
        return "default: what an own base brings has settled before"
    if name == "wave" and len(policy.waves) > 1:
        return "default: the last wave"
    return "default"


def _window(window: Window) -> str:
    if window == ALWAYS:
        return "always"
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    named = ",".join(days[day] for day in sorted(window.days))
    return f"{named} {window.start:%H:%M}-{window.end:%H:%M} {window.zone}"


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
