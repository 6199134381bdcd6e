"""Rollouts and their rebuilds: what `plan`, `act`, `verify` and `report` share."""

from collections.abc import Iterable, Sequence

from sqlalchemy import RowMapping, and_, func, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.act.ports import Job
from bot.domain.change import Change
from bot.domain.failure import LeaseLost
from bot.domain.followed_base import followed_base
from bot.domain.rebuild import Rebuild, State
from bot.domain.rollout import Rollout
from bot.domain.usage import Usage
from bot.store.engine.codec import load
from bot.store.engine.queue import claim, settle
from bot.store.plan import PlanningStore
from bot.store.rows.rebuilds import (
    after_transitions,
    columns_of,
    fleet_repository_of,
    note,
    outcome_of,
    read_rebuilds,
    rebuild_of,
    step,
)
from bot.store.rows.tables import changes, rebuilds, repositories, rollouts, usages

_IS_OUTDATED = and_(rebuilds.c.state == State.OPEN.value, rebuilds.c.facts_version > rebuilds.c.text_version)


class RolloutStore(PlanningStore):
    """Planning, and the work on what was planned."""

    async def claim_jobs(self, states: Iterable[State], limit: int) -> list[Job]:
        """Due rebuilds with their repository, changes and files; among them open ones whose text is outdated."""
        in_state = rebuilds.c.state.in_([state.value for state in states])
        async with self._database.transaction() as connection:
            rows = await claim(
                connection,
                rebuilds,
                self._worker,
                self._clock.now(),
                limit=limit,
                where=[or_(in_state, _IS_OUTDATED)],
            )
            return [await _job(connection, row) for row in rows]

    async def open_pull_requests(self, repository: str) -> int:
        """How many pull requests of the bot are open in a repository."""
        query = (
            select(func.count(func.distinct(rebuilds.c.branch)))
            .join(repositories, repositories.c.id == rebuilds.c.repository_id)
            .where(repositories.c.name == repository, rebuilds.c.state == State.OPEN.value)
        )
        async with self._database.transaction() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def claim_rebuilds(self, states: Iterable[State], limit: int) -> list[Rebuild]:
        """Due rebuilds in one of `states`, now leased to this worker; those with outdated text are left to act."""
        wanted = [state.value for state in states]
        async with self._database.transaction() as connection:
            rows = await claim(
                connection,
                rebuilds,
                self._worker,
                self._clock.now(),
                limit=limit,
                where=[rebuilds.c.state.in_(wanted), not_(_IS_OUTDATED)],
            )
            names = await _names(connection, [row["repository_id"] for row in rows])
        return [rebuild_of(row, names[row["repository_id"]]) for row in rows]

    async def save_progress(self, rebuild: Rebuild) -> None:
        """Stores what an attempt intends or has reached, while the lease goes on; else raises `LeaseLost`."""
        async with self._database.transaction() as connection:
            stored = await connection.execute(
                update(rebuilds)
                .where(rebuilds.c.id == rebuild.id, rebuilds.c.lease_owner == self._worker.name)
                .values(**columns_of(rebuild))
            )
        if stored.rowcount != 1:
            raise LeaseLost(f"rebuild {rebuild.id} is no longer leased to {self._worker.name}")

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None:
        """Ends the claim: the new state, when it is due again, and, on a transition, its trace and message.

        Of a failed attempt only state and reason are taken: what it has stored of its intent stays.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await settle(
                connection,
                rebuilds,
                self._worker,
                after.id,
                due_at=after.due_at,
                succeeded=succeeded,
                values=columns_of(after) if succeeded else outcome_of(after),
            )
            if after.state is not before.state:
                await note(connection, [step(after.id, now, before.state, after.state, after.reason)])
            if (after.state, after.reason, after.url) != (before.state, before.reason, before.url):
                await after_transitions(connection, {after.rollout}, now)

    async def runs_taken(self, repository: str) -> set[int]:
        """Workflow runs that already belong to a rebuild of the repository."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                select(rebuilds.c.run)
                .join(repositories, repositories.c.id == rebuilds.c.repository_id)
                .where(repositories.c.name == repository, rebuilds.c.run.is_not(None))
            )
            return set(rows.scalars())

    async def rollout(self, id: int) -> Rollout:  # noqa: A002 - the word of the language
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(rollouts).where(rollouts.c.id == id))).mappings().one()
            moved = await connection.execute(
                select(changes.c.change).where(changes.c.rollout_id == id).order_by(changes.c.id)
            )
            found = await read_rebuilds(connection, rebuilds.c.rollout_id == id)
            return Rollout(
                id,
                row["opened_at"],
                tuple(load(change, Change) for change in moved.scalars()),
                tuple(found),
                row["ended_at"],
            )

    async def rollouts(self, limit: int) -> list[Rollout]:
        """The latest rollouts, newest first."""
        async with self._database.transaction() as connection:
            ids = list(
                (
                    await connection.execute(select(rollouts.c.id).order_by(rollouts.c.id.desc()).limit(limit))
                ).scalars()
            )
        return [await self.rollout(found) for found in ids]


async def _job(connection: AsyncConnection, row: RowMapping) -> Job:
    home = (
        (await connection.execute(select(repositories).where(repositories.c.id == row["repository_id"])))
        .mappings()
        .one()
    )
    rebuild = rebuild_of(row, home["name"])
    moved = await connection.execute(
        select(changes.c.change)
        .where(changes.c.id.in_([change for target in rebuild.targets for change in target.changes]))
        .order_by(changes.c.id)
    )
    named = await connection.execute(select(usages.c.usage).where(usages.c.repository_id == home["id"]))
    found = [load(item, Usage) for item in named.scalars()]
    targets = {target.base for target in rebuild.targets}
    paths = {usage.path for usage in found if usage.sdk_pin or followed_base(usage.reference) in targets}
    return Job(
        rebuild,
        fleet_repository_of(home, {}),
        home["default_branch"],
        tuple(load(change, Change) for change in moved.scalars()),
        tuple(sorted(paths)),
        bool(home["listed"]),
    )


async def _names(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, str]:
    rows = await connection.execute(
        select(repositories.c.id, repositories.c.name).where(repositories.c.id.in_(ids))
    )
    return {row.id: row.name for row in rows}
