"""Rebuilds on their way to their end: what `follow` reads and writes."""

from sqlalchemy import and_, not_, or_, select

from bot.domain.rollouts.rebuild import FOLLOWED, Rebuild
from bot.domain.rollouts.reopening import left_to
from bot.reconcile.work import Claimed
from bot.store.engine.counters import PLANS, RELEASES, hold_counter, raise_counter
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.orders.retrying import reopened
from bot.store.rows.repositories.repositories import IDENTITY, identity_of
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuild_store import IS_OUTDATED, RebuildStore, goes_on_later, may_be_opened_again
from bot.store.rows.rollouts.rebuilds import MAY_MERGE, after_transitions, rebuild_of
from bot.store.rows.rollouts.rollouts import ALL_PAUSED
from bot.store.rows.rollouts.tables import rebuilds


class FollowStore(RebuildStore):
    """`bot.fleet.follow.tick.FollowStore` on the database."""

    @property
    def followed(self) -> DueRows[Rebuild]:
        """Those with a pull request or a run that has not ended, and those whose pull request was closed lately.
        Outdated ones are left to act, as far as that may go on with them while the bot is paused as a whole."""
        is_left = and_(IS_OUTDATED, or_(~ALL_PAUSED, MAY_MERGE))
        goes_on = and_(rebuilds.c.state.in_(FOLLOWED), not_(is_left), rebuilds.c.call_off.is_(None))
        return self._due(or_(goes_on, may_be_opened_again(self._clock.now())), self._rebuild)

    async def reopen(self, closed: Rebuild, again: Rebuild) -> None:
        """Goes on with a rebuild whose pull request was opened again.

        Whoever plans meanwhile plans anew, with what goes on here.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await raise_counter(connection, PLANS)
            await hold_counter(connection, RELEASES)
            later = await goes_on_later(connection, closed)
            values = {} if later is None else {"reason": left_to(closed, later)}
            await settle(connection, rebuilds, self._worker, closed.id, due_at=closed.due_at, values=values)
            if later is None:
                await reopened(connection, closed, again, now)
            if values.get("reason") != closed.reason:
                await after_transitions(connection, {closed.rollout}, now)

    async def _rebuild(self, claimed: Claimed) -> Rebuild:
        home_query = select(*IDENTITY).where(repositories.c.id == claimed.row["repository_id"])
        async with self._database.reading() as connection:
            home = (await connection.execute(home_query)).one()
        return rebuild_of(claimed.row, identity_of(home))
