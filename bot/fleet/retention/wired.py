"""The stage `retention` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.tables import tasks


async def retention(bot: Bot) -> TickOutcome:
    from bot.fleet.retention.rows import RetentionStore

    store = bot.stores[RetentionStore]
    task = await store.claim_forgetting()
    if task is None:
        return TickOutcome()
    return TickOutcome(await store.forget(task, bot.settings.store.retention))


STAGE = Stage("retention", retention, timedelta(minutes=10), claims=(tasks,))
