"""The stage `watch` in the service: the registries that show the bases."""

from datetime import timedelta

from bot.domain.log import log
from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.bases.tables import bases


async def watch(bot: Bot) -> TickOutcome:
    from bot.fleet.watch.registry.rows import WatchStore
    from bot.fleet.watch.registry.schedule import PollPolicy
    from bot.fleet.watch.registry.tick import WatchOptions, tick

    schedule = bot.settings.schedule
    options = WatchOptions(policy=PollPolicy(schedule.poll, schedule.poll_on_patch_tuesday))
    tally = await tick(bot.stores[WatchStore], bot.registry, bot.loop, options)
    for incident in tally.cleared:
        log.info("incident over", subject=incident.subject)
    figures = {
        "asked": tally.asked,
        "moved": len(tally.moved),
        "first_seen": len(tally.sightings) - len(tally.moved),
    }
    return TickOutcome(figures, [*(incident.detail for incident in tally.opened), *tally.problems])


STAGE = Stage("watch", watch, timedelta(seconds=10), claims=(bases,), only_reads=True)
