"""One tick: changes that await a plan become rollouts and rebuilds, each group in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.bases.change import Change, Move
from bot.domain.clock import Clock
from bot.domain.failure import LeaseLost
from bot.domain.repositories.repository import Affected
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.rollout import OpenRollout, PlannedRollout, Reconsidered, Revisions
from bot.fleet.plan.deciding import decide
from bot.fleet.plan.due import reconsidered
from bot.fleet.plan.grouping import group


class PlanStore(Protocol):
    """What planning asks of the store; each method is one transaction."""

    async def revisions(self) -> Revisions: ...

    async def unplanned(self) -> Sequence[Move]:
        """Assessed changes that no plan has taken up yet, oldest first."""

    async def affected(self, changes: Sequence[int]) -> Mapping[int, Sequence[Affected]]:
        """Returns for each change the usages that follow its base."""

    async def open_rebuilds(self) -> Sequence[Rebuild]:
        """Those whose work later changes may take over."""

    async def changes_on_the_way(self, rebuilds: Sequence[Rebuild]) -> Mapping[int, Change]:
        """The changes that these rebuilds are to carry out, by their ids."""

    async def open_rollouts(self) -> Sequence[OpenRollout]: ...

    async def reconsiderable(self) -> Sequence[tuple[Rebuild, tuple[Change, ...]]]:
        """Rebuilds that have not begun and whose changes were assessed again since they were last considered."""

    async def save_reconsidered(self, decisions: Mapping[int, Reconsidered], revisions: Revisions) -> None: ...

    async def save_plan(self, plan: PlannedRollout) -> None:
        """Rollout, rebuilds, superseded rebuilds, message: one transaction.

        Raises `LeaseLost` where another plan was saved since its revisions were read.
        """


@dataclass(frozen=True, slots=True)
class PlanTally:
    """How many changes were taken up, and how many rebuilds follow."""

    changes: int = 0
    rebuilds: int = 0


async def tick(store: PlanStore, policy: Policy, clock: Clock) -> PlanTally:
    """Plans all that is due; the tally counts the changes taken up and the rebuilds that follow."""
    await _reconsider(store, policy, clock.now())
    moves = await store.unplanned()
    if not moves:
        return PlanTally()
    now = clock.now()
    rebuilds = 0
    for part in group(moves, await store.open_rollouts(), now):
        revisions = await store.revisions()
        affected_by_move = await store.affected([move.id for move in part.moves])
        open_rebuilds = await store.open_rebuilds()
        on_the_way = await store.changes_on_the_way(open_rebuilds)
        plans = decide(part.moves, affected_by_move, policy, open_rebuilds, now, part.joins, on_the_way)
        try:
            await store.save_plan(
                PlannedRollout(part.joins, tuple(move.id for move in part.moves), plans, revisions)
            )
        except LeaseLost:
            continue
        rebuilds += len(plans)
    return PlanTally(len(moves), rebuilds)


async def _reconsider(store: PlanStore, policy: Policy, now: datetime) -> None:
    """A change that turns out to be a severe fix waits no longer: most fixes are known only after the image."""
    revisions = await store.revisions()
    waiting_rebuilds = await store.reconsiderable()
    if waiting_rebuilds:
        await store.save_reconsidered(
            {rebuild.id: reconsidered(rebuild, changes, policy, now) for rebuild, changes in waiting_rebuilds},
            revisions,
        )
