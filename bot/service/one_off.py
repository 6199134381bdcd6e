"""Work that ends by itself: one pass, a dry run, a look at the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.assess.notices.rules import release_lag, sibling_lag
from bot.assess.releases import ReleaseIndex
from bot.assess.tag_family import sibling_of
from bot.domain.change import Change
from bot.domain.clock import Clock
from bot.domain.notice import Notice
from bot.domain.observation import Observation
from bot.domain.rebuild import Rebuild
from bot.domain.reference import Base
from bot.service.stages import OBSERVING, Outcome, one_pass
from bot.service.wiring import open_bot, opened_stores, store_url
from bot.settings import Settings
from bot.store.engine.leases import bring_forward, free_leases_of_the_dead, give_all_back
from bot.store.engine.snapshot import snapshot
from bot.store.views import Explanation, Status


async def pass_once(settings: Settings, clock: Clock) -> list[Outcome]:
    """Every stage once. Whatever is polled regularly is due now; settle times and windows still hold."""
    async with open_bot(settings, clock) as bot:
        await free_leases_of_the_dead(bot.database, bot.worker)
        await bring_forward(bot.database, clock.now())
        cut_off = True
        try:
            outcomes = await one_pass(bot)
            cut_off = False
            return outcomes
        finally:
            await give_all_back(bot.database, bot.worker, attempted=cut_off)


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a pass would do, and how the stages that only look have ended."""

    rebuilds: tuple[Rebuild, ...]
    outcomes: tuple[Outcome, ...]


async def planned_only(settings: Settings, clock: Clock) -> DryRun:
    """What a pass would plan now, decided on a copy of the store that is thrown away afterwards."""
    async with snapshot(store_url(settings)) as database, open_bot(settings, clock, database) as bot:
        await bring_forward(bot.database, clock.now())
        outcomes = await one_pass(bot, OBSERVING)
        ahead = [rebuild for rebuild in await bot.stores.plan.open_rebuilds() if rebuild.state.awaits_action]
        return DryRun(tuple(ahead), tuple(outcomes))


async def read_status(settings: Settings, clock: Clock) -> Status:
    async with opened_stores(settings, clock) as stores:
        return await stores.views.status()


async def read_explanation(settings: Settings, repository: str, clock: Clock) -> Explanation:
    """Raises `Failure` where the store knows no such repository."""
    async with opened_stores(settings, clock) as stores:
        return await stores.views.explain(repository)


@dataclass(frozen=True, slots=True)
class History:
    """The changes of a base, and how long upstream took for each release and each fix of its sibling."""

    changes: tuple[Change, ...]
    upstream: tuple[Notice, ...]


async def read_history(settings: Settings, base: str, clock: Clock) -> History:
    async with opened_stores(settings, clock) as stores:
        releases = ReleaseIndex(await stores.history.releases())
        seen = await stores.views.observations_of(base)
        return History(tuple(await stores.views.changes_of(base)), tuple(_lags(base, seen, releases, clock.now())))


def _lags(
    name: str, seen: Mapping[Base, Sequence[Observation]], releases: ReleaseIndex, now: datetime
) -> list[Notice]:
    """By the time when each began."""
    found: list[Notice] = []
    for base, history in seen.items():
        if name not in (str(base), base.short):
            continue
        found += release_lag(history, releases)
        if (sibling := sibling_of(base)) is not None and sibling in seen:
            found += sibling_lag(seen[sibling], history, now)
    return sorted(found, key=lambda notice: (notice.since, notice.base))
