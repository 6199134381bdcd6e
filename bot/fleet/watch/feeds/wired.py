"""The stage `feeds` in the service: the feeds that the settings name."""

from datetime import timedelta

from bot.clients.feeds.documents import FeedReader
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import FeedSource, Fetched, NotFetched, StoredDocument, Unchanged
from bot.fleet.stage import Bot, Part, Stage, TickOutcome
from bot.store.rows.bases.tables import documents


class NoFeeds:
    """Stands for feeds that are out of reach by the operator's word; a copy keeps the age that it has."""

    async def fetch(self, source: FeedSource, previous: StoredDocument | None) -> Fetched:
        if previous is not None:
            return Unchanged(previous)
        advice = "import a bundle that has it, or set the feed to false"
        return NotFetched(Failure(Trouble.MISSING, "is not asked offline", where=source.url, advice=advice))


def feed_reader(bot: Bot) -> FeedReader | NoFeeds:
    """Reads feeds of the hosts that the settings allow; nobody is asked where the bot works offline."""
    from bot.fleet.wiring.grants import feed_headers, feed_hosts

    settings = bot.settings
    if settings.feeds.offline:
        return NoFeeds()
    return FeedReader(bot.http, bot.clock, feed_hosts(settings), feed_headers(settings))


FEED_READER = Part(feed_reader)


async def feeds(bot: Bot) -> TickOutcome:
    from bot.fleet.watch.feeds.rows import FeedsStore
    from bot.fleet.watch.feeds.tick import FeedsToRead, tick
    from bot.fleet.wiring.adapters import RegistryAnswers
    from bot.fleet.wiring.grants import feed_sources

    settings = bot.settings
    to_read = FeedsToRead(tuple(feed_sources(settings)), every=settings.schedule.feeds)
    registry = RegistryAnswers(bot.registry, bot.clock)
    tally = await tick(bot.stores[FeedsStore], bot[FEED_READER], bot.loop, to_read, registry)
    figures = {"read": tally.read, "unchanged": tally.unchanged, "releases": len(tally.newly_published)}
    return TickOutcome(figures, [*tally.failed, *tally.stale, *tally.problems])


STAGE = Stage("feeds", feeds, timedelta(seconds=20), claims=(documents,), only_reads=True, parts=(FEED_READER,))
