"""Due rebuilds with all that is needed to act on them: what `act` reads and writes."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.act.ports import Job
from bot.domain.change import Change
from bot.domain.failure import LeaseLost
from bot.domain.followed_base import followed_base
from bot.domain.rebuild import AWAITING, Rebuild, State
from bot.domain.usage import Usage
from bot.reconcile.work import Claimed
from bot.store.engine.codec import load
from bot.store.engine.due_rows import DueRows
from bot.store.rebuilds import IS_OUTDATED, RebuildStore
from bot.store.rows.blobs import blobs_of
from bot.store.rows.rebuilds import columns_of, fleet_repository_of, rebuild_of
from bot.store.rows.tables import changes, rebuilds, repositories, usages


class ActStore(RebuildStore):
    @property
    def jobs(self) -> DueRows[Job]:
        """Those that await their action, and open ones whose text is outdated."""
        return self._due(or_(rebuilds.c.state.in_(AWAITING), IS_OUTDATED), self._job)

    async def _job(self, claimed: Claimed) -> Job:
        """With its repository, changes and files."""
        async with self._database.reading() as connection:
            return await _job(connection, claimed.row)

    async def open_pull_requests(self, repository: str) -> int:
        """How many pull requests of the bot are open in a repository."""
        query = (
            select(func.count(func.distinct(rebuilds.c.branch)))
            .join(repositories, repositories.c.id == rebuilds.c.repository_id)
            .where(repositories.c.name == repository, rebuilds.c.state == State.OPEN.value)
        )
        async with self._database.reading() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def save_progress(self, rebuild: Rebuild) -> None:
        """Stores what an attempt intends or has reached, while the lease goes on; else raises `LeaseLost`."""
        async with self._database.transaction() as connection:
            stored = await connection.execute(
                update(rebuilds)
                .where(rebuilds.c.id == rebuild.id, rebuilds.c.lease_owner == self._worker.name)
                .values(**columns_of(rebuild))
            )
        if stored.rowcount != 1:
            raise LeaseLost(f"rebuild {rebuild.id} is no longer leased to {self._worker.name}")

    async def known_blobs(self, shas: Sequence[str]) -> dict[str, bytes]:
        """Those of the files that discovery has fetched before."""
        async with self._database.reading() as connection:
            return await blobs_of(connection, shas)


async def _job(connection: AsyncConnection, row: Mapping[str, Any]) -> Job:
    home = (
        (await connection.execute(select(repositories).where(repositories.c.id == row["repository_id"])))
        .mappings()
        .one()
    )
    rebuild = rebuild_of(row, home["name"])
    moved = await connection.execute(
        select(changes.c.change)
        .where(changes.c.id.in_([change for target in rebuild.targets for change in target.changes]))
        .order_by(changes.c.id)
    )
    named = await connection.execute(select(usages.c.usage).where(usages.c.repository_id == home["id"]))
    found = [load(item, Usage) for item in named.scalars()]
    targets = {target.base for target in rebuild.targets}
    concerned = (usage for usage in found if usage.sdk_pin or followed_base(usage.reference) in targets)
    paths = {path for usage in concerned for path in usage.paths}
    return Job(
        rebuild,
        fleet_repository_of(home, {}),
        home["default_branch"],
        tuple(load(change, Change) for change in moved.scalars()),
        tuple(sorted(paths)),
        bool(home["listed"]),
    )
