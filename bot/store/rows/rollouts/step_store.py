"""Steps on their way: what `act` and `follow` read and write of them, and how a rebuild moves with its step."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, func, not_, select, update

from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Severity
from bot.domain.repositories.repository import Identity, named_at_its_forge
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.steps import StepJob, StepRun, StepState, after_step, images_of_build, known_of, takes_over
from bot.domain.rollouts.terms import Step
from bot.reconcile.work import Claimed
from bot.store.engine.codec import load, readable
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import lock
from bot.store.rows.images.images import contested_images, image_of, images
from bot.store.rows.repositories.repositories import IDENTITY, identity_of, read_within_a_day
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuilds import (
    after_transitions,
    keep_transitions,
    outcome_of,
    read_rebuilds,
    transition_row,
)
from bot.store.rows.rollouts.rollouts import IS_LEFT_TO_THE_BOT, MAY_BEGIN
from bot.store.rows.rollouts.steps import (
    IS_OF_ONE_STEPPING,
    IS_OF_RUNS,
    IS_TO_START,
    IS_UNDER_WAY,
    begin_step,
    kept_time,
    runs_taken,
    step_columns,
    step_of,
    step_outcome,
    steps,
    workflow_in,
)
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.tables import announce

Item = TypeVar("Item")


class StepStore(Store):
    """`StepStartStore` of `bot.fleet.act` and `StepFollowStore` of `bot.fleet.follow`, on the database."""

    @property
    def to_start(self) -> DueRows[StepJob]:
        """Those to be dispatched; a paused rollout starts none."""
        may_start = IS_OF_ONE_STEPPING.where(MAY_BEGIN, IS_LEFT_TO_THE_BOT).exists()
        return self._due(and_(IS_TO_START, may_start), self._read_job, ends_with_where=True)

    @property
    def going(self) -> DueRows[StepRun]:
        return self._due(and_(IS_UNDER_WAY, IS_OF_RUNS, IS_OF_ONE_STEPPING.exists()), self._read_step)

    @property
    def arriving(self) -> DueRows[StepJob]:
        """Those that are done once the image runs where it is to run."""
        return self._due(and_(IS_UNDER_WAY, not_(IS_OF_RUNS), IS_OF_ONE_STEPPING.exists()), self._read_job)

    def _due(
        self,
        condition: ColumnElement[bool],
        read_item: Callable[[Claimed], Awaitable[Item]],
        *,
        ends_with_where: bool = False,
    ) -> DueRows[Item]:
        return DueRows(
            self._database,
            self._worker,
            steps,
            read_item,
            lambda row: f"step {row['id']}",
            where=[condition],
            error="reason",
            ends_with_where=ends_with_where,
            kept_time=kept_time,
        )

    async def _read_step(self, claimed: Claimed) -> StepRun:
        async with self._database.reading() as connection:
            [rebuild] = await read_rebuilds(connection, rebuilds.c.id == claimed.row["rebuild_id"])
            elsewhere = claimed.row["elsewhere"]
            query = select(*IDENTITY, repositories.c.default_branch).where(
                repositories.c.name == (elsewhere or rebuild.repository)
            )
            row = (await connection.execute(query)).first()
        home = None
        if elsewhere is not None:
            home = named_at_its_forge(elsewhere) if row is None else identity_of(row)
        merge_commit = rebuild.merge.commit if rebuild.merge is not None else None
        return replace(
            step_of(claimed.row, rebuild.identity, home),
            branch=row and row.default_branch,
            commit=(rebuild.built_commit or merge_commit) if home is None else None,
        )

    async def _read_job(self, claimed: Claimed) -> StepJob:
        step = await self._read_step(claimed)
        async with self._database.reading() as connection:
            [rebuild] = await read_rebuilds(connection, rebuilds.c.id == step.rebuild)
            row = (
                await connection.execute(
                    select(rebuilds.c.severity, rebuilds.c.repository_id).where(rebuilds.c.id == rebuild.id)
                )
            ).one()
            later_rebuilds = await read_rebuilds(
                connection,
                rebuilds.c.repository_id == row.repository_id,
                rebuilds.c.id > rebuild.id,
                rebuilds.c.built_at.is_not(None),
                rebuilds.c.steps > 0,
            )
            contested_places = await contested_images(connection)
            rows = await connection.execute(select(images).where(images.c.repository_id == row.repository_id))
            all_images = readable(
                rows,
                lambda each: image_of(each, rebuild.repository, contested_places),
                lambda each: f"image {each.id}",
            )
        overtaken = [each.id for each in later_rebuilds if takes_over(each, rebuild)]
        severity = Severity(row.severity) if row.severity else None
        taken_over = overtaken[-1] if overtaken else None
        built = tuple(images_of_build(all_images, rebuild))
        return StepJob(step, rebuild.identity, severity, known_of(built, rebuild.proof), taken_over, built)

    async def save_step(self, step: StepRun) -> None:
        async with self._database.transaction() as connection:
            result = await connection.execute(
                update(steps)
                .where(steps.c.id == step.id, steps.c.lease_owner == self._worker.name)
                .values(**step_columns(step))
            )
        if result.rowcount != 1:
            raise LeaseLost(f"step {step.id} is no longer leased to {self._worker.name}")

    async def settle_step(self, before: StepRun, after: StepRun, *, succeeded: bool = True) -> None:
        """Ends the claim, gives the next step its turn, and moves the rebuild along, in one transaction.

        Of a failed attempt only what is told is taken: what it has stored of its intent stays. Where a refusal has
        lasted to the end of its time, the repository is read within a day, by which it is tried again.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            if after.was_refused_to_its_end:
                home = select(rebuilds.c.repository_id).where(rebuilds.c.id == after.rebuild)
                await read_within_a_day(connection, (await connection.execute(home)).scalar_one(), now)
            await lock(connection, rebuilds, [after.rebuild])
            [rebuild] = await read_rebuilds(connection, rebuilds.c.id == after.rebuild)
            if rebuild.state is not RebuildState.STEPPING:
                raise LeaseLost(f"rebuild {rebuild.id} is {rebuild.state} by now")
            values = step_columns(after) if succeeded else step_outcome(after)
            values |= {"looks_in_vain": 0 if succeeded else after.looks_in_vain}
            values |= {"refusals": 0 if succeeded else after.refusals}
            await settle(
                connection, steps, self._worker, after.id, due_at=after.due_at, succeeded=succeeded, values=values
            )
            following = None
            if after.state is StepState.SUCCEEDED:
                following = (
                    await connection.execute(
                        select(steps.c.step).where(
                            steps.c.rebuild_id == rebuild.id, steps.c.place == after.place + 1
                        )
                    )
                ).scalar()
                await begin_step(connection, rebuild.id, after.place + 1, after.began_at, now)
            name = None if following is None else load(following, Step).name
            moved_rebuild = after_step(rebuild, after, name, now)
            if moved_rebuild == rebuild:
                return
            lease_columns = {"lease_owner": None, "lease_until": None} if moved_rebuild.state.has_ended else {}
            await connection.execute(
                update(rebuilds)
                .where(rebuilds.c.id == rebuild.id)
                .values(**outcome_of(moved_rebuild), url=moved_rebuild.url, **lease_columns)
            )
            await keep_transitions(
                connection,
                [transition_row(rebuild.id, now, rebuild.state, moved_rebuild.state, moved_rebuild.reason)],
            )
            await after_transitions(connection, {rebuild.rollout}, now)
            if moved_rebuild.state is RebuildState.FAILED:
                await announce(connection, f"wave:{rebuild.rollout}:{rebuild.wave}", now)

    async def runs_taken(self, home: Identity) -> set[int]:
        async with self._database.reading() as connection:
            return await runs_taken(connection, home)

    async def runs_of(self, rebuild: int, home: Identity) -> set[int]:
        built = select(rebuilds.c.run, rebuilds.c.workflow).where(rebuilds.c.id == rebuild)
        step_runs = select(steps.c.run, steps.c.step).where(steps.c.rebuild_id == rebuild)
        async with self._database.reading() as connection:
            found = [(row.run, row.workflow) for row in await connection.execute(built)]
            rows = await connection.execute(step_runs)
            found += [(row.run, workflow_in(row.step)) for row in rows]
        return {run for run, workflow in found if run and home.for_builds(workflow).owner == home.owner}

    async def due_for_dispatch(self, limit: int) -> list[Identity]:
        """The repositories whose steps are to be started next."""
        query = (
            select(*IDENTITY, func.min(steps.c.due_at))
            .join(rebuilds, rebuilds.c.repository_id == repositories.c.id)
            .join(steps, steps.c.rebuild_id == rebuilds.c.id)
            .where(
                IS_TO_START, rebuilds.c.state == RebuildState.STEPPING.value, steps.c.due_at <= self._clock.now()
            )
            .group_by(*IDENTITY)
            .order_by(func.min(steps.c.due_at))
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [identity_of(row) for row in await connection.execute(query)]
