"""Whether a store is new, and the pause of one that is: what `report.witness` reads and writes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rollouts.journal import BOT
from bot.domain.rollouts.witness import Said, written_said
from bot.fleet.report.witness.tick import UNKNOWN
from bot.store.engine.counters import FIRST_RUN, RELEASES, WITNESS, counter, raise_counter, set_counter
from bot.store.engine.store import Store
from bot.store.rows.rollouts.rebuild_store import open_pause
from bot.store.rows.rollouts.tables import pauses, rollouts
from bot.store.rows.tables import announce

_NOBODY = 1
_OF_ALL = and_(pauses.c.until.is_(None), pauses.c.rollout_id.is_(None))


class WitnessStore(Store):
    """`bot.fleet.report.witness.tick.WitnessStore` on the database."""

    async def is_asked(self) -> bool:
        async with self._database.reading() as connection:
            if await counter(connection, WITNESS) > 0 or await counter(connection, FIRST_RUN) > 0:
                return True
            return bool(await connection.scalar(select(exists(select(rollouts.c.id)))))

    async def pause(self, reason: str) -> None:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            await open_pause(connection, None, BOT, reason, now)

    async def end(self, reason: str | None, said: Sequence[Said] = ()) -> None:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            if reason is not None:
                await open_pause(connection, None, BOT, reason, now)
            values: dict[str, Any] = {"until": now} if reason is None else {"reason": reason}
            told_anew = await connection.execute(
                update(pauses)
                .where(_OF_ALL, pauses.c.who == BOT, pauses.c.reason == UNKNOWN)
                .values(**values)
                .returning(pauses.c.id)
            )
            for pause in sorted(told_anew.scalars()):
                await announce(connection, f"pause:{pause}", now)
            newest = select(func.max(pauses.c.id)).where(_OF_ALL)
            standing = None if reason is None else await connection.scalar(newest)
            await connection.execute(
                update(pauses).where(pauses.c.id == standing).values(puts_back=written_said(said) or None)
            )
            await set_counter(connection, WITNESS, _NOBODY + int(standing or 0))


async def waits_for_resume(connection: AsyncConnection) -> bool:
    """Whether nobody has let a bot go on yet that was here before its store: what was said before is kept."""
    pause = await counter(connection, WITNESS) - _NOBODY
    return bool(await connection.scalar(select(exists(select(pauses.c.id).where(_OF_ALL, pauses.c.id == pause)))))
