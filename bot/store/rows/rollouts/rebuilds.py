"""Rebuilds as rows: reading them, writing what may change in them, and what each transition entails."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    RowMapping,
    Text,
    and_,
    case,
    cast,
    exists,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.evidence import ImageVerdict
from bot.domain.repositories.repository import FleetRepository, Identity, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Replacement, Usage
from bot.domain.rollouts.rebuild import (
    AWAITING,
    ENDED,
    Action,
    Joined,
    Merge,
    Merging,
    Rebuild,
    RebuildState,
    Target,
)
from bot.domain.rollouts.terms import PathWorkflow
from bot.store.engine.codec import load, load_shared, readable
from bot.store.engine.writing import chunks, lock, lock_where
from bot.store.rows.repositories.repositories import IDENTITY
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.tables import rebuilds, rollouts, transitions
from bot.store.rows.tables import announce

MEMBER_TEXTS = (
    cast(repositories.c.workflows, Text).label("workflows"),
    cast(repositories.c.config, Text).label("config"),
)
MEMBER = (repositories.c.id, *IDENTITY, *MEMBER_TEXTS)
"""What `fleet_repository_of` reads."""

MAY_MERGE = rebuilds.c.merging.is_not(None) & rebuilds.c.merging.in_((Merging.SET.value, Merging.FROZEN.value))
"""A pull request that was set to merge by itself, and as far as the store knows may do so."""
LATER = rebuilds.alias("later")


def is_gone_on_with(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a rebuild that has not begun, a row of `LATER`, is to go on with the pull request of one of the
    `rebuilds` table, and all of `conditions` hold of it."""
    same_request = (LATER.c[name] == rebuilds.c[name] for name in ("repository_id", "pull_request"))
    waits = LATER.c.id > rebuilds.c.id, LATER.c.state.in_(AWAITING), LATER.c.call_off.is_(None)
    return exists(select(LATER.c.id).where(*same_request, *waits, *conditions))


MERGES_STILL = and_(rebuilds.c.state == RebuildState.SUPERSEDED.value, MAY_MERGE, is_gone_on_with())
"""A superseded rebuild whose pull request may merge, as that one has set it, until the next goes on with it."""


async def read_rebuilds(
    connection: AsyncConnection,
    *conditions: ColumnElement[bool],
    first: Sequence[ColumnElement[Any]] = (rebuilds.c.id,),
    limit: int | None = None,
) -> list[Rebuild]:
    """The rebuilds of which all of `conditions` hold, but for rows that cannot be read, in the order of `first`."""
    rows = await connection.execute(
        select(
            rebuilds,
            repositories.c.name.label("repository_name"),
            repositories.c.node_id.label("repository_node"),
            repositories.c.forge,
        )
        .join(repositories, repositories.c.id == rebuilds.c.repository_id)
        .where(*conditions)
        .order_by(*first)
        .limit(limit)
    )
    return readable(
        rows.mappings(),
        lambda row: rebuild_of(row, Identity(row["repository_name"], row["repository_node"], row["forge"])),
        lambda row: f"rebuild {row['id']}",
    )


def transition_row(
    rebuild: int, moment: datetime, before: RebuildState | None, after: RebuildState, reason: str
) -> dict[str, Any]:
    """The row that says that a rebuild moved from one state to another, and why."""
    return {
        "rebuild_id": rebuild,
        "at": moment,
        "before": before.value if before else None,
        "after": after.value,
        "reason": reason,
    }


async def keep_transitions(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Stores rows of `transition_row`."""
    await connection.execute(insert(transitions), list(rows))


async def after_transitions(connection: AsyncConnection, rollout_ids: set[int], now: datetime) -> None:
    """A rollout ends with its last rebuild; its message is due whenever one of them moved.

    The rows are locked before their rebuilds are counted: of two workers that end the last two at once, the second
    sees what the first has committed.
    """
    await lock(connection, rollouts, rollout_ids)
    for rollout in sorted(rollout_ids):
        open_ones = select(rebuilds.c.id).where(rebuilds.c.rollout_id == rollout, rebuilds.c.state.not_in(ENDED))
        still_open = (await connection.execute(open_ones.limit(1))).first() is not None
        await connection.execute(
            update(rollouts).where(rollouts.c.id == rollout).values(ended_at=None if still_open else now)
        )
        await announce(connection, f"rollout:{rollout}", now)


@cache
def was_tried_again(*, to_its_end: bool = False) -> ColumnElement[bool]:
    """Whether a rebuild of the `rebuilds` table has a successor that had its try: one that was skipped, by nobody's
    word, had none. With `to_its_end` only one that has ended counts."""
    again = rebuilds.alias()
    had_try = [~_had_none(again), *([again.c.state.in_(ENDED)] if to_its_end else [])]
    return exists(select(again.c.id).where(again.c.id == rebuilds.c.retried_as, *had_try))


@cache
def is_current() -> ColumnElement[bool]:
    """Whether a rebuild of the `rebuilds` table counts: another that had its try has not taken its place, nor does
    it stand beside the failure that it was to try again, and had none itself."""
    before = rebuilds.alias()
    has_failed = and_(rebuilds.c.state == RebuildState.FAILED.value, ~was_tried_again())
    is_beside = exists(
        select(before.c.id).where(
            before.c.repository_id == rebuilds.c.repository_id,
            before.c.retried_as == rebuilds.c.id,
            before.c.state == RebuildState.FAILED.value,
        )
    )
    return and_(or_(rebuilds.c.retried_as.is_(None), has_failed), ~and_(_had_none(rebuilds), is_beside))


def _had_none(successor: FromClause) -> ColumnElement[bool]:
    return and_(successor.c.state == RebuildState.SKIPPED.value, successor.c.call_off.is_(None))


async def outdate(connection: AsyncConnection, ids: Sequence[int], now: datetime) -> None:
    """Makes open pull requests due for `act`, which brings them to what is known and wanted by now; those of
    superseded rebuilds as far as they may still merge.

    Their facts are one more, and never is the text one less: whoever holds one meanwhile, and settles it by the
    facts that it had, leaves it outdated.
    """
    await lock(connection, rebuilds, ids)
    was_superseded = and_(rebuilds.c.state == RebuildState.SUPERSEDED.value, MAY_MERGE)
    for chunk in chunks(ids):
        await connection.execute(
            update(rebuilds)
            .where(rebuilds.c.id.in_(chunk), or_(rebuilds.c.state == RebuildState.OPEN.value, was_superseded))
            .values(facts_version=rebuilds.c.facts_version + 1, due_at=now)
        )


async def take_over(connection: AsyncConnection, rebuild: Rebuild) -> None:
    """Its pull request is the rebuild's own from here on: those that it has superseded have no say in its merge,
    and whoever holds one of them stops before the next write."""
    home = select(LATER.c.repository_id).where(LATER.c.id == rebuild.id).scalar_subquery()
    before = await lock_where(
        *(connection, rebuilds, rebuilds.c.repository_id == home, rebuilds.c.id < rebuild.id),
        *(rebuilds.c.pull_request == rebuild.pull_request, rebuilds.c.merging.is_not(None)),
        rebuilds.c.state == RebuildState.SUPERSEDED.value,
    )
    for chunk in chunks(before):
        gone_on_with = {"merging": None, "lease_owner": None, "lease_until": None}
        await connection.execute(update(rebuilds).where(rebuilds.c.id.in_(chunk)).values(**gone_on_with))


async def merging_by_themselves(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> list[int]:
    """The open pull requests that merge by themselves, or may once nothing keeps them from it; those that a later
    rebuild is to go on with, by the one that has set them so."""
    query = select(rebuilds.c.id).where(
        or_(rebuilds.c.state == RebuildState.OPEN.value, MERGES_STILL),
        *(rebuilds.c.action == Action.PULL_REQUEST.value, rebuilds.c.merging.is_not(None), *conditions),
    )
    return list(await connection.scalars(query))


def fleet_repository_of(row: Mapping[Any, Any], pins: Mapping[int, Sequence[Usage]]) -> FleetRepository:
    """Makes a value of the columns of `MEMBER`; what repositories have in common is read once."""
    return FleetRepository(
        row["id"],
        row["name"],
        load_shared(row["workflows"], tuple[Workflow, ...]),
        load_shared(row["config"], RepositoryConfig),
        tuple(pins.get(row["id"], ())),
        row["node_id"],
        row["forge"],
    )


async def sdk_pins(connection: AsyncConnection, ids: Iterable[int]) -> dict[int, list[Usage]]:
    """The usages that follow no base: what global.json files ask for."""
    pins_by_home: dict[int, list[Usage]] = {}
    for chunk in chunks(sorted(ids)):
        rows = await connection.execute(
            select(usages.c.id, usages.c.repository_id, usages.c.usage)
            .where(usages.c.repository_id.in_(chunk), usages.c.base_id.is_(None))
            .order_by(usages.c.id)
        )
        pairs = readable(
            rows, lambda row: (row.repository_id, load(row.usage, Usage)), lambda row: f"usage {row.id}"
        )
        for repository, usage in pairs:
            pins_by_home.setdefault(repository, []).append(usage)
    return pins_by_home


def read_targets(rows: Iterable[Any]) -> dict[int, tuple[Target, ...]]:
    """By the ids of rebuilds what they bring, of rows that have these two columns; without those that cannot be
    read."""
    return dict(
        readable(rows, lambda row: (row.id, load(row.targets, tuple[Target, ...])), lambda row: f"rebuild {row.id}")
    )


def rebuild_of(row: RowMapping | Mapping[str, Any], repository: Identity) -> Rebuild:
    """The rebuild that a row of the table holds, with the name that its repository bears now."""
    return Rebuild(
        id=row["id"],
        rollout=row["rollout_id"],
        repository=repository.name,
        action=Action(row["action"]),
        state=RebuildState(row["state"]),
        reason=row["reason"],
        targets=load(row["targets"], tuple[Target, ...]),
        replacements=load(row["replacements"], tuple[Replacement, ...]),
        wave=row["wave"],
        due_at=row["due_at"],
        planned_at=row["planned_at"],
        branch=row["branch"],
        pull_request=row["pull_request"],
        workflow=row["workflow"],
        correlation=row["correlation"],
        attempted_at=row["attempted_at"],
        run=row["run"],
        url=row["url"],
        attempts=row["attempts"],
        facts_version=row["facts_version"],
        text_version=row["text_version"],
        ended_at=row["ended_at"],
        node_id=row["node_id"],
        dispatches=row["dispatches"],
        joined=Joined(row["joined"]) if row["joined"] else None,
        waits_since=row["waits_since"],
        looks_in_vain=row["looks_in_vain"],
        refusals=row["refusals"],
        hindered_by=row["hindered_by"],
        repository_node=repository.node_id,
        forge=repository.forge,
        merge=_merge_of(row),
        built_at=row["built_at"],
        built_commit=row["built_commit"],
        run_number=row["run_number"],
        built_by=tuple(row["built_by"] or ()),
        proof=ImageVerdict(row["proof"]) if row["proof"] else None,
        merging=Merging(row["merging"]) if row["merging"] else None,
        pointed_at=row["pointed_at"],
        ready_since=row["ready_since"],
        steps=row["steps"],
        parts=load(row["parts"], tuple[PathWorkflow, ...]) if row["parts"] else (),
    )


def _merge_of(row: RowMapping | Mapping[str, Any]) -> Merge | None:
    if row["merge_commit"] is None:
        return None
    return Merge(row["merge_commit"], row["merge_node"], row["merged_at"])


def learnt_facts(before: Rebuild, after: Rebuild) -> dict[str, Any]:
    """The version of the facts as whoever worked on a rebuild has raised it; others may have raised it too."""
    learnt = after.facts_version - before.facts_version
    return {"facts_version": rebuilds.c.facts_version + learnt} if learnt else {}


def due_after(before: Rebuild, after: Rebuild, now: datetime) -> ColumnElement[datetime]:
    """When a rebuild is due again: now where its facts are others than when the work on it began."""
    return case((rebuilds.c.facts_version != before.facts_version, now), else_=after.due_at)


def columns_of(rebuild: Rebuild) -> dict[str, Any]:
    """What may change in the life of a rebuild, written by whoever holds its lease. The version of its text only
    rises, so that nobody takes back what another has outdated."""
    return {
        **outcome_of(rebuild),
        "action": rebuild.action.value,
        "branch": rebuild.branch,
        "pull_request": rebuild.pull_request,
        "workflow": rebuild.workflow,
        "correlation": rebuild.correlation,
        "attempted_at": rebuild.attempted_at,
        "run": rebuild.run,
        "node_id": rebuild.node_id,
        "dispatches": rebuild.dispatches,
        "joined": rebuild.joined and rebuild.joined.value,
        "url": rebuild.url,
        "text_version": case(
            (rebuilds.c.text_version < rebuild.text_version, rebuild.text_version), else_=rebuilds.c.text_version
        ),
        "merge_commit": rebuild.merge and rebuild.merge.commit,
        "merge_node": rebuild.merge and rebuild.merge.node_id,
        "merged_at": rebuild.merge and rebuild.merge.at,
        "built_at": rebuild.built_at,
        "built_commit": rebuild.built_commit,
        "run_number": rebuild.run_number,
        "built_by": list(rebuild.built_by) or None,
        "proof": rebuild.proof and rebuild.proof.value,
        "merging": rebuild.merging.value if rebuild.merging else None,
        "pointed_at": rebuild.pointed_at,
        "ready_since": rebuild.ready_since,
    }


def went(rebuild: Rebuild, *, succeeded: bool) -> dict[str, Any]:
    """How its attempts went: what failed is counted, and told, until one goes through."""
    if succeeded:
        return {"looks_in_vain": 0, "refusals": 0, "hindered_by": None}
    failures = {"refusals": rebuild.refusals, "hindered_by": rebuild.hindered_by}
    return {"looks_in_vain": rebuild.looks_in_vain, **failures}


def outcome_of(rebuild: Rebuild) -> dict[str, Any]:
    return {"state": rebuild.state.value, "reason": rebuild.reason, "ended_at": rebuild.ended_at}
