"""Where images of the fleet are run, as manifests name them."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.among import is_among
from bot.store.rows.images.images import deployments, images, is_run_there
from bot.store.rows.repositories.tables import repositories
from bot.views.bases.images import Deployment

_RUN_AT = (
    select(
        images.c.id,
        repositories.c.name,
        deployments.c.path,
        deployments.c.line,
        deployments.c.tag,
        deployments.c.digest,
    )
    .select_from(images)
    .join(deployments, is_run_there())
    .join(repositories, repositories.c.id == deployments.c.repository_id)
    .where(is_among(images.c.id, "images"))
    .order_by(repositories.c.name, deployments.c.path, deployments.c.line)
)


async def deployments_of(connection: AsyncConnection, some: Collection[int]) -> Mapping[int, Sequence[Deployment]]:
    """The places where each of these images is run, in the order of repositories and files."""
    found: dict[int, list[Deployment]] = {}
    for number, *place in (await connection.execute(_RUN_AT, {"images": some})).all():
        found.setdefault(number, []).append(Deployment(*place))
    return found
