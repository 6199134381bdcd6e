"""How the ended runs of a place are kept in one row: by columns, so that those of two years are read at once."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Self

from bot.domain.running.exposure import RunTime
from bot.store.rows.running.numbers import in_order

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
EVER = -(2**63)
"""Before every time."""
_BYTES_OF_RUN = 5 * 8 + 2


@dataclass(frozen=True, slots=True)
class PackedRun:
    """One of them; its times are microseconds since 1970."""

    since: int
    until: int
    seen_at: int
    id: int
    build: int
    is_older: bool


@dataclass(frozen=True, slots=True)
class PackedRuns:
    """The ended runs of a place in the order in which they began, column after column: when they began, when they
    had ended, when they were seen last, their ids and their builds.

    They are `in_turn` where each took a time, and they ended and were seen last in that order too, as where builds
    replace each other.
    With a mark in `breaks`, all runs before one had ended when it began.
    """

    number: int
    columns: "array[int]"
    is_older: bytes
    breaks: bytes
    in_turn: bool

    @classmethod
    def of(cls, several: Iterable[PackedRun]) -> Self:
        ordered = sorted(several, key=lambda run: (run.since, run.id))
        names = ("since", "until", "seen_at", "id", "build")
        columns = array("q", [getattr(run, name) for name in names for run in ordered])
        ends = accumulate((run.until for run in ordered), max)
        breaks = bytes((0, *(end < run.since for end, run in zip(ends, ordered[1:], strict=False))))[: len(ordered)]
        in_turn = all(run.since < run.until for run in ordered) and all(
            one.until <= other.until and one.seen_at <= other.seen_at for one, other in pairwise(ordered)
        )
        return cls(len(ordered), columns, bytes(run.is_older for run in ordered), breaks, in_turn)

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """Raises `ValueError` where these are not the bytes of runs."""
        number, rest = divmod(len(packed) - 1, _BYTES_OF_RUN)
        if rest or number < 0 or packed[0] > 1:
            raise ValueError(f"{len(packed)} bytes are no packed runs")
        columns = in_order(array("q", packed[1 + 2 * number :]), "little")
        return cls(number, columns, packed[1 : 1 + number], packed[1 + number : 1 + 2 * number], packed[0] == 1)

    @property
    def packed(self) -> bytes:
        columns = in_order(array("q", self.columns), "little")
        return b"".join((bytes((self.in_turn,)), self.is_older, self.breaks, columns.tobytes()))

    def __iter__(self) -> Iterator[PackedRun]:
        number = self.number
        since, until, seen_at, ids, builds = (self.columns[each * number :][:number] for each in range(5))
        columns = since, until, seen_at, ids, builds, map(bool, self.is_older)
        return (PackedRun(*values) for values in zip(*columns, strict=True))

    @property
    def ends(self) -> "array[int]":
        """When each had ended."""
        return self.columns[self.number : 2 * self.number]

    def there_at(self, at: int) -> Iterable[int]:
        """The ids of those that ran at a time."""
        first = self._ended(at) if self.in_turn else 0
        if first == self.number:
            return ()
        return [self._id(each) for each in range(first, self._began(at)) if self._until(each) > at]

    def ended(self, after: int, until: int, builds: Set[int]) -> Iterator[int]:
        """The ids of those of these builds that ended after a time and until another."""
        return (self._id(each) for each in self._positions(after, until, builds))

    def builds_ended(self, after: int, until: int) -> "array[int]":
        """The builds of those that may have ended between these times."""
        return self._builds(*self._between(after, until))

    def times(self, after: int, until: int, builds: Set[int]) -> Iterator[RunTime]:
        """When these builds ran in runs that ended after a time and until another: of those that follow each other,
        one time from `after` on, as `exposed_times` has them."""
        if not self.in_turn:
            for each in self._positions(after, until, builds):
                yield self._time(each, each + 1, self.columns[each], bool(self.is_older[each]))
            return
        first, last = self._between(after, until)
        is_asked = bytes(map(builds.__contains__, self._builds(first, last)))
        begin = is_asked.find(1)
        while begin >= 0:
            end = is_asked.find(0, begin)
            end = len(is_asked) if end < 0 else end
            yield from self._joined(first + begin, first + end, after)
            begin = is_asked.find(1, end)

    def _joined(self, begin: int, end: int, after: int) -> Iterator[RunTime]:
        """Those from one to another without the last, in one time up to each break."""
        while begin < end:
            stop = self.breaks.find(1, begin + 1, end)
            stop = end if stop < 0 else stop
            since = max(self.columns[begin], after)
            first = bisect_left(self.columns, since, begin, stop)
            is_older = any(self.is_older[first : bisect_right(self.columns, since, first, stop)])
            yield self._time(begin, stop, since, is_older)
            begin = stop

    def _time(self, begin: int, end: int, since: int, is_older: bool) -> RunTime:
        seen_at = self.columns[2 * self.number + end - 1]
        return moment_of(since), is_older, moment_of(seen_at), moment_of(self._until(end - 1))

    def _positions(self, after: int, until: int, builds: Set[int]) -> Iterator[int]:
        first, last = self._between(after, until)
        several = zip(range(first, last), self._builds(first, last), strict=True)
        return (
            each
            for each, build in several
            if build in builds and after < self._until(each) <= until and self.columns[each] <= until
        )

    def _between(self, after: int, until: int) -> tuple[int, int]:
        """From where to where those stand that may have ended between these times."""
        return (self._ended(after), self._ended(until)) if self.in_turn else (0, self.number)

    def _builds(self, first: int, last: int) -> "array[int]":
        return self.columns[4 * self.number + first : 4 * self.number + last]

    def _began(self, at: int) -> int:
        return bisect_right(self.columns, at, 0, self.number)

    def _ended(self, at: int) -> int:
        return bisect_right(self.columns, at, self.number, 2 * self.number) - self.number

    def _until(self, each: int) -> int:
        return self.columns[self.number + each]

    def _id(self, each: int) -> int:
        return self.columns[3 * self.number + each]


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(since_1970: int) -> datetime:
    return _EPOCH + timedelta(microseconds=since_1970)
