"""What a stage tells the loop, what the loop tells while it works, and when it leaves a host alone."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from bot.domain.backoff import rest_of
from bot.domain.clock import Clock
from bot.domain.failure import Failure, LeaseLost, Trouble

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
    _met: dict[int, Failure] = field(default_factory=dict)
    """What was met so far. Items that were asked about together meet the very same failure, which counts once."""

    def answered(self) -> None:
        self.has_answered = True
        self._in_a_row = 0

    def failed(self, failure: Failure, *, is_hosts: bool) -> None:
        """`is_hosts` where the failure alone tells that the host wants to be left alone."""
        if is_hosts:
            self.tripped = self.tripped or failure
        elif failure.trouble is Trouble.UNREACHABLE:
            self._in_a_row += id(failure) not in self._met
            self._met[id(failure)] = failure
            if self.strikes is not None and self._in_a_row >= self.strikes:
                self.tripped = self.tripped or failure
        else:
            self.answered()

    def asked_everybody(self, *, is_suspect: bool) -> None:
        """Judges a host once all were asked.

        Where nobody got an answer, fewer items than `strikes` tell the same: two, or one of a known case.
        """
        if self.strikes is not None and not self.has_answered and self._in_a_row > (0 if is_suspect else 1):
            self.tripped = self.tripped or next(reversed(self._met.values()))


class RowOutcome(StrEnum):
    """How the work on one claimed row has ended."""

    DONE = "done"
    FAILED = "failed"
    DEFECT = "defect"
    UNREADABLE = "unreadable"
    UNTRIED = "untried"
    """Its host pauses."""
    LOST = "lost"
    """Another worker has taken over."""


class Hooks:
    """Does nothing; metrics override what they need."""

    def ended(self, stage: str, host: str, outcome: RowOutcome, took: timedelta) -> None:
        """Told of each claimed row; `took` is the time of its attempt, zero where there was none."""


Item = TypeVar("Item")
Result = TypeVar("Result")
Item_co = TypeVar("Item_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A leased row that nobody has read yet. `name` is what logs call it; `attempts` counts this one too."""

    id: int
    name: str
    attempts: int
    row: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


class Queue(Protocol[Item_co]):
    """The due rows of one table, as far as one stage works on them; each method is a transaction.

    A lease that was lost is told by `renew` and by the stage's own settling, never by `put_off`.
    """

    async def claim(self, now: datetime, limit: int) -> Sequence[Claimed]:
        """Leases up to `limit` due rows, the longest due first."""
        ...

    async def read(self, claimed: Claimed) -> Item_co:
        """The row as a value. A row that cannot be read raises whatever its decoding raises."""
        ...

    async def renew(self, claims: Sequence[Claimed], now: datetime) -> Collection[int]:
        """Prolongs the leases from `now` on; the ids of those that are still ours."""
        ...

    async def put_off(
        self, claims: Sequence[Claimed], due_at: datetime, *, error: str | None = None, attempted: bool = True
    ) -> None:
        """Ends the claims without an outcome. `error` is shown with the rows; None leaves what they show.

        Without `attempted` the attempt does not count. Rows that are no longer ours are left alone.
        """
        ...

    async def resting(self, beyond: datetime, limit: int) -> Sequence[Claimed]:
        """Up to `limit` rows that have failed, that nobody holds and that are due only after `beyond`; what is due
        sooner comes first."""
        ...

    async def hasten(self, dues: Mapping[int, datetime]) -> None:
        """Makes rows due at these times, by their ids, where they are due later and nobody holds them."""
        ...


class Held(Protocol):
    """What has to hold as a write begins, after all that it waited for."""

    async def check(self) -> None:
        """Raises `LeaseLost` or `Failure` where it holds no more."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The claim on the item that is worked on."""

    claimed: Claimed
    queue: Queue[Any]
    clock: Clock

    async def check(self) -> None:
        """To be awaited before each write outside: raises `LeaseLost` where another worker has taken over."""
        if self.claimed.id not in await self.queue.renew([self.claimed], self.clock.now()):
            raise LeaseLost(f"{self.claimed.name} is no longer leased to us")


class Work(ABC, Generic[Item, Result]):
    """One stage's work on its rows.

    For each item the loop calls `attempt`, which asks and writes outside, and then `settle`, which stores the
    result and says in it when the row is due again. Both may raise:

    - `LeaseLost`: the item is somebody else's now; nothing more is done about it, and nothing said.
    - `Failure`: `failed` puts the row off and returns the line that people read. Where the failure is the host's
      (`is_hosts`, or `strikes` items in a row without an answer), its items only wait for the host's pause.
    - anything else is a defect: it is logged with the row, and handled as a `Failure` that is malformed.

    Whatever happens, each claimed row is settled or put off before its round ends. Items of one host run at most
    `at_once` at a time, those with the same `key` one after the other; hosts do not wait for each other.
    """

    stage: str
    batch: int = 20
    """Rows that are claimed at a time."""
    at_once: int = 4
    """Items of one host that are worked on at a time."""
    most: int = 100_000
    """Rows in one run; what is due beyond that is left to the next."""
    strikes: int | None = 5
    """So many items in a row without an answer, and their host is in trouble; None where that is never said."""
    rests_by_backoff: bool = False
    """Whether what fails rests by `rest_of`, for up to a day; once something goes through at its host, it is due
    again soon."""
    home: str | None = None
    """The host that all items need, where it is one: while it pauses nothing is claimed."""

    @property
    @abstractmethod
    def queue(self) -> Queue[Item]: ...

    def host(self, item: Item) -> str:
        """The host whose trouble keeps this item from being tried."""
        return self.home or self.stage

    def needs(self, item: Item) -> Sequence[str]:
        """Other hosts that are asked about this item too: while one of them pauses, it waits with it."""
        return ()

    def key(self, item: Item) -> object | None:
        """Items with the same key are tried one after the other; None is alike to no other."""
        return None

    async def prepare(self, host: str, items: Sequence[Item]) -> None:
        """Before the first of a host's items: what can be read for all of them at once. A `Failure` is all of
        theirs."""

    def is_suspect(self, host: str) -> bool:
        """Whether the host is known to be in trouble, so that the first items are tried one by one."""
        return False

    @abstractmethod
    async def attempt(self, item: Item, lease: Lease) -> Result: ...

    @abstractmethod
    async def settle(self, item: Item, result: Result) -> None: ...

    def is_small(self, result: Result) -> bool:
        """Whether the result may wait for others, to be stored with them by `settle_together`."""
        return False

    async def settle_together(self, done: Sequence[tuple[Item, Result]]) -> None:
        """Stores small results of one host in one transaction."""
        for item, result in done:
            await self.settle(item, result)

    @abstractmethod
    async def failed(self, item: Item, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        """Puts the row off, or ends it; returns what people are told, None where they know."""
        ...

    def is_hosts(self, failure: Failure) -> bool:
        """Whether one such failure tells that the host itself wants to be left alone; who only may not write at
        present reads on."""
        return failure.pauses_host

    def longest_pause(self, items: Sequence[Item], now: datetime) -> timedelta:
        """How long these items can wait for a host that does not answer; what the host asks for counts all the
        same."""
        return LONGEST_PAUSE

    def paused_since(self, host: str) -> datetime | None:
        """Since when the host is in trouble, where the stage knows better than this process."""
        return None

    def told(self, host: str, failure: Failure) -> str | None:
        """What people are told when a host begins to be left alone, or again; None where they know."""
        return str(failure)

    def excuse(self, host: str, failure: Failure) -> str | None:
        """What the rows show that wait for their host; None leaves what they show."""
        return None

    async def finish(self, host: str, tripped: Failure | None, now: datetime) -> None:
        """After the last of a host's items; `tripped` is what the host pauses for."""


async def put_off_by_backoff(
    queue: Queue[Any], claimed: Claimed, failure: Failure, now: datetime, error: str | None = None
) -> None:
    """Puts a row off by the usual back-off and stores the failure with it, as `Work.failed` mostly does."""
    await queue.put_off([claimed], now + rest_of(failure, claimed.attempts), error=error or str(failure))
