"""What failed by a refusal, and is tried again once the cause is gone, as where an owner grants the right."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import JSON, Column, ColumnElement, Table, Text, and_, cast, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.repository import GITHUB, Reading, Workflow, owner_of
from bot.domain.rollouts.rebuild import ENDED, RebuildState
from bot.domain.rollouts.terms import Step
from bot.domain.rollouts.timing.pace import at_host
from bot.fleet.discover.ports import DueRepository
from bot.store.engine.codec import load, load_shared
from bot.store.engine.writing import chunks, insert_into, lock_where
from bot.store.orders.retrying import failed_last, stepped_again
from bot.store.rows.images.scan_reports import artifact_reads
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.audits import code_scans
from bot.store.rows.repositories.issues import issues
from bot.store.rows.repositories.onboardings import onboardings
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rebuilds import after_transitions, outdate
from bot.store.rows.rollouts.served import IS_UNSERVED
from bot.store.rows.rollouts.steps import IS_OF_ONE_STEPPING, WAS_REFUSED, steps
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.schema import ShortText, metadata

grants = Table(
    "grants",
    metadata,
    Column("owner", ShortText(255), primary_key=True),
    Column("granted", JSON, nullable=False),
)
"""By the owner's name in lower case, before which stands the forge where that is not GitHub; nothing is granted by
one who has shut the bot out since."""

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
    is_own = rebuilds.c.repository_id == repository.id
    is_here = or_(steps.c.elsewhere == repository.name, and_(steps.c.elsewhere.is_(None), is_own))
    if repository.tree is None or (repository.is_unread and not reading.config.unread):
        return set((await connection.execute(REFUSED.where(or_(is_here, is_own)))).scalars())
    query = select(cast(repositories.c.workflows, Text)).where(repositories.c.id == repository.id)
    workflows_before = load_shared((await connection.execute(query)).scalar_one(), tuple[Workflow, ...])
    changed = {workflow.file for workflow in reading.workflows if workflow not in workflows_before}
    if not changed:
        return set()
    rows = await connection.execute(REFUSED.where(is_here))
    return {row.id for row in rows if load(row.step, Step).workflow in changed}


async def step_again(connection: AsyncConnection, ids: Collection[int], name: str, now: datetime) -> None:
    """Goes on with those of these rebuilds, which are locked, that their repositories did last; `name` was read for
    it."""
    if not ids:
        return
    reason = f"tried again: what was refused may be granted by now, or the file of the workflow in {name} mended"
    new_rebuilds = [
        await stepped_again(connection, rebuild, reason, now)
        for rebuild in await failed_last(connection, rebuilds.c.id.in_(ids))
    ]
    await after_transitions(connection, {each.rollout for each in new_rebuilds}, now)


async def note_grants(
    connection: AsyncConnection,
    grants_now: Mapping[str, Mapping[str, str]],
    now: datetime,
    forge: str = GITHUB,
) -> None:
    """Keeps what is granted; where that is another than before, what has failed at an owner's is due now.

    An owner who is seen for the first time has refused nothing yet. `grants_now` are those of one forge.
    """
    there = at_host("" if forge == GITHUB else forge)
    rows = await connection.execute(select(grants.c.owner, grants.c.granted))
    stored: dict[str, dict[str, str]] = {row.owner: dict(row.granted) for row in rows}
    grants_before = {
        owner.removeprefix(there): granted for owner, granted in stored.items() if _forge_in(owner) == there
    }
    shut_out: dict[str, dict[str, str]] = {owner: {} for owner in grants_before}
    all_grants = shut_out | {owner.lower(): dict(granted) for owner, granted in grants_now.items()}
    changed_grants = {
        owner: granted for owner, granted in all_grants.items() if grants_before.get(owner) != granted
    }
    for owner, granted in sorted(changed_grants.items()):
        row = insert_into(connection, grants).values(owner=f"{there}{owner}", granted=granted)
        await connection.execute(row.on_conflict_do_update(index_elements=["owner"], set_={"granted": granted}))
    if owners_again := {owner for owner, granted in changed_grants.items() if owner in grants_before and granted}:
        is_theirs = repositories.c.forge == forge
        homes = await connection.execute(select(repositories.c.id, repositories.c.name).where(is_theirs))
        await _try_again(
            connection, [row.id for row in homes if owner_of(row.name) in owners_again], owners_again, now
        )


def _forge_in(stored_owner: str) -> str:
    """How the names of all owners at the same forge begin; nothing for those at GitHub."""
    forge, colon, _ = stored_owner.partition(": ")
    return f"{forge}{colon}" if colon else ""


async def _try_again(
    connection: AsyncConnection, homes: Sequence[int], owners: Collection[str], now: datetime
) -> None:
    """In the order of the locks; `homes` are repositories of these `owners`."""
    await _read_again(connection, sorted({*homes, *await refused_elsewhere(connection, owners)}), now)
    await _become_due(connection, workflow_builds, _is_of_homes(workflow_builds, homes), now)
    for chunk in chunks(homes):
        is_own = rebuilds.c.repository_id.in_(chunk)
        await _become_due(connection, rebuilds, [is_own, rebuilds.c.state.not_in(ENDED)], now)
        open_ones = select(rebuilds.c.id).where(is_own, rebuilds.c.state == RebuildState.OPEN.value)
        await outdate(connection, list(await connection.scalars(open_ones)), now)
    for chunk in chunks(homes):
        rebuild_ids = select(rebuilds.c.id).where(
            rebuilds.c.repository_id.in_(chunk), rebuilds.c.state == RebuildState.STEPPING.value
        )
        await _become_due(connection, steps, [steps.c.rebuild_id.in_(rebuild_ids)], now)
    is_there = or_(*(func.lower(steps.c.elsewhere).startswith(f"{owner}/", autoescape=True) for owner in owners))
    await _become_due(connection, steps, [IS_OF_ONE_STEPPING.exists(), is_there], now)
    for table in (onboardings, code_scans, artifact_reads, issues):
        await _become_due(connection, table, _is_of_homes(table, homes), now)


async def _read_again(connection: AsyncConnection, homes: Sequence[int], now: datetime) -> None:
    """Repositories that could not be read, and those of which a rebuild came to nothing, or a step was refused:
    these are tried again as they are read."""
    unserved = select(rebuilds.c.repository_id).where(IS_UNSERVED)
    refused = select(REFUSED.subquery().c.repository_id)
    for chunk in chunks(homes):
        is_concerned = or_(
            repositories.c.attempts > 0, *(repositories.c.id.in_(each) for each in (unserved, refused))
        )
        free = repositories.c.listed.is_(True), repositories.c.lease_owner.is_(None)
        ids = await lock_where(connection, repositories, repositories.c.id.in_(chunk), is_concerned, *free)
        await connection.execute(
            update(repositories).where(repositories.c.id.in_(ids)).values(tree=None, due_at=now)
        )


def _is_of_homes(table: Table, homes: Sequence[int]) -> list[ColumnElement[bool]]:
    return [table.c.repository_id.in_(homes)]


async def _become_due(
    connection: AsyncConnection, table: Table, conditions: Sequence[ColumnElement[bool]], now: datetime
) -> None:
    """What has failed there; what somebody works on meets what was granted by itself."""
    has_failed = table.c.attempts > 0, table.c.due_at > now, table.c.lease_owner.is_(None)
    for ids in chunks(await lock_where(connection, table, *conditions, *has_failed)):
        await connection.execute(update(table).where(table.c.id.in_(ids)).values(due_at=now))
