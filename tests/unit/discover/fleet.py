"""A store and a code host in memory, for what a real one does not do on request."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.discover.ports import DueListing, DueRepository, KnownFleet, Listing, Reading
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.repositories.repository import Identity, Repository, Tree, TreeEntry
from bot.reconcile.work import Claimed
from tests.fakes.queue import StoredRows


def named(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()


def tree_of(files: Mapping[str, bytes], *, truncated: bool = False) -> Tree:
    """The whole tree; `truncated` shows nothing of it, as far as the host may go."""
    entries = tuple(TreeEntry(path, named(body), size=len(body)) for path, body in sorted(files.items()))
    name = named(repr(entries).encode())
    return Tree(name, () if truncated else entries, truncated)


@dataclass(slots=True)
class MemoryHost:
    """Repositories with their files; a `Failure` in the place of the files is raised."""

    files: dict[str, Mapping[str, bytes] | Failure | None] = field(default_factory=dict)
    truncated: set[str] = field(default_factory=set)
    listing: list[Repository] | Failure | None = None
    blob_failures: dict[str, Failure] = field(default_factory=dict)
    """By repository."""
    asked: Counter[str] = field(default_factory=Counter)
    owners: Sequence[str] | None = None

    async def silent(self, owners: Collection[str]) -> Mapping[str, str]:
        return {}

    async def repositories(self, owners: Sequence[str] | None) -> list[Repository]:
        self.asked["repositories"] += 1
        self.owners = owners
        if isinstance(self.listing, Failure):
            raise self.listing
        return [Repository(name, "main") for name in self.files] if self.listing is None else self.listing

    async def tree(self, repository: Identity, ref: str) -> Tree | None:
        self.asked["tree"] += 1
        files = self._files(repository.name)
        return None if files is None else tree_of(files, truncated=repository.name in self.truncated)

    async def subtree(self, repository: Identity, sha: str) -> Tree:
        """Its name is the folder's path; the root's is that of the tree."""
        self.asked["subtree"] += 1
        files = self._files(repository.name) or {}
        folder = "" if "/" not in sha else sha
        entries: dict[str, TreeEntry] = {}
        for path, body in files.items():
            if path.startswith(folder):
                name, _, rest = path.removeprefix(folder).partition("/")
                entries[name] = (
                    TreeEntry(name, f"{folder}{name}/", "040000", "tree")
                    if rest
                    else TreeEntry(name, named(body), size=len(body))
                )
        return Tree(sha, tuple(entries.values()))

    async def blob(self, repository: Identity, sha: str) -> bytes:
        self.asked["blob"] += 1
        await asyncio.sleep(0)
        if repository.name in self.blob_failures:
            raise self.blob_failures[repository.name]
        return next(body for body in (self._files(repository.name) or {}).values() if named(body) == sha)

    async def blobs(self, repository: Identity, shas: Sequence[str]) -> Mapping[str, bytes]:
        return {sha: await self.blob(repository, sha) for sha in shas}

    def _files(self, repository: str) -> Mapping[str, bytes] | None:
        files = self.files.get(repository, Failure(Trouble.MISSING, "HTTP 404 Not Found", status=404))
        if isinstance(files, Failure):
            raise files
        return files


@dataclass(slots=True)
class MemoryStore:
    """What the tests look at is public; a repository is due once, and again where a test puts it into `due`."""

    clock: ManualClock
    known: dict[str, DueRepository] = field(default_factory=dict)
    due: list[str] = field(default_factory=list)
    readings: dict[str, Reading] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    due_at: dict[str, datetime] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    given_back: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    listing_due: datetime | None = None
    listing_trouble: str | None = None
    listing_attempts: int = 1
    short_since: datetime | None = None
    lost: set[str] = field(default_factory=set)
    """Repositories whose lease another takes while they are read."""

    @property
    def listings(self) -> StoredRows[DueListing]:
        return StoredRows(self._take_listing, self._put_off_listing)

    def _take_listing(self, now: datetime, limit: int) -> list[tuple[Claimed, DueListing]]:
        if self.listing_due is not None and self.listing_due > now:
            return []
        return [(Claimed(1, "list repositories", self.listing_attempts), DueListing(1, self.listing_attempts))]

    def _put_off_listing(self, task: DueListing, due_at: datetime, error: str | None, attempted: bool) -> None:
        self.listing_due = due_at

    async def expect_listing(self) -> None:
        return

    async def postpone_listing(self, task: DueListing, due: datetime, *, trouble: str | None = None) -> None:
        self.listing_due, self.listing_trouble = due, trouble

    async def known_fleet(self) -> KnownFleet:
        return KnownFleet(frozenset(self.known), self.short_since)

    async def record_listing(
        self, task: DueListing, listing: Listing, due: datetime, *, reader: str | None = None
    ) -> None:
        self.listing_due, self.listing_trouble = due, listing.trouble
        for item in listing.taken:
            if item.name not in self.known:
                self.known[item.name] = DueRepository(
                    len(self.known), item.name, item.default_branch, None, 0, None, None
                )
                self.due.append(item.name)
        for name in set(self.known) - {item.name for item in listing.taken} - listing.kept:
            del self.known[name]

    @property
    def repositories(self) -> StoredRows[DueRepository]:
        return StoredRows(self._take, self._put_off)

    def _take(self, now: datetime, limit: int) -> list[tuple[Claimed, DueRepository]]:
        taken, self.due = self.due[:limit], self.due[limit:]
        items = [replace(self.known[name], attempts=self.known[name].attempts + 1) for name in taken]
        return [(Claimed(item.id, item.name, item.attempts), item) for item in items]

    def _put_off(self, item: DueRepository, due_at: datetime, error: str | None, attempted: bool) -> None:
        self.due_at[item.name] = due_at
        if error is None:
            self.given_back.append(item.name)
        else:
            self.errors[item.name] = error
            self.known[item.name] = replace(item, error=error)

    async def known_blobs(self, shas: Sequence[str]) -> Mapping[str, bytes]:
        await asyncio.sleep(0)
        return {each: self.blobs[each] for each in shas if each in self.blobs}

    async def save_blobs(self, bodies: Mapping[str, bytes]) -> None:
        self.blobs.update(bodies)

    async def save_reading(self, repository: DueRepository, reading: Reading, due: datetime) -> None:
        self._check_lease(repository)
        self.readings[repository.name] = reading
        self.known[repository.name] = replace(
            repository, tree=reading.tree, reader=reading.reader, attempts=0, error=None
        )

    async def keep_reading(self, repository: DueRepository, due: datetime) -> None:
        self._check_lease(repository)
        self.unchanged.append(repository.name)

    def _check_lease(self, repository: DueRepository) -> None:
        if repository.name in self.lost:
            raise LeaseLost(repository.name)
