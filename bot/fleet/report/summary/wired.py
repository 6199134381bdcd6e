"""The stage `summary` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.fleet.wiring.adapters import DESTINATIONS


async def summary(bot: Bot) -> TickOutcome:
    from bot.fleet.report.rows import ReportStore
    from bot.fleet.report.summary.tick import tick

    cron = bot.settings.summary
    if cron is None or not bot[DESTINATIONS]:
        return TickOutcome()
    return TickOutcome({"announced": await tick(bot.stores[ReportStore], cron, bot.clock)})


STAGE = Stage("summary", summary, timedelta(seconds=30), parts=(DESTINATIONS,))
