"""Rebuilds on their way to their end: what `follow` reads and writes."""

from sqlalchemy import and_, not_, or_, select

from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.rebuild import FOLLOWED, Rebuild
from bot.reconcile.work import Claimed
from bot.store.engine.queue.due_rows import DueRows
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuilds import rebuild_of
from bot.store.rows.rollouts.rollouts import ALL_PAUSED
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.stages.rebuilds import IS_OUTDATED, MAY_MERGE, RebuildStore


class FollowStore(RebuildStore):
    """`bot.follow.stage.FollowStore` on the database."""

    @property
    def followed(self) -> DueRows[Rebuild]:
        """Those with a pull request or a run that has not ended. Outdated ones are left to act, as far as that may
        go on with them while the bot is paused as a whole."""
        is_left = and_(IS_OUTDATED, or_(~ALL_PAUSED, MAY_MERGE))
        is_followed = and_(rebuilds.c.state.in_(FOLLOWED), rebuilds.c.call_off.is_(None))
        return self._due(and_(is_followed, not_(is_left)), self._rebuild)

    async def _rebuild(self, claimed: Claimed) -> Rebuild:
        named = select(repositories.c.name, repositories.c.node_id).where(
            repositories.c.id == claimed.row["repository_id"]
        )
        async with self._database.reading() as connection:
            home = (await connection.execute(named)).one()
        return rebuild_of(claimed.row, Identity(home.name, home.node_id))
