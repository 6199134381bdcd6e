"""How long the fleet's own rebuilds took, as far as the store knows."""

from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.fleet.wiring.stores import store_url
from bot.settings import Settings
from bot.store.engine.database import looked_into
from bot.store.engine.queue.leases import this_worker
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.rollouts.rollout import OwnDurations


async def own_durations(settings: Settings, clock: Clock) -> OwnDurations:
    """Reads how long rebuilds took; None where no store can be read: a policy is tried out on other machines, and
    before there is a store."""
    try:
        async with looked_into(store_url(settings)) as database:
            return await RolloutViewsStore(database, this_worker(), clock).durations()
    except Failure:
        return OwnDurations()
