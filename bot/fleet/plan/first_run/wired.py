"""The stage `first run` in the service."""

from datetime import timedelta

from bot.fleet.bot import Bot
from bot.fleet.plan.first_run.rows import CatchUpStore
from bot.fleet.plan.first_run.tick import tick
from bot.fleet.stage import Stage, TickOutcome
from bot.settings.sections.rollout import FirstRun


async def first_run(bot: Bot) -> TickOutcome:
    rollout = bot.settings.rollout
    catches_up = rollout.first_run is FirstRun.CATCH_UP
    tally = await tick(
        bot.stores[CatchUpStore],
        bot.policy,
        bot.clock,
        catches_up=catches_up,
        at_least=rollout.first_run_severity,
    )
    return TickOutcome({"behind": tally.behind, "planned": tally.planned})


STAGE = Stage("first run", first_run, timedelta(seconds=20), only_reads=True)
