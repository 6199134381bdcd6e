"""The stage `first run` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.settings.sections.rollout import FirstRun


async def first_run(bot: Bot) -> TickOutcome:
    from bot.fleet.plan.first_run.rows import CatchUpStore
    from bot.fleet.plan.first_run.tick import tick
    from bot.fleet.plan.taking_up.rows import TakingUpStore

    rollout, earlier = bot.settings.rollout, bot.stores[TakingUpStore]
    if not await earlier.is_over():
        return TickOutcome()
    tally = await tick(
        bot.stores[CatchUpStore],
        bot.policy,
        bot.clock,
        catches_up=rollout.first_run is FirstRun.CATCH_UP,
        at_least=rollout.first_run_severity,
        is_first=not await earlier.is_any_taken_up(),
    )
    return TickOutcome({"behind": tally.behind, "planned": tally.planned})


STAGE = Stage("first run", first_run, timedelta(seconds=20), only_reads=True)
