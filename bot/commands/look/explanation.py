"""`explain`: what is known of a repository, read from the store alone."""

from dataclasses import replace

from bot.commands.look.status import read_holds
from bot.domain.clock import Clock
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.views.images import ImageViewsStore
from bot.store.views.repositories import RepositoryViewsStore
from bot.views.repositories.explanation import Explanation


async def read_explanation(settings: Settings, repository: str, clock: Clock) -> Explanation:
    """Reads what is known of a repository; raises `Failure` where the store knows no such one."""
    async with opened_stores(settings, clock) as stores:
        waits = await read_holds(stores, settings, clock.now())
        explained = await stores[RepositoryViewsStore].explain(repository)
        images = await stores[ImageViewsStore].views(repository)
        return replace(explained, waits=waits, images=tuple(images))
