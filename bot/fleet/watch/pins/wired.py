"""The stage `pins` in the service: digests that repositories pin, read in their registries."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.bases.pinned_digests import pinned_digests


async def pins(bot: Bot) -> TickOutcome:
    from bot.fleet.watch.pins.rows import PinsStore
    from bot.fleet.watch.pins.tick import tick

    tally = await tick(bot.stores[PinsStore], bot.registry, bot.loop)
    return TickOutcome({"read": tally.read}, list(tally.problems))


STAGE = Stage("pins", pins, timedelta(seconds=20), claims=(pinned_digests,), only_reads=True)
