"""Images with the repositories that claim them, in the order in which they are shown."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.images.image import ProducedImage
from bot.domain.images.standing import ImageState
from bot.store.engine.readable import readable
from bot.store.rows.images.images import contested_images, image_of, images
from bot.store.rows.repositories.tables import repositories

_RANK = case({state.value: rank for rank, state in enumerate(ImageState)}, value=images.c.state)
ORDER = (_RANK, images.c.behind_since, images.c.registry, images.c.repository, images.c.id)
BY_NAME = (images.c.registry, images.c.repository, repositories.c.name, images.c.id)


def joined(query: Select[Any]) -> Select[Any]:
    """Joins the repository of each image to the query."""
    return query.join(repositories, repositories.c.id == images.c.repository_id)


def images_with_repositories() -> Select[Any]:
    return joined(select(images, repositories.c.name, repositories.c.default_branch))


Claims = Sequence[tuple[Any, ProducedImage]]
"""Images, each with its row."""


async def read_claims(
    connection: AsyncConnection,
    *conditions: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]] = ORDER,
    most: int | None = None,
    offset: int = 0,
) -> Claims:
    """Reads the images that fulfil the conditions: the first of them, or those after the first `offset`."""
    query = images_with_repositories().where(*conditions).order_by(*order)
    rows = (await connection.execute(query.limit(most).offset(offset) if most is not None else query)).all()
    lost = await contested_images(connection) if rows else ()
    return readable(rows, lambda row: (row, image_of(row, row.name, lost)), lambda row: f"image {row.id}")


def one_of(claims: Iterable[ProducedImage]) -> ProducedImage | None:
    """Chooses the first image whose word counts, else the first."""
    return next(iter(sorted(claims, key=lambda image: image.doubt is not None)), None)
