"""Work that ends by itself: one pass, a dry run, a look at the store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.domain.clock import Clock
from bot.domain.rollouts.rebuild import Rebuild
from bot.fleet.plan.first_run.rows import CatchUpStore
from bot.fleet.plan.rows.plan import PlanStore
from bot.fleet.stage import Bot, TickOutcome
from bot.fleet.stages import STAGES, one_pass
from bot.fleet.wiring.opening import open_bot
from bot.fleet.wiring.stores import store_url
from bot.settings import Settings
from bot.store.engine.queue.leases import bring_forward, free_leases_of_the_dead, give_all_back
from bot.store.engine.snapshot import snapshot
from bot.views.fleet.staleness import Staleness, staleness_of


async def pass_once(settings: Settings, clock: Clock) -> list[TickOutcome]:
    """Runs every stage once. Whatever is polled regularly is due now; settle times and windows still hold."""
    async with open_bot(settings, clock) as bot, all_brought_forward(bot, clock):
        return await one_pass(bot)


@asynccontextmanager
async def all_brought_forward(bot: Bot, clock: Clock) -> AsyncIterator[None]:
    """Has all that is polled regularly due now, and the leases of the dead free; what is leased meanwhile is given
    back at the end, as attempted where the work was cut off."""
    await free_leases_of_the_dead(bot.database, bot.worker)
    await bring_forward(bot.database, clock.now())
    cut_off = True
    try:
        yield
        cut_off = False
    finally:
        await give_all_back(bot.database, bot.worker, attempted=cut_off)


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a pass would do, how stale the fleet is, and how the stages that only look have ended."""

    rebuilds: tuple[Rebuild, ...]
    outcomes: tuple[TickOutcome, ...]
    staleness: Staleness


async def planned_only(settings: Settings, clock: Clock) -> DryRun:
    """What a pass would plan now, decided on a copy of the store that is thrown away afterwards."""
    async with snapshot(store_url(settings)) as database, open_bot(settings, clock, database) as bot:
        await bring_forward(bot.database, clock.now())
        outcomes = await one_pass(bot, [stage for stage in STAGES if stage.only_reads])
        ahead = [rebuild for rebuild in await bot.stores[PlanStore].open_rebuilds() if rebuild.state.awaits_action]
        staleness = staleness_of(await bot.stores[CatchUpStore].behind(), clock.now())
        return DryRun(tuple(ahead), tuple(outcomes), staleness)
