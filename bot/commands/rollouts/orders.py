"""What a person tells the bot to do: written to the store, carried out by the service or the next pass."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.domain.clock import Clock
from bot.domain.rollouts.journal import Entry
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.orders.orders import OrdersStore
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.rollouts.rollout import QuarantineStatus

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
