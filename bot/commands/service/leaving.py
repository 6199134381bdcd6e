"""`retire`: everything that the bot has opened is closed, one repository after the other."""

from collections.abc import Callable

from bot.clients.http.client import Nobody
from bot.domain.clock import Clock
from bot.domain.rollouts.journal import Word
from bot.fleet.act.retiring.retire import Retired, retire
from bot.fleet.act.retiring.rows import LeavingStore
from bot.fleet.wiring.forges import covers_of, opened_forges
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.orders.orders import OrdersStore


async def retire_all(
    settings: Settings, word: Word | None, clock: Clock, progress: Callable[[int, int | None], None]
) -> list[Retired]:
    """Ends all rebuilds, pauses the bot and cleans up behind it; without a word it only looks."""
    retired_traces: list[Retired] = []
    async with opened_stores(settings, clock) as stores, opened_forges(settings, clock, Nobody()) as opened:
        traces, covers = await stores[LeavingStore].traces(), covers_of(settings)
        if word is not None:
            await stores[OrdersStore].retire(word)
        reason = "the bot retires" + (f" ({word.reason})" if word is not None else "")
        for number, trace in enumerate(traces, start=1):
            retired_traces += await retire(trace, opened.forge, reason, dry_run=word is None, covers=covers)
            progress(number, len(traces))
    return retired_traces
