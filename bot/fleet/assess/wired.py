"""The stage `assess` in the service: why bases changed, by all that is known."""

from datetime import timedelta

from bot.domain.log import log
from bot.fleet.stage import Bot, Stage, TickOutcome


async def assess(bot: Bot) -> TickOutcome:
    from bot.fleet.assess.rows import AssessStore
    from bot.fleet.assess.tick import tick
    from bot.fleet.assess.wording import describe
    from bot.fleet.watch.feeds.rows import FeedsStore
    from bot.fleet.wiring.adapters import LifecycleMarks
    from bot.fleet.wiring.combined_feeds import CombinedFeeds
    from bot.fleet.wiring.registries.own_bases import own_bases

    feeds, marks = CombinedFeeds(bot.stores[FeedsStore]), LifecycleMarks(bot.registry)
    tally = await tick(bot.stores[AssessStore], feeds, marks, own_bases(bot), bot.clock)
    for change in tally.changes:
        log.info("base changed", base=str(change.base), cause=str(change.cause), why=describe(change))
    for change in tally.enriched:
        log.info("change explained further", base=str(change.base), why=describe(change))
    return TickOutcome({"changes": len(tally.changes), "enriched": len(tally.enriched)})


STAGE = Stage("assess", assess, timedelta(seconds=5), only_reads=True)
