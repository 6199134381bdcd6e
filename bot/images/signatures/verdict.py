"""What was verified of one signature: named checks, one plain reason, and who signed what.

A verdict is a value that can be kept, compared and shown. It never says more than was looked at: revocation is not
checked by any kind here, and every verdict says so.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import TypeVar

from bot.domain.clock import is_yet_to_come

T = TypeVar("T")

REVOCATION = "not checked"


class Validity(StrEnum):
    """Whether a signature holds. Cannot tell is never valid."""

    VALID = "valid"
    INVALID = "invalid"
    CANNOT_TELL = "cannot tell"


class CheckState(StrEnum):
    """What one check of a signature came to; not reached is one that was not made after another failed."""

    OK = "ok"
    FAILED = "fail"
    CANNOT_TELL = "cannot tell"
    NOT_REACHED = "not reached"


class Refused(Exception):
    """Raised by a check that does not hold: what is wrong, and what to do about it.

    The only exception that bytes from outside can cause here; `verify` functions turn it into a verdict.
    """

    state = CheckState.FAILED

    def __init__(self, fault: str, *, advice: str = "") -> None:
        self.what = fault
        self.advice = advice
        super().__init__(fault)


class Undecided(Refused):
    """Raised by a check that can neither hold nor fail, as something to judge it by is not there or not known."""

    state = CheckState.CANNOT_TELL


def check_not_ahead(signed_at: datetime, now: datetime) -> None:
    """Raises `Undecided` for a time of signing that is yet to come: one of two clocks is wrong."""
    if is_yet_to_come(signed_at, now):
        reason = f"it says to be signed at {signed_at:%Y-%m-%dT%H:%M:%SZ}, which is yet to come"
        raise Undecided(reason, advice="check the clock of this machine, and the signer's")


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """One named check with its state, and for any but `ok` the reason and what to do."""

    name: str
    state: CheckState
    reason: str = ""
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}" if self.reason else str(self.state)


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """The checks of one signature in the order in which they were made, and what they were made about."""

    kind: str
    """`notation`, `sigstore` or `cosign-key`."""
    checks: tuple[SignatureCheck, ...]
    signer: str = ""
    """The subject, identity or key that signed; proved only where the verdict is valid."""
    issuer: str = ""
    """Who vouches for the signer: a certificate's issuer or an OpenID Connect issuer."""
    digest: str = ""
    """The digest that the signature binds, as `sha256:…`."""
    signed_at: datetime | None = None
    """The moment that a log or a timestamp authority attests; nothing where only the signer claims one."""
    holds_until: datetime | None = None
    """The first moment at which the same bytes may be judged otherwise: until then the verdict counts, no longer.
    Nothing where time decides nothing."""
    facts: tuple[tuple[str, str], ...] = ()
    """What the signer's certificate tells of a build, such as its `source_repository`; in the order of names."""
    notes: tuple[str, ...] = ()
    """What a reader must know of a verdict that holds: an identity left open, a pattern that is not anchored."""

    @property
    def outcome(self) -> Validity:
        states = {check.state for check in self.checks}
        if CheckState.FAILED in states:
            return Validity.INVALID
        return Validity.VALID if states == {CheckState.OK} else Validity.CANNOT_TELL

    @property
    def is_valid(self) -> bool:
        return self.outcome is Validity.VALID

    @property
    def reason(self) -> str:
        """Why it does not hold, from the first check that decides; empty for a valid signature."""
        deciding = self._deciding
        return deciding.reason if deciding is not None else ""

    @property
    def advice(self) -> str:
        deciding = self._deciding
        return deciding.advice if deciding is not None else ""

    @property
    def _deciding(self) -> SignatureCheck | None:
        deciding_state = CheckState.FAILED if self.outcome is Validity.INVALID else CheckState.CANNOT_TELL
        return next((check for check in self.checks if check.state is deciding_state), None)

    def __str__(self) -> str:
        return f"{self.outcome}: {self.reason}" if self.reason else str(self.outcome)

    def noting(self, *notes: str) -> "SignatureVerdict":
        return replace(self, notes=(*self.notes, *notes))


def as_of(verdict: SignatureVerdict, now: datetime) -> SignatureVerdict:
    """The verdict of a signature at a moment: of one that is attested to be made later, nobody can tell."""
    if verdict.signed_at is None:
        return verdict
    try:
        check_not_ahead(verdict.signed_at, now)
    except Undecided as ahead:
        return replace(
            verdict, checks=(*verdict.checks, SignatureCheck("time", ahead.state, ahead.what, ahead.advice))
        )
    return verdict


class Checks:
    """Collects the checks of one verdict while they are made, by the names that the verdict will show."""

    def __init__(self, names: Sequence[str]) -> None:
        self._made: dict[str, SignatureCheck | None] = dict.fromkeys(names)

    def make(self, name: str, check: Callable[[], T]) -> T | None:
        """Runs one check; where it is refused the reason is kept and nothing is returned."""
        try:
            result = check()
        except Refused as refused:
            self._made[name] = SignatureCheck(name, refused.state, refused.what, refused.advice)
            return None
        self._made[name] = SignatureCheck(name, CheckState.OK)
        return result

    def __iter__(self) -> Iterator[SignatureCheck]:
        for name, check in self._made.items():
            yield check if check is not None else SignatureCheck(name, CheckState.NOT_REACHED)


_MOST = 20_000


@dataclass(frozen=True, slots=True)
class _Memory:
    verdict: SignatureVerdict
    judged_at: datetime


class Remembered:
    """Keeps verdicts of signatures that hold, the most recently asked about ones.

    One that does not hold is judged each time: a certificate may begin to be valid, a trust store may be mended.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._verdicts: OrderedDict[tuple[bytes, Hashable], _Memory] = OrderedDict()

    def verdict(
        self, encoded: bytes, under: Hashable, moment: datetime, judge: Callable[[], SignatureVerdict]
    ) -> SignatureVerdict:
        """The verdict of a signature at one moment, from memory where that is as good as anew.

        `under` is everything else that decides: whom to trust, and the digest asked about. It must differ where
        they do.
        """
        key = (sha256(encoded).digest(), under)
        memory = self._verdicts.get(key)
        if memory is not None and _covers(memory, moment):
            self._verdicts.move_to_end(key)
            return memory.verdict
        verdict = judge()
        if verdict.is_valid:
            self._verdicts[key] = _Memory(verdict, moment)
            self._verdicts.move_to_end(key)
            while len(self._verdicts) > self._most:
                self._verdicts.popitem(last=False)
        return verdict


def _covers(memory: _Memory, moment: datetime) -> bool:
    until = memory.verdict.holds_until
    return memory.judged_at <= moment and (until is None or moment < until)
