"""Repositories, their files and their usages: what `discover` reads and writes."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.followed_base import pinned_to
from bot.domain.bases.incident import Incident
from bot.domain.reference import Base
from bot.domain.repositories.repository import GITHUB, Reading, RepositoryId, Workflow
from bot.domain.repositories.repository_config import MANY_UNREAD, RepositoryConfig
from bot.domain.repositories.usage import SourceProblem, Usage
from bot.domain.rollouts.rebuild import Action, Merging, RebuildState
from bot.fleet.discover.ports import UNLISTED_FOR, DueListing, DueRepository, KnownFleet, Listing
from bot.fleet.discover.rows.listing import short_at, take_listing, unlisted_at
from bot.fleet.discover.rows.refused import note_grants, refused_steps, step_again
from bot.reconcile.work import Claimed
from bot.store.engine.codec import dump
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import insert_missing, lock, lock_production
from bot.store.rows.bases.bases import (
    base_ids,
    follow_own_bases,
    left_behind,
    mark_used,
    produced_by,
    with_own_bases,
)
from bot.store.rows.bases.incidents import open_since, tell_incidents
from bot.store.rows.bases.mirrors import link_mirrors, with_mirrors
from bot.store.rows.bases.tables import bases
from bot.store.rows.images.deployed import save_deployments
from bot.store.rows.images.images import save_claims
from bot.store.rows.repositories.audits import save_audited
from bot.store.rows.repositories.blobs import blobs_of
from bot.store.rows.repositories.repositories import IS_WORD_UNREAD
from bot.store.rows.repositories.tables import blobs, repositories, repository_blobs, usages
from bot.store.rows.rollouts.rebuilds import MERGES_STILL, outdate
from bot.store.rows.rollouts.served import plan_once_more, unserved
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.tables import LISTED, LISTING_AT, listing_of, tasks

UNREAD = "what repositories ask for"
"""The subject of the incident that many cannot be understood."""


class DiscoverStore(Store):
    """`bot.fleet.discover.ports.DiscoverStore` on the database."""

    def listings(self, forges: Collection[str] = (GITHUB,)) -> DueRows[DueListing]:
        """The tasks of listing these forges, and of what nobody lists any more."""
        is_left = and_(tasks.c.name.startswith(LISTING_AT), tasks.c.due_at <= self._clock.now() - UNLISTED_FOR)
        conditions = [or_(tasks.c.name.in_(map(listing_of, forges)), is_left)]
        return DueRows(
            self._database,
            self._worker,
            tasks,
            _listing_of,
            lambda row: str(row["name"]),
            where=conditions,
            error=None,
        )

    @property
    def repositories(self) -> DueRows[DueRepository]:
        """Listed repositories whose default branch may have moved."""
        conditions = [repositories.c.listed.is_(True)]
        return DueRows(
            self._database,
            self._worker,
            repositories,
            _repository_of,
            lambda row: str(row["name"]),
            where=conditions,
        )

    async def expect_listing(self, forges: Collection[str] = (GITHUB,)) -> None:
        """Makes the task of listing each forge, due now, where there is none."""
        names = [listing_of(forge) for forge in sorted(forges)]
        async with self._database.transaction() as connection:
            for name in names:
                await connection.execute(insert_missing(connection, tasks, name=name, due_at=self._clock.now()))

    async def postpone_listing(self, task: DueListing, due: datetime, *, trouble: str | None = None) -> None:
        """Puts the listing off and leaves the fleet as it is; `trouble` is an incident that the next one ends."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await settle(connection, tasks, self._worker, task.id, due_at=due, succeeded=False)
            if trouble is not None:
                await tell_incidents(connection, [Incident(unlisted_at(task.forge), now, trouble)], (), now)

    async def known_fleet(self, forge: str = GITHUB) -> KnownFleet:
        columns = repositories.c.name, repositories.c.forge, repositories.c.forge_id
        query = select(*columns).where(repositories.c.listed.is_(True), repositories.c.forge == forge)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
            keys = {row.name: RepositoryId(row.forge, row.forge_id) for row in rows if row.forge_id is not None}
            return KnownFleet(
                frozenset(row.name for row in rows), await open_since(connection, short_at(forge)), keys
            )

    async def record_listing(
        self, task: DueListing, listing: Listing, due: datetime, *, reader: str | None = None
    ) -> None:
        """Repositories whose last push moved become due, as do those that another `reader` read.

        Those of the same forge that are no longer listed lose their usages, but for those that are kept; the
        listing's trouble says why these are, and is an incident until a listing has none. What was refused is tried
        again where more is granted.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await settle(connection, tasks, self._worker, task.id, due_at=due, values={"mark": LISTED})
            await take_listing(connection, listing, now, forge=task.forge, reader=reader)
        if listing.grants is not None:
            async with self._database.transaction() as connection:
                await note_grants(connection, listing.grants, now, task.forge)

    async def known_blobs(self, shas: Sequence[str]) -> dict[str, bytes]:
        async with self._database.reading() as connection:
            return await blobs_of(connection, shas)

    async def save_blobs(self, bodies: Mapping[str, bytes]) -> None:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            for sha, body in sorted(bodies.items()):
                await connection.execute(
                    insert_missing(connection, blobs, sha=sha, body=zlib.compress(body), fetched_at=now)
                )

    async def save_reading(self, repository: DueRepository, reading: Reading, due: datetime) -> None:
        """Replaces what was known of the repository; a base seen for the first time becomes due at once."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await lock(connection, repositories, [repository.id])
            bases_before = select(usages.c.base_id).where(
                usages.c.repository_id == repository.id, usages.c.base_id.is_not(None)
            )
            before = set((await connection.execute(bases_before)).scalars())
            claimed = {claim.name for claim in reading.images}
            has_news = claimed != await produced_by(connection, [repository.id])
            if has_news or reading.perhaps_own:
                await lock_production(connection, changes=has_news)
            followed_usages = await with_own_bases(connection, repository.id, reading)
            reading = replace(reading, usages=tuple((usage, base) for usage, base, _ in followed_usages))
            followed_bases = {base for _, base in reading.usages if base is not None}
            upstreams = {base: reading.upstreams[base] for base in followed_bases if base in reading.upstreams}
            ids = await base_ids(connection, followed_bases | set(upstreams.values()), now)
            touched_bases = await with_mirrors(connection, before | set(ids.values()))
            await lock(connection, bases, touched_bases)
            await link_mirrors(connection, ids, upstreams, now)
            await follow_own_bases(connection, [repository.id], claimed, now)
            await _replace_usages(connection, repository.id, followed_usages, ids)
            await _refer(connection, repository.id, reading.blobs)
            await save_claims(connection, repository.id, reading.images, now)
            is_older = repository.reader != reading.reader
            await save_deployments(connection, repository.id, reading.deployed, now, is_older=is_older)
            await save_audited(connection, repository.id, reading.audited, now)
            await mark_used(connection, touched_bases)
            owed_changes = await left_behind(connection, reading, ids)
            if reading.config.enabled:
                away_since = await self._away_since(connection, repository)
                owed_changes |= await unserved(
                    connection, repository.id, [ids[base] for base in followed_bases], away_since
                )
            await plan_once_more(connection, owed_changes)
            is_refused = reading.config.asks_for_no_pull_request or not reading.config.enabled
            conditions = [] if is_refused else [rebuilds.c.merging == Merging.LEFT.value]
            outdated = await _open_requests(connection, repository.id, *conditions)
            refused = await refused_steps(connection, repository, reading)
            await lock(connection, rebuilds, {*outdated, *refused})
            await outdate(connection, outdated, now)
            await step_again(connection, refused, repository.name, now)
            await self._end(connection, repository, due, _values(reading, now))

    async def _away_since(self, connection: AsyncConnection, repository: DueRepository) -> datetime | None:
        """When a repository that comes back was last read; what is known of its tree goes as it leaves."""
        if repository.tree is not None:
            return None
        read_at = select(repositories.c.read_at).where(repositories.c.id == repository.id)
        last_read_at: datetime | None = (await connection.execute(read_at)).scalar_one()
        return last_read_at

    async def keep_reading(self, repository: DueRepository, due: datetime) -> None:
        """The default branch is where it was: nothing to write but the next due time."""
        async with self._database.transaction() as connection:
            await self._end(connection, repository, due, {"error": None})

    async def tell_unread(self, trouble: str | None) -> None:
        now = self._clock.now()
        if trouble is None:
            async with self._database.reading() as connection:
                if await open_since(connection, UNREAD) is None or await _count_unread(connection) > MANY_UNREAD:
                    return
        async with self._database.transaction() as connection:
            opened = [] if trouble is None else [Incident(UNREAD, now, trouble)]
            await tell_incidents(connection, opened, [UNREAD] if trouble is None else (), now)

    async def _end(
        self,
        connection: AsyncConnection,
        repository: DueRepository,
        due: datetime,
        values: Mapping[str, Any],
    ) -> None:
        await settle(connection, repositories, self._worker, repository.id, due_at=due, values=values)


async def _replace_usages(
    connection: AsyncConnection,
    repository: int,
    followed_usages: Sequence[tuple[Usage, Base | None, str | None]],
    ids: Mapping[Base, int],
) -> None:
    """`followed_usages` are as `with_own_bases` tells them, `ids` those of the bases."""
    await connection.execute(delete(usages).where(usages.c.repository_id == repository))
    rows = [
        {
            "repository_id": repository,
            "base_id": ids.get(base) if base else None,
            "usage": dump(usage, Usage),
            "image": image,
            "digest": usage.reference.digest if base else None,
            "version": pinned_to(usage.reference, base) if base else None,
        }
        for usage, base, image in followed_usages
    ]
    if rows:
        await connection.execute(insert(usages), rows)


def _values(reading: Reading, now: datetime) -> dict[str, Any]:
    return {
        "tree": reading.tree,
        "reader": reading.reader,
        "config": dump(reading.config, RepositoryConfig),
        "workflows": dump(reading.workflows, tuple[Workflow, ...]),
        "problems": dump(reading.problems, tuple[SourceProblem, ...]),
        "error": None,
        "read_at": now,
    }


async def _refer(connection: AsyncConnection, repository: int, shas: Sequence[str]) -> None:
    """Files that a repository holds are kept; those that none holds any more are forgotten some time."""
    await connection.execute(delete(repository_blobs).where(repository_blobs.c.repository_id == repository))
    if shas:
        rows = [{"repository_id": repository, "sha": sha} for sha in sorted(set(shas))]
        await connection.execute(insert(repository_blobs), rows)


async def _count_unread(connection: AsyncConnection) -> int:
    """How many repositories of the fleet have a word of their own that cannot be understood."""
    number = select(func.count()).where(repositories.c.listed.is_(True), IS_WORD_UNREAD)
    return int(await connection.scalar(number) or 0)


async def _listing_of(claimed: Claimed) -> DueListing:
    name = str(claimed.row["name"])
    forge = name.removeprefix(LISTING_AT) if name.startswith(LISTING_AT) else GITHUB
    return DueListing(claimed.id, claimed.attempts, forge)


async def _repository_of(claimed: Claimed) -> DueRepository:
    row = claimed.row
    return DueRepository(
        row["id"],
        row["name"],
        row["default_branch"],
        row["tree"],
        row["attempts"],
        row["reader"],
        row["error"],
        row["node_id"],
        isinstance(row["config"], Mapping) and bool(row["config"].get("unread")),
        row["forge"],
    )


async def _open_requests(
    connection: AsyncConnection, repository: int, *conditions: ColumnElement[bool]
) -> list[int]:
    """The rebuilds of a repository with an open pull request, which `act` closes where none is wanted any more, and
    goes on with where it was left to people for a word that does not hold any more; those that a superseded one has
    set to merge too."""
    open_ones = select(rebuilds.c.id).where(
        rebuilds.c.repository_id == repository,
        or_(rebuilds.c.state == RebuildState.OPEN.value, MERGES_STILL),
        rebuilds.c.action == Action.PULL_REQUEST.value,
        *conditions,
    )
    return list((await connection.execute(open_ones)).scalars())
