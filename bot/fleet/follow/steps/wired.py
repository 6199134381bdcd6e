"""The stage `follow steps` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.rollouts.steps import steps


async def follow_steps(bot: Bot) -> TickOutcome:
    from bot.fleet.follow.steps.tick import tick
    from bot.fleet.follow.wired import follow_options
    from bot.store.rows.rollouts.step_store import StepStore

    tally = await tick(bot.stores[StepStore], bot.forge, bot.builder, follow_options(bot), bot.loop)
    return TickOutcome({"looked_at": tally.looked_at, "ended": tally.ended}, list(tally.problems))


STAGE = Stage("follow steps", follow_steps, timedelta(seconds=5), claims=(steps,))
