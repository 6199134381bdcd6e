"""What can go wrong outside, as one line that says what, where and what to do."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class Trouble(StrEnum):
    """The kinds of failure that a stage treats differently."""

    UNREACHABLE = "unreachable"
    """No answer, a time-out, or a 5xx: an incident of that host, to be tried again."""
    THROTTLED = "throttled"
    """429 or a secondary limit: come back after `retry_after`."""
    DENIED = "denied"
    """401 or 403: credentials or permissions are missing. Never "it is gone"."""
    MISSING = "missing"
    """404: it is not there for us."""
    CONFLICT = "conflict"
    """409 or 422: somebody else was faster, or the request makes no sense now."""
    MALFORMED = "malformed"
    """The answer is not what its specification says: too large, wrong digest, wrong shape."""

    @property
    def is_passing(self) -> bool:
        """Whether it ends by itself, so that trying again is all there is to do."""
        return self in (Trouble.UNREACHABLE, Trouble.THROTTLED)


class Meaning(StrEnum):
    """What a failure means for the work that met it. Work that met none is done."""

    TRANSIENT = "transient"
    """A fault of the world, or of the grant that is asked with: it delays, however long, and ends nothing."""
    REFUSED = "refused"
    """The forge will not do it for the bot until a person changes something, which the advice names."""
    GONE = "gone"
    """It is not there any more, and the grant that was asked with still sees what is beside it."""
    OURS = "ours"
    """The bot has asked wrongly, or cannot read a right answer: it is told and mended, and ends nothing."""

    @property
    def may_end_work(self) -> bool:
        return self in (Meaning.REFUSED, Meaning.GONE)


_MEANINGS: Mapping[Trouble, Meaning] = {
    Trouble.UNREACHABLE: Meaning.TRANSIENT,
    Trouble.THROTTLED: Meaning.TRANSIENT,
    Trouble.DENIED: Meaning.REFUSED,
    Trouble.MISSING: Meaning.TRANSIENT,  # a lost grant is answered 404 too: see `Gone`
    Trouble.CONFLICT: Meaning.REFUSED,
    Trouble.MALFORMED: Meaning.OURS,
}
_MEANINGS_BY_STATUS: Mapping[int, Meaning] = {
    401: Meaning.TRANSIENT,  # the credentials are not taken at present, whatever they were asked for
    409: Meaning.TRANSIENT,  # something else happens there at this moment
}
"""Where the status tells more than the kind of trouble; what knows still more has a `meaning` of its own."""


LONGEST_PAUSE = timedelta(days=1)
"""What a host may ask for at most: an absurd time is a mistake, and would stop its work for ever."""


class Failure(Exception):
    """Raised by `clients` and `store`, handled by the stages; `str()` is fit for a log line and a person."""

    def __init__(
        self,
        trouble: Trouble,
        what: str,
        *,
        where: str = "",
        advice: str = "",
        retry_after: timedelta | None = None,
        status: int | None = None,
    ) -> None:
        self.trouble = trouble
        self.what = what
        self.where = where
        self.advice = advice
        self.retry_after = None if retry_after is None else min(retry_after, LONGEST_PAUSE)
        self.status = status
        self.host: str | None = None
        """Where it was met, where that may be another host than the one that work on the item pauses with."""
        super().__init__(what)

    def altered(
        self, *, trouble: Trouble | None = None, where: str | None = None, advice: str | None = None
    ) -> "Failure":
        """Returns the failure with another kind, another place or other advice."""
        altered = Failure(
            self.trouble if trouble is None else trouble,
            self.what,
            where=self.where if where is None else where,
            advice=self.advice if advice is None else advice,
            retry_after=self.retry_after,
            status=self.status,
        )
        altered.host = self.host
        return altered

    @property
    def meaning(self) -> Meaning:
        """Whether it may end work, and whose matter it is: decided here alone."""
        return _MEANINGS_BY_STATUS.get(self.status or 0, _MEANINGS[self.trouble])

    @property
    def lacks_a_right(self) -> bool:
        """Whether it is a right that the bot lacks, and no grant that is not taken, or sees nothing, at present."""
        return self.trouble is Trouble.DENIED and self.meaning is Meaning.REFUSED

    @property
    def pauses_host(self) -> bool:
        """Whether the host itself wants to be left alone."""
        return self.trouble is Trouble.THROTTLED

    @property
    def is_stores(self) -> bool:
        """Whether the bot's own store is in trouble, so that no host is to blame."""
        return False

    @property
    def is_news(self) -> bool:
        """Whether people are told of it."""
        return True

    @property
    def told(self) -> str:
        """What and the advice, without the place: for where the place is named already."""
        return f"{self.what}; {self.advice}" if self.advice else self.what

    def __str__(self) -> str:
        return f"{self.where}: {self.told}" if self.where else self.told


class Gone(Failure):
    """It is not shown any more, and that is no lost right to see: the same grant still sees what is beside it."""

    def __init__(self, absent: Failure) -> None:
        super().__init__(
            Trouble.MISSING, absent.what, where=absent.where, advice=absent.advice, status=absent.status
        )

    @property
    def meaning(self) -> Meaning:
        return Meaning.GONE


class LeaseLost(RuntimeError):
    """The lease ran out, or the row was superseded: whatever was to be written about it must not be."""
