"""What feeds have shown, in the shape in which stages and commands ask for it; no client is needed for that."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.feeds.advisory import Advisory, Release
from bot.fleet.watch.feeds.rows import FeedsStore
from bot.upstream.feeds.combine import combine_all


@dataclass(frozen=True, slots=True)
class CombinedFeeds:
    """What the feeds have shown, one advisory for each CVE."""

    feeds: FeedsStore

    async def known_releases(self) -> Mapping[str, Release]:
        return await self.feeds.known_releases()

    async def known_advisories(self) -> Mapping[str, Advisory]:
        return combine_all(await self.feeds.advisories())
