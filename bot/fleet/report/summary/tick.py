"""One tick: when the time of the summary has come, it is announced, once for all replicas."""

from datetime import datetime
from typing import Protocol

from bot.domain.clock import Clock
from bot.domain.cron import Cron


class SummariesStore(Protocol):
    """The store of the stage that announces summaries."""

    async def announce_summary(self, moment: datetime) -> bool:
        """Keeps the time of a summary and announces its message; False where that was done before, and for the very
        first time, since nothing is known yet that could be summed up."""
        ...


async def tick(store: SummariesStore, cron: Cron, clock: Clock) -> bool:
    """Whether a summary was announced. Of several times that nobody was up for, the last one counts."""
    return await store.announce_summary(cron.last(clock.now()))
