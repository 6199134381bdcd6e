"""One tick: the fleet is listed, and repositories whose default branch moved are read again."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version

from bot.discover.choosing import chosen
from bot.discover.contents import Contents
from bot.discover.listing import understood
from bot.discover.ports import DiscoverStore, DueListing, DueRepository, Host, Reading
from bot.discover.selection import Selection
from bot.discover.truncated_tree import entries_of
from bot.domain.backoff import rest_after
from bot.domain.bounded_gather import bounded_gather
from bot.domain.clock import Clock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.repository import Tree
from bot.domain.repository_config import RepositoryConfig
from bot.domain.usage import Findings, Problem
from bot.formats import repository_config
from bot.formats.repository import File, Memory, read_files
from bot.formats.source.text import decode
from bot.formats.table import format_of, kind_of

_BATCH = 40
_AT_ONCE = 4
_STRIKES = 5
"""So many repositories in a row without an answer, and the host itself is taken to be in trouble."""
_UNTIL_REREAD = timedelta(days=7)
"""A repository is read again after so long even without a push: a safeguard, not the way news come."""


@dataclass(frozen=True, slots=True)
class DiscoverOptions:
    selection: Selection = Selection()  # noqa: RUF009 - frozen
    every: timedelta = timedelta(hours=1)

    @property
    def reader(self) -> str:
        """Changes with all that a reading depends on besides the tree: what reads it, and the bases to watch."""
        told = "\n".join((version("freshness-bot"), *self.selection.bases))
        return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass(slots=True)
class DiscoverTally:
    listed: int = 0
    read: int = 0
    unchanged: int = 0
    problems: list[str] = field(default_factory=list)


async def tick(
    store: DiscoverStore, host: Host, memory: Memory, options: DiscoverOptions, clock: Clock
) -> DiscoverTally:
    """Lists where that is due, then reads until no repository is; one that cannot be read stops no other."""
    discovery = _Discovery(store, host, memory, options, clock)
    await discovery.list_fleet()
    while await discovery.read_some():
        pass
    return discovery.tally


class _Discovery:
    def __init__(
        self, store: DiscoverStore, host: Host, memory: Memory, options: DiscoverOptions, clock: Clock
    ) -> None:
        self._store = store
        self._host = host
        self._memory = memory
        self._options = options
        self._clock = clock
        self._contents = Contents(store, host)
        self._reader = options.reader
        self._stopped: Failure | None = None
        self._silent = 0
        self.tally = DiscoverTally()

    async def list_fleet(self) -> None:
        now = self._clock.now()
        task = await self._store.claim_listing()
        if task is None:
            return
        try:
            await self._list(task, now)
        except LeaseLost:
            return

    async def _list(self, task: DueListing, now: datetime) -> None:
        selection = self._options.selection
        try:
            shown = await self._host.repositories(selection.owners)
            listing = understood(shown, await self._store.known_fleet(), selection, now)
            self.tally.listed = len(listing.taken)
            self.tally.problems += [text for text in (listing.trouble, listing.nothing_taken) if text]
            await self._store.record_listing(task, listing, now + self._options.every, reader=self._reader)
        except Failure as failure:
            self.tally.problems.append(f"listing repositories: {failure}")
            transient = failure.trouble in (Trouble.UNREACHABLE, Trouble.THROTTLED) and task.attempts < 2
            rest = failure.retry_after or rest_after(task.attempts)
            trouble = None if transient else str(failure)
            await self._store.postpone_listing(task, now + rest, trouble=trouble)

    async def read_some(self) -> bool:
        """Whether there may be more to read."""
        due = await self._store.claim_repositories(_BATCH)
        await bounded_gather(_AT_ONCE, due, self._attempt)
        return bool(due) and self._stopped is None

    async def _attempt(self, repository: DueRepository) -> None:
        try:
            if self._stopped is not None:
                rest = self._stopped.retry_after or rest_after(1)
                await self._store.give_back(repository, self._clock.now() + rest)
                return
            await self._read(repository)
        except Failure as failure:
            await self._failed(repository, failure)
        except LeaseLost:
            return

    async def _read(self, repository: DueRepository) -> None:
        tree = await self._host.tree(repository.name, repository.default_branch)
        self._silent = 0
        due = self._clock.now() + _UNTIL_REREAD
        if tree is not None and tree.sha == repository.tree and repository.reader == self._reader:
            await self._store.keep_reading(repository, due)
            self.tally.unchanged += 1
            return
        reading = await self._reading(repository.name, tree)
        await self._store.save_reading(repository, reading, due)
        self.tally.read += 1
        self.tally.problems += [
            f"{repository.name}/{problem.path}:{problem.line}: {problem.message}" for problem in reading.problems
        ]

    async def _failed(self, repository: DueRepository, failure: Failure) -> None:
        """What is gone or denied may come back with the next listing; asking sooner would change nothing."""
        now = self._clock.now()
        try:
            if failure.trouble is Trouble.THROTTLED:
                self._stopped = failure
                await self._store.give_back(repository, now + (failure.retry_after or rest_after(1)))
                told = f"reading repositories: {failure}"
                self.tally.problems += [told] if told not in self.tally.problems else []
                return
            if failure.trouble is Trouble.UNREACHABLE:
                self._silent += 1
                self._stopped = failure if self._silent >= _STRIKES else self._stopped
            rest = failure.retry_after or rest_after(repository.attempts)
            if failure.trouble in (Trouble.MISSING, Trouble.DENIED):
                rest = max(rest, self._options.every)
            await self._store.postpone(repository, str(failure), now + rest)
            if repository.error != str(failure):
                self.tally.problems.append(f"{repository.name}: {failure}")
        except LeaseLost:
            return

    async def _reading(self, repository: str, tree: Tree | None) -> Reading:
        if tree is None:
            return Reading(None, reader=self._reader)
        entries, problems = await entries_of(repository, tree, self._host)
        choice = chosen(entries)
        bodies = await self._contents.of(repository, (entry.sha for entry in choice.entries))
        files = [File(entry.path, entry.sha, bodies[entry.sha]) for entry in choice.entries]
        # Reading is plain computation; a thread keeps the event loop free for the other requests.
        found, workflows = await asyncio.to_thread(read_files, files, self._memory)
        config, config_problems = self._config(files)
        asked = [(usage, self._options.selection.followed(usage)) for usage in found.usages]
        followed = tuple((usage, base) for usage, (base, is_kept) in asked if is_kept)
        concerned = {usage.path for usage, _ in followed} | self._concerned(files, found)
        told = (problem for problem in found.problems if problem.path in concerned)
        return Reading(
            tree.sha,
            followed,
            workflows,
            config,
            (*problems, *choice.problems, *config_problems, *told),
            self._reader,
            tuple(entry.sha for entry in choice.entries),
        )

    def _concerned(self, files: Iterable[File], found: Findings) -> set[str]:
        """Files that may be about a watched base though none was found: problems of others are not our business."""
        marks = self._options.selection.marks
        told = {problem.path for problem in found.problems}
        return {
            file.path
            for file in files
            if file.path in told
            and (_is_about_images(file.path) or b"\0" in file.data or any(mark in file.data for mark in marks))
        }

    def _config(self, files: Sequence[File]) -> tuple[RepositoryConfig, tuple[Problem, ...]]:
        text = next((decode(file.data) for file in files if file.path == repository_config.PATH), None)
        if text is None:
            return RepositoryConfig(), ()
        return repository_config.parse(text, self._clock.now())


def _is_about_images(path: str) -> bool:
    """A project has problems only where it builds an image, and its base need not be named."""
    kind = kind_of(path)
    return kind is not None and format_of(kind).tells_without_names
