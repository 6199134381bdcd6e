"""Steps that failed by a refusal, and that are tried again once the cause of that is gone."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Text, and_, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.reading import Reading
from bot.domain.repositories.repository import Workflow, owner_of
from bot.domain.rollouts.terms import Step
from bot.fleet.discover.ports import DueRepository
from bot.store.engine.codec import load, load_shared
from bot.store.orders.retrying import failed_last, stepped_again
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuilds import after_transitions
from bot.store.rows.rollouts.steps import WAS_REFUSED, steps
from bot.store.rows.rollouts.tables import rebuilds

REFUSED = (
    select(rebuilds.c.id, rebuilds.c.repository_id, steps.c.step, steps.c.elsewhere)
    .join(steps, steps.c.rebuild_id == rebuilds.c.id)
    .where(WAS_REFUSED, rebuilds.c.call_off.is_(None), rebuilds.c.retried_as.is_(None))
)
"""The rebuilds that a refused step has ended, and that nobody has called off or tried again."""


async def refused_elsewhere(connection: AsyncConnection, owners: Collection[str]) -> set[int]:
    """Reads the repositories of which a step was refused in one that these owners have."""
    rows = await connection.execute(REFUSED.where(steps.c.elsewhere.is_not(None)))
    return {row.repository_id for row in rows if owner_of(row.elsewhere) in owners}


async def refused_steps(connection: AsyncConnection, repository: DueRepository, reading: Reading) -> set[int]:
    """Finds the rebuilds whose refused steps may be done by now, as a repository is read.

    These are of workflows that are others than before. Where nothing is known of its tree, it comes back, was
    granted something, or is looked at a day after a step of it was refused: then all of its own rebuilds count, as
    they do once its own word can be understood again.
    """
    mine = rebuilds.c.repository_id == repository.id
    here = or_(steps.c.elsewhere == repository.name, and_(steps.c.elsewhere.is_(None), mine))
    if repository.tree is None or (repository.is_unread and not reading.config.unread):
        return set((await connection.execute(REFUSED.where(or_(here, mine)))).scalars())
    stored = select(cast(repositories.c.workflows, Text)).where(repositories.c.id == repository.id)
    workflows_before = load_shared((await connection.execute(stored)).scalar_one(), tuple[Workflow, ...])
    changed = {workflow.file for workflow in reading.workflows if workflow not in workflows_before}
    if not changed:
        return set()
    rows = await connection.execute(REFUSED.where(here))
    return {row.id for row in rows if load(row.step, Step).workflow in changed}


async def step_again(connection: AsyncConnection, ids: Collection[int], name: str, now: datetime) -> None:
    """Goes on with those of these rebuilds, which are locked, that their repositories did last; `name` was read for
    it."""
    if not ids:
        return
    reason = f"tried again: what was refused may be granted by now, or the file of the workflow in {name} mended"
    again = [
        await stepped_again(connection, each, reason, now)
        for each in await failed_last(connection, rebuilds.c.id.in_(ids))
    ]
    await after_transitions(connection, {each.rollout for each in again}, now)
