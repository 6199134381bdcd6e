"""What `act` and `follow` both ask of rebuilds, those whose pull request was closed among them, and the
pauses that hold from the next write on."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import AHEAD
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.rebuild import AWAITING, WITHOUT_EFFECT, Action, Merging, Rebuild, RebuildState
from bot.domain.rollouts.reopening import LOOKED_AT_FOR, NOT_BEFORE, that_goes_on
from bot.reconcile.work import Claimed
from bot.store.engine.counters import RELEASES, hold_counter
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, lock_where
from bot.store.orders.retrying import dispatched_instead
from bot.store.rows.rollouts.rebuilds import (
    MERGES_STILL,
    after_transitions,
    columns_of,
    due_after,
    keep_transitions,
    learnt_facts,
    merging_by_themselves,
    outcome_of,
    outdate,
    read_rebuilds,
    take_over,
    transition_row,
    went,
)
from bot.store.rows.rollouts.served import plan_once_more
from bot.store.rows.rollouts.steps import begin_steps, end_steps, runs_taken
from bot.store.rows.rollouts.tables import pauses, rebuilds
from bot.store.rows.tables import announce


def may_be_opened_again(now: datetime) -> ColumnElement[bool]:
    """Those that ended because their pull request was closed, lately or by a clock that was ahead, and that nobody
    has called off or taken up again."""
    ended_at = rebuilds.c.ended_at
    return and_(
        rebuilds.c.state == RebuildState.CANCELLED.value,
        rebuilds.c.action == Action.PULL_REQUEST.value,
        *(ended_at > now - LOOKED_AT_FOR, or_(ended_at <= now - NOT_BEFORE, ended_at > now + AHEAD)),
        *(rebuilds.c.pull_request.is_not(None), rebuilds.c.node_id.is_not(None), rebuilds.c.merge_commit.is_(None)),
        *(rebuilds.c.call_off.is_(None), rebuilds.c.retried_as.is_(None)),
    )


async def goes_on_later(connection: AsyncConnection, closed: Rebuild) -> Rebuild | None:
    """The later rebuild of its repository that goes on with its bases, None where there is none."""
    home = select(rebuilds.c.repository_id).where(rebuilds.c.id == closed.id).scalar_subquery()
    conditions = (
        rebuilds.c.repository_id == home,
        rebuilds.c.id > closed.id,
        rebuilds.c.state.not_in(WITHOUT_EFFECT),
    )
    return that_goes_on(closed, await read_rebuilds(connection, *conditions))


Item = TypeVar("Item")

IS_OUTDATED = and_(rebuilds.c.state == RebuildState.OPEN.value, rebuilds.c.facts_version > rebuilds.c.text_version)
"""An open pull request that does not say yet what is known by now: left to `act`."""


class RebuildStore(Store):
    """Rebuilds that are worked on: each is settled by whoever holds its lease."""

    def _due(
        self,
        condition: ColumnElement[bool],
        read_item: Callable[[Claimed], Awaitable[Item]],
        order: Sequence[ColumnElement[Any]] = (),
        rests: ColumnElement[bool] | None = None,
    ) -> DueRows[Item]:
        """Those that are due, with the reason as what shows why one could not be done."""
        return DueRows(
            self._database,
            self._worker,
            rebuilds,
            read_item,
            lambda row: f"rebuild {row['id']}",
            where=[condition],
            order=order,
            error="reason",
            rests=None if rests is None else [rests],
        )

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None:
        """Ends the claim: the new state, when it is due again, and, on a transition, its trace and message. What
        followed a run of others in vain has another in its place.

        Of a failed attempt only state and reason are taken: what it has stored of its intent stays. What was said
        about the rebuild while the work went on stands, and makes it due at once.
        """
        now = self._clock.now()
        is_begun_anew = before.follows_others and not after.follows_others
        async with self._database.transaction() as connection:
            if is_begun_anew:
                await hold_counter(connection, RELEASES)
            if (before.state, after.state) == (RebuildState.OPEN, RebuildState.SKIPPED):
                owed_changes = {change for target in after.targets for change in target.changes}
                await plan_once_more(connection, owed_changes)  # under the action that is asked for by now
            if before.pull_request is not None and before.state.awaits_action and after.state is RebuildState.OPEN:
                await take_over(connection, after)
            await settle(
                connection,
                rebuilds,
                self._worker,
                after.id,
                due_at=due_after(before, after, now),
                succeeded=succeeded,
                values=learnt_facts(before, after)
                | (columns_of(after) if succeeded else outcome_of(after))
                | went(after, succeeded=succeeded),
            )
            if after.state is RebuildState.STEPPING and before.state is not RebuildState.STEPPING:
                await begin_steps(connection, after, now)
            if before.state is RebuildState.STEPPING and after.state.has_ended:
                await end_steps(connection, [after.id], after.reason, now)
            if is_begun_anew:
                await dispatched_instead(connection, after, now)
            if after.state is not before.state:
                await keep_transitions(
                    connection, [transition_row(after.id, now, before.state, after.state, after.reason)]
                )
            if (after.state, after.reason, after.url) != (before.state, before.reason, before.url):
                await after_transitions(connection, {after.rollout}, now)
            if after.state is RebuildState.FAILED and before.state is not RebuildState.FAILED:
                await announce(connection, f"wave:{after.rollout}:{after.wave}", now)

    async def runs_taken(self, home: Identity) -> set[int]:
        """Workflow runs of the repository that already belong to a rebuild or a step."""
        async with self._database.reading() as connection:
            return await runs_taken(connection, home)


async def open_pause(
    connection: AsyncConnection, rollout: int | None, who: str, reason: str, now: datetime, *, once: bool = False
) -> bool:
    """Whether this pauses what was not paused; it is told once, and in the rollout's own message. It holds from the
    next write on, also of what is being written, and for what merges by itself.

    With `once` nothing is done where the same was a reason to pause before.
    """
    which = pauses.c.rollout_id.is_(None) if rollout is None else pauses.c.rollout_id == rollout
    is_same = or_(pauses.c.until.is_(None), pauses.c.reason == reason) if once else pauses.c.until.is_(None)
    if (await connection.execute(select(pauses.c.id).where(is_same, which))).first() is not None:
        return False
    await _stop_under_way(connection, rollout, now)
    result = await connection.execute(
        insert(pauses).values(rollout_id=rollout, since=now, who=who, reason=reason).returning(pauses.c.id)
    )
    await announce(connection, f"pause:{result.scalar_one()}", now)
    if rollout is not None:
        await announce(connection, f"rollout:{rollout}", now)
    return True


async def _stop_under_way(connection: AsyncConnection, rollout: int | None, now: datetime) -> None:
    """Takes the lease away from the rebuilds that are being written, and has `act` look at what merges by itself.
    What else is written is held by no lease while it is paused.

    All that may be written is locked first, leased or not: what another replica would claim before the pause is
    stored would go on under it.
    """
    conditions = [] if rollout is None else [rebuilds.c.rollout_id == rollout]
    merges = or_(rebuilds.c.state == RebuildState.OPEN.value, MERGES_STILL)
    is_set = and_(merges, rebuilds.c.merging == Merging.SET.value)
    may_be_written = or_(rebuilds.c.state.in_(AWAITING), IS_OUTDATED, is_set)
    for ids in chunks(await lock_where(connection, rebuilds, may_be_written, *conditions)):
        is_leased = and_(rebuilds.c.id.in_(ids), rebuilds.c.lease_owner.is_not(None))
        await connection.execute(update(rebuilds).where(is_leased).values(lease_owner=None, lease_until=None))
    merging = await merging_by_themselves(connection, rebuilds.c.merging == Merging.SET.value, *conditions)
    await outdate(connection, merging, now)
