"""The stage `report` in the service: messages, where the settings want them."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.fleet.wiring.adapters import DESTINATIONS
from bot.store.rows.tables import outbox


async def report(bot: Bot) -> TickOutcome:
    from bot.fleet.report.rows import ReportStore
    from bot.fleet.report.tick import tick

    destinations = bot[DESTINATIONS]
    if not destinations:
        return TickOutcome()
    store, page = bot.stores[ReportStore], bot.settings.web.url
    tally = await tick(store, destinations, bot.loop, rest=bot.edits_every, page=page)
    return TickOutcome({"sent": tally.sent}, list(tally.problems))


STAGE = Stage("report", report, timedelta(seconds=5), claims=(outbox,), parts=(DESTINATIONS,))
