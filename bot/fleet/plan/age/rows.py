"""Workflows whose builds await a judgement, and what follows from it: what `plan.age` reads and writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import LeaseLost
from bot.domain.repositories.builds import BranchBuilds
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.rebuild import AWAITING, Action, RebuildState
from bot.domain.rollouts.rollout import Occasion, Revisions
from bot.domain.rollouts.timing.age import BaseInFile
from bot.fleet.plan.age.ports import AgePlan, Attempt, FollowedUsage, JudgedAge, KnownBuilds
from bot.fleet.plan.rows.planned_rebuilds import add_rebuilds
from bot.store.engine.codec import load, readable
from bot.store.engine.counters import ASSESSMENTS, PLANS, counter, raise_counter
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, lock
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.blobs import usage_text
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.quarantines import hold_what_came, is_more_to_hold
from bot.store.rows.rollouts.rebuilds import (
    MEMBER_TEXTS,
    after_transitions,
    fleet_repository_of,
    keep_transitions,
    outcome_of,
    read_rebuilds,
    transition_row,
)
from bot.store.rows.rollouts.tables import rebuilds, rollouts

_TOGETHER = 500


class AgeStore(Store):
    """`bot.fleet.plan.age.tick.AgeStore` on the database."""

    async def revisions(self) -> Revisions:
        async with self._database.reading() as connection:
            return Revisions(await counter(connection, ASSESSMENTS), await counter(connection, PLANS))

    async def unjudged(self) -> list[KnownBuilds]:
        """Some of those that were looked at since they were judged, or whose turn has come."""
        query = (
            select(
                workflow_builds,
                repositories.c.name,
                repositories.c.node_id.label("repository_node"),
                repositories.c.forge,
                *MEMBER_TEXTS,
            )
            .join(repositories, repositories.c.id == workflow_builds.c.repository_id)
            .where(
                workflow_builds.c.read_at.is_not(None),
                or_(workflow_builds.c.judged.is_(False), workflow_builds.c.plan_at <= self._clock.now()),
                repositories.c.listed.is_(True),
            )
            .order_by(workflow_builds.c.id)
            .limit(_TOGETHER)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
            homes = sorted({row["repository_id"] for row in rows})
            places = await _places_of(connection, homes)
            attempts = await _attempts(connection, homes)
        return readable(
            rows,
            lambda row: _known_builds(
                row, places.get(row["repository_id"], []), attempts.get((row["repository_id"], row["workflow"]))
            ),
            lambda row: f"builds {row['id']}",
        )

    async def standings_of(self, ids: Sequence[int]) -> dict[int, list[FollowedUsage]]:
        """The usages of these repositories, each with what its base shows now."""
        standings: dict[int, list[FollowedUsage]] = {}
        async with self._database.reading() as connection:
            for part in chunks(ids):
                rows = await connection.execute(
                    select(
                        *(usages.c.id, usages.c.repository_id, usages.c.usage),
                        *(bases.c.registry, bases.c.repository, bases.c.tag, bases.c.digest),
                    )
                    .join(bases, bases.c.id == usages.c.base_id)
                    .where(usages.c.repository_id.in_(part))
                    .order_by(usages.c.id)
                )
                pairs = readable(rows, _standing, lambda row: f"usage {row.id}")
                for home, standing in pairs:
                    standings.setdefault(home, []).append(standing)
        return standings

    async def save_ages(self, plan: AgePlan) -> None:
        """Stores judgements and plans, all or nothing; raises `LeaseLost` where another plan was saved since its
        revisions were read."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            if await raise_counter(connection, PLANS) != plan.revisions.plans + 1:
                raise LeaseLost("another worker has saved a plan meanwhile")
            something_came = bool(plan.rebuilds) and await is_more_to_hold(connection)
            await lock(connection, workflow_builds, list(plan.judged))
            for number, judged_age in sorted(plan.judged.items()):
                await connection.execute(
                    update(workflow_builds)
                    .where(workflow_builds.c.id == number)
                    .values(**_columns_of(judged_age, now))
                )
            rebuild_ids = {*plan.withdrawn, *plan.hurried}
            if something_came:
                await hold_what_came(connection, now, rebuild_ids)
            else:
                await lock(connection, rebuilds, rebuild_ids)
            touched_rollouts = await _withdraw(connection, plan.withdrawn, now)
            await _hurry(connection, plan.hurried)
            if plan.rebuilds:
                rollout = await _rollout(connection, plan.since, now)
                failed_rebuilds = await _failed_rebuilds(connection, rollout)
                await add_rebuilds(connection, plan.rebuilds, plan.revisions, rollout, now)
                await _mark_retried(connection, rollout, failed_rebuilds)
                touched_rollouts.add(rollout)
            await after_transitions(connection, touched_rollouts, now)


def _known_builds(
    row: Mapping[str, Any], places: Sequence[tuple[BaseInFile, datetime | None]], attempt: Any
) -> KnownBuilds:
    moments = [
        moment for moment in (row["changed_at"], *(moved_at for _, moved_at in places)) if moment is not None
    ]
    home = {
        "id": row["repository_id"],
        "name": row["name"],
        "workflows": row["workflows"],
        "config": row["config"],
        "node_id": row["repository_node"],
        "forge": row["forge"],
    }
    return KnownBuilds(
        row["id"],
        fleet_repository_of(home, {}),
        row["workflow"],
        row["node_id"] is not None,
        load(row["builds"], BranchBuilds),
        tuple(place for place, _ in places),
        row["read_at"],
        max(moments, default=None),
        row["told_at"],
        attempt,
    )


def _standing(row: Any) -> tuple[int, FollowedUsage]:
    base = base_of(row)
    return row.repository_id, FollowedUsage(load(row.usage, Usage), base, row.digest)


async def _places_of(
    connection: AsyncConnection, ids: Sequence[int]
) -> dict[int, list[tuple[BaseInFile, datetime | None]]]:
    """Where each repository names which bases, with when they last moved."""
    places_by_home: dict[int, list[tuple[BaseInFile, datetime | None]]] = {}
    path = usage_text("path").label("path")
    columns = usages.c.repository_id, bases.c.registry, bases.c.repository, bases.c.tag, bases.c.moved_at, path
    rows = await connection.execute(
        select(*columns)
        .join(bases, bases.c.id == usages.c.base_id)
        .where(usages.c.repository_id.in_(ids), path.is_not(None))
        .distinct()
    )
    for row in rows:
        place = base_of(row), row.path
        places_by_home.setdefault(row.repository_id, []).append((place, row.moved_at))
    return places_by_home


async def _attempts(connection: AsyncConnection, ids: Sequence[int]) -> dict[tuple[int, str], Attempt]:
    """The latest run of each workflow that was planned in these repositories."""
    newest = (
        select(func.max(rebuilds.c.id))
        .where(rebuilds.c.repository_id.in_(ids), rebuilds.c.action == Action.DISPATCH.value)
        .group_by(rebuilds.c.repository_id, rebuilds.c.workflow)
    )
    columns = (
        *(rebuilds.c.id, rebuilds.c.repository_id, rebuilds.c.workflow, rebuilds.c.state, rebuilds.c.reason),
        *(rebuilds.c.planned_at, rebuilds.c.ended_at, rebuilds.c.attempted_at, rebuilds.c.call_off),
        rollouts.c.occasion,
    )
    rows = await connection.execute(
        select(*columns).join(rollouts, rollouts.c.id == rebuilds.c.rollout_id).where(rebuilds.c.id.in_(newest))
    )
    return {
        (row.repository_id, row.workflow): Attempt(
            row.id,
            RebuildState(row.state),
            row.reason,
            row.planned_at,
            row.ended_at,
            row.occasion == Occasion.AGE,
            row.attempted_at is not None or RebuildState(row.state) not in AWAITING,
            row.call_off is not None,
        )
        for row in rows
    }


def _columns_of(judged_age: JudgedAge, now: datetime) -> dict[str, Any]:
    judgement = judged_age.judgement
    return {
        "judged": True,
        "standing": judgement.standing.value,
        "said": judgement.text,
        "plan_at": judged_age.plan_at,
        **({"told_at": now} if judged_age.is_told else {}),
        **({"due_at": now} if judged_age.look_again else {}),
    }


async def _rollout(connection: AsyncConnection, since: datetime, now: datetime) -> int:
    """The rollout of this week's rebuilds, with which those go on that are found later."""
    joined = select(func.max(rollouts.c.id)).where(
        rollouts.c.occasion == Occasion.AGE.value, rollouts.c.opened_at >= since
    )
    rollout = (await connection.execute(joined)).scalar()
    if rollout is not None:
        return int(rollout)
    result = await connection.execute(
        insert(rollouts).values(opened_at=now, occasion=Occasion.AGE.value).returning(rollouts.c.id)
    )
    return int(result.scalar_one())


async def _failed_rebuilds(connection: AsyncConnection, rollout: int) -> dict[tuple[int, str | None], list[int]]:
    """Reads by repository and workflow what failed in the rollout and was not tried again yet."""
    rows = await connection.execute(
        select(rebuilds.c.id, rebuilds.c.repository_id, rebuilds.c.workflow).where(
            rebuilds.c.rollout_id == rollout,
            rebuilds.c.state == RebuildState.FAILED.value,
            rebuilds.c.retried_as.is_(None),
        )
    )
    failed_by_workflow: dict[tuple[int, str | None], list[int]] = {}
    for row in rows:
        failed_by_workflow.setdefault((row.repository_id, row.workflow), []).append(row.id)
    return failed_by_workflow


async def _mark_retried(
    connection: AsyncConnection, rollout: int, failed_rebuilds: Mapping[tuple[int, str | None], Sequence[int]]
) -> None:
    """One that is tried again counts as one, however often it has failed."""
    home = rebuilds.c.repository_id, rebuilds.c.workflow
    newest = select(*home, func.max(rebuilds.c.id).label("id")).where(
        rebuilds.c.rollout_id == rollout, rebuilds.c.state.in_(AWAITING)
    )
    rows = await connection.execute(newest.group_by(*home))
    added = {(row.repository_id, row.workflow): row.id for row in rows}
    retries = {
        number: added[home] for home, numbers in failed_rebuilds.items() if home in added for number in numbers
    }
    await lock(connection, rebuilds, list(retries))
    for number, successor in sorted(retries.items()):
        await connection.execute(update(rebuilds).where(rebuilds.c.id == number).values(retried_as=successor))


async def _withdraw(connection: AsyncConnection, withdrawn: Mapping[int, str], now: datetime) -> set[int]:
    """Ends what is not needed any more and has not begun; the rollouts that lost one by it."""
    await lock(connection, rebuilds, list(withdrawn))
    waiting_rebuilds = await read_rebuilds(
        connection,
        rebuilds.c.id.in_(list(withdrawn)),
        rebuilds.c.state.in_(AWAITING),
        rebuilds.c.attempted_at.is_(None),
    )
    for rebuild in waiting_rebuilds:
        cancelled_rebuild = rebuild.moved(RebuildState.CANCELLED, withdrawn[rebuild.id], at=now)
        # Taking the lease away stops a worker that is just beginning with one.
        await connection.execute(
            update(rebuilds)
            .where(rebuilds.c.id == rebuild.id)
            .values(**outcome_of(cancelled_rebuild), lease_owner=None, lease_until=None)
        )
        await keep_transitions(
            connection,
            [transition_row(rebuild.id, now, rebuild.state, RebuildState.CANCELLED, cancelled_rebuild.reason)],
        )
    return {rebuild.rollout for rebuild in waiting_rebuilds}


async def _hurry(connection: AsyncConnection, hurried: Mapping[int, datetime]) -> None:
    """What waits already, for whatever reason, waits for no wave once its image would be too old."""
    for rebuild, overdue_at in sorted(hurried.items()):
        is_later = or_(rebuilds.c.overdue_at.is_(None), rebuilds.c.overdue_at > overdue_at)
        await connection.execute(
            update(rebuilds)
            .where(rebuilds.c.id == rebuild, rebuilds.c.state.in_(AWAITING), is_later)
            .values(overdue_at=overdue_at)
        )
