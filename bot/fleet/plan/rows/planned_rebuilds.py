"""Adds the rebuilds of a plan to their rollout, and ends those that they replace."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    exists,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.rebuild import REPLACEABLE, Action, Rebuild, RebuildState, Target
from bot.domain.rollouts.rollout import PlannedRebuild, Revisions
from bot.domain.rollouts.terms import PathWorkflow
from bot.store.engine.codec import dump, dump_text, readable
from bot.store.engine.writing import chunks, lock
from bot.store.rows.bases.mirrors import IS_BEHIND
from bot.store.rows.bases.tables import bases
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import usages
from bot.store.rows.rollouts.quarantined import quarantined
from bot.store.rows.rollouts.rebuilds import (
    keep_transitions,
    outcome_of,
    outdate,
    read_rebuilds,
    transition_row,
)
from bot.store.rows.rollouts.steps import add_steps
from bot.store.rows.rollouts.tables import rebuilds, transitions
from bot.store.rows.schema import Moment

_IS_PRODUCED = exists(
    select(images.c.id).where(images.c.registry == bases.c.registry, images.c.repository == bases.c.repository)
)
_MAY_COME_LATER = select(bases.c.id).where(or_(_IS_PRODUCED, IS_BEHIND))
"""Bases that the organisation builds itself, and mirrors that do not show yet what upstream does."""
_PARENTS_UNKNOWN = "waits until its parents were looked at"


@dataclass(frozen=True, slots=True)
class _InheritedPlace:
    """What a rebuild takes over from those that it supersedes: its place in time, and a person's word."""

    waits_since: datetime | None = None
    overdue_at: datetime | None = None
    held_because: str | None = None


async def _read_inherited(
    connection: AsyncConnection, plans: Sequence[PlannedRebuild]
) -> dict[int, _InheritedPlace]:
    """Reads what is taken over, by the id of what is superseded."""
    places: dict[int, _InheritedPlace] = {}
    for ids in chunks([old for item in plans for old in item.supersedes]):
        columns = rebuilds.c.id, rebuilds.c.waits_since, rebuilds.c.overdue_at, rebuilds.c.held_because
        rows = await connection.execute(select(*columns).where(rebuilds.c.id.in_(ids)))
        places |= readable(
            rows,
            lambda row: (row.id, _InheritedPlace(row.waits_since, row.overdue_at, row.held_because)),
            lambda row: f"rebuild {row.id}",
        )
    return places


async def add_rebuilds(
    connection: AsyncConnection,
    plans: Sequence[PlannedRebuild],
    revisions: Revisions,
    rollout: int,
    now: datetime,
) -> None:
    """Adds planned rebuilds to a rollout, each with its place in time and what keeps it from beginning."""
    before = await _read_inherited(connection, plans)
    quarantines = await quarantined(connection)
    children = await _children(connection, {item.repository_id for item in plans})
    for part in chunks(plans):
        await connection.execute(
            insert(rebuilds),
            [
                _row_of(item, revisions, rollout, now)
                | _place(item, [before[old] for old in item.supersedes if old in before], now)
                | {"quarantine_id": quarantines.first_keeping(item.targets)}
                | {"waits_for": _PARENTS_UNKNOWN if _waits_for_parents(item, children) else None}
                for item in part
            ],
        )
    is_known = exists(select(transitions.c.id).where(transitions.c.rebuild_id == rebuilds.c.id))
    await _add_steps(connection, plans, rollout, ~is_known, now)
    first = (
        select(rebuilds.c.id, literal(now, Moment), rebuilds.c.state, rebuilds.c.reason)
        .where(rebuilds.c.rollout_id == rollout, ~is_known)
        .order_by(rebuilds.c.id)
    )
    await connection.execute(insert(transitions).from_select(["rebuild_id", "at", "after", "reason"], first))


async def _children(connection: AsyncConnection, homes: Collection[int]) -> set[int]:
    """Those of these repositories that stand on a base which may have to come before them."""
    children: set[int] = set()
    if (await connection.execute(_MAY_COME_LATER.limit(1))).first() is None:
        return children
    for part in chunks(sorted(homes)):
        stand = usages.c.repository_id.in_(part), usages.c.base_id.in_(_MAY_COME_LATER)
        children |= set(await connection.scalars(select(usages.c.repository_id).where(*stand).distinct()))
    return children


async def _add_steps(
    connection: AsyncConnection,
    plans: Sequence[PlannedRebuild],
    rollout: int,
    is_new: ColumnElement[bool],
    now: datetime,
) -> None:
    """A plan has one rebuild for each action in a repository, and for each branch and workflow of it."""
    steps_by_key = {
        (item.repository_id, item.action.value, item.branch, item.workflow): item.steps
        for item in plans
        if item.steps
    }
    if not steps_by_key:
        return
    key = rebuilds.c.repository_id, rebuilds.c.action, rebuilds.c.branch, rebuilds.c.workflow
    added = await connection.execute(
        select(rebuilds.c.id, *key).where(rebuilds.c.rollout_id == rollout, rebuilds.c.steps > 0, is_new)
    )
    await add_steps(connection, [(row[0], steps_by_key[tuple(row[1:])]) for row in added], now)


def _row_of(item: PlannedRebuild, revisions: Revisions, rollout: int, now: datetime) -> dict[str, Any]:
    return {
        "rollout_id": rollout,
        "repository_id": item.repository_id,
        "action": item.action.value,
        "state": item.state.value,
        "reason": item.reason,
        "targets": dump_text(item.targets, tuple[Target, ...]),
        "replacements": dump_text(item.replacements, tuple[Replacement, ...]),
        "wave": item.wave,
        "planned_at": now,
        "considered_revision": revisions.assessments,
        "due_at": item.due_at,
        "workflow": item.workflow,
        "branch": item.branch,
        "pull_request": item.pull_request,
        "ended_at": now if item.state.has_ended else None,
        "steps": len(item.steps),
        "parts": dump(item.parts, tuple[PathWorkflow, ...]) if item.parts else None,
    }


def _waits_for_parents(item: PlannedRebuild, children: Collection[int]) -> bool:
    """Until it was decided whether its parents are ready; who is only told of something waits for nobody."""
    return item.repository_id in children and item.action is not Action.NOTIFY and not item.state.has_ended


def _place(item: PlannedRebuild, before: Sequence[_InheritedPlace], now: datetime) -> dict[str, Any]:
    waits = [now, *(old.waits_since for old in before if old.waits_since is not None)]
    overdue = [moment for moment in (item.overdue_at, *(old.overdue_at for old in before)) if moment is not None]
    reasons = [old.held_because for old in before if old.held_because]
    return {
        "severity": item.severity.value if item.severity else None,
        "soak_seconds": None if item.soak is None else int(item.soak.total_seconds()),
        "waits_since": min(waits),
        "overdue_at": min(overdue, default=None),
        "held_because": reasons[0] if reasons else None,
    }


async def supersede(
    connection: AsyncConnection, plans: Sequence[PlannedRebuild], rollout: int, now: datetime
) -> set[int]:
    """Ends what the planned rebuilds replace; the rollouts that lost one by it. What may merge by itself before it
    is gone on with is looked at."""
    replaced_ids = [old for item in plans for old in item.supersedes]
    touched_rollouts: set[int] = set()
    # Locked first, so that what a busy worker is just writing is seen here.
    await lock(connection, rebuilds, replaced_ids)
    for ids in chunks(replaced_ids):
        still_open = await read_rebuilds(connection, rebuilds.c.id.in_(ids), rebuilds.c.state.in_(REPLACEABLE))
        touched_rollouts |= {rebuild.rollout for rebuild in still_open}
        for is_same in (False, True):
            group = [rebuild for rebuild in still_open if (rebuild.rollout == rollout) is is_same]
            reason = "more bases of the same publication" if is_same else "a newer digest"
            await _end(
                connection,
                group,
                f"{reason} arrived; rollout {rollout} goes on with {'them' if is_same else 'it'}",
                now,
            )
    return touched_rollouts


async def _end(connection: AsyncConnection, superseded: Sequence[Rebuild], reason: str, now: datetime) -> None:
    if not superseded:
        return
    ended_rebuilds = [rebuild.moved(RebuildState.SUPERSEDED, reason, at=now) for rebuild in superseded]
    # Taking the lease away stops a worker that is busy with one from writing over this.
    await connection.execute(
        update(rebuilds)
        .where(rebuilds.c.id.in_([rebuild.id for rebuild in ended_rebuilds]))
        .values(**outcome_of(ended_rebuilds[0]), lease_owner=None, lease_until=None)
    )
    await keep_transitions(
        connection,
        [
            transition_row(old.id, now, old.state, new.state, reason)
            for old, new in zip(superseded, ended_rebuilds, strict=True)
        ],
    )
    await outdate(connection, [rebuild.id for rebuild in superseded if rebuild.merging is not None], now)
