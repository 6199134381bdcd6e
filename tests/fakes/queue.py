"""Due rows in memory, as `reconcile.work.Queue` shows them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from bot.domain.failure import LeaseLost
from bot.reconcile.work import Claimed

Item = TypeVar("Item")

LEASE = timedelta(minutes=10)
_LONGEST_LEASE = timedelta(hours=1)
_FURTHEST = timedelta(days=45)
"""No stage puts a row off for longer: what lies further ahead was dated by a clock that was."""


@dataclass(slots=True)
class Row(Generic[Item]):
    """`item` is what reading the row gives; an exception in its place is raised."""

    id: int
    name: str
    item: Item | Exception
    due_at: datetime
    attempts: int = 0
    lease_until: datetime | None = None
    is_anothers: bool = False
    error: str | None = None


@dataclass(slots=True)
class FakeQueue(Generic[Item]):
    """`is_wanted` narrows the rows to those that one stage works on; `shown` is what an item tells of its row (its
    attempts, its error), for items that do. Rows in `robbed` are another's as soon as they are claimed.
    """

    rows: dict[int, Row[Item]] = field(default_factory=dict)
    is_wanted: Callable[[Row[Item]], bool] = lambda row: True
    shown: Callable[[Item, Row[Item]], Item] = lambda item, row: item
    robbed: set[int] = field(default_factory=set)
    put_off_calls: int = 0

    def __getitem__(self, id: int) -> Item:  # noqa: A002
        return self._shown(self.rows[id])

    def __setitem__(self, id: int, item: Item) -> None:  # noqa: A002
        self.rows[id].item = item

    def add(self, item: Item | Exception, due_at: datetime, name: str = "", id: int | None = None) -> Row[Item]:  # noqa: A002
        number = id if id is not None else len(self.rows) + 1
        row = self.rows[number] = Row(number, name or f"row {number}", item, due_at)
        return row

    async def claim(self, now: datetime, limit: int) -> Sequence[Claimed]:
        due = [
            row
            for row in self.rows.values()
            if not now < row.due_at <= now + _FURTHEST and not _is_leased(row, now) and self.is_wanted(row)
        ]
        taken = sorted(due, key=lambda row: (row.due_at, row.id))[:limit]
        for row in taken:
            row.attempts += 1
            row.lease_until, row.is_anothers = now + LEASE, False
        return [Claimed(row.id, row.name, row.attempts) for row in taken]

    async def read(self, claimed: Claimed) -> Item:
        return self._shown(self.rows[claimed.id])

    async def renew(self, claims: Sequence[Claimed], now: datetime) -> Collection[int]:
        kept = [claimed.id for claimed in claims if self._is_held(claimed.id)]
        for number in kept:
            self.rows[number].lease_until = now + LEASE
        return kept

    async def put_off(
        self, claims: Sequence[Claimed], due_at: datetime, *, error: str | None = None, attempted: bool = True
    ) -> None:
        self.put_off_calls += 1
        for claimed in claims:
            if self._is_held(claimed.id):
                row = self.rows[claimed.id]
                row.due_at, row.lease_until = due_at, None
                row.error = error if error is not None else row.error
                row.attempts -= not attempted

    async def resting(self, beyond: datetime, limit: int) -> Sequence[Claimed]:
        found = [
            row
            for row in self.rows.values()
            if row.due_at > beyond and row.attempts and row.lease_until is None and self.is_wanted(row)
        ]
        chosen = sorted(found, key=lambda row: (row.due_at, row.id))[:limit]
        return [Claimed(row.id, row.name, row.attempts) for row in chosen]

    async def hasten(self, dues: Mapping[int, datetime]) -> None:
        for number, due_at in dues.items():
            row = self.rows[number]
            if row.lease_until is None:
                row.due_at = min(row.due_at, due_at)

    def check(self, id: int) -> None:  # noqa: A002
        """Raises `LeaseLost` where the claim is no longer held."""
        if not self._is_held(id):
            raise LeaseLost(f"row {id} was taken over")

    def settle(self, id: int, due_at: datetime, item: Item | None = None) -> None:  # noqa: A002
        """Ends a claim with its outcome; raises `LeaseLost` where it is no longer held."""
        self.check(id)
        row = self.rows[id]
        row.due_at, row.lease_until, row.attempts, row.error = due_at, None, 0, None
        row.item = item if item is not None else row.item

    def steal(self, *ids: int) -> None:
        """As another worker that takes the rows over."""
        for number in ids:
            self.rows[number].is_anothers = True

    def held(self) -> Iterable[int]:
        return [number for number in self.rows if self._is_held(number)]

    def _is_held(self, id: int) -> bool:  # noqa: A002
        row = self.rows.get(id)
        return row is not None and row.lease_until is not None and not row.is_anothers and id not in self.robbed

    def _shown(self, row: Row[Item]) -> Item:
        if isinstance(row.item, Exception):
            raise row.item
        return self.shown(row.item, row)


def _is_leased(row: Row[Any], now: datetime) -> bool:
    return row.lease_until is not None and now < row.lease_until <= now + _LONGEST_LEASE
