"""Leases across restarts: what a dead process of this machine held is free at once."""

import hashlib
import os
import socket
from datetime import datetime
from pathlib import Path

from sqlalchemy import Table, select, update

from bot.domain.rollouts.rebuild import FOLLOWED, RebuildState
from bot.store.engine.database import Database, repeated
from bot.store.engine.inserting import chunks
from bot.store.engine.locking import lock_where
from bot.store.engine.queue.claiming import Worker, give_back
from bot.store.rows.bases.tables import bases, documents
from bot.store.rows.fleet_issues import fleet_issues
from bot.store.rows.images.artifact_reads import artifact_reads
from bot.store.rows.images.gates import gates
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import inventories, layers, package_changes
from bot.store.rows.inventories.sboms import sbom_looks
from bot.store.rows.inventories.vulnerabilities import dumps
from bot.store.rows.repositories.audits import audits
from bot.store.rows.repositories.code_scans import code_scans
from bot.store.rows.repositories.issues import issues
from bot.store.rows.repositories.onboardings import onboardings
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.repositories.workflow_builds import workflow_builds
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.tables import outbox, tasks

LEASED: tuple[Table, ...] = (
    *(tasks, repositories, workflow_builds, bases, documents, images, rebuilds, steps, outbox, issues),
    fleet_issues,
    *(layers, inventories, package_changes, sbom_looks, dumps),
    audits,
    onboardings,
    *(code_scans, gates, artifact_reads),
)
_LONGEST_HOST = 40


def this_worker() -> Worker:
    """`host/pid/start`: the start time tells a process from a later one with the same number."""
    pid = os.getpid()
    return Worker(f"{_host()}/{pid}/{_started(pid)}")


@repeated
async def free_leases_of_the_dead(database: Database, worker: Worker) -> int:
    """Frees what ended processes of this machine still hold; how many rows that were.

    Other machines' leases run out by themselves: from here nobody can tell whether they live.
    """
    host = worker.name.partition("/")[0]
    freed = 0
    async with database.transaction() as connection:
        for table in LEASED:
            owners = await connection.execute(
                select(table.c.lease_owner)
                .where(table.c.lease_owner.startswith(f"{host}/", autoescape=True))
                .distinct()
            )
            for owner in owners.scalars().all():
                if owner != worker.name and not _is_alive(owner):
                    freed += await give_back(connection, table, Worker(owner), attempted=True)
    return freed


@repeated
async def give_all_back(database: Database, worker: Worker, *, attempted: bool = False) -> int:
    """Gives back all leases at an orderly stop; `attempted` where work was cut off in its middle."""
    async with database.transaction() as connection:
        return sum([await give_back(connection, table, worker, attempted=attempted) for table in LEASED])


@repeated
async def bring_forward(database: Database, now: datetime) -> None:
    """Makes due whatever is looked at regularly: for a single pass on request."""
    async with database.transaction() as connection:
        for table in (
            tasks,
            workflow_builds,
            bases,
            documents,
            dumps,
            images,
            gates,
            artifact_reads,
            rebuilds,
            steps,
            fleet_issues,
            onboardings,
        ):
            later = [table.c.due_at > now]
            if table is rebuilds:
                later.append(rebuilds.c.state.in_((*FOLLOWED, RebuildState.PROVING)))
            for ids in chunks(await lock_where(connection, table, *later)):
                await connection.execute(update(table).where(table.c.id.in_(ids)).values(due_at=now))


def _host() -> str:
    """The machine's name, shortened by its middle: pods of one deployment differ at the end alone."""
    name = socket.gethostname().replace("/", "-")
    if len(name) <= _LONGEST_HOST:
        return name
    return f"{name[:12]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _is_alive(owner: str) -> bool:
    _, pid, started = owner.rsplit("/", 2)
    return pid.isdigit() and _started(int(pid)) == started


def _started(pid: int) -> str:
    """The process's start time in clock ticks since boot (proc(5), field 22); empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
