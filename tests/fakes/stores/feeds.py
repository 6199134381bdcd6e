"""Feed documents, releases and advisories in memory: `watch.feeds.stage.FeedsStore`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.clock import Clock
from bot.domain.feeds.advisory import Advisory, Release
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.fleet.watch.feeds.tick import DueFeed, FeedReading
from bot.upstream.feeds.doubts import FactKey, WatchedTag
from tests.fakes.queue import FakeQueue, Row


@dataclass(slots=True)
class FakeFeedsStore:
    """Documents in `taken_over` are another's before they are kept; `readings` is what was kept, in its order;
    `tags` are the bases that are watched."""

    clock: Clock
    rows: dict[int, Row[DueFeed]] = field(default_factory=dict)
    releases: dict[str, Release] = field(default_factory=dict)
    advisories: dict[tuple[str, str], Advisory] = field(default_factory=dict)
    taken_over: set[FeedSource] = field(default_factory=set)
    readings: list[FeedReading] = field(default_factory=list)
    tags: list[WatchedTag] = field(default_factory=list)

    async def follow_feeds(self, sources: Sequence[FeedSource]) -> None:
        self._follow(sources, self.clock.now())

    def _follow(self, sources: Sequence[FeedSource], due_at: datetime) -> None:
        known = {item.source for item in self._items().values()}
        for source in sources:
            if source not in known:
                self.documents(frozenset(FeedKind)).add(DueFeed(source, None), due_at, source.url)

    def documents(self, kinds: frozenset[FeedKind]) -> FakeQueue[DueFeed]:
        items = self._items
        return FakeQueue(self.rows, lambda row: items()[row.id].source.kind in kinds)

    async def feeds_checked_at(self, kind: FeedKind) -> Mapping[str, datetime]:
        found = (item.document for item in self._items().values() if item.source.kind is kind)
        return {document.url: document.checked_at for document in found if document is not None}

    async def known_releases(self) -> Mapping[str, Release]:
        return dict(self.releases)

    async def watched(self, tags: Collection[FactKey]) -> Sequence[WatchedTag]:
        return [each for each in self.tags if each.key in tags]

    async def keep_feed(self, reading: FeedReading) -> None:
        queue, row = self.documents(frozenset(FeedKind)), self.row(reading.source)
        if reading.source in self.taken_over:
            queue.steal(row.id)
        queue.check(row.id)
        self.readings.append(reading)
        self._follow(reading.leads_to, reading.document.checked_at)
        for source in reading.leads_to:
            led_to = self.row(source)
            led_to.due_at = min(led_to.due_at, reading.document.checked_at)
        queue.settle(row.id, reading.due_at, DueFeed(reading.source, reading.document, reading.doubts))
        self.releases.update({release.version: release for release in reading.releases})
        for key in reading.withdrawn_advisories:
            self.advisories.pop(key, None)
        for advisory in reading.taken_back:
            key = (advisory.evidence[0].source, advisory.cve)
            kept = self.advisories.get(key)
            if kept is not None and kept.evidence[0].locator == advisory.evidence[0].locator:
                del self.advisories[key]
        self.advisories.update({(each.evidence[0].source, each.cve): each for each in reading.advisories})

    def row(self, source: FeedSource) -> Row[DueFeed]:
        return next(self.rows[number] for number, item in self._items().items() if item.source == source)

    def copy_of(self, source: FeedSource) -> StoredDocument | None:
        return self._items()[self.row(source).id].document

    def keep(self, source: FeedSource, document: StoredDocument) -> None:
        self.row(source).item = DueFeed(source, document)

    def _items(self) -> dict[int, DueFeed]:
        return {number: row.item for number, row in self.rows.items() if isinstance(row.item, DueFeed)}
