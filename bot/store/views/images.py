"""The images that the fleet produces, each with where it is run and what the gate says of it."""

from bot.store.engine.store import Store
from bot.store.pages.images.deployed import BY_NAME, deployments_of, read_claims
from bot.store.pages.images.gates import gates_of
from bot.store.rows.repositories.tables import repositories
from bot.views.images.images import ImageView


class ImageViewsStore(Store):
    """Reads what commands show of images, and writes nothing."""

    async def views(self, repository: str | None = None) -> list[ImageView]:
        """Reads all images, or those of one repository alone, in the order of names."""
        conditions = () if repository is None else (repositories.c.name == repository,)
        async with self._database.reading() as connection:
            claims = await read_claims(connection, *conditions, order=BY_NAME)
            image_ids = [row.id for row, _ in claims]
            gate_views = await gates_of(connection, None if repository is None else image_ids)
            run_at = await deployments_of(connection, image_ids)
        return [
            ImageView(image, row.looked_at, tuple(run_at.get(row.id, ())), gate_views.get(row.id))
            for row, image in claims
        ]
