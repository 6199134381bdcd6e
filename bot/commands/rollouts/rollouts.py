"""`rollout` and a person's word: the latest rollouts and one of them, read from the store; orders, written to
it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from bot.commands.look.status import read_holds
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.journal import Entry
from bot.domain.rollouts.timing.waiting import rollout_options_of
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.orders.orders import OrdersStore
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.rollouts.rollout import QuarantineStatus, RolloutProgress


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


T = TypeVar("T")


async def order(settings: Settings, clock: Clock, action: Callable[[OrdersStore], Awaitable[T]]) -> T:
    """Gives one order; raises `Failure` where it makes no sense."""
    async with opened_stores(settings, clock) as stores:
        return await action(stores[OrdersStore])


async def read_journal(settings: Settings, clock: Clock, limit: int) -> list[Entry]:
    """Reads what people asked for, newest first."""
    return await order(settings, clock, lambda orders: orders.entries(limit))


async def read_quarantines(settings: Settings, clock: Clock) -> list[QuarantineStatus]:
    """Reads which digests nothing is built on."""
    async with opened_stores(settings, clock) as stores:
        return await stores[RolloutViewsStore].open_quarantines()
