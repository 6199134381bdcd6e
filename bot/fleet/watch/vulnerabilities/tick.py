"""The stage that follows dumps of vulnerabilities: due ones are fetched, read and kept as far as they matter.

What matters depends on what is inside images: a dump is read again when it changed, and when packages are known by
names, or of releases, that nobody looked for in it. Where it changed, the entries that did are read.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from bot.domain.failure import Failure
from bot.domain.packages.cves.publication import DumpMark, OpenedDump
from bot.domain.packages.cves.vulnerability import Ecosystem
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff
from bot.upstream.osv.addresses import DumpSource
from bot.upstream.osv.dump import DumpReading, read_dump
from bot.upstream.osv.members import LastReading
from bot.upstream.osv.oval import read_oval
from bot.upstream.osv.questions import KnownRecord, OsvApi, PackageQuestion, ask_osv
from bot.upstream.osv.record import WantedPackages

READER = "6"
"""Raised whenever the parsers change what they find, so that dumps are read again."""
EVERY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class DueDump:
    """A dump whose turn it is; `mark` and `considered` are those of the last reading of this very place.

    `questions` are those that an API has answered since `asked_at`. `last` is what the reading of a dump left to
    the next one.
    """

    source: DumpSource
    mark: DumpMark | None = None
    considered: WantedPackages = WantedPackages()  # noqa: RUF009 - frozen
    reader: str = ""
    questions: frozenset[PackageQuestion] = frozenset()
    asked_at: datetime | None = None
    last: LastReading | None = None


@dataclass(frozen=True, slots=True)
class KeptDump:
    """What one look at a dump brought. `reading` is None where nothing changed and nothing else is looked for.

    `mark` is None where nobody was asked, since no package that it tells of is known yet or nobody is to be.
    `questions` are those that an API has answered; where it `adds`, what it said to others stays as it is.
    """

    source: DumpSource
    mark: DumpMark | None
    considered: WantedPackages
    reading: DumpReading | None
    questions: frozenset[PackageQuestion] = frozenset()
    adds: bool = False

    @property
    def as_of(self) -> datetime | None:
        """When a file was written: whoever brings it may have stopped. None where its publisher was asked."""
        return self.mark.written_at if self.mark is not None and self.source.is_file else None


class DumpsPort(Protocol):
    """Opens dumps of vulnerabilities, wherever they are."""

    def opened(self, place: str, previous: DumpMark | None) -> AbstractAsyncContextManager[OpenedDump | None]:
        """The dump at an address or path; None where it is still what `previous` marks. Raises `Failure`."""
        ...


class DumpsStore(Protocol):
    """What this stage asks of the store; each method is one transaction."""

    async def follow_dumps(self, sources: Sequence[DumpSource]) -> None:
        """Makes rows, due now, for those that have none or stand elsewhere; forgets all others with what they
        said."""

    @property
    def dumps(self) -> Queue[DueDump]: ...

    async def wanted_packages(self) -> WantedPackages:
        """All names of packages in images, and the releases that images are of."""
        ...

    async def questions(self, ecosystem: Ecosystem) -> frozenset[PackageQuestion]:
        """Each version of a package in images that an ecosystem may know of."""
        ...

    async def known_records(self, ecosystem: Ecosystem) -> Mapping[str, KnownRecord]:
        """The records that are kept, by their ids, as far as it is known when they were changed last."""
        ...

    async def keep_dump(self, dump: KeptDump, due_at: datetime) -> int:
        """Replaces what the dump said before; how many records changed. Raises `LeaseLost`."""
        ...


@dataclass(slots=True)
class DumpTally:
    """What one tick did; `problems` has a line for each dump or record that could not be read."""

    read: int = 0
    unchanged: int = 0
    changed: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Publishers:
    """Who is asked: dumps, and OSV's API where that is named in place of one."""

    dumps: DumpsPort
    api: OsvApi


async def tick(
    store: DumpsStore, publishers: Publishers, loop: Loop, sources: Sequence[DumpSource], *, offline: bool = False
) -> DumpTally:
    """Reads every dump that is due; one that fails stops no other. Where it is `offline`, only files are read."""
    tally = DumpTally()
    await store.follow_dumps(sources)
    if sources:
        run = await loop.run(_Dumps(store, publishers, loop, tally, offline))
        tally.problems += run.problems
    return tally


def _read_records(
    dump: OpenedDump, source: DumpSource, packages: WantedPackages, now: datetime, last: LastReading | None
) -> DumpReading:
    if (release := source.publication.release) is not None:
        return read_oval(dump.file, packages, release, source.place)
    return read_dump(dump.file, packages, source.ecosystem, source.place, now, last)


class _Dumps(Work[DueDump, KeptDump]):
    stage = "vulnerabilities"
    batch = 1
    at_once = 1

    def __init__(
        self, store: DumpsStore, publishers: Publishers, loop: Loop, tally: DumpTally, offline: bool
    ) -> None:
        self._offline = offline
        self._store = store
        self._publishers = publishers
        self._clock = loop.clock
        self._tally = tally

    @property
    def queue(self) -> Queue[DueDump]:
        return self._store.dumps

    def host(self, item: DueDump) -> str:
        return urlsplit(item.source.address or "").netloc or self.stage

    async def attempt(self, item: DueDump, lease: Lease) -> KeptDump:
        source, packages = item.source, await self._store.wanted_packages()
        if not packages.are_told_by(source.publication) or (self._offline and not source.is_file):
            return KeptDump(source, None, packages, None)
        if source.api is not None:
            return await self._ask_api(item, source.api, packages)
        is_covered = packages in item.considered and item.reader == READER
        async with self._publishers.dumps.opened(source.place, item.mark if is_covered else None) as dump:
            if dump is None:
                assert item.mark is not None, "only what has a mark is unchanged"
                return KeptDump(source, item.mark, item.considered, None)
            now, last = self._clock.now(), item.last if is_covered else None
            reading = await asyncio.to_thread(_read_records, dump, source, packages, now, last)
            return KeptDump(
                source, dump.mark, replace(packages, untold=reading.untold, unread=reading.unread), reading
            )

    async def _ask_api(self, item: DueDump, api: str, packages: WantedPackages) -> KeptDump:
        """Asks all once in a time, and what is new in between as it comes.

        What came after `packages` was read waits for the next time: nobody would look for it in the records.
        """
        source, stored_questions = item.source, await self._store.questions(item.source.ecosystem)
        questions = frozenset(each for each in stored_questions if packages.looks_for(each.release, each.name))
        is_current = item.asked_at is not None and self._clock.now() < item.asked_at + EVERY
        adds = is_current and item.reader == READER
        new = questions - item.questions if adds else questions
        if not new:
            return KeptDump(source, None, packages, None, item.questions, adds)
        known_records = await self._store.known_records(source.ecosystem) if item.reader == READER else {}
        reading = await ask_osv(self._publishers.api, api, source.ecosystem, sorted(new), packages, known_records)
        answered_questions = item.questions | new if adds else questions
        unread = reading.unread | item.considered.unread if adds else reading.unread
        packages = replace(packages, unread=unread)
        return KeptDump(source, DumpMark(), packages, reading, answered_questions, adds)

    async def settle(self, item: DueDump, result: KeptDump) -> None:
        began_at = item.asked_at if result.adds and item.asked_at is not None else self._clock.now()
        self._tally.changed += await self._store.keep_dump(result, began_at + EVERY)
        if result.reading is None:
            self._tally.unchanged += 1
        else:
            self._tally.read += 1
            self._tally.problems.extend(str(problem) for problem in result.reading.problems)

    async def failed(self, item: DueDump, claimed: Claimed, failure: Failure, now: datetime) -> str:
        await put_off_by_backoff(self.queue, claimed, failure, now)
        return str(failure)
