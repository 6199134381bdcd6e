"""Rebuild workflows and how their builds ended: what `discover.builds` reads and writes."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.builds import BranchBuilds
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.timing.age import BaseInFile
from bot.fleet.discover.builds.tick import DueBuilds, RepositoryOnBases, Seen, WantedBuilds
from bot.reconcile.work import Claimed
from bot.store.engine.codec import dump, load, readable
from bot.store.engine.queue.claiming import DueRows, claim, is_due, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, insert_missing, lock, lock_where
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.blobs import usage_text
from bot.store.rows.repositories.repositories import IDENTITY, identity_of
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.tables import tasks

_TASK = "say which builds count"
_TOGETHER = 200
"""So many repositories are read at once: a thousand with a dozen places each take seven megabytes."""

_LISTED = (
    select(repositories.c.id, repositories.c.name, repositories.c.config)
    .where(repositories.c.listed.is_(True), repositories.c.id > bindparam("last_id"))
    .order_by(repositories.c.id)
    .limit(_TOGETHER)
)
_PLACES = (
    select(
        usages.c.repository_id, bases.c.registry, bases.c.repository, bases.c.tag, usage_text("path").label("path")
    )
    .join(bases, bases.c.id == usages.c.base_id)
    .where(usages.c.repository_id.between(bindparam("first"), bindparam("last")), usage_text("path").is_not(None))
    .distinct()
)


class BuildsStore(Store):
    """`bot.fleet.discover.builds.tick.BuildsStore` on the database."""

    async def claim_wanted(self, mark: str) -> int | None:
        """Claims the task of saying which workflows count, where it is due or was done under another policy."""
        now = self._clock.now()
        is_task = tasks.c.name == _TASK
        async with self._database.reading() as connection:
            rests = not_(is_due(connection, tasks, self._worker, now)).label("rests")
            row = (await connection.execute(select(tasks.c.mark, rests).where(is_task))).first()
        if row is not None and row.mark == mark and row.rests:
            return None
        async with self._database.transaction() as connection:
            await connection.execute(insert_missing(connection, tasks, name=_TASK, due_at=now))
            await connection.execute(update(tasks).where(is_task, tasks.c.due_at > now).values(due_at=now))
            rows = await claim(connection, tasks, self._worker, now, limit=1, where=[is_task])
        return rows[0]["id"] if rows else None

    async def standings(self) -> AsyncIterator[list[RepositoryOnBases]]:
        """Reads listed repositories with the bases that they stand on and where they name them, some at a time."""
        last_id = 0
        while True:
            async with self._database.reading() as connection:
                rows = (await connection.execute(_LISTED, {"last_id": last_id})).all()
                if not rows:
                    return
                places = await connection.execute(_PLACES, {"first": rows[0].id, "last": rows[-1].id})
                on_bases = _on_bases(rows, places.all())
            yield on_bases
            last_id = rows[-1].id

    async def save_wanted(self, task: int, wanted: Sequence[WantedBuilds], mark: str, due: datetime) -> None:
        """Stores whose builds to look at: new ones soon; what is guaranteed otherwise is judged again."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await settle(connection, tasks, self._worker, task, due_at=due, values={"mark": mark})
            rows = await connection.execute(
                select(
                    workflow_builds.c.id,
                    workflow_builds.c.repository_id,
                    workflow_builds.c.workflow,
                    workflow_builds.c.max_age_seconds,
                )
            )
            rows_by_key = {(row.repository_id, row.workflow): row for row in rows}
            ages = {(each.repository, each.workflow): _seconds(each.max_age) for each in wanted}
            changed: dict[int | None, list[int]] = {}
            for key, row in rows_by_key.items():
                if key in ages and ages[key] != row.max_age_seconds:
                    changed.setdefault(ages[key], []).append(row.id)
            old_ids = [row.id for key, row in rows_by_key.items() if key not in ages]
            await lock(connection, workflow_builds, [*old_ids, *(id_ for ids in changed.values() for id_ in ids)])
            for ids in chunks(old_ids):
                await connection.execute(delete(workflow_builds).where(workflow_builds.c.id.in_(ids)))
            for seconds, ids in changed.items():
                for chunk in chunks(ids):
                    await connection.execute(
                        update(workflow_builds)
                        .where(workflow_builds.c.id.in_(chunk))
                        .values(max_age_seconds=seconds, judged=False)
                    )
            await _look_again_where_moved(connection, now)
            await _add(connection, [(key, seconds) for key, seconds in ages.items() if key not in rows_by_key], now)

    @property
    def builds(self) -> DueRows[DueBuilds]:
        return DueRows(self._database, self._worker, workflow_builds, self._due, lambda row: f"builds {row['id']}")

    async def _due(self, claimed: Claimed) -> DueBuilds:
        row = claimed.row
        home = select(*IDENTITY, repositories.c.default_branch).where(repositories.c.id == row["repository_id"])
        async with self._database.reading() as connection:
            home_row = (await connection.execute(home)).one()
        return DueBuilds(
            row["id"],
            identity_of(home_row),
            home_row.default_branch,
            row["workflow"],
            row["node_id"],
            load(row["builds"], BranchBuilds),
            row["error"],
        )

    async def save_seen(self, looks: Sequence[tuple[DueBuilds, Seen]]) -> None:
        """Stores builds as seen, to be judged anew, and since when their repository holds something else.

        A repository whose pipeline is set otherwise is read again first: that may be made of another file by now.
        """
        now = self._clock.now()
        if others := [item.id for item, result in looks if result.builds.is_set_otherwise(item.builds)]:
            await self._read_again(others, now)
        async with self._database.transaction() as connection:
            ids = [item.id for item, _ in looks]
            await lock(connection, workflow_builds, ids)
            trees = {row.id: row for chunk in chunks(ids) for row in await _trees(connection, chunk)}
            for item, result in sorted(looks, key=lambda pair: pair[0].id):
                row, last, ended_run = trees.get(item.id), result.builds.last_success, result.builds.ended
                has_moved = row is not None and row.known is not None and row.known != row.tree
                await settle(
                    connection,
                    workflow_builds,
                    self._worker,
                    item.id,
                    due_at=result.due_at,
                    values={
                        "node_id": result.node_id,
                        "builds": dump(result.builds, BranchBuilds),
                        "last_success": last.at if last is not None else None,
                        "ended_run": ended_run.id if ended_run is not None else None,
                        "ended_at": ended_run.updated_at if ended_run is not None else None,
                        "read_at": now,
                        "tree": row.tree if row is not None else None,
                        "error": None,
                        "judged": False,
                        **({"changed_at": now} if has_moved else {}),
                    },
                )

    async def _read_again(self, ids: Sequence[int], now: datetime) -> None:
        homes = select(workflow_builds.c.repository_id).where(workflow_builds.c.id.in_(ids))
        is_free = repositories.c.listed.is_(True), repositories.c.lease_owner.is_(None)
        async with self._database.transaction() as connection:
            found = await lock_where(connection, repositories, repositories.c.id.in_(homes), *is_free)
            again = update(repositories).where(repositories.c.id.in_(found))
            await connection.execute(again.values(reader=None, due_at=now))


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())


async def _look_again_where_moved(connection: AsyncConnection, now: datetime) -> None:
    """A workflow that is missing may have come with the latest push."""
    query = (
        select(workflow_builds.c.id)
        .join(repositories, repositories.c.id == workflow_builds.c.repository_id)
        .where(
            workflow_builds.c.node_id.is_(None),
            workflow_builds.c.due_at > now,
            workflow_builds.c.lease_owner.is_(None),
            workflow_builds.c.tree.is_distinct_from(repositories.c.tree),
        )
    )
    ids = list((await connection.execute(query)).scalars())
    await lock(connection, workflow_builds, ids)
    for chunk in chunks(ids):
        await connection.execute(update(workflow_builds).where(workflow_builds.c.id.in_(chunk)).values(due_at=now))


async def _add(
    connection: AsyncConnection, new: Sequence[tuple[tuple[int, str], int | None]], now: datetime
) -> None:
    for chunk in chunks(sorted(new, key=lambda item: item[0])):
        rows = [
            {
                "repository_id": repository,
                "workflow": workflow,
                "max_age_seconds": seconds,
                "builds": dump(BranchBuilds(), BranchBuilds),
                "due_at": now,
            }
            for (repository, workflow), seconds in chunk
        ]
        await connection.execute(insert(workflow_builds), rows)


async def _trees(connection: AsyncConnection, ids: Sequence[int]) -> Sequence[Any]:
    rows = await connection.execute(
        select(workflow_builds.c.id, workflow_builds.c.tree.label("known"), repositories.c.tree)
        .join(repositories, repositories.c.id == workflow_builds.c.repository_id)
        .where(workflow_builds.c.id.in_(ids))
    )
    return rows.all()


def _on_bases(rows: Sequence[Any], places: Sequence[Any]) -> list[RepositoryOnBases]:
    places_by_home: dict[int, list[BaseInFile]] = {}
    for place in places:
        places_by_home.setdefault(place.repository_id, []).append((base_of(place), place.path))
    return readable(
        [row for row in rows if row.id in places_by_home],
        lambda row: RepositoryOnBases(
            row.id, row.name, load(row.config, RepositoryConfig), tuple(places_by_home[row.id])
        ),
        lambda row: f"repository {row.name}",
    )
