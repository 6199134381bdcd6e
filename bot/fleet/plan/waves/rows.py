"""Rollouts on their way through their waves: what `plan.waves` reads and writes."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import LeaseLost
from bot.domain.rollouts.journal import BOT
from bot.domain.rollouts.rebuild import AWAITING
from bot.domain.rollouts.timing.waiting import ReleaseRules, Standings
from bot.fleet.plan.waves.tick import RolloutAdvance
from bot.store.engine.counters import RELEASES, counter, raise_counter
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, insert_into, lock, lock_where
from bot.store.rows.rollouts.delays import IS_DELAYED
from bot.store.rows.rollouts.rebuild_store import open_pause
from bot.store.rows.rollouts.rollouts import IS_RELEASED, IS_WAITING, is_paused
from bot.store.rows.rollouts.tables import rebuilds, rollout_waves
from bot.store.rows.rollouts.wave_counts import MAY_BE_LATE, is_urgent, may_pass, standings
from bot.store.rows.tables import announce


class AdvanceStore(Store):
    """`bot.fleet.plan.waves.tick.AdvanceStore` on the database."""

    async def standings(self, rules: ReleaseRules) -> Standings:
        """The open rollouts that are not paused, each wave counted by the database."""
        async with self._database.reading() as connection:
            releases = await counter(connection, RELEASES)
            return Standings(releases, await standings(connection, rules, ~is_paused()))

    async def give_way(self, waves: Collection[str], now: datetime) -> int:
        """Gives the places of what fails again and again to others, until it is tried the next time."""
        rests = and_(
            *(rebuilds.c.state.in_(AWAITING), IS_RELEASED, IS_DELAYED, rebuilds.c.wave.in_(waves)),
            *(rebuilds.c.at_request.is_(False), rebuilds.c.lease_owner.is_(None), rebuilds.c.due_at > now),
        )
        async with self._database.reading() as connection:
            if await connection.scalar(select(rebuilds.c.id).where(rests).limit(1)) is None:
                return 0
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            ids = await lock_where(connection, rebuilds, rests)
            for part in chunks(ids):
                await connection.execute(
                    update(rebuilds).where(rebuilds.c.id.in_(part), rests).values(gave_way_at=now)
                )
        return len(ids)

    async def take(self, step: RolloutAdvance, rules: ReleaseRules, releases: int) -> int:
        """Lets rebuilds begin, all of the step or nothing, and returns how many began."""
        async with self._database.transaction() as connection:
            if await raise_counter(connection, RELEASES) != releases + 1:
                raise LeaseLost("another worker has let rebuilds begin meanwhile")
            if step.pause is not None:
                await open_pause(connection, step.rollout, BOT, step.pause, rules.at)
                return 0
            is_of_rollout = [
                *(rebuilds.c.rollout_id == step.rollout, rebuilds.c.distance == step.distance),
                *may_pass(rules),
            ]
            began: list[str] = []
            if step.urgent:
                began += await _release(connection, [*is_of_rollout, is_urgent(rules)], rules.at)
            for name, most in step.late.items():
                is_late = [
                    *is_of_rollout,
                    rebuilds.c.wave == name,
                    rebuilds.c.waits_since <= step.late_since[name],
                    MAY_BE_LATE,
                ]
                began += await _release(connection, is_late, rules.at, most)
            for name, most in step.release.items():
                began += await _release(connection, [*is_of_rollout, rebuilds.c.wave == name], rules.at, most)
            await _keep_times(connection, step, sorted(set(began)), rules.at)
            if step.finished_waves:
                await announce(connection, f"rollout:{step.rollout}", rules.at)
            for name in sorted(step.finished_waves):
                await announce(connection, f"wave:{step.rollout}:{name}", rules.at)
        return len(began)


async def _release(
    connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]], now: datetime, most: int | None = None
) -> list[str]:
    """Those that were planned first begin first; the waves of those that began."""
    query = select(rebuilds.c.id).where(*conditions).order_by(rebuilds.c.due_at, rebuilds.c.id).limit(most)
    ids = list((await connection.execute(query)).scalars())
    await lock(connection, rebuilds, ids)
    began: list[str] = []
    for part in chunks(ids):
        result = await connection.execute(
            update(rebuilds)
            .where(rebuilds.c.id.in_(part), IS_WAITING, rebuilds.c.waits_for.is_(None))
            .values(released_at=func.coalesce(rebuilds.c.released_at, now), gave_way_at=None)
            .returning(rebuilds.c.wave)
        )
        began += result.scalars()
    return began


async def _keep_times(
    connection: AsyncConnection, step: RolloutAdvance, began: Sequence[str], now: datetime
) -> None:
    for name in began:
        row = insert_into(connection, rollout_waves).values(
            rollout_id=step.rollout, distance=step.distance, name=name, began_at=now
        )
        first = func.coalesce(rollout_waves.c.began_at, now)
        await connection.execute(
            row.on_conflict_do_update(index_elements=["rollout_id", "distance", "name"], set_={"began_at": first})
        )
    for name, since in step.finished_waves.items():
        left_out = step.set_aside.get(name, 0)
        row = insert_into(connection, rollout_waves).values(
            rollout_id=step.rollout, distance=step.distance, name=name, done_since=since, set_aside=left_out
        )
        await connection.execute(
            row.on_conflict_do_update(
                index_elements=["rollout_id", "distance", "name"], set_={"done_since": since, "set_aside": left_out}
            )
        )
