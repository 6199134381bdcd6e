"""The stage `follow steps` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.rollouts.steps import steps


async def follow_steps(bot: Bot) -> TickOutcome:
    from bot.fleet.follow.steps.arriving import tick as follow_what_runs
    from bot.fleet.follow.steps.rows import ArrivalStore
    from bot.fleet.follow.steps.tick import tick
    from bot.fleet.follow.wired import follow_options
    from bot.store.rows.rollouts.step_store import StepStore

    options = follow_options(bot)
    tally = await tick(bot.stores[StepStore], bot.forge, bot.builder, options, bot.loop)
    tally += await follow_what_runs(bot.stores[ArrivalStore], options.every, bot.loop)
    return TickOutcome({"looked_at": tally.looked_at, "ended": tally.ended}, list(tally.problems))


STAGE = Stage("follow steps", follow_steps, timedelta(seconds=5), claims=(steps,))
