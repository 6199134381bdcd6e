"""What rebuilds wait for that have not begun."""

from datetime import datetime

from bot.domain.rollouts.timing.waiting import holds_of, release_rules_at, rollout_options_of
from bot.domain.rollouts.timing.waves import Hold
from bot.settings import Settings
from bot.store.stores import Stores
from bot.store.views.rollouts import RolloutViewsStore


async def read_holds(stores: Stores, settings: Settings, now: datetime) -> dict[int, Hold]:
    """Says for each rebuild that waits for more than its turn, by its id, what for."""
    options = rollout_options_of(settings.rules)
    return holds_of(await stores[RolloutViewsStore].waits(release_rules_at(now, options)), options, now)
