"""What a rule says of one place, before its name and severity are put to it."""

from dataclasses import dataclass

from bot.domain.repositories.finding import Fix, Outcome, Place


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of one place; the fields mean what they do in `Finding`."""

    outcome: Outcome
    place: Place
    subject: str
    message: str
    settled_by: str = ""
    fix: Fix | None = None


def holds(place: Place, subject: str, message: str) -> Verdict:
    return Verdict(Outcome.HOLDS, place, subject, message)


def fails(place: Place, subject: str, message: str, fix: Fix | str | None = None) -> Verdict:
    """The verdict that a place fails the rule; `fix` may be plain advice."""
    return Verdict(Outcome.FAILS, place, subject, message, fix=Fix(fix) if isinstance(fix, str) else fix)


def unknown(place: Place, subject: str, message: str, settled_by: str) -> Verdict:
    return Verdict(Outcome.UNKNOWN, place, subject, message, settled_by)


def not_applicable(place: Place, subject: str, message: str) -> Verdict:
    return Verdict(Outcome.NOT_APPLICABLE, place, subject, message)
