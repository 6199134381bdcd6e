"""What can go wrong outside, as one line that says what, where and what to do."""

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
        super().__init__(what)

    def altered(
        self, *, trouble: Trouble | None = None, where: str | None = None, advice: str | None = None
    ) -> "Failure":
        """Returns the failure with another kind, another place or other advice."""
        return Failure(
            self.trouble if trouble is None else trouble,
            self.what,
            where=self.where if where is None else where,
            advice=self.advice if advice is None else advice,
            retry_after=self.retry_after,
            status=self.status,
        )

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


class LeaseLost(RuntimeError):
    """The lease ran out, or the row was superseded: whatever was to be written about it must not be."""
