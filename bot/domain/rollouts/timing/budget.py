"""How much content may be made in a time, and when there is room for more of it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """New pull requests, review requests, issues and comments in any minute and in any hour, and how far apart two
    writes of any kind are to begin."""

    per_minute: int = 60
    per_hour: int = 480
    apart: timedelta = timedelta(seconds=1)


@dataclass(slots=True)
class Spending:
    """The times of what was made within the last hour, oldest first."""

    limits: WriteLimits
    spent: deque[datetime] = field(default_factory=deque)

    def free_at(self, now: datetime, cost: int) -> datetime:
        """The moment from which `cost` more may be made; more than the whole budget waits for an empty one."""
        while self.spent and now - self.spent[0] >= HOUR:
            self.spent.popleft()
        if cost == 0:
            return now
        return max(
            now,
            self._after(min(cost, self.limits.per_hour), self.limits.per_hour, HOUR, now),
            self._after(min(cost, self.limits.per_minute), self.limits.per_minute, MINUTE, now),
        )

    def spend(self, now: datetime, cost: int) -> None:
        """Counts what is made at `now`, which is never before what was counted last."""
        self.spent.extend([now] * cost)

    def _after(self, cost: int, most: int, span: timedelta, now: datetime) -> datetime:
        over = cost + len(self.spent) - most
        return now if over <= 0 else max(now, self.spent[over - 1] + span)


def times(spending: Spending, begins: Sequence[tuple[datetime, int]]) -> list[datetime]:
    """When each piece of what is still to be made will be, one after the other: each begins at its time at the
    earliest, and costs so much."""
    moments: list[datetime] = []
    moment: datetime | None = None
    for begin, cost in begins:
        earliest = begin if moment is None else max(begin, moment + spending.limits.apart)
        moment = spending.free_at(earliest, cost)
        spending.spend(moment, cost)
        moments.append(moment)
    return moments


def account_of(repository: str, *, by_owner: bool) -> str:
    """The beginning that the names of all repositories of an account have in common, in small letters: an owner's,
    or nothing where one token serves all."""
    return f"{repository.partition('/')[0].lower()}/" if by_owner else ""
