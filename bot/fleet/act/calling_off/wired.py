"""The stage `call off` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.rollouts.tables import rebuilds


async def call_off(bot: Bot) -> TickOutcome:
    from bot.fleet.act.calling_off.rows import CallingOffStore
    from bot.fleet.act.calling_off.tick import tick
    from bot.fleet.act.wired import act_options

    tally = await tick(bot.stores[CallingOffStore], bot.forge, act_options(bot), bot.loop)
    return TickOutcome({"done": tally.done}, list(tally.problems))


STAGE = Stage("call off", call_off, timedelta(seconds=5), claims=(rebuilds,))
