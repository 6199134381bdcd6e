"""Changes that await a plan, and the plans made of them: what `plan` reads and writes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Change, Move
from bot.domain.clock import AHEAD
from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Severity, worst
from bot.domain.repositories.repository import Affected
from bot.domain.rollouts.rebuild import AWAITING, REPLACEABLE, Rebuild
from bot.domain.rollouts.rollout import OpenRollout, PlannedRollout, Reconsidered, Revisions
from bot.fleet.plan.rows.affected import affected_by
from bot.fleet.plan.rows.planned_rebuilds import add_rebuilds, supersede
from bot.store.engine.codec import load
from bot.store.engine.counters import ASSESSMENTS, PLANS, counter, raise_counter
from bot.store.engine.inserting import chunks
from bot.store.engine.locking import lock
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.rows.bases.changes import changes_by_id, rollouts_by_change
from bot.store.rows.bases.tables import changes
from bot.store.rows.moment import at_last
from bot.store.rows.rollouts.quarantines import hold_what_came, is_more_to_hold
from bot.store.rows.rollouts.rebuilds import after_transitions, read_rebuilds
from bot.store.rows.rollouts.tables import rebuilds, rollouts


class PlanStore(Store):
    """`bot.fleet.plan.tick.PlanStore` on the database."""

    async def revisions(self) -> Revisions:
        async with self._database.reading() as connection:
            return Revisions(await counter(connection, ASSESSMENTS), await counter(connection, PLANS))

    async def unplanned(self) -> list[Move]:
        """Reads changes without a plan; what an own base or a mirror brings joins the rollout that it came of."""
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(changes.c.id, changes.c.change, changes.c.rollout_id)
                .where(changes.c.planned.is_(False))
                .order_by(changes.c.id)
            )
            moves = readable(
                rows.all(),
                lambda row: Move(row.id, load(row.change, Change), row.rollout_id),
                lambda row: f"change {row.id}",
            )
            below = await rollouts_by_change(connection, {id_ for move in moves for id_ in move.change.brings})
        return [
            replace(move, rollout=max((below[id_] for id_ in move.change.brings if id_ in below), default=None))
            if move.rollout is None
            else move
            for move in moves
        ]

    async def affected(self, ids: Sequence[int]) -> dict[int, list[Affected]]:
        return await affected_by(self._database, ids)

    async def open_rebuilds(self) -> list[Rebuild]:
        async with self._database.reading() as connection:
            return await read_rebuilds(connection, rebuilds.c.state.in_(REPLACEABLE))

    async def changes_on_the_way(self, some: Sequence[Rebuild]) -> dict[int, Change]:
        async with self._database.reading() as connection:
            return await changes_by_id(connection, _taken_by(some))

    async def open_rollouts(self) -> list[OpenRollout]:
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(rollouts.c.id, rollouts.c.opened_at, changes.c.change)
                .join(changes, changes.c.rollout_id == rollouts.c.id)
                .where(rollouts.c.ended_at.is_(None))
                .order_by(rollouts.c.id)
            )
        grouped: dict[tuple[int, datetime], list[Change]] = {}
        pairs = readable(
            rows,
            lambda row: ((row.id, row.opened_at), load(row.change, Change)),
            lambda row: f"a change of rollout {row.id}",
        )
        for key, change in pairs:
            grouped.setdefault(key, []).append(change)
        return [
            OpenRollout(key[0], key[1], tuple(item.cause for item in items), tuple(item.base for item in items))
            for key, items in grouped.items()
        ]

    async def save_plan(self, plan: PlannedRollout) -> None:
        """Stores a plan, all or nothing; raises `LeaseLost` where another plan was saved since its revisions were
        read.

        What that other plan has begun is missing from this one, so it would be planned twice.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            if await raise_counter(connection, PLANS) != plan.revisions.plans + 1:
                raise LeaseLost("another worker has saved a plan meanwhile")
            something_came = bool(plan.rebuilds) and await is_more_to_hold(connection)
            await lock(connection, changes, plan.changes)
            taken = await connection.execute(
                update(changes)
                .where(changes.c.id.in_(plan.changes), changes.c.planned.is_(False))
                .values(planned=True)
                .returning(changes.c.id)
            )
            if len(taken.all()) != len(plan.changes):
                raise LeaseLost("another worker has planned these changes")
            if not plan.rebuilds:
                return
            if something_came:
                await hold_what_came(connection, now, [old for item in plan.rebuilds for old in item.supersedes])
            rollout = plan.joins
            if rollout is None:
                opened = await connection.execute(insert(rollouts).values(opened_at=now).returning(rollouts.c.id))
                rollout = int(opened.scalar_one())
            await connection.execute(
                update(changes).where(changes.c.id.in_(plan.changes)).values(rollout_id=rollout)
            )
            touched = await supersede(connection, plan.rebuilds, rollout, now)
            await add_rebuilds(connection, plan.rebuilds, plan.revisions, rollout, now)
            await after_transitions(connection, touched | {rollout}, now)

    async def reconsiderable(self) -> list[tuple[Rebuild, tuple[Change, ...]]]:
        """Rebuilds that have not begun and that were last considered before changes were assessed again, or by a
        clock that was ahead: what one took over from another keeps that one's rollout."""
        waiting = rebuilds.c.state.in_(AWAITING)
        late = or_(rebuilds.c.due_at > self._clock.now(), rebuilds.c.released_at.is_(None))
        open_ones = select(rollouts.c.id).where(rollouts.c.ended_at.is_(None))
        async with self._database.reading() as connection:
            is_known_better = rebuilds.c.considered_revision < await counter(connection, ASSESSMENTS)
            before = or_(is_known_better, rebuilds.c.planned_at > self._clock.now() + AHEAD)
            found = await read_rebuilds(connection, rebuilds.c.rollout_id.in_(open_ones), before, waiting, late)
            known = await changes_by_id(connection, _taken_by(found))
        return [
            (
                rebuild,
                tuple(known[change] for target in rebuild.targets for change in target.changes if change in known),
            )
            for rebuild in found
        ]

    async def save_reconsidered(self, found: Mapping[int, Reconsidered], known: Revisions) -> None:
        """Stores when rebuilds begin, and in which wave: only ever earlier, and only while nobody works on them.
        What a clock that was ahead has planned counts as planned now."""
        now = self._clock.now()
        at = bindparam("at", type_=rebuilds.c.due_at.type)
        soak = bindparam("soak", type_=rebuilds.c.soak_seconds.type)
        overdue = bindparam("overdue", type_=rebuilds.c.overdue_at.type)
        first = bindparam("first", type_=rebuilds.c.wave.type)
        wave, known_soak, known_overdue = rebuilds.c.wave, rebuilds.c.soak_seconds, rebuilds.c.overdue_at
        statement = (
            update(rebuilds)
            .where(rebuilds.c.id == bindparam("rebuild"), rebuilds.c.lease_owner.is_(None))
            .values(
                considered_revision=known.assessments,
                planned_at=at_last(rebuilds.c.planned_at, now),
                waits_since=at_last(rebuilds.c.waits_since, now),
                due_at=case((rebuilds.c.due_at > at, at), else_=rebuilds.c.due_at),
                severity=bindparam("worst"),
                wave=case((rebuilds.c.released_at.is_(None), func.coalesce(first, wave)), else_=wave),
                soak_seconds=case((or_(known_soak.is_(None), known_soak > soak), soak), else_=known_soak),
                overdue_at=case(
                    (or_(known_overdue.is_(None), known_overdue > overdue), overdue), else_=known_overdue
                ),
            )
        )
        async with self._database.transaction() as connection:
            await lock(connection, rebuilds, found)
            kept = await _severities(connection, [id_ for id_, item in found.items() if not item.is_whole])
            await connection.execute(
                statement,
                [
                    {
                        "rebuild": id_,
                        "at": item.due_at,
                        "worst": worst_of.value if (worst_of := worst([item.severity, kept.get(id_)])) else None,
                        "first": item.wave,
                        "soak": None if item.soak is None else int(item.soak.total_seconds()),
                        "overdue": item.overdue_at,
                    }
                    for id_, item in found.items()
                ],
            )


async def _severities(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, Severity | None]:
    found: dict[int, Severity | None] = {}
    for some in chunks(sorted(ids)):
        rows = await connection.execute(select(rebuilds.c.id, rebuilds.c.severity).where(rebuilds.c.id.in_(some)))
        found |= {row.id: Severity(row.severity) if row.severity else None for row in rows}
    return found


def _taken_by(some: Sequence[Rebuild]) -> set[int]:
    """The changes that these rebuilds take up."""
    return {change for rebuild in some for target in rebuild.targets for change in target.changes}
