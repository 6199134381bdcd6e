"""Rebuilds whose build is green, until their image was looked at: what the proofs read and write."""

from sqlalchemy import select

from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.steps import images_of_build
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.fleet.verify.proving.tick import Proving
from bot.reconcile.work import Claimed
from bot.store.engine.codec import load, readable
from bot.store.engine.queue.claiming import DueRows
from bot.store.rows.repositories.repositories import IDENTITY, identity_of
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.rebuild_store import RebuildStore
from bot.store.rows.rollouts.rebuilds import rebuild_of
from bot.store.rows.rollouts.tables import rebuilds


class ProvingStore(ImagesStore, RebuildStore):
    """`bot.fleet.verify.proving.tick.ProvingStore` on the database."""

    @property
    def proving(self) -> DueRows[Proving]:
        return self._due(rebuilds.c.state == RebuildState.PROVING.value, self._proving)

    async def _proving(self, claimed: Claimed) -> Proving:
        home = claimed.row["repository_id"]
        async with self._database.reading() as connection:
            home_rows = await connection.execute(select(*IDENTITY).where(repositories.c.id == home))
            row = home_rows.one()
            rows = await connection.execute(
                select(usages.c.id, usages.c.usage).where(usages.c.repository_id == home).order_by(usages.c.id)
            )
            named_there = readable(rows, lambda each: load(each.usage, Usage), lambda each: f"usage {each.id}")
        rebuild = rebuild_of(claimed.row, identity_of(row))
        build_images = images_of_build(await self.images_of(row.name), rebuild)
        return Proving(rebuild, tuple(build_images), tuple(named_there))
