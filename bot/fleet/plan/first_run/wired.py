"""The stage `first run` in the service."""

from datetime import timedelta

from bot.fleet.bot import Bot
from bot.fleet.plan.first_run.rows import CatchUpStore
from bot.fleet.plan.first_run.tick import tick
from bot.fleet.plan.taking_up.rows import TakingUpStore
from bot.fleet.stage import Stage, TickOutcome
from bot.settings.sections.rollout import FirstRun


async def first_run(bot: Bot) -> TickOutcome:
    catches_up = bot.settings.rollout.first_run is FirstRun.CATCH_UP
    earlier = bot.stores[TakingUpStore]
    if not await earlier.is_over():
        return TickOutcome()
    is_first = not await earlier.is_any_taken_up()
    tally = await tick(bot.stores[CatchUpStore], bot.policy, bot.clock, catches_up=catches_up, is_first=is_first)
    return TickOutcome({"behind": tally.behind, "planned": tally.planned})


STAGE = Stage("first run", first_run, timedelta(seconds=20), only_reads=True)
