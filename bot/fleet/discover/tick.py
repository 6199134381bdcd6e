"""One tick: the fleet is listed, and repositories whose default branch moved are read again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.domain.backoff import rest_of
from bot.domain.builder.port import ExpandsPipelines
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import Silence
from bot.domain.forge.port import Forge
from bot.domain.repositories.repository import (
    GITHUB,
    IN_PART,
    GitTree,
    Reading,
    Repository,
    is_told_in_bulk,
    owner_of,
    reader_in_part,
    title_of,
)
from bot.domain.repositories.repository_config import MANY_UNREAD
from bot.files.formats import repository_config
from bot.files.formats.memory import Memory
from bot.fleet.discover.listing import understood
from bot.fleet.discover.ports import DiscoverOptions, DiscoverStore, DueListing, DueRepository, KnownFleet
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work

if TYPE_CHECKING:
    from bot.fleet.discover.reading import RepositoryReader

_MOST_LEFT_OUT = 10
"""Lines of one listing about names of another form."""
_UNTIL_REREAD = timedelta(days=7)
"""A repository is read again after so long even without a push: a safeguard, not the way news come."""
_UNTIL_SWEPT = timedelta(hours=12)
"""The same where the list does not tell of pushes, and this is the way: one request for what is as it was."""

_UNTIL_ASKED_AGAIN = timedelta(days=1)
"""The same where something that it needs was refused."""


@dataclass(slots=True)
class DiscoverTally:
    """How many repositories were listed, read, or found as they were, and what hindered others."""

    listed: int = 0
    read: int = 0
    unchanged: int = 0
    problems: list[str] = field(default_factory=list)


async def tick(
    store: DiscoverStore,
    forge: Forge,
    memory: Memory,
    options: DiscoverOptions,
    loop: Loop,
    forges: Mapping[str, Forge] | None = None,
    pipelines: ExpandsPipelines | None = None,
) -> DiscoverTally:
    """Lists where that is due, then reads until no repository is; one that cannot be read stops no other.

    Each of the `forges` is listed by itself: without them `forge` is GitHub. The trees of all are read by `forge`.
    Of `pipelines` are asked those whose templates are not in reach.
    """
    tally = DiscoverTally()
    listed_forges = forges or {GITHUB: forge}
    await store.expect_listing(listed_forges)
    listings = await loop.run(_Listings(store, listed_forges, options, loop, tally))
    readings = _Readings(store, forge, memory, options, loop, tally, pipelines)
    outcome = await loop.run(readings)
    await store.tell_unread(_unread_in_one_pass(readings.newly_unread))
    tally.problems += listings.problems + outcome.problems
    return tally


def _unread_in_one_pass(repositories: Sequence[str]) -> str | None:
    """What is to be told once, where a change that reaches many made their own words unreadable."""
    if len(repositories) <= MANY_UNREAD:
        return None
    examples = ", ".join(sorted(repositories)[:3])
    return (
        f"{repository_config.PATH} of {len(repositories)} repositories cannot be understood any more ({examples} "
        "and others), so nothing new is written to them; look for what has changed all these files, and correct "
        "them"
    )


@dataclass(frozen=True, slots=True)
class _ForgeListing:
    """What a forge lists, what was known of it before, of whom it cannot tell anything, with why, and what the bot
    may do where."""

    repositories: Sequence[Repository]
    fleet: KnownFleet
    silent: Mapping[str, Silence]
    grants: Mapping[str, Mapping[str, str]] | None


def _not_set_up(forge: str, fleet: KnownFleet) -> _ForgeListing:
    """What can be told of a forge that the settings do not name: all that is known of it is doubted for a day, as
    other processes may have other settings."""
    silence = Silence(f"the settings do not name {title_of(forge)} any more")
    return _ForgeListing((), fleet, dict.fromkeys(map(owner_of, fleet.names), silence), None)


class _Listings(Work[DueListing, "_ForgeListing"]):
    """The task of listing the fleet, one for each forge: only the whole list of one closes what is known of it."""

    stage = "discover"
    batch = 1

    def __init__(
        self,
        store: DiscoverStore,
        forges: Mapping[str, Forge],
        options: DiscoverOptions,
        loop: Loop,
        tally: DiscoverTally,
    ) -> None:
        self._store = store
        self._forges = forges
        self._options = options
        self._clock = loop.clock
        self._tally = tally
        self.home = None if options.host.others else options.host.name

    @property
    def queue(self) -> Queue[DueListing]:
        return self._store.listings(self._forges)

    def host(self, item: DueListing) -> str:
        return self._options.host.at(item.forge)

    async def attempt(self, item: DueListing, lease: Lease) -> "_ForgeListing":
        forge = self._forges.get(item.forge)
        if forge is None:
            return _not_set_up(item.forge, await self._store.known_fleet(item.forge))
        repositories = await forge.repositories(self._options.of(item.forge).owners)
        fleet = await self._store.known_fleet(item.forge)
        silent = await forge.silent(set(map(owner_of, fleet.names)))
        return _ForgeListing(repositories, fleet, silent, await forge.grants())

    async def settle(self, item: DueListing, result: "_ForgeListing") -> None:
        now = self._clock.now()
        selection = self._options.of(item.forge)
        listing = understood(result.repositories, result.fleet, selection, now, result.silent, item.forge)
        listing = replace(listing, grants=result.grants)
        self._tally.listed += len(listing.repositories)
        self._tally.problems += [text for text in (listing.trouble, listing.nothing_taken) if text]
        self._tally.problems += listing.left_out[:_MOST_LEFT_OUT]
        due = now + self._options.every
        await self._store.record_listing(item, listing, due, reader=self._options.reader)

    async def failed(self, item: DueListing, claimed: Claimed, failure: Failure, now: datetime) -> str:
        is_told = not failure.trouble.is_passing or claimed.attempts > 1
        due_at = now + rest_of(failure, claimed.attempts)
        await self._store.postpone_listing(item, due_at, trouble=str(failure) if is_told else None)
        where = "" if item.forge == GITHUB else f" at {title_of(item.forge)}"
        return f"listing repositories{where}: {failure}"


class _Readings(Work[DueRepository, "Reading | None"]):
    """Repositories whose default branch may have moved; the result is None where it is where it was."""

    stage = "discover"
    batch = 40
    rests_by_backoff = True

    def __init__(
        self,
        store: DiscoverStore,
        forge: Forge,
        memory: Memory,
        options: DiscoverOptions,
        loop: Loop,
        tally: DiscoverTally,
        pipelines: ExpandsPipelines | None,
    ) -> None:
        self._store = store
        self._forge = forge
        self._memory = memory
        self._pipelines = pipelines
        self._options = options
        self._clock = loop.clock
        self._reader = options.reader
        self._read_by: RepositoryReader | None = None
        self._tally = tally
        self._host = options.host
        self.home = options.host.whole
        self.newly_unread: list[str] = []

    @property
    def queue(self) -> Queue[DueRepository]:
        return self._store.repositories

    def host(self, item: DueRepository) -> str:
        return self._host.of(item.identity)

    async def attempt(self, item: DueRepository, lease: Lease) -> Reading | None:
        readers = (self._reader, reader_in_part(self._reader, self._clock.now()))
        known = item.tree if item.reader in readers else None
        tree = await self._forge.tree(item.identity, item.default_branch, known)
        if tree is not None and tree.sha == known:
            return None
        return await self._read(item, tree)

    async def settle(self, item: DueRepository, result: Reading | None) -> None:
        due = self._clock.now() + (_UNTIL_REREAD if is_told_in_bulk(item.forge) else _UNTIL_SWEPT)
        if IN_PART in ((item if result is None else result).reader or ""):
            due = min(due, self._clock.now() + _UNTIL_ASKED_AGAIN)
        if result is None:
            await self._store.keep_reading(item, due)
            self._tally.unchanged += 1
            return
        await self._store.save_reading(item, result, due)
        self._tally.read += 1
        if result.config.unread and not item.is_unread:
            self.newly_unread.append(item.name)
        self._tally.problems += [
            f"{item.name}/{problem.path}:{problem.line}: {problem.message}" for problem in result.problems
        ]

    async def failed(self, item: DueRepository, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        """What is gone or denied may come back with the next listing; asking sooner would change nothing."""
        rest = rest_of(failure, claimed.attempts)
        if failure.trouble in (Trouble.MISSING, Trouble.DENIED):
            rest = max(rest, self._options.every)
        await self.queue.put_off([claimed], now + rest, error=str(failure))
        return f"{item.name}: {failure}" if item.error != str(failure) else None

    async def _read(self, item: DueRepository, tree: GitTree | None) -> Reading:
        """Loads what reads files with the first repository that is read."""
        from bot.fleet.discover.reading import RepositoryReader

        if self._read_by is None:
            self._read_by = RepositoryReader(
                self._store, self._forge, self._memory, self._options, self._clock, self._pipelines
            )
        return await self._read_by.reading(item, tree)
