"""The stage `feeds` in the service: the feeds that the settings name."""

from datetime import timedelta

from bot.clients.feeds.documents import FeedReader
from bot.fleet.bot import Bot, Part
from bot.fleet.stage import Stage, TickOutcome
from bot.fleet.watch.feeds.rows import FeedsStore
from bot.fleet.watch.feeds.tick import FeedsToRead, tick
from bot.fleet.wiring.adapters import RegistryAnswers
from bot.fleet.wiring.grants import feed_headers, feed_hosts, feed_sources
from bot.store.rows.bases.tables import documents
from bot.upstream.bundle.no_feeds import NoFeeds


def feed_reader(bot: Bot) -> FeedReader | NoFeeds:
    """Reads feeds of the hosts that the settings allow; nobody is asked where the bot works offline."""
    settings = bot.settings
    if settings.feeds.offline:
        return NoFeeds()
    return FeedReader(bot.http, bot.clock, feed_hosts(settings), feed_headers(settings))


FEED_READER = Part(feed_reader)


async def feeds(bot: Bot) -> TickOutcome:
    settings = bot.settings
    to_read = FeedsToRead(tuple(feed_sources(settings)), every=settings.schedule.feeds)
    registry = RegistryAnswers(bot.registry, bot.clock)
    tally = await tick(bot.stores[FeedsStore], bot[FEED_READER], bot.loop, to_read, registry)
    figures = {"read": tally.read, "unchanged": tally.unchanged, "releases": len(tally.newly_published)}
    return TickOutcome(figures, [*tally.failed, *tally.stale, *tally.problems])


STAGE = Stage("feeds", feeds, timedelta(seconds=20), claims=(documents,), only_reads=True, parts=(FEED_READER,))
