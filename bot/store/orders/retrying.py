"""Begins rebuilds once more: those that have failed, those that followed a run of others in vain, those of which a
step was refused, and those whose closed pull request is open again."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.repository import Workflow, built_elsewhere
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.rebuild import Action, Joined, Rebuild, RebuildState, Target
from bot.store.engine.codec import dump, load_shared
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.quarantined import quarantined
from bot.store.rows.rollouts.rebuilds import keep_transitions, read_rebuilds, transition_row, was_tried_again
from bot.store.rows.rollouts.steps import repeat_steps
from bot.store.rows.rollouts.tables import rebuilds

_OF_ITS_MERGE = ("branch", "pull_request", "merge_commit", "merge_node", "merged_at")
_OF_ITS_BUILD = ("attempted_at", "built_at", "built_commit", "run_number", "built_by")
_OF_ITS_PULL_REQUEST = ("node_id", "url", "text_version", "released_at", "at_request", "held_because")
_OF_A_PERSON = ("released_at", "at_request", "held_because", "call_off")
_KEPT = (
    *("rollout_id", "repository_id", "action", "wave", "workflow", "branch", "pull_request", "severity"),
    *("soak_seconds", "waits_since", "overdue_at", "considered_revision", "facts_version"),
    *("merge_commit", "merge_node", "merged_at", "built_at", "steps", "parts", "attempted_at"),
    *("built_commit", "run_number", "built_by", "distance", "went_ahead"),
)


async def retried(connection: AsyncConnection, failed: Rebuild, reason: str, now: datetime) -> Rebuild:
    """Returns a new rebuild of the same, which begins at once: one that has ended never moves again.

    What was merged is not merged twice: where its build was red its workflow is started, if that can be, else its
    build is looked for anew, for people to repeat it. What was built goes on with the step that it ended at. What
    would be built on a quarantined digest waits until that is lifted.
    """
    row = (await connection.execute(select(rebuilds).where(rebuilds.c.id == failed.id))).mappings().one()
    columns = {name: row[name] for name in _KEPT} | {"released_at": now, "at_request": True}
    state = _state_to_take_up(failed)
    if state is RebuildState.BUILDING and failed.built_at is None and await _is_dispatchable(connection, failed):
        state = RebuildState.PLANNED
        columns |= {"action": Action.DISPATCH.value, **dict.fromkeys(_OF_ITS_MERGE)}
    if state is RebuildState.PLANNED:
        columns |= await _columns_to_build_anew(connection, failed)
    if state is RebuildState.BUILDING:
        columns["merged_at"] = now  # its builds are looked for anew
        reason = f"{reason}; the bot cannot start its build: who runs it again, or pushes, is followed"
    return await _add_in_place_of(connection, failed, columns, state, reason, now)


async def dispatched_instead(connection: AsyncConnection, before: Rebuild, now: datetime) -> Rebuild:
    """Returns what takes the place of a rebuild that followed a run of others, which did not bring what was wanted.

    It may begin as that one could, and what a person has said of that one holds for it. After a build in vain it
    follows no other run, so that it is dispatched at last.
    """
    row = (await connection.execute(select(rebuilds).where(rebuilds.c.id == before.id))).mappings().one()
    columns = {name: row[name] for name in (*_KEPT, *_OF_A_PERSON)}
    columns |= await _columns_to_build_anew(connection, before)
    columns["joined"] = before.joined.value if before.joined is Joined.IN_VAIN else None
    return await _add_in_place_of(connection, before, columns, RebuildState.PLANNED, before.reason, now)


async def stepped_again(connection: AsyncConnection, failed: Rebuild, reason: str, now: datetime) -> Rebuild:
    """Returns what goes on with the step of a rebuild that was refused; it begins as that one could."""
    row = (await connection.execute(select(rebuilds).where(rebuilds.c.id == failed.id))).mappings().one()
    columns = {name: row[name] for name in (*_KEPT, *_OF_A_PERSON)}
    return await _add_in_place_of(connection, failed, columns, RebuildState.STEPPING, reason, now)


async def reopened(connection: AsyncConnection, closed: Rebuild, successor: Rebuild, now: datetime) -> Rebuild:
    """Returns what takes the place of a rebuild whose closed pull request is open again: `successor`, as a row."""
    row = (await connection.execute(select(rebuilds).where(rebuilds.c.id == closed.id))).mappings().one()
    columns = {name: row[name] for name in (*_KEPT, *_OF_ITS_PULL_REQUEST)}
    columns |= {"facts_version": successor.facts_version, "quarantine_id": await _quarantine_of(connection, closed)}
    return await _add_in_place_of(connection, closed, columns, successor.state, successor.reason, now)


async def _columns_to_build_anew(connection: AsyncConnection, before: Rebuild) -> dict[str, Any]:
    """The columns of a rebuild that is to be built from the start; on a quarantined digest it waits."""
    return {**dict.fromkeys(_OF_ITS_BUILD), "quarantine_id": await _quarantine_of(connection, before)}


async def _quarantine_of(connection: AsyncConnection, before: Rebuild) -> int | None:
    return (await quarantined(connection)).first_keeping(before.targets)


async def _add_in_place_of(
    connection: AsyncConnection,
    before: Rebuild,
    columns: dict[str, Any],
    state: RebuildState,
    reason: str,
    now: datetime,
) -> Rebuild:
    """Stores a rebuild in the place of `before`, with these columns and its steps."""
    result = await connection.execute(
        insert(rebuilds)
        .values(
            **columns,
            state=state.value,
            reason=reason,
            targets=dump(before.targets, tuple[Target, ...]),
            replacements=dump(before.replacements, tuple[Replacement, ...]),
            planned_at=now,
            due_at=now,
        )
        .returning(rebuilds.c.id)
    )
    number = int(result.scalar_one())
    await connection.execute(update(rebuilds).where(rebuilds.c.id == before.id).values(retried_as=number))
    successor = replace(
        before, id=number, action=Action(columns["action"]), state=state, reason=reason, ended_at=None
    )
    if before.steps:
        await repeat_steps(connection, before.id, successor, now)
    await keep_transitions(connection, [transition_row(number, now, None, state, reason)])
    return successor


async def _is_dispatchable(connection: AsyncConnection, failed: Rebuild) -> bool:
    home = select(rebuilds.c.repository_id).where(rebuilds.c.id == failed.id).scalar_subquery()
    query = select(cast(repositories.c.workflows, Text)).where(repositories.c.id == home)
    return is_dispatchable(failed.workflow, (await connection.execute(query)).scalar_one())


def is_dispatchable(workflow: str | None, workflows: str) -> bool:
    """Whether a workflow is among those of a repository, which come as the store holds them; a monorepo's pull
    request has several, and none of its own."""
    if built_elsewhere(workflow) is not None:
        return True
    return any(each.file == workflow for each in load_shared(workflows, tuple[Workflow, ...]))


def _state_to_take_up(failed: Rebuild) -> RebuildState:
    if failed.built_at is not None and failed.steps:
        return RebuildState.STEPPING
    return RebuildState.PLANNED if failed.merge is None else RebuildState.BUILDING


async def failed_last(connection: AsyncConnection, is_concerned: ColumnElement[bool]) -> list[Rebuild]:
    """Those that failed in rollouts that a repository has done nothing since, or were refused: its newest ones.

    What a failed attempt has ended is told by its attempts: an outcome sets them back.
    """
    newer = rebuilds.alias()
    is_last = ~(
        select(newer.c.id)
        .where(newer.c.repository_id == rebuilds.c.repository_id, newer.c.rollout_id > rebuilds.c.rollout_id)
        .exists()
    )
    was_refused = and_(rebuilds.c.state == RebuildState.SKIPPED, rebuilds.c.attempts > 0)
    failed = and_(or_(rebuilds.c.state == RebuildState.FAILED, was_refused), ~was_tried_again())
    return await read_rebuilds(connection, is_concerned, failed, is_last)
