"""Changes that await a plan, whom they concern, and the plans made of them: what `plan` reads and writes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Change, Move
from bot.domain.clock import AHEAD
from bot.domain.failure import Failure, LeaseLost
from bot.domain.feeds.advisory import Severity, worst
from bot.domain.repositories.repository import Affected
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.rebuild import AWAITING, REPLACEABLE, Rebuild, RebuildState
from bot.domain.rollouts.rollout import OpenRollout, PlannedRollout, Reconsidered, Revisions
from bot.fleet.plan.rows.planned_rebuilds import add_rebuilds, supersede
from bot.store.engine.codec import load, load_text, readable
from bot.store.engine.counters import ASSESSMENTS, PLANS, counter, raise_counter
from bot.store.engine.database import Database
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, lock
from bot.store.rows.bases.bases import own_links, shown_by_bases
from bot.store.rows.bases.changes import changes_by_id, rollouts_by_change
from bot.store.rows.bases.tables import bases, changes
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.quarantines import hold_what_came, is_more_to_hold
from bot.store.rows.rollouts.rebuilds import MEMBER, after_transitions, fleet_repository_of, read_rebuilds, sdk_pins
from bot.store.rows.rollouts.served import ATTEMPT, ServingAttempt, attempt_of, merged_before, served_and_skipped
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from bot.store.rows.schema import at_last

_IS_ITS_OWN = exists(
    select(images.c.id)
    .join(bases, and_(bases.c.registry == images.c.registry, bases.c.repository == images.c.repository))
    .where(bases.c.id == usages.c.base_id, images.c.repository_id == usages.c.repository_id)
)
"""A usage of an image that its own repository produces: where nothing tells its images apart, a build that it set
off would set off the next."""
_LINK = (own_links.c.repository_id == usages.c.repository_id, own_links.c.base_id == usages.c.base_id)
_COUNTS = exists(select(own_links.c.id).where(*_LINK, own_links.c.cut.is_(False)))
"""A usage for which an image of the repository is known to stand on another."""
_IS_CUT = and_(exists(select(own_links.c.id).where(*_LINK, own_links.c.cut.is_(True))), ~_COUNTS)


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
            rollouts_below = await rollouts_by_change(
                connection, {id_ for move in moves for id_ in move.change.brings}
            )
        return [
            replace(
                move,
                rollout=max(
                    (rollouts_below[id_] for id_ in move.change.brings if id_ in rollouts_below), default=None
                ),
            )
            if move.rollout is None
            else move
            for move in moves
        ]

    async def affected(self, ids: Sequence[int]) -> dict[int, list[Affected]]:
        return await affected_by(self._database, ids)

    async def open_rebuilds(self) -> list[Rebuild]:
        async with self._database.reading() as connection:
            return await read_rebuilds(connection, rebuilds.c.state.in_(REPLACEABLE))

    async def changes_on_the_way(self, open_rebuilds: Sequence[Rebuild]) -> dict[int, Change]:
        async with self._database.reading() as connection:
            return await changes_by_id(connection, _changes_of(open_rebuilds))

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
            planned_rows = await connection.execute(
                update(changes)
                .where(changes.c.id.in_(plan.changes), changes.c.planned.is_(False))
                .values(planned=True)
                .returning(changes.c.id)
            )
            if len(planned_rows.all()) != len(plan.changes):
                raise LeaseLost("another worker has planned these changes")
            if not plan.rebuilds:
                return
            if something_came:
                await hold_what_came(connection, now, [old for item in plan.rebuilds for old in item.supersedes])
            rollout = plan.joins
            if rollout is None:
                result = await connection.execute(insert(rollouts).values(opened_at=now).returning(rollouts.c.id))
                rollout = int(result.scalar_one())
            await connection.execute(
                update(changes).where(changes.c.id.in_(plan.changes)).values(rollout_id=rollout)
            )
            touched_rollouts = await supersede(connection, plan.rebuilds, rollout, now)
            await add_rebuilds(connection, plan.rebuilds, plan.revisions, rollout, now)
            await after_transitions(connection, touched_rollouts | {rollout}, now)

    async def reconsiderable(self) -> list[tuple[Rebuild, tuple[Change, ...]]]:
        """Rebuilds that have not begun and that were last considered before changes were assessed again, or by a
        clock that was ahead: what one took over from another keeps that one's rollout."""
        is_waiting = rebuilds.c.state.in_(AWAITING)
        is_late = or_(rebuilds.c.due_at > self._clock.now(), rebuilds.c.released_at.is_(None))
        open_ones = select(rollouts.c.id).where(rollouts.c.ended_at.is_(None))
        async with self._database.reading() as connection:
            is_known_better = rebuilds.c.considered_revision < await counter(connection, ASSESSMENTS)
            before = or_(is_known_better, rebuilds.c.planned_at > self._clock.now() + AHEAD)
            considered = await read_rebuilds(
                connection, rebuilds.c.rollout_id.in_(open_ones), before, is_waiting, is_late
            )
            taken_changes = await changes_by_id(connection, _changes_of(considered))
        return [
            (
                rebuild,
                tuple(
                    taken_changes[change]
                    for target in rebuild.targets
                    for change in target.changes
                    if change in taken_changes
                ),
            )
            for rebuild in considered
        ]

    async def save_reconsidered(self, decisions: Mapping[int, Reconsidered], revisions: Revisions) -> None:
        """Stores when rebuilds begin, and in which wave: only ever earlier, and only while nobody works on them.
        What a clock that was ahead has planned counts as planned now."""
        now = self._clock.now()
        begins_at = bindparam("at", type_=rebuilds.c.due_at.type)
        soak = bindparam("soak", type_=rebuilds.c.soak_seconds.type)
        overdue = bindparam("overdue", type_=rebuilds.c.overdue_at.type)
        first = bindparam("first", type_=rebuilds.c.wave.type)
        wave, known_soak, known_overdue = rebuilds.c.wave, rebuilds.c.soak_seconds, rebuilds.c.overdue_at
        statement = (
            update(rebuilds)
            .where(rebuilds.c.id == bindparam("rebuild"), rebuilds.c.lease_owner.is_(None))
            .values(
                considered_revision=revisions.assessments,
                planned_at=at_last(rebuilds.c.planned_at, now),
                waits_since=at_last(rebuilds.c.waits_since, now),
                due_at=case((rebuilds.c.due_at > begins_at, begins_at), else_=rebuilds.c.due_at),
                severity=bindparam("worst"),
                wave=case((rebuilds.c.released_at.is_(None), func.coalesce(first, wave)), else_=wave),
                soak_seconds=case((or_(known_soak.is_(None), known_soak > soak), soak), else_=known_soak),
                overdue_at=case(
                    (or_(known_overdue.is_(None), known_overdue > overdue), overdue), else_=known_overdue
                ),
            )
        )
        async with self._database.transaction() as connection:
            await lock(connection, rebuilds, decisions)
            stored_severities = await _severities(
                connection, [id_ for id_, item in decisions.items() if not item.is_whole]
            )
            await connection.execute(
                statement,
                [
                    {
                        "rebuild": id_,
                        "at": item.due_at,
                        "worst": worst_of.value
                        if (worst_of := worst([item.severity, stored_severities.get(id_)]))
                        else None,
                        "first": item.wave,
                        "soak": None if item.soak is None else int(item.soak.total_seconds()),
                        "overdue": item.overdue_at,
                    }
                    for id_, item in decisions.items()
                ],
            )


async def _severities(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, Severity | None]:
    severities: dict[int, Severity | None] = {}
    for part in chunks(sorted(ids)):
        rows = await connection.execute(select(rebuilds.c.id, rebuilds.c.severity).where(rebuilds.c.id.in_(part)))
        severities |= {row.id: Severity(row.severity) if row.severity else None for row in rows}
    return severities


def _changes_of(open_rebuilds: Sequence[Rebuild]) -> set[int]:
    """The changes that these rebuilds take up."""
    return {change for rebuild in open_rebuilds for target in rebuild.targets for change in target.changes}


async def affected_by(database: Database, ids: Sequence[int]) -> dict[int, list[Affected]]:
    """Reads for each change the usages that follow its base, in repositories that no plan for it has served.

    A skipped rebuild has not served it, but where the repository still opts out. What a superseded one was to bring
    goes on with its successor, maybe in another rollout: that one decides. Nor has a merged one served a pin that
    was read since and is behind: that came later, or was put back.
    """
    concerned_bases = select(changes.c.base_id).where(changes.c.id.in_(ids))
    members_query = select(*MEMBER, repositories.c.read_at).where(
        repositories.c.listed.is_(True),
        repositories.c.id.in_(select(usages.c.repository_id).where(usages.c.base_id.in_(concerned_bases))),
    )
    rebuilds_query = select(*ATTEMPT).where(rebuilds.c.id.in_(_attempts_at(ids)))
    async with database.reading() as connection:
        member_rows = (await connection.execute(members_query)).mappings().all()
        pins = await sdk_pins(connection, {row["id"] for row in member_rows})
        rebuild_rows = (await connection.execute(rebuilds_query)).all()
        rows_of_usages = (await connection.execute(_following_usages(ids))).all()
        changes_brought = await changes_by_id(
            connection, {row.change for row in rows_of_usages if row.only_brought}
        )
        shown = await shown_by_bases(connection, concerned_bases)
    empty_changes = {number for number, change in changes_brought.items() if not change.brings}
    counting_rows = (row for row in rows_of_usages if not (row.only_brought and row.change in empty_changes))
    concerned_usages = readable(counting_rows, _UsageReader().usage_of, lambda row: f"usage {row.id}")
    members = dict(
        readable(
            member_rows,
            lambda row: (row["id"], fleet_repository_of(row, pins)),
            lambda row: f"repository {row['name']}",
        )
    )
    attempts: dict[int, list[ServingAttempt]] = {}
    for row in rebuild_rows:
        attempts.setdefault(row.repository_id, []).append(_attempt_of(row, ids))
    standings = {repository: served_and_skipped(own) for repository, own in attempts.items()}
    read_at = {row["id"]: row["read_at"] for row in member_rows}
    merged = {repository: merged_before(own, read_at.get(repository)) for repository, own in attempts.items()}
    affected_by_change: dict[int, list[Affected]] = {}
    for repository, change, base, usage in concerned_usages:
        member = members.get(repository)
        served_changes, skipped_changes = standings.get(repository, (set(), set()))
        is_left = (
            change in merged.get(repository, ()) and usage.is_editable and shown[base].has_left(usage.reference)
        )
        is_served = change in served_changes and not is_left
        if member is None or is_served or (change in skipped_changes and not member.config.enabled):
            continue
        affected_by_change.setdefault(change, []).append(Affected(member, usage))
    return affected_by_change


def _attempts_at(ids: Sequence[int]) -> CompoundSelect[int]:
    """The rebuilds of the rollouts of these changes, and what came after those that were superseded there.

    Each of the two is answered by an index; with an `or` in their place the whole table is read.
    """
    concerned_rollouts = select(changes.c.rollout_id).where(changes.c.id.in_(ids))
    own = select(rebuilds.c.id).where(rebuilds.c.rollout_id.in_(concerned_rollouts))
    earlier = rebuilds.alias("earlier")
    is_later = and_(earlier.c.repository_id == rebuilds.c.repository_id, earlier.c.id < rebuilds.c.id)
    later = (
        select(rebuilds.c.id)
        .join(earlier, is_later)
        .where(earlier.c.state == RebuildState.SUPERSEDED.value, earlier.c.rollout_id.in_(concerned_rollouts))
    )
    return union(own, later)


def _following_usages(ids: Sequence[int]) -> Select[Any]:
    """The usages that follow the bases of these changes, with whether only what others brought counts for them."""
    return (
        select(
            changes.c.id.label("change"),
            changes.c.base_id,
            usages.c.id,
            usages.c.repository_id,
            cast(usages.c.usage, Text).label("usage"),
            exists(select(own_links.c.id).where(*_LINK, own_links.c.only_brought.is_(True))).label("only_brought"),
        )
        .join(usages, usages.c.base_id == changes.c.base_id)
        .where(changes.c.id.in_(ids), or_(~_IS_ITS_OWN, _COUNTS), ~_IS_CUT)
        .order_by(usages.c.id)
    )


class _UsageReader:
    """Reads usages; equal texts, of which a fleet that was made from templates is full, become one value."""

    def __init__(self) -> None:
        self._known: dict[str, Usage] = {}

    def usage_of(self, row: Any) -> tuple[int, int, int, Usage]:
        """Reads a row's repository, change, base and usage."""
        usage = self._known.get(row.usage)
        if usage is None:
            usage = self._known[row.usage] = load_text(row.usage, Usage)
        return row.repository_id, row.change, row.base_id, usage


def _attempt_of(row: Any, changes: Sequence[int]) -> ServingAttempt:
    """The rebuild of a row with each change that it takes up.

    Where these cannot be read, with all: a second dispatch does more harm than a missing one, which is told.
    """
    try:
        return attempt_of(row)
    except Failure:
        return ServingAttempt(row.id, frozenset(changes), row.is_unserved, is_superseded=False)
