"""The stage `standing` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome


async def standing(bot: Bot) -> TickOutcome:
    from bot.fleet.standing.rows import StandingStore
    from bot.store.pages.fleet.needs import NeedsStore
    from bot.store.pages.ledger.ledger import LedgerStore

    changed = await bot.stores[StandingStore].count()
    await bot.stores[NeedsStore].note_calm()
    await bot.stores[LedgerStore].keep()
    return TickOutcome({"changed": changed})


STAGE = Stage("standing", standing, timedelta(seconds=30))
