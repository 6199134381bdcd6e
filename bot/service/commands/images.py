"""What the store knows of images, for the commands that show them."""

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.service.wiring.opened_stores import opened_stores
from bot.settings import Settings
from bot.views.images import ImageView


async def read_images(settings: Settings, clock: Clock) -> list[ImageView]:
    """All images, in the order of names."""
    async with opened_stores(settings, clock) as stores:
        return await stores.images.views()


async def read_image(settings: Settings, name: str, clock: Clock) -> list[ImageView]:
    """The images of that name, or whose name ends in it; raises `Failure` where there is none."""
    bare = name.partition("@")[0]
    head, colon, tag = bare.rpartition(":")
    bare = head if colon and "/" not in tag else bare
    found = await read_images(settings, clock)
    chosen = [view for view in found if view.image.claim.name == bare]
    chosen = chosen or [view for view in found if f"/{view.image.claim.name}".endswith(f"/{bare}")]
    if not chosen:
        raise Failure(Trouble.MISSING, f"no image {name} is known", advice="see `freshness-bot images`")
    return chosen
