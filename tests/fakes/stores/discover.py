"""The fleet in memory, as far as listing and reading it ask: `discover.ports.DiscoverStore`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.clock import Clock
from bot.domain.repositories.repository import GITHUB, Reading, Repository
from bot.fleet.discover.ports import DueListing, DueRepository, KnownFleet, Listing
from tests.fakes.queue import FakeQueue, Row


class FakeDiscoverStore:
    """Repositories in `lost` are another's before what was read of them is stored.

    A listing makes a known repository due where its last push or its default branch moved, or where another
    reader is at work.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._listings: FakeQueue[DueListing] = FakeQueue(shown=_with_attempts)
        self.repositories: FakeQueue[DueRepository] = FakeQueue(shown=_as_shown)
        self.readings: dict[str, Reading] = {}
        self.blobs: dict[str, bytes] = {}
        self.listing_trouble: str | None = None
        self.grants: Mapping[str, Mapping[str, str]] | None = None
        self.short_since: datetime | None = None
        self.lost: set[str] = set()
        self.unread: list[str | None] = []
        """What was told of words that cannot be understood, at the end of each pass."""
        self._pushed: dict[str, datetime | None] = {}

    def listings(self, forges: Collection[str] = (GITHUB,)) -> FakeQueue[DueListing]:
        return self._listings

    async def expect_listing(self, forges: Collection[str] = (GITHUB,)) -> None:
        expected = {row.item.forge for row in self._listings.rows.values() if isinstance(row.item, DueListing)}
        for forge in sorted(set(forges) - expected):
            number = len(self._listings.rows) + 1
            self._listings.add(DueListing(number, 0, forge), self.clock.now(), "list repositories", number)

    async def postpone_listing(self, task: DueListing, due: datetime, *, trouble: str | None = None) -> None:
        self._listings.settle(task.id, due)
        self._listings.rows[task.id].attempts = task.attempts
        self.listing_trouble = trouble if trouble is not None else self.listing_trouble

    async def known_fleet(self, forge: str = GITHUB) -> KnownFleet:
        return KnownFleet(frozenset(self._known_of(forge)), self.short_since)

    async def record_listing(
        self, task: DueListing, listing: Listing, due: datetime, *, reader: str | None = None
    ) -> None:
        now = self.clock.now()
        self._listings.settle(task.id, due)
        self.listing_trouble = listing.trouble
        self.grants = listing.grants
        self.short_since = (self.short_since or now) if listing.trouble else None
        for item in listing.repositories:
            if item.name not in self.known:
                self._add(item, now)
            elif self._has_news(item, reader):
                self._become_due(item, now)
            self._pushed[item.name] = None if item.pushed_lately else item.pushed_at
        for name in self._known_of(task.forge) - {item.name for item in listing.repositories} - listing.kept_names:
            del self.repositories.rows[self.row(name).id]

    def _add(self, item: Repository, now: datetime) -> None:
        number = max(self.repositories.rows, default=0) + 1
        new = DueRepository(number, item.name, item.default_branch, None, 0, None, None, forge=item.forge)
        self.repositories.add(new, now, item.name, number)

    def _known_of(self, forge: str) -> set[str]:
        return {name for name in self.known if self.repositories[self.row(name).id].forge == forge}

    def _has_news(self, item: Repository, reader: str | None) -> bool:
        known = self.repositories[self.row(item.name).id]
        pushed = item.pushed_lately or item.pushed_at != self._pushed.get(item.name)
        return (
            pushed
            or item.default_branch != known.default_branch
            or (reader is not None and known.reader not in (None, reader))
        )

    def _become_due(self, item: Repository, now: datetime) -> None:
        """Whoever reads it loses the lease: that reading may be older than the push."""
        row = self.row(item.name)
        row.due_at, row.attempts, row.lease_until = now, 0, None
        self.repositories[row.id] = replace(self.repositories[row.id], default_branch=item.default_branch)

    async def known_blobs(self, shas: Sequence[str]) -> Mapping[str, bytes]:
        return {each: self.blobs[each] for each in shas if each in self.blobs}

    async def save_blobs(self, bodies: Mapping[str, bytes]) -> None:
        self.blobs.update(bodies)

    async def save_reading(self, repository: DueRepository, reading: Reading, due: datetime) -> None:
        self._check(repository)
        is_unread = bool(reading.config.unread)
        read = replace(repository, tree=reading.tree, reader=reading.reader, is_unread=is_unread)
        self.repositories.settle(repository.id, due, read)
        self.readings[repository.name] = reading

    async def tell_unread(self, trouble: str | None) -> None:
        self.unread.append(trouble)

    async def keep_reading(self, repository: DueRepository, due: datetime) -> None:
        self._check(repository)
        self.repositories.settle(repository.id, due)

    def _check(self, repository: DueRepository) -> None:
        if repository.name in self.lost:
            self.repositories.steal(repository.id)
        self.repositories.check(repository.id)

    @property
    def known(self) -> list[str]:
        """Those that are listed, by name."""
        return [row.name for row in self.repositories.rows.values()]

    @property
    def errors(self) -> dict[str, str]:
        return {row.name: row.error for row in self.repositories.rows.values() if row.error is not None}

    def row(self, name: str) -> Row[DueRepository]:
        return next(row for row in self.repositories.rows.values() if row.name == name)


def _with_attempts(task: DueListing, row: Row[DueListing]) -> DueListing:
    return replace(task, attempts=row.attempts)


def _as_shown(repository: DueRepository, row: Row[DueRepository]) -> DueRepository:
    return replace(repository, attempts=row.attempts, error=row.error)
