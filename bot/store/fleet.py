"""Repositories, their files and their usages: what `discover` reads and writes."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.discover.ports import DueRepository, Reading
from bot.domain.reference import Base
from bot.domain.repository import Repository, Workflow
from bot.domain.repository_config import RepositoryConfig
from bot.domain.usage import Problem, Usage
from bot.store.codec import dump
from bot.store.database import Database
from bot.store.inserting import chunks, insert_missing
from bot.store.queue import Worker, claim, settle
from bot.store.tables import bases, blobs, chores, repositories, usages

_LISTING = "list repositories"


class FleetStore:
    def __init__(self, database: Database, worker: Worker) -> None:
        self._database = database
        self._worker = worker

    async def claim_listing(self, now: datetime) -> int | None:
        """The chore of listing the fleet where it is due, so that only one replica does it."""
        async with self._database.transaction() as connection:
            await connection.execute(insert_missing(connection, chores, name=_LISTING, due_at=now))
            rows = await claim(connection, chores, self._worker, now, limit=1, where=[chores.c.name == _LISTING])
        return rows[0]["id"] if rows else None

    async def postpone_listing(self, chore: int, due: datetime) -> None:
        async with self._database.transaction() as connection:
            await settle(connection, chores, self._worker, chore, due_at=due, succeeded=False)

    async def record_listing(self, chore: int, listing: Sequence[Repository], now: datetime, due: datetime) -> None:
        """Repositories whose last push moved become due; those no longer listed lose their usages."""
        async with self._database.transaction() as connection:
            known = {
                row.name: row
                for row in await connection.execute(
                    select(
                        repositories.c.name,
                        repositories.c.pushed_at,
                        repositories.c.default_branch,
                        repositories.c.listed,
                    )
                )
            }
            fresh = [repository for repository in listing if repository.name not in known]
            for chunk in chunks(fresh):
                await connection.execute(insert(repositories), [_new_row(item, now) for item in chunk])
            moved = [item for item in listing if item.name in known and _has_moved(known[item.name], item)]
            if moved:
                await connection.execute(
                    _has_news(now),
                    [
                        {"named": item.name, "branch": item.default_branch, "pushed": item.pushed_at}
                        for item in moved
                    ],
                )
            gone = {name for name, row in known.items() if row.listed} - {item.name for item in listing}
            for names in chunks(sorted(gone)):
                await self._forget(connection, names)
            await settle(connection, chores, self._worker, chore, due_at=due)

    async def claim_repositories(self, now: datetime, limit: int) -> list[DueRepository]:
        """Listed repositories whose default branch may have moved."""
        async with self._database.transaction() as connection:
            rows = await claim(
                connection, repositories, self._worker, now, limit=limit, where=[repositories.c.listed.is_(True)]
            )
        return [
            DueRepository(row["id"], row["name"], row["default_branch"], row["tree"], row["attempts"])
            for row in rows
        ]

    async def known_blobs(self, shas: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        async with self._database.transaction() as connection:
            for chunk in chunks(sorted(set(shas))):
                rows = await connection.execute(select(blobs).where(blobs.c.sha.in_(chunk)))
                found.update({row.sha: zlib.decompress(row.body) for row in rows})
        return found

    async def save_blobs(self, bodies: Mapping[str, bytes]) -> None:
        async with self._database.transaction() as connection:
            for sha, body in bodies.items():
                await connection.execute(insert_missing(connection, blobs, sha=sha, body=zlib.compress(body)))

    async def save_reading(self, repository: DueRepository, reading: Reading, now: datetime, due: datetime) -> None:
        """Replaces what was known of the repository; a base seen for the first time becomes due at once."""
        async with self._database.transaction() as connection:
            ids = await self._base_ids(connection, {base for _, base in reading.usages if base is not None}, now)
            await connection.execute(delete(usages).where(usages.c.repository_id == repository.id))
            if reading.usages:
                await connection.execute(
                    insert(usages),
                    [
                        {
                            "repository_id": repository.id,
                            "base_id": ids.get(base) if base else None,
                            "usage": dump(usage, Usage),
                        }
                        for usage, base in reading.usages
                    ],
                )
            await self._mark_used(connection)
            await settle(
                connection,
                repositories,
                self._worker,
                repository.id,
                due_at=due,
                values={
                    "tree": reading.tree,
                    "config": dump(reading.config, RepositoryConfig),
                    "workflows": dump(reading.workflows, tuple[Workflow, ...]),
                    "problems": dump(reading.problems, tuple[Problem, ...]),
                    "error": None,
                    "read_at": now,
                },
            )

    async def keep_reading(self, repository: DueRepository, due: datetime) -> None:
        """The default branch is where it was: nothing to write but the next due time."""
        async with self._database.transaction() as connection:
            await settle(connection, repositories, self._worker, repository.id, due_at=due)

    async def postpone(self, repository: DueRepository, error: str, due: datetime) -> None:
        """What was known stays in use; the error is shown until a reading works."""
        async with self._database.transaction() as connection:
            await settle(
                connection,
                repositories,
                self._worker,
                repository.id,
                due_at=due,
                succeeded=False,
                values={"error": error},
            )

    async def _forget(self, connection: AsyncConnection, names: Sequence[str]) -> None:
        ids = select(repositories.c.id).where(repositories.c.name.in_(names))
        await connection.execute(delete(usages).where(usages.c.repository_id.in_(ids)))
        await connection.execute(
            update(repositories).where(repositories.c.name.in_(names)).values(listed=False, tree=None)
        )
        await self._mark_used(connection)

    async def _base_ids(self, connection: AsyncConnection, named: set[Base], now: datetime) -> dict[Base, int]:
        for base in sorted(named):
            await connection.execute(
                insert_missing(
                    connection,
                    bases,
                    registry=base.registry,
                    repository=base.repository,
                    tag=base.tag,
                    due_at=now,
                    used=True,
                )
            )
        rows = await connection.execute(
            select(bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag).where(
                or_(*(bases.c.tag == base.tag for base in named)) if named else bases.c.id < 0
            )
        )
        return {Base(row.registry, row.repository, row.tag): row.id for row in rows}

    async def _mark_used(self, connection: AsyncConnection) -> None:
        """Only bases that some usage follows are polled."""
        is_used = select(usages.c.id).where(usages.c.base_id == bases.c.id).exists()
        await connection.execute(update(bases).where(bases.c.used != is_used).values(used=is_used))


def _has_news(now: datetime) -> Any:
    """Takes the lease from whoever is reading the repository: that reading may be older than the push."""
    return (
        update(repositories)
        .where(repositories.c.name == bindparam("named"))
        .values(
            default_branch=bindparam("branch"),
            pushed_at=bindparam("pushed"),
            listed=True,
            due_at=now,
            attempts=0,
            lease_owner=None,
            lease_until=None,
        )
    )


def _has_moved(known: Any, item: Repository) -> bool:
    return bool(
        known.pushed_at != item.pushed_at or known.default_branch != item.default_branch or not known.listed
    )


def _new_row(item: Repository, now: datetime) -> dict[str, object]:
    return {
        "name": item.name,
        "default_branch": item.default_branch,
        "pushed_at": item.pushed_at,
        "listed": True,
        "config": dump(RepositoryConfig(), RepositoryConfig),
        "workflows": [],
        "problems": [],
        "due_at": now,
    }
