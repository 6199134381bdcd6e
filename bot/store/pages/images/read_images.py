"""How many images of the fleet there are, and of how many not all is known."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.among import is_among
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import image_inventories, inventories


def _counts(is_wanted: ColumnElement[bool]) -> Select[Any]:
    """Of all images, of those that were seen, and of those of which not everything was read, or could be."""
    of_all = select(func.count()).select_from(images)
    seen_images = (
        select(func.count(image_inventories.c.image_id.distinct()))
        .join(inventories, inventories.c.id == image_inventories.c.inventory_id)
        .where(is_wanted)
    )
    in_part = seen_images.where(inventories.c.is_complete.is_not(True))
    return select(of_all.scalar_subquery(), seen_images.scalar_subquery(), in_part.scalar_subquery())


_OF_EVERY_PLATFORM = _counts(true())
_OF_SOME_PLATFORMS = _counts(is_among(inventories.c.platform, "platforms"))


async def count_images(connection: AsyncConnection, platforms: Collection[str] | None) -> tuple[int, int]:
    """All images, and those that were read on none of these platforms, or not as a whole on one that they have.

    None where every platform matters.
    """
    query = _OF_EVERY_PLATFORM if platforms is None else _OF_SOME_PLATFORMS
    parameters = {} if platforms is None else {"platforms": platforms}
    of_all, of_seen, in_part = (await connection.execute(query, parameters)).one()
    return int(of_all), int(of_all - of_seen + in_part)
