"""What stale pins of a checkout lack, as registries and release feeds tell it: nothing of it is kept."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.clients.feeds.documents import FeedReader
from bot.domain.bases.dotnet import DotnetVersion
from bot.domain.bases.observation import Observation
from bot.domain.bounded_gather import bounded_gather
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.feeds.document import FeedKind, FeedSource, NotFetched
from bot.domain.reference import Base
from bot.domain.rollouts.pinning import named_version
from bot.fleet.watch.pins.reading import read_one_image
from bot.fleet.watch.registry.documents import DocumentsPort
from bot.settings.sections.upstream import FeedsSettings
from bot.upstream.dotnet.fixing import way_from
from bot.upstream.dotnet.releases import ReleaseIndex
from bot.upstream.feeds.addresses import KINDS
from bot.upstream.feeds.combine import combine_all
from bot.upstream.feeds.contents import FeedContents, read
from bot.views.repositories.scan import Freshness, ScannedUsage

if TYPE_CHECKING:
    from bot.clients.http.client import Http

_AT_ONCE = 16
_ROOTS = (FeedKind.DOTNET_INDEX, FeedKind.GITHUB_ADVISORIES)
"""What says which releases there are, and how severe what they fix is."""

Asked = tuple[Base, str]
"""A base, and the digest that is asked for there."""


async def told_why(
    scanned: Sequence[ScannedUsage],
    http: "Http",
    registry: DocumentsPort,
    feeds: FeedsSettings | None,
    clock: Clock,
) -> tuple[Sequence[ScannedUsage], tuple[str, ...]]:
    """The usages with what releases tell of each stale pin, and what could not be read, a line each.

    Each digest on either end is read once, by one of its images, and each feed once; where nothing is stale,
    nothing.
    """
    stale = [item for item in scanned if item.freshness is Freshness.STALE and item.becomes is not None]
    if not stale:
        return scanned, ()
    images = await _images(stale, registry, clock)
    versions = (DotnetVersion.parse(each.version) for each in images.values() if isinstance(each, Observation))
    channels = {version.channel for version in versions if version is not None}
    documents = _Documents(http, feeds or FeedsSettings(), clock)
    await documents.read_all(channels)
    releases = ReleaseIndex(release for each in documents.contents for release in each.releases)
    advisories = combine_all(advisory for each in documents.contents for advisory in each.advisories)
    problems = [*documents.problems, *(str(each) for each in images.values() if isinstance(each, Failure))]

    def with_way(item: ScannedUsage) -> ScannedUsage:
        shown = images.get(_observed_base(item)) if item in stale_items else None
        if not isinstance(shown, Observation) or item.base is None:
            return item
        pinned = images.get((item.base, item.usage.reference.digest or ""))
        version = named_version(item.usage.reference, item.base)
        stood_on = pinned if isinstance(pinned, Observation) else version
        if stood_on is None:
            return item
        shown = replace(shown, base=item.base)
        return replace(item, way=way_from(stood_on, shown, releases, advisories, clock.now()))

    stale_items = set(stale)
    return [with_way(item) for item in scanned], tuple(dict.fromkeys(problems))


async def _images(
    stale: Sequence[ScannedUsage], registry: DocumentsPort, clock: Clock
) -> dict[Asked, Observation | Failure]:
    """What both ends of each way hold; a digest that cannot be read tells why."""
    wanted = {_observed_base(item) for item in stale}
    wanted |= {
        (item.base, item.usage.reference.digest) for item in stale if item.base and item.usage.reference.digest
    }

    async def look(asked: Asked) -> Observation | Failure:
        try:
            return await read_one_image(registry, *asked, clock)
        except Failure as failure:
            return failure

    questions = sorted(wanted)
    return dict(zip(questions, await bounded_gather(_AT_ONCE, questions, look), strict=True))


def _observed_base(item: ScannedUsage) -> Asked:
    """What its base shows now."""
    assert item.base is not None, "what is stale has a base"
    return item.base, item.shown or ""


class _Documents:
    """The feeds that answer the question; what cannot be read is told, and the rest counts."""

    def __init__(self, http: "Http", feeds: FeedsSettings, clock: Clock) -> None:
        settings = {kind: getattr(feeds, name) for name, kind in KINDS.items() if kind in _ROOTS}
        self._roots = [FeedSource(kind, feed.url) for kind, feed in settings.items() if feed is not None]
        hosts = frozenset(urlsplit(source.url).netloc for source in self._roots)
        self._reader = FeedReader(http, clock, hosts)
        self._clock = clock
        self._is_offline = feeds.offline
        self.contents: list[FeedContents] = []
        self.problems: list[str] = []

    async def read_all(self, channels: set[str]) -> None:
        """Reads the index, the releases of these channels and the advisories."""
        if self._is_offline:
            self.problems.append("feeds.offline is set: what pins lack is not read from feeds")
            return
        read_roots = await bounded_gather(_AT_ONCE, self._roots, self._read)
        leads = [source for contents in read_roots for source in contents.leads_to]
        wanted = [source for source in leads if any(f"/{channel}/" in source.url for channel in channels)]
        self.contents = [*read_roots, *await bounded_gather(_AT_ONCE, wanted, self._read)]

    async def _read(self, source: FeedSource) -> FeedContents:
        fetched = await self._reader.fetch(source, None)
        try:
            if isinstance(fetched, NotFetched):
                raise fetched.failure
            return read(source, fetched.document.body, self._clock.now())
        except Failure as failure:
            self.problems.append(f"what pins lack may be more than is told: {failure}")
            return FeedContents()
