"""How many requests somebody may send: a bucket that fills up again, for each sender."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

_MOST_SENDERS = 10_000


@dataclass(slots=True)
class Bucket:
    """`burst` requests at once, and `each_second` from then on; the sender heard of longest ago is forgotten."""

    burst: float
    each_second: float
    now: Callable[[], float] = monotonic
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, sender: str) -> float:
        """Takes one; for how many seconds the sender has to wait, 0 where it may go on."""
        now = self.now()
        left, before = self._left.pop(sender, (self.burst, now))
        left = min(self.burst, left + (now - before) * self.each_second)
        may = left >= 1
        self._left[sender] = (left - 1 if may else left, now)
        while len(self._left) > _MOST_SENDERS:
            self._left.popitem(last=False)
        return 0 if may else (1 - left) / self.each_second


@dataclass(slots=True)
class Rates:
    """`requests` of any kind; `logins` that showed a wrong token; `sessions` that one person begins, of which the
    store keeps those that were ended."""

    requests: Bucket = field(default_factory=lambda: Bucket(burst=240, each_second=20))
    logins: Bucket = field(default_factory=lambda: Bucket(burst=10, each_second=0.1))
    sessions: Bucket = field(default_factory=lambda: Bucket(burst=60, each_second=1 / 60))
