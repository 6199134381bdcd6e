"""The stage `fleet issue` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.tables import fleet_issues


async def fleet_issue(bot: Bot) -> TickOutcome:
    from bot.fleet.report.fleet_issue.rows import FleetIssueStore
    from bot.fleet.report.fleet_issue.tick import FleetIssueOptions, tick
    from bot.fleet.report.witness.rows import WitnessStore

    settings = bot.settings.fleet_issue
    if settings is None:
        return TickOutcome()
    if not await bot.stores[WitnessStore].is_asked():
        return TickOutcome()  # what it says of a bot before this store is still to be read
    options = FleetIssueOptions(settings.repository, settings.ticks, bot.settings.web.url, host=bot.hosts.forge)
    tally = await tick(bot.stores[FleetIssueStore], bot.forge, options, bot.loop)
    return TickOutcome({"heeded": tally.heeded}, list(tally.problems))


STAGE = Stage("fleet issue", fleet_issue, timedelta(seconds=20), claims=(fleet_issues,))
