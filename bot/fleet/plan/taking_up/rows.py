"""Logs that are restored, and rollouts that go on: what `plan.taking_up` reads and writes."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Self

from sqlalchemy import func, insert, select, update

from bot.domain.bases.change import Change, Move
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.failure import LeaseLost
from bot.domain.reference import Base
from bot.domain.repositories.repository import FleetRepository
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.fleet.plan.first_run.rows import CatchUpStore
from bot.fleet.plan.rows.planned_rebuilds import add_rebuilds, supersede
from bot.fleet.plan.taking_up.tick import RestoredLog, TakenUp
from bot.store.engine.codec import dump, load, readable
from bot.store.engine.counters import FIRST_RUN, PLANS, RELEASES, TAKEN_UP, counter, raise_counter, set_counter
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.writing import chunks, lock
from bot.store.history import HistoryStore, Logged
from bot.store.rows.bases.bases import has_name_among
from bot.store.rows.bases.observations import histories, loaded
from bot.store.rows.bases.tables import base_of, bases, changes, observations
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.rebuilds import MEMBER, after_transitions, fleet_repository_of, sdk_pins
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from bot.store.rows.tables import mark_known_before
from bot.store.stores import Stores

_NOTHING, _SOMETHING = 1, 2


class TakingUpStore(CatchUpStore):
    """`bot.fleet.plan.taking_up.tick.TakingUpStore` on the database."""

    @classmethod
    def opened(cls, stores: Stores) -> Self:
        return cls(*stores.given, stores[HistoryStore])

    def __init__(self, database: Database, worker: Worker, clock: Clock, history: HistoryStore) -> None:
        super().__init__(database, worker, clock)
        self._history = history

    async def is_over(self) -> bool:
        async with self._database.reading() as connection:
            return await counter(connection, TAKEN_UP) > 0 or await counter(connection, FIRST_RUN) > 0

    async def is_any_taken_up(self) -> bool:
        """Tells whether the bot was here before its store was."""
        async with self._database.reading() as connection:
            return await counter(connection, TAKEN_UP) == _SOMETHING

    async def members(self) -> list[FleetRepository]:
        following = select(usages.c.repository_id).where(usages.c.base_id.is_not(None))
        query = select(*MEMBER).where(repositories.c.listed.is_(True), repositories.c.id.in_(following))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query.order_by(repositories.c.id))).mappings().all()
            pins = await sdk_pins(connection, {row["id"] for row in rows})
        return readable(rows, lambda row: fleet_repository_of(row, pins), lambda row: f"repository {row['name']}")

    async def logs(self, some_bases: Collection[Base]) -> dict[Base, list[Observation]]:
        history_of: dict[Base, list[Observation]] = {}
        async with self._database.reading() as connection:
            for part in chunks(sorted(some_bases)):
                rows = await connection.execute(select(bases).where(has_name_among(part), bases.c.used.is_(True)))
                bases_by_id = {row.id: base_of(row) for row in rows}
                history_of |= loaded(bases_by_id, await histories(connection, bases_by_id.keys()))
        return history_of

    async def restore(self, log: RestoredLog) -> None:
        """What was the first observation gets its own time where that is told, before others are put before it."""
        if log.shown_at is not None:
            await self._date(log.base, log.shown_at)
        earlier = [Logged(seen, change) for seen, change in zip(log.earlier, (None, *log.changes), strict=True)]
        await self._history.put_before(log.base, earlier, log.joint)

    async def _date(self, base: Base, shown_at: datetime) -> None:
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(bases.c.id).where(has_name_among([base])))).one()
            await lock(connection, bases, [row.id])
            first = (
                await connection.execute(
                    select(observations.c.id, observations.c.digest, observations.c.observation)
                    .where(observations.c.base_id == row.id, observations.c.digest.is_not(None))
                    .order_by(observations.c.id)
                    .limit(1)
                )
            ).one()
            await lock(connection, observations, [first.id])
            seen = replace(load(first.observation, Observation), at=shown_at)
            values = {"at": shown_at, "observation": dump(seen, Observation)}
            await connection.execute(update(observations).where(observations.c.id == first.id).values(**values))
            is_shown = bases.c.id == row.id, bases.c.digest == first.digest
            await connection.execute(update(bases).where(*is_shown).values(moved_at=shown_at))

    async def restored_moves(self, some_bases: Collection[Base]) -> list[Move]:
        moves: list[Move] = []
        async with self._database.reading() as connection:
            for part in chunks(sorted(some_bases)):
                rows = await connection.execute(
                    select(changes.c.id, changes.c.change)
                    .join(bases, bases.c.id == changes.c.base_id)
                    .where(has_name_among(part), changes.c.planned.is_(True), changes.c.rollout_id.is_(None))
                    .order_by(changes.c.id)
                )
                moves += readable(
                    rows.all(),
                    lambda row: Move(row.id, load(row.change, Change)),
                    lambda row: f"change {row.id}",
                )
        return moves

    async def last_builds(self) -> dict[int, datetime]:
        newest = func.max(workflow_builds.c.last_success).label("at")
        query = (
            select(workflow_builds.c.repository_id, newest)
            .where(workflow_builds.c.last_success.is_not(None))
            .group_by(workflow_builds.c.repository_id)
        )
        async with self._database.reading() as connection:
            return {row.repository_id: row.at for row in await connection.execute(query)}

    async def take_up(self, part: TakenUp) -> None:
        """What has its pull request goes on at once, and what was merged is followed at once; the rest waits for
        its time and wave like any other. A run may have been asked for since the bases moved, so it is looked for
        before one is."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            if await raise_counter(connection, PLANS) != part.revisions.plans + 1:
                raise LeaseLost("another worker has saved a plan meanwhile")
            if not part.rebuilds:
                return
            await raise_counter(connection, RELEASES)
            opened = insert(rollouts).values(opened_at=part.opened_at).returning(rollouts.c.id)
            rollout = int((await connection.execute(opened)).scalar_one())
            await lock(connection, changes, part.changes)
            await connection.execute(
                update(changes).where(changes.c.id.in_(part.changes)).values(rollout_id=rollout)
            )
            touched_rollouts = await supersede(connection, part.rebuilds, rollout, now)
            await add_rebuilds(connection, part.rebuilds, part.revisions, rollout, now)
            await connection.execute(
                update(rebuilds)
                .where(
                    rebuilds.c.rollout_id == rollout,
                    rebuilds.c.pull_request.is_not(None),
                    rebuilds.c.state == RebuildState.PLANNED.value,
                )
                .values(released_at=now, due_at=now, waits_for=None)
            )
            for each in part.merged:
                request, home = each.request, rebuilds.c.repository_id == each.member.id
                values = {"node_id": request.node_id, "url": request.url, "attempted_at": request.created_at}
                await connection.execute(
                    update(rebuilds)
                    .where(rebuilds.c.rollout_id == rollout, home, rebuilds.c.pull_request == request.number)
                    .values(**values, released_at=now, due_at=now, waits_for=None)
                )
            await connection.execute(
                update(rebuilds)
                .where(
                    rebuilds.c.rollout_id == rollout,
                    rebuilds.c.action == Action.DISPATCH.value,
                    rebuilds.c.state == RebuildState.PLANNED.value,
                )
                .values(attempted_at=part.opened_at, dispatches=1)
            )
            await after_transitions(connection, touched_rollouts | {rollout}, now)
            await mark_known_before(connection, f"rollout:{rollout}")

    async def end(self, *, is_any: bool) -> None:
        async with self._database.transaction() as connection:
            await set_counter(connection, TAKEN_UP, _SOMETHING if is_any else _NOTHING)
