"""The stage that follows the feeds: due documents are fetched, read and kept, and lead to further documents."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Advisory, Release
from bot.domain.feeds.document import (
    FeedKind,
    FeedSource,
    Fetched,
    NewContent,
    NotFetched,
    StoredDocument,
    staleness,
)
from bot.domain.packages.cves.marks import CveMarks
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work
from bot.upstream.feeds import contents, image_info, msrc
from bot.upstream.feeds.contents import READER, FeedContents, newest_in
from bot.upstream.feeds.dotnet.releases import Merged, merge
from bot.upstream.feeds.doubts import DoubtedLoss, FactKey, RegistryWord, WatchedTag, agrees, to_ask
from bot.upstream.feeds.losses import NEWEST, WHOLE, ReadDocument, losses_of
from bot.upstream.feeds.reading import KEPT

AT_ONCE = 4
MOST_PER_TICK = 100


@dataclass(frozen=True, slots=True)
class FeedsToRead:
    """Which documents are followed and how often, as the operator has set it. `roots` lead to all other documents.

    `every` is the time between two looks at a document, `bulletins_every` that for what is large and changes
    seldom; a monthly document is read at once when the list that names it was revised. `history` is how far back
    monthly documents are read, `stale_after` when a document that cannot be read becomes worth a sentence.
    """

    roots: tuple[FeedSource, ...]
    every: timedelta = timedelta(minutes=15)
    bulletins_every: timedelta = timedelta(hours=6)
    retry_after: timedelta = timedelta(minutes=5)
    history: timedelta = timedelta(days=400)
    stale_after: timedelta = timedelta(days=1)

    @property
    def kinds(self) -> frozenset[FeedKind]:
        roots = {root.kind for root in self.roots}
        return frozenset(roots | {_LEADS_TO[kind] for kind in roots if kind in _LEADS_TO})

    def interval(self, kind: FeedKind) -> timedelta:
        return self.bulletins_every if kind in _SELDOM else self.every


_LEADS_TO = {
    FeedKind.DOTNET_INDEX: FeedKind.DOTNET_RELEASES,
    FeedKind.MSRC_UPDATES: FeedKind.MSRC_BULLETIN,
    FeedKind.DOTNET_TIMELINE: FeedKind.DOTNET_CVE,
}
_ASKS_RELEASES = frozenset({FeedKind.DOTNET_RELEASES, FeedKind.IMAGE_INFO})
_MAY_LOSE = _ASKS_RELEASES | WHOLE | NEWEST
"""Documents that are compared with the copy before."""
_SELDOM = frozenset({FeedKind.MSRC_BULLETIN, FeedKind.DOTNET_CVE, FeedKind.KEV, FeedKind.EPSS})


@dataclass(frozen=True, slots=True)
class DueFeed:
    """A document whose turn it is, with its last good copy and what of its losses is doubted; the claim holds until
    it is kept or put off."""

    source: FeedSource
    document: StoredDocument | None
    doubts: tuple[DoubtedLoss, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedReading:
    """Everything that one look at a document brought, to be kept together or not at all.

    `releases` are complete rows to insert or replace. `advisories` replace what the same source (that of their
    only evidence) said of the same CVE; `withdrawn_advisories` (source, CVE) are taken out, and those `taken_back`
    where they are still what the source said last. `leads_to` are documents that are due now. `tags_withdrawn` and
    `tags_returned` are what an image inventory lists no longer, or again. `doubts` are all losses that are doubted
    from now on, `doubts_over` the places of those that are no more. `newest_at` is the newest time in the document,
    None where it has none. All but `document`, `due_at` and `doubts` are empty where nothing changed.
    """

    source: FeedSource
    document: StoredDocument
    due_at: datetime
    releases: tuple[Release, ...] = ()
    advisories: tuple[Advisory, ...] = ()
    withdrawn_advisories: tuple[tuple[str, str], ...] = ()
    taken_back: tuple[Advisory, ...] = ()
    leads_to: tuple[FeedSource, ...] = ()
    tags_withdrawn: frozenset[image_info.TagKey] = frozenset()
    tags_returned: frozenset[image_info.TagKey] = frozenset()
    doubts: tuple[DoubtedLoss, ...] = ()
    doubts_over: frozenset[str] = frozenset()
    newest_at: datetime | None = None
    marks: tuple[CveMarks, ...] = ()


class FeedPort(Protocol):
    """Fetches a document; troubles come back as `NotFetched`, none is raised."""

    async def fetch(self, source: FeedSource, previous: StoredDocument | None) -> Fetched: ...


class FeedsStore(Protocol):
    """What this stage asks of the store; each method is one transaction.

    `keep_feed` raises `LeaseLost`, and does nothing, where another worker has taken over.
    """

    async def follow_feeds(self, sources: Sequence[FeedSource]) -> None:
        """Makes rows, due now, for the sources that have none; the others stay as they are."""

    def documents(self, kinds: frozenset[FeedKind]) -> Queue[DueFeed]:
        """The documents of these kinds whose turn it is."""
        ...

    async def feeds_checked_at(self, kind: FeedKind) -> Mapping[str, datetime]:
        """When each document of the kind that has a copy was last confirmed, by address."""

    async def known_releases(self) -> Mapping[str, Release]:
        """All releases by version."""

    async def watched(self, tags: Collection[FactKey]) -> Sequence[WatchedTag]:
        """The used bases that stand for these tags of an inventory, on whichever registry."""
        ...

    async def keep_feed(self, reading: FeedReading) -> None:
        """Keeps all of a reading, brings `leads_to` forward to now (making rows where there are none), and
        releases the claim until `due_at`."""


@dataclass(slots=True)
class FeedTally:
    """What one tick did. `failed` has one line for each document that could not be read, `problems` one for
    each entry that was skipped, `stale` one for each copy that has grown old."""

    read: int = 0
    unchanged: int = 0
    failed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    newly_published: list[Release] = field(default_factory=list)


async def tick(
    store: FeedsStore, reader: FeedPort, loop: Loop, feeds: FeedsToRead, registry: RegistryWord | None = None
) -> FeedTally:
    """Reads every document that is due, and those that they lead to. A document that fails stops no other.

    The registry is asked, once a day, of what an inventory has lost and should not have; without one, time tells.
    """
    tally = FeedTally()
    await store.follow_feeds(feeds.roots)
    run = await loop.run(_Documents(store, reader, feeds, loop, tally, registry))
    tally.failed += run.problems
    return tally


def read_document(item: DueFeed, document: StoredDocument) -> ReadDocument:
    """Reads what came, beside the copy that was known. Raises `Failure` where it is not what its kind says."""
    new_contents = contents.read(item.source, document.body, document.fetched_at)
    is_new = item.document is not None and item.document.body != document.body
    return ReadDocument(item.source.kind, document, new_contents, _read_copy(item), is_new, item.doubts)


def _read_copy(item: DueFeed) -> FeedContents | None:
    if item.document is None or item.source.kind not in _MAY_LOSE:
        return None
    try:
        return contents.read(item.source, item.document.body, item.document.fetched_at)
    except Failure:
        return None


async def reading_of(
    store: "FeedsStore", feeds: FeedsToRead, source: FeedSource, document_read: ReadDocument, now: datetime
) -> tuple[FeedReading, Merged]:
    """Says what is to be kept of a document, and which releases are new or published anew."""
    new_contents, due_at = document_read.said, now + feeds.interval(source.kind)
    if new_contents is None and not document_read.doubts:
        return FeedReading(source, document_read.document, due_at), Merged({})
    known_releases = await store.known_releases() if source.kind in _ASKS_RELEASES else {}
    lost = losses_of(
        document_read,
        known_releases,
        await store.watched(document_read.doubted) if document_read.doubts else (),
        now,
    )
    reading = FeedReading(
        source,
        document_read.document,
        due_at,
        releases=lost.releases,
        withdrawn_advisories=lost.withdrawn,
        taken_back=lost.advisories,
        tags_withdrawn=lost.step.withdrawn,
        tags_returned=lost.step.returned,
        doubts=lost.weighed.doubts,
        doubts_over=lost.weighed.over,
    )
    if new_contents is None:
        return reading, Merged({})
    merged = merge(known_releases, new_contents.releases) if new_contents.releases else Merged({})
    reading = replace(
        reading,
        document=replace(document_read.document, reader=READER),
        releases=(*merged.changed, *lost.releases),
        advisories=new_contents.advisories,
        withdrawn_advisories=(*new_contents.withdrawn_advisories, *lost.withdrawn),
        leads_to=await _worth_reading(new_contents, store, now - feeds.history),
        newest_at=newest_in(source.kind, document_read.document.body, now),
        marks=(new_contents.marks,) if new_contents.marks is not None else (),
    )
    return reading, merged


class _Documents(Work[DueFeed, ReadDocument]):
    stage = "feeds"
    batch = AT_ONCE
    at_once = AT_ONCE
    most = MOST_PER_TICK
    strikes = None

    def __init__(
        self,
        store: FeedsStore,
        reader: FeedPort,
        feeds: FeedsToRead,
        loop: Loop,
        tally: FeedTally,
        registry: RegistryWord | None,
    ) -> None:
        self._store = store
        self._reader = reader
        self._registry = registry
        self._feeds = feeds
        self._clock = loop.clock
        self._tally = tally

    @property
    def queue(self) -> Queue[DueFeed]:
        return self._store.documents(self._feeds.kinds)

    def host(self, item: DueFeed) -> str:
        return urlsplit(item.source.url).netloc

    async def attempt(self, item: DueFeed, lease: Lease) -> ReadDocument:
        answer = await self._reader.fetch(item.source, item.document)
        if isinstance(answer, NotFetched):
            raise answer.failure
        document = answer.document
        if not isinstance(answer, NewContent) and document.reader == READER:
            document_read = ReadDocument(item.source.kind, document, None, doubts=item.doubts)
        else:
            document_read = await asyncio.to_thread(read_document, item, document)
        is_inventory = item.source.kind is FeedKind.IMAGE_INFO
        return (
            document_read
            if self._registry is None or not is_inventory
            else await self._ask_registry(document_read, self._registry)
        )

    async def _ask_registry(self, document_read: ReadDocument, registry: RegistryWord) -> ReadDocument:
        """Asks the registry of what the inventory said before and says no more."""
        now = self._clock.now()
        due_doubts = to_ask(document_read.doubts, now)
        if not due_doubts:
            return document_read
        watched = await self._store.watched({key for each in due_doubts for key in each.keys})
        agreed = {each.place for each in due_doubts if await agrees(registry, each, watched)}
        doubts = tuple(replace(each, asked_at=now) if each in due_doubts else each for each in document_read.doubts)
        return replace(document_read, doubts=doubts, agreed=frozenset(agreed))

    async def settle(self, item: DueFeed, result: ReadDocument) -> None:
        now = self._clock.now()
        reading, merged = await reading_of(self._store, self._feeds, item.source, result, now)
        await self._store.keep_feed(reading)
        if sentence := staleness(result.document, now, self._feeds.stale_after):
            self._tally.stale.append(sentence)
        if result.said is None:
            self._tally.unchanged += 1
            return
        self._tally.read += 1
        self._tally.problems.extend(str(problem) for problem in result.said.problems)
        self._tally.problems.extend(f"{item.source.url}: {doubt.text}" for doubt in reading.doubts)
        self._tally.newly_published.extend(merged.newly_published)

    async def failed(self, item: DueFeed, claimed: Claimed, failure: Failure, now: datetime) -> str:
        """The last good copy stays; `stale` says where that has grown old."""
        line = _failure_line(failure, item.document)
        if item.document and (sentence := staleness(item.document, now, self._feeds.stale_after)):
            self._tally.stale.append(sentence)
        pause = max(failure.retry_after or self._feeds.retry_after, self._feeds.retry_after)
        await self.queue.put_off([claimed], now + pause, error=line)
        return line

    def excuse(self, host: str, failure: Failure) -> str:
        return str(failure)


async def _worth_reading(new_contents: FeedContents, store: FeedsStore, since: datetime) -> tuple[FeedSource, ...]:
    """What the document leads to, less the monthly ones that are too old or unrevised since they were read."""
    if not new_contents.monthly:
        return new_contents.leads_to
    checked_at = await store.feeds_checked_at(FeedKind.MSRC_BULLETIN)
    monthly = msrc.to_read(new_contents.monthly, checked_at, since)
    return (*new_contents.leads_to, *(FeedSource(FeedKind.MSRC_BULLETIN, document.url) for document in monthly))


def _failure_line(failure: Failure, document: StoredDocument | None) -> str:
    if document is None:
        text = str(failure.altered(advice="") if failure.advice == KEPT else failure)
        return f"{text}; nothing is known from this document yet"
    text = str(failure) if failure.advice == KEPT else f"{failure}; {KEPT}"
    return f"{text} (confirmed {document.checked_at:%Y-%m-%d %H:%M} UTC)"
