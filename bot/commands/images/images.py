"""What the store knows of images, for the commands that show them."""

from datetime import datetime, timedelta
from statistics import median

from bot.commands.look.status import read_holds
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.wording.misfits import did_you_mean
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.stores import Stores
from bot.store.views.fleet import FleetViewsStore
from bot.store.views.images import ImageViewsStore
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.bases.tree import Branch, Tree, likely_done, under
from bot.views.images.images import ImageView

_LATEST = 20
"""Rollouts in which the rebuilds of a base are looked for."""


async def read_images(settings: Settings, clock: Clock) -> list[ImageView]:
    """Reads all images, in the order of names."""
    async with opened_stores(settings, clock) as stores:
        return await stores[ImageViewsStore].views()


async def read_image_views(settings: Settings, name: str, clock: Clock) -> list[ImageView]:
    """The images of that name, or whose name ends in it; raises `Failure` where there is none."""
    bare = name.partition("@")[0]
    head, colon, tag = bare.rpartition(":")
    bare = head if colon and "/" not in tag else bare
    views = await read_images(settings, clock)
    chosen = [view for view in views if view.image.claim.name == bare]
    chosen = chosen or [view for view in views if f"/{view.image.claim.name}".endswith(f"/{bare}")]
    if not chosen:
        names = {view.image.claim.name for view in views}
        advice = did_you_mean(bare, names, "see `freshness-bot images`")
        raise Failure(Trouble.MISSING, f"no image {name!r} is known", advice=advice)
    return chosen


async def read_tree(settings: Settings, name: str, clock: Clock) -> Tree:
    """A base, by its whole or short name, with the images on it; raises `Failure` where there is no such one."""
    async with opened_stores(settings, clock) as stores:
        bases = await stores[FleetViewsStore].bases()
        base = next((each for each in bases if each.base.is_called(name)), None)
        if base is None:
            advice = did_you_mean(name, (each.base.short for each in bases), "see `freshness-bot status`")
            raise Failure(Trouble.MISSING, f"no base {name!r} is watched", advice=advice)
        rollouts = await stores[RolloutViewsStore].rollouts(_LATEST)
        rebuilds = sorted(
            (rebuild for rollout in rollouts for rebuild in rollout.rebuilds), key=lambda each: -each.id
        )
        now = clock.now()
        waits = await read_holds(stores, settings, now)
        branches = under(base.base, await stores[ImageViewsStore].views(), rebuilds, waits)
        return Tree(base.base, base.digest, base.moved_at, branches, await _about(stores, branches, now))


async def _about(stores: Stores, branches: tuple[Branch, ...], now: datetime) -> datetime | None:
    """When the last of what is on its way is likely done, by the median of how long those before took."""
    durations = await stores[RolloutViewsStore].durations()
    took = [each.total_seconds() for each in (*durations.builds, *durations.merges)]
    return likely_done(branches, timedelta(seconds=median(took)), now) if took else None
