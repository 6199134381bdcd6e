"""Leases across restarts: what a dead process of this machine held is free at once."""

import hashlib
import os
import socket
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import Table, select, update

from bot.store.engine.database import Database, repeated
from bot.store.engine.queue.claiming import Worker, give_back
from bot.store.engine.writing import chunks, in_lock_order, lock_where
from bot.store.rows.schema import due_of, every_table

_LONGEST_HOST = 40


@cache
def leased_tables() -> tuple[Table, ...]:
    """All tables whose rows are leased, in the order in which they are locked."""
    return in_lock_order(table for table in every_table() if "lease_owner" in table.c)


def this_worker() -> Worker:
    """`host/pid/start`: the start time tells a process from a later one with the same number."""
    pid = os.getpid()
    return Worker(f"{_host()}/{pid}/{_start_time_of(pid)}")


@repeated
async def free_leases_of_the_dead(database: Database, worker: Worker) -> int:
    """Frees what ended processes of this machine still hold; how many rows that were.

    Other machines' leases run out by themselves: from here nobody can tell whether they live.
    """
    host = worker.name.partition("/")[0]
    number_freed = 0
    async with database.transaction() as connection:
        for table in leased_tables():
            owners = await connection.execute(
                select(table.c.lease_owner)
                .where(table.c.lease_owner.startswith(f"{host}/", autoescape=True))
                .distinct()
            )
            for owner in owners.scalars().all():
                if owner != worker.name and not _is_alive(owner):
                    number_freed += await give_back(connection, table, Worker(owner), attempted=True)
    return number_freed


@repeated
async def give_all_back(database: Database, worker: Worker, *, attempted: bool = False) -> int:
    """Gives back all leases at an orderly stop; `attempted` where work was cut off in its middle."""
    async with database.transaction() as connection:
        return sum([await give_back(connection, table, worker, attempted=attempted) for table in leased_tables()])


@repeated
async def bring_forward(database: Database, now: datetime) -> None:
    """Makes due whatever is looked at regularly: for a single pass on request."""
    async with database.transaction() as connection:
        for table in leased_tables():
            due = due_of(table)
            if not due.is_regular:
                continue
            for ids in chunks(await lock_where(connection, table, table.c.due_at > now, *due.early)):
                await connection.execute(update(table).where(table.c.id.in_(ids)).values(due_at=now))


def _host() -> str:
    """The machine's name, shortened by its middle: pods of one deployment differ at the end alone."""
    name = socket.gethostname().replace("/", "-")
    if len(name) <= _LONGEST_HOST:
        return name
    return f"{name[:12]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _is_alive(owner: str) -> bool:
    _, pid, started = owner.rsplit("/", 2)
    return pid.isdigit() and _start_time_of(int(pid)) == started


def _start_time_of(pid: int) -> str:
    """The process's start time in clock ticks since boot (proc(5), field 22); empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
