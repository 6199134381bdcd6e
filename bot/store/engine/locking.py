"""The order in which transactions lock rows, so that no two of them wait for each other.

Tables in the order of `ORDER`; rows of one table by their ids, or by their keys where several are inserted. SQLite
needs none of it: its writing transactions come one after another.

Rows are locked FOR NO KEY UPDATE, as an UPDATE does by itself. The check of a foreign key, which every insert of a
row that refers to another makes, waits for a stronger lock, and two transactions that insert first and lock
afterwards would wait for each other.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.inserting import chunks

ORDER = (
    "deliveries",
    "ended_sessions",
    "counters (of plans, of releases)",
    "manifests",
    "unpacked_layers",
    "tasks",
    "grants",
    "repositories",
    "workflow_builds",
    "who produces what",
    "bases",
    "usages",
    "repository_blobs",
    "images",
    "deployments",
    "own_links",
    "documents",
    "releases",
    "advisories",
    "observations",
    "layers",
    "inventories",
    "sbom_looks",
    "counters (of exposures)",
    "packages",
    "dumps",
    "vulnerabilities",
    "scan_reports",
    "package_changes",
    "audits",
    "changes",
    "quarantines",
    "rebuilds",
    "steps",
    "transitions",
    "rollouts",
    "rollout_waves",
    "pauses",
    "onboardings",
    "code_scans",
    "artifact_reads",
    "gates",
    "let_through",
    "journal",
    "fleet_issues",
    "blobs",
    "notices",
    "issue_sections",
    "issues",
    "incidents",
    "outbox",
    "budgets",
    "spendings",
    "standings",
    "standing_days",
    "counters (of feeds and assessments)",
)
"""A transaction that writes to several tables locks their rows in this order, and those of a stage's own last."""

_PRODUCTION = 3118
"""PostgreSQL's number for the lock on who produces what."""


def turn_of(table: Table) -> tuple[int, str]:
    """When rows of a table are locked, among those of several: what stands in no `ORDER` is one stage's alone."""
    return ORDER.index(table.name) if table.name in ORDER else len(ORDER), table.name


async def lock(connection: AsyncConnection, table: Table, ids: Collection[int]) -> None:
    """Holds the rows to the end of the transaction, the lowest id first."""
    if connection.dialect.name == "sqlite":
        return
    for chunk in chunks(sorted(ids)):
        await connection.execute(_locking(table, table.c.id.in_(chunk)))


async def lock_production(connection: AsyncConnection, *, changes: bool) -> None:
    """Holds still who produces which image to the end of the transaction, or, where that `changes`, who builds upon
    images of others: of two that begin at once, the later one sees what the first has written.

    Rows cannot do that: whoever is to be seen may have none yet.
    """
    if connection.dialect.name == "sqlite":
        return
    take = func.pg_advisory_xact_lock if changes else func.pg_advisory_xact_lock_shared
    await connection.execute(select(take(_PRODUCTION)))


async def lock_where(connection: AsyncConnection, table: Table, *where: ColumnElement[bool]) -> list[int]:
    """Locks the rows that meet `where`, and returns their ids."""
    return list((await connection.execute(_locking(table, *where))).scalars())


def _locking(table: Table, *where: ColumnElement[bool]) -> Any:
    return select(table.c.id).where(*where).order_by(table.c.id).with_for_update(key_share=True)
