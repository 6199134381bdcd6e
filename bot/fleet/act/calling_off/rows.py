"""Rebuilds that a person has called off: what `act.calling_off` reads and writes."""

from sqlalchemy import and_, select

from bot.domain.rollouts.rebuild import ENDED
from bot.fleet.act.calling_off.tick import CalledOff
from bot.reconcile.work import Claimed
from bot.store.engine.queue.claiming import DueRows
from bot.store.rows.repositories.repositories import IDENTITY, identity_of
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuild_store import RebuildStore
from bot.store.rows.rollouts.rebuilds import rebuild_of
from bot.store.rows.rollouts.tables import rebuilds


class CallingOffStore(RebuildStore):
    """`bot.fleet.act.calling_off.tick.CallingOffStore` on the database."""

    @property
    def called_off(self) -> DueRows[CalledOff]:
        """The queue of rebuilds that a person has called off and that have not ended since."""
        return self._due(
            and_(rebuilds.c.call_off.is_not(None), rebuilds.c.state.not_in(ENDED)), self._read_called_off
        )

    async def _read_called_off(self, claimed: Claimed) -> CalledOff:
        row = claimed.row
        home_query = select(*IDENTITY).where(repositories.c.id == row["repository_id"])
        async with self._database.reading() as connection:
            home = (await connection.execute(home_query)).one()
        return CalledOff(rebuild_of(row, identity_of(home)), row["call_off"])
