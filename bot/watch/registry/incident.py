"""What is wrong at a registry, said once when it begins and once when it is over.

An incident belongs to the widest place that it is true of: the host (no answer, too many requests), a repository
(access refused) or a single base (not there, or not what a registry may answer). None of them ever means that a
tag was withdrawn: only the published image inventory says that.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base

SUBJECT = "registry:"
"""What the subjects of this stage's incidents begin with."""
LONGEST_SUBJECT = 255
STRIKES = 3
"""So many bases of a host in a row without an answer, and the host itself is taken to be in trouble."""
SHORTEST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Incident:
    """`subject` says where, `detail` is one line for people: what is wrong, where, and what to do."""

    subject: str
    opened_at: datetime
    detail: str

    @property
    def place(self) -> str:
        return self.subject.removeprefix(SUBJECT)


def _subject(place: str) -> str:
    return f"{SUBJECT}{place}"[:LONGEST_SUBJECT]


def host_subject(base: Base) -> str:
    return _subject(base.registry)


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


def host_incident(base: Base, failure: Failure, at: datetime) -> Incident:
    told = Failure(failure.trouble, failure.what, where=base.registry, advice="its bases are looked at again later")
    return Incident(host_subject(base), at, str(told))


def incident_of(base: Base, failure: Failure, at: datetime) -> Incident:
    told = failure if failure.where else Failure(failure.trouble, str(failure), where=str(base))
    return Incident(subject_of(failure, base), at, str(told))


def pause(incident: Incident, now: datetime, failure: Failure | None = None) -> timedelta:
    """How long to leave a host alone: as long as the incident has lasted, and what the host itself asked for."""
    own = min(max(now - incident.opened_at, SHORTEST_PAUSE), LONGEST_PAUSE)
    asked = failure.retry_after if failure is not None and failure.retry_after is not None else timedelta(0)
    return max(own, asked)


@dataclass(slots=True)
class Breaker:
    """Decides while a host is being asked whether to go on.

    Too many requests stop it at once; silence and 5xx do after `STRIKES` in a row, so that one broken image does
    not keep the others from being watched.
    """

    tripped: Failure | None = None
    has_answered: bool = False
    _in_a_row: int = 0
    _last: Failure | None = None

    def answered(self) -> None:
        self.has_answered = True
        self._in_a_row = 0

    def failed(self, failure: Failure) -> None:
        if failure.trouble is Trouble.THROTTLED:
            self.tripped = failure
        elif failure.trouble is Trouble.UNREACHABLE:
            self._in_a_row += 1
            self._last = failure
            if self._in_a_row >= STRIKES:
                self.tripped = failure
        else:
            self.answered()

    def asked_everybody(self, *, known_in_trouble: bool) -> None:
        """Where nobody got an answer, fewer bases than `STRIKES` tell the same: two, or one of a known case."""
        if not self.has_answered and self._in_a_row > (0 if known_in_trouble else 1):
            self.tripped = self.tripped or self._last
