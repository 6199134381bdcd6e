"""The views that commands show, read from the store alone."""

from dataclasses import replace
from datetime import datetime

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.timing.standing import release_rules_at, rollout_options_of
from bot.domain.rollouts.timing.waiting import holds_of
from bot.domain.rollouts.timing.waves import Hold
from bot.fleet.report.rows.report import ReportStore
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.stores import Stores
from bot.store.views.fleet import FleetViewsStore
from bot.store.views.repositories import RepositoryViewsStore
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.fleet.status import Status
from bot.views.repositories.explanation import Explanation
from bot.views.rollouts.rollout import RolloutProgress


async def read_status(settings: Settings, clock: Clock) -> Status:
    """Reads how things stand."""
    async with opened_stores(settings, clock) as stores:
        full = await stores[FleetViewsStore].lack_of_room()
        status, waits = await stores[FleetViewsStore].status(), await _holds(stores, settings, clock.now())
        return replace(status, waits=waits, no_room=None if full is None else full.told)


async def read_explanation(settings: Settings, repository: str, clock: Clock) -> Explanation:
    """Reads what is known of a repository; raises `Failure` where the store knows no such one."""
    async with opened_stores(settings, clock) as stores:
        waits = await _holds(stores, settings, clock.now())
        explained = await stores[RepositoryViewsStore].explain(repository)
        produced = [view for view in await stores[ImagesStore].views() if view.image.repository == repository]
        return replace(explained, waits=waits, images=tuple(produced))


async def read_rollouts(settings: Settings, clock: Clock, limit: int) -> list[RolloutProgress]:
    """Reads the latest rollouts in counts, newest first."""
    options, now = rollout_options_of(settings.rules), clock.now()
    async with opened_stores(settings, clock) as stores:
        return await stores[RolloutViewsStore].progress(options, now, limit=limit)


async def read_rollout(settings: Settings, number: int, clock: Clock) -> RolloutProgress:
    """Reads one rollout with its rebuilds; raises `Failure` where there is no such one."""
    options, now = rollout_options_of(settings.rules), clock.now()
    async with opened_stores(settings, clock) as stores:
        found = await stores[RolloutViewsStore].progress(options, now, number=number)
        if not found:
            raise Failure(
                Trouble.MISSING, f"there is no rollout {number}", advice="see `freshness-bot rollout list`"
            )
        rebuilds = await stores[RolloutViewsStore].rebuilds_of(number)
        waits = await _holds(stores, settings, now)
        opened_by = await stores[ReportStore].opened_by(number)
        steps = await stores[RolloutViewsStore].steps_of(rebuilds)
        return replace(found[0], rebuilds=tuple(rebuilds), steps=steps, waits=waits, opened_by=opened_by)


async def _holds(stores: Stores, settings: Settings, now: datetime) -> dict[int, Hold]:
    options = rollout_options_of(settings.rules)
    return holds_of(await stores[RolloutViewsStore].waits(release_rules_at(now, options)), options, now)
