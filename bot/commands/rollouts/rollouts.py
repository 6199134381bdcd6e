"""`rollout`: the latest ones and how one of them goes on, read from the store alone."""

from dataclasses import replace

from bot.commands.look.waiting import read_holds
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.timing.waiting import rollout_options_of
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.rollouts.rollout import RolloutProgress


async def read_rollouts(settings: Settings, clock: Clock, limit: int) -> list[RolloutProgress]:
    """Reads the latest rollouts in counts, newest first."""
    options, now = rollout_options_of(settings.rules), clock.now()
    async with opened_stores(settings, clock) as stores:
        return await stores[RolloutViewsStore].progress(options, now, limit=limit)


async def read_rollout(settings: Settings, number: int, clock: Clock) -> RolloutProgress:
    """Reads one rollout with its rebuilds; raises `Failure` where there is no such one."""
    options, now = rollout_options_of(settings.rules), clock.now()
    async with opened_stores(settings, clock) as stores:
        progress_rows = await stores[RolloutViewsStore].progress(options, now, number=number)
        if not progress_rows:
            raise Failure(
                Trouble.MISSING, f"there is no rollout {number}", advice="see `freshness-bot rollout list`"
            )
        rebuilds = await stores[RolloutViewsStore].rebuilds_of(number)
        waits = await read_holds(stores, settings, now)
        opened_by = await stores[RolloutViewsStore].opened_by(number)
        steps = await stores[RolloutViewsStore].steps_of(rebuilds)
        return replace(progress_rows[0], rebuilds=tuple(rebuilds), steps=steps, waits=waits, opened_by=opened_by)
