"""One tick: notices about the fleet's bases are opened, refreshed and cleared where something may have changed."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from bot.domain.clock import Clock
from bot.domain.failure import LeaseLost
from bot.fleet.assess.notices.deciding import AlertOptions, NoticeDifference, Picture, compare_notices
from bot.fleet.assess.tick import KnownFeeds
from bot.upstream.dotnet.releases import ReleaseIndex


@dataclass(frozen=True, slots=True)
class FleetLook:
    """A claimed look at the whole fleet; `mark` stands for everything that was known when it was claimed."""

    id: int
    mark: str
    picture: Picture


class NoticesStore(Protocol):
    """What looking for notices asks of the store."""

    async def claim_look(self) -> FleetLook | None:
        """None while another worker looks, while nothing has changed since the last look and the time for the next
        has not come, and until the fleet, its bases and the feeds have been read once."""
        ...

    async def save_look(self, look: FleetLook, difference: NoticeDifference) -> None:
        """Keeps the difference with the messages that it causes, in one transaction.

        Raises `LeaseLost`, and does nothing, where another worker has taken over.
        """
        ...


@dataclass(frozen=True, slots=True)
class NoticesTally:
    """How many notices began, and how many ended."""

    opened: int = 0
    cleared: int = 0


async def tick(store: NoticesStore, feeds: KnownFeeds, clock: Clock, options: AlertOptions) -> NoticesTally:
    """Opens, refreshes and clears notices; where nothing has changed it costs one question to the store."""
    look = await store.claim_look()
    if look is None:
        return NoticesTally()
    releases = ReleaseIndex((await feeds.known_releases()).values())
    now = clock.now()
    advisories = await feeds.known_advisories()
    # Seconds of work where hundreds of bases are used; other stages go on meanwhile.
    difference = await asyncio.to_thread(compare_notices, look.picture, releases, advisories, now, options)
    try:
        await store.save_look(look, difference)
    except LeaseLost:
        return NoticesTally()
    return NoticesTally(len(difference.opened), len(difference.cleared))
