"""The stage `cascade` in the service: what waits for the own bases below it."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome


async def cascade(bot: Bot) -> TickOutcome:
    from bot.fleet.plan.cascade.rows.cascade import CascadeStore
    from bot.fleet.plan.cascade.tick import tick
    from bot.fleet.wiring.registries.own_bases import own_bases

    join_timeout = bot.settings.rollout.join_timeout
    tally = await tick(bot.stores[CascadeStore], own_bases(bot), bot.clock, join_timeout)
    return TickOutcome({"let_go": tally.let_go, "waiting": tally.waiting})


STAGE = Stage("cascade", cascade, timedelta(seconds=5), only_reads=True)
