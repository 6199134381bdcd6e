"""The stage `notices` in the service: what no rebuild can mend."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.tables import tasks


async def notices(bot: Bot) -> TickOutcome:
    from bot.fleet.assess.notices.deciding import AlertOptions
    from bot.fleet.assess.notices.rows import NoticesStore
    from bot.fleet.assess.notices.tick import tick
    from bot.fleet.watch.feeds.rows import FeedsStore
    from bot.fleet.wiring.combined_feeds import CombinedFeeds

    alerts = bot.settings.alerts
    options = AlertOptions(
        *(alerts.waiting_for_base, alerts.end_of_life, alerts.stale_inventory, alerts.mirror_behind)
    )
    feeds = CombinedFeeds(bot.stores[FeedsStore])
    tally = await tick(bot.stores[NoticesStore], feeds, bot.clock, options)
    return TickOutcome({"opened": tally.opened, "cleared": tally.cleared})


STAGE = Stage("notices", notices, timedelta(seconds=20), claims=(tasks,), only_reads=True)
