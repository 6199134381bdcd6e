"""The stage `act` in the service: rebuilds to pull requests and dispatches."""

from datetime import timedelta

from bot.files.formats.rewrite.refresh import refresh
from bot.fleet.act.options import act_options
from bot.fleet.act.rows.act import ActStore
from bot.fleet.act.tick import tick
from bot.fleet.bot import Bot
from bot.fleet.stage import Stage, TickOutcome
from bot.fleet.wiring.registries.trust import TRUSTING
from bot.store.rows.rollouts.tables import rebuilds


async def act(bot: Bot) -> TickOutcome:
    store, options = bot.stores[ActStore], act_options(bot)
    tally = await tick(store, bot.forge, bot.registry, refresh, options, bot.loop, bot[TRUSTING])
    return TickOutcome({"done": tally.done}, list(tally.problems))


STAGE = Stage("act", act, timedelta(seconds=5), claims=(rebuilds,), parts=(TRUSTING,))
