"""The stage `plan` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome


async def plan(bot: Bot) -> TickOutcome:
    from bot.fleet.plan.rows.plan import PlanStore
    from bot.fleet.plan.tick import tick

    tally = await tick(bot.stores[PlanStore], bot.policy, bot.clock)
    return TickOutcome({"changes": tally.changes, "rebuilds": tally.rebuilds})


STAGE = Stage("plan", plan, timedelta(seconds=5), only_reads=True)
