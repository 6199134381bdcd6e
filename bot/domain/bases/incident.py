"""What is wrong at a registry, said once when it begins and once when it is over.

An incident belongs to the widest place that it is true of: the host (no answer, too many requests), a repository
(access refused) or a single base (not there, or not what a registry may answer). None of them ever means that a
tag was withdrawn: only the published image inventory says that.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base

SUBJECT = "registry:"
"""What the subjects of this stage's incidents begin with."""
LONGEST_SUBJECT = 255
STRIKES = 3
"""So many bases of a host in a row without an answer, and the host itself is taken to be in trouble."""


@dataclass(frozen=True, slots=True)
class Incident:
    """`subject` says where, `detail` is one line for people: what is wrong, where, and what to do."""

    subject: str
    opened_at: datetime
    detail: str

    @property
    def place(self) -> str:
        return self.subject.partition(":")[2]


def _subject(place: str) -> str:
    return f"{SUBJECT}{place}"[:LONGEST_SUBJECT]


def host_subject(host: str) -> str:
    return _subject(host)


def repository_subject(base: Base) -> str:
    return _subject(base.name)


def base_subject(base: Base) -> str:
    return _subject(str(base))


def subject_of(failure: Failure, base: Base) -> str:
    """Where an incident belongs that this base met although its host answers others."""
    return repository_subject(base) if failure.trouble is Trouble.DENIED else base_subject(base)


def is_worth_telling(failure: Failure, attempts: int) -> bool:
    """One base without an answer is told when it happens twice in a row; everything else at once."""
    return attempts > 1 or failure.trouble is not Trouble.UNREACHABLE


def host_incident(host: str, failure: Failure, opened_at: datetime) -> Incident:
    host_failure = Failure(failure.trouble, failure.what, where=host, advice="its bases are looked at again later")
    return Incident(host_subject(host), opened_at, str(host_failure))


def incident_of(base: Base, failure: Failure, opened_at: datetime) -> Incident:
    placed_failure = failure if failure.where else Failure(failure.trouble, str(failure), where=str(base))
    return Incident(subject_of(failure, base), opened_at, str(placed_failure))
