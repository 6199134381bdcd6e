"""The stage `age` in the service: the weekly rebuild of what would grow too old."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome


async def age(bot: Bot) -> TickOutcome:
    from bot.fleet.plan.age.rows import AgeStore
    from bot.fleet.plan.age.tick import tick

    tally = await tick(bot.stores[AgeStore], bot.policy, bot.settings.weekly, bot.clock)
    return TickOutcome({"planned": tally.planned})


STAGE = Stage("age", age, timedelta(seconds=5), only_reads=True)
