"""When a host is left alone: what its items told, and how long its pause lasts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.failure import Failure, Trouble

SHORTEST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=30)


def pause(since: datetime, now: datetime, failure: Failure, longest: timedelta = LONGEST_PAUSE) -> timedelta:
    """How long to leave a host alone: as long as its trouble has lasted, up to `longest`, and what the host itself
    asked for."""
    own = min(max(now - since, SHORTEST_PAUSE), max(longest, SHORTEST_PAUSE), LONGEST_PAUSE)
    return max(own, failure.retry_after or timedelta(0))


@dataclass(slots=True)
class Breaker:
    """Decides while a host is being asked whether to go on.

    A request for a pause stops it at once; silence and 5xx do after `strikes` items in a row, so that one broken
    item does not keep the others of its host from being tried.
    """

    strikes: int | None
    """None where silence is each item's own trouble."""
    tripped: Failure | None = None
    has_answered: bool = False
    _in_a_row: int = 0
    _last: Failure | None = None

    def answered(self) -> None:
        self.has_answered = True
        self._in_a_row = 0

    def failed(self, failure: Failure, *, is_hosts: bool, is_shared: bool = False) -> None:
        """`is_shared` where another item has met the same failure, so that it counts once."""
        if is_hosts:
            self.tripped = self.tripped or failure
        elif failure.trouble is Trouble.UNREACHABLE:
            self._in_a_row += not is_shared
            self._last = failure
            if self.strikes is not None and self._in_a_row >= self.strikes:
                self.tripped = self.tripped or failure
        else:
            self.answered()

    def asked_everybody(self, *, is_suspect: bool) -> None:
        """Judges a host once all were asked.

        Where nobody got an answer, fewer items than `strikes` tell the same: two, or one of a known case.
        """
        if self.strikes is not None and not self.has_answered and self._in_a_row > (0 if is_suspect else 1):
            self.tripped = self.tripped or self._last
