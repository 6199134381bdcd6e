"""What `act` and `follow` both ask of rebuilds."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_

from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.reconcile.work import Claimed
from bot.store.engine.counters import RELEASES, hold_counter
from bot.store.engine.queue.claiming import settle
from bot.store.engine.queue.due_rows import DueRows
from bot.store.engine.store import Store
from bot.store.orders.retrying import dispatched_instead
from bot.store.rows.outbox import announce
from bot.store.rows.rollouts.rebuilds import (
    after_transitions,
    columns_of,
    due_after,
    keep_transitions,
    learnt_facts,
    outcome_of,
    take_over,
    transition_row,
    went,
)
from bot.store.rows.rollouts.served import plan_once_more
from bot.store.rows.rollouts.steps import begin_steps, end_steps, runs_taken
from bot.store.rows.rollouts.tables import rebuilds

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

    async def runs_taken(self, repository: str) -> set[int]:
        """Workflow runs of the repository that already belong to a rebuild or a step."""
        async with self._database.reading() as connection:
            return await runs_taken(connection, repository)
