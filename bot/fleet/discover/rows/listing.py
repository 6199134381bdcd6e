"""What a listing of the forge changes in the rows of repositories, and the incidents that a listing may be."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import Incident
from bot.domain.repositories.repository import GITHUB, IN_PART, Repository, title_of
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.fleet.discover.ports import Listing
from bot.store.engine.codec import dump
from bot.store.engine.writing import chunks, lock, lock_production
from bot.store.rows.bases.bases import follow_own_bases, mark_used, produced_by
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.bases.mirrors import with_mirrors
from bot.store.rows.bases.tables import bases
from bot.store.rows.images.images import forget_images
from bot.store.rows.repositories.audits import audit_again, forget_audits
from bot.store.rows.repositories.repositories import rename_in_place
from bot.store.rows.repositories.tables import repositories, repository_blobs, usages
from bot.store.rows.rollouts.rebuilds import merging_by_themselves, outdate
from bot.store.rows.rollouts.tables import rebuilds


def unlisted_at(forge: str) -> str:
    """The subject of the incident that a forge cannot be listed."""
    return f"{title_of(forge)}'s list of repositories"


def short_at(forge: str) -> str:
    """The subject of the incident that a forge shows less than it did."""
    return "access to the fleet" if forge == GITHUB else f"access to the fleet at {title_of(forge)}"


async def take_listing(
    connection: AsyncConnection,
    listing: Listing,
    now: datetime,
    *,
    forge: str = GITHUB,
    reader: str | None = None,
) -> None:
    """Adds, moves on and forgets repositories of a forge; see `DiscoverStore.record_listing`."""
    await rename_in_place(connection, listing.repositories)
    rows = await connection.execute(
        select(
            repositories.c.id,
            repositories.c.name,
            repositories.c.pushed_at,
            repositories.c.default_branch,
            repositories.c.listed,
            repositories.c.reader,
        ).where(repositories.c.forge == forge)
    )
    rows_by_name = {row.name: row for row in rows}
    items = {item.name: item for item in listing.repositories}
    fresh = [items[name] for name in sorted(items.keys() - rows_by_name.keys())]
    news = [
        {"row": row.id, "branch": item.default_branch, "pushed": _settled_push(item)}
        for row in rows_by_name.values()
        if (item := items.get(row.name)) is not None and _has_news(row, item, reader)
    ]
    absent_ids = [
        row.id
        for row in rows_by_name.values()
        if row.listed and row.name not in items and row.name not in listing.kept_names
    ]
    await lock(connection, repositories, {*absent_ids, *(item["row"] for item in news)})
    for chunk in chunks(fresh):
        await connection.execute(insert(repositories), [_new_row(item, now) for item in chunk])
    if news:
        await connection.execute(_become_due(now), news)
    moved_ids = sorted(row.id for row in rows_by_name.values() if _has_another_branch(row, items.get(row.name)))
    await _forget(connection, absent_ids, moved_ids, now)
    await _tell(connection, listing.trouble, forge, now)


async def _forget(
    connection: AsyncConnection, absent_ids: Sequence[int], moved_ids: Sequence[int], now: datetime
) -> None:
    """What was read of the absent goes, and what merges by itself there is looked at: the bot takes its word for
    that back. What was found of the others hangs on a branch that is not the default one any more."""
    touched_bases: set[int] = set()
    for ids in chunks(absent_ids):
        base_ids = select(usages.c.base_id).where(usages.c.repository_id.in_(ids), usages.c.base_id.is_not(None))
        touched_bases |= set((await connection.execute(base_ids)).scalars())
    if await produced_by(connection, absent_ids):
        await lock_production(connection, changes=True)
    touched_bases = await with_mirrors(connection, touched_bases)
    await lock(connection, bases, touched_bases)
    for ids in chunks(absent_ids):
        await connection.execute(delete(usages).where(usages.c.repository_id.in_(ids)))
        await connection.execute(delete(repository_blobs).where(repository_blobs.c.repository_id.in_(ids)))
        await follow_own_bases(connection, ids, (), now)
        await forget_images(connection, ids)
        await forget_audits(connection, ids)
        await connection.execute(
            update(repositories)
            .where(repositories.c.id.in_(ids))
            .values(listed=False, tree=None, reader=None, error=None)
        )
    await audit_again(connection, moved_ids, now)
    await mark_used(connection, touched_bases)
    merging = list[int]()
    for ids in chunks(absent_ids):
        merging += await merging_by_themselves(connection, rebuilds.c.repository_id.in_(ids))
    await outdate(connection, merging, now)


async def _tell(connection: AsyncConnection, trouble: str | None, forge: str, now: datetime) -> None:
    unlisted, short = unlisted_at(forge), short_at(forge)
    if trouble is None:
        await tell_incidents(connection, (), (unlisted, short), now)
    else:
        await tell_incidents(connection, [Incident(short, now, trouble)], (unlisted,), now)


def _become_due(now: datetime) -> Any:
    """Takes the lease from whoever is reading the repository: that reading may be older than the push."""
    return (
        update(repositories)
        .where(repositories.c.id == bindparam("row"))
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


def _has_news(row: Any, item: Repository, reader: str | None) -> bool:
    return bool(
        item.pushed_lately
        or row.pushed_at != item.pushed_at
        or _has_another_branch(row, item)
        or not row.listed
        or (None not in (reader, row.reader) and row.reader.partition(IN_PART)[0] != reader)
    )


def _has_another_branch(row: Any, item: Repository | None) -> bool:
    """Whether another branch is the default one now, by which the audit tells what runs on a schedule."""
    return item is not None and row.default_branch != item.default_branch


def _settled_push(item: Repository) -> datetime | None:
    """None for a push whose time another may bear, so that the next listing makes the repository due once more."""
    return None if item.pushed_lately else item.pushed_at


def _new_row(item: Repository, now: datetime) -> dict[str, object]:
    return {
        "name": item.name,
        "forge": item.forge,
        "forge_id": item.id,
        "node_id": item.node_id,
        "default_branch": item.default_branch,
        "pushed_at": _settled_push(item),
        "listed": True,
        "config": dump(RepositoryConfig(), RepositoryConfig),
        "workflows": [],
        "problems": [],
        "due_at": now,
    }
