"""The stage `witness` in the service."""

from datetime import timedelta

from bot.domain.log import log
from bot.fleet.stage import Bot, Stage, TickOutcome


async def witness(bot: Bot) -> TickOutcome:
    from bot.fleet.report.fleet_issue.tick import FleetIssueOptions
    from bot.fleet.report.witness.rows import WitnessStore
    from bot.fleet.report.witness.tick import tick

    settings = bot.settings.fleet_issue
    if settings is None:
        return TickOutcome()
    label = FleetIssueOptions(settings.repository).label
    tally = await tick(bot.stores[WitnessStore], bot.forge, settings.repository, label)
    if tally.paused is not None:
        log.warning("paused until `freshness-bot resume`", why=tally.paused)
    return TickOutcome({"paused": int(tally.paused is not None)}, [*tally.problems])


STAGE = Stage("witness", witness, timedelta(seconds=20), only_reads=True)
