"""The stage `advance` in the service: rollouts go on wave by wave."""

from datetime import timedelta

from bot.domain.rollouts.timing.waiting import rollout_options_of
from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.rollouts.tables import rebuilds


async def advance(bot: Bot) -> TickOutcome:
    from bot.fleet.plan.waves.rows import AdvanceStore
    from bot.fleet.plan.waves.tick import tick

    tally = await tick(bot.stores[AdvanceStore], rollout_options_of(bot.policy), bot.clock)
    return TickOutcome({"released": tally.released, "waves_done": tally.waves_done}, list(tally.paused))


STAGE = Stage("advance", advance, timedelta(seconds=5), claims=(rebuilds,), only_reads=True)
