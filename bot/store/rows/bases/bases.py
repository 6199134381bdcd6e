"""The rows of bases, as far as the usages of repositories make, use and leave them."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Reading
from bot.domain.rollouts.pinning import wanted_reference
from bot.store.engine.inserting import chunks, insert_missing
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.repositories.tables import usages
from bot.store.rows.rollouts.served import last_changes

_COPIES = bases.alias()


def has_base_name(name: str) -> ColumnElement[bool]:
    """Selects the base whose whole name this is, as `str(base)` writes it."""
    path, _, tag = name.rpartition(":")
    registry, _, repository = path.partition("/")
    return and_(bases.c.tag == tag, bases.c.repository == repository, bases.c.registry == registry)


def has_name_among(some_bases: Collection[Base]) -> ColumnElement[bool]:
    """Selects these bases: some hundred, since each is three parameters."""
    names = [(base.registry, base.repository, base.tag) for base in some_bases]
    return tuple_(bases.c.registry, bases.c.repository, bases.c.tag).in_(names)


async def base_ids(connection: AsyncConnection, some_bases: set[Base], now: datetime) -> dict[Base, int]:
    """Returns the ids of bases, and adds those that are new, which become due at once."""
    ids = await _ids_of(connection, some_bases)
    missing = sorted(some_bases - ids.keys())
    for base in missing:
        place = {"registry": base.registry, "repository": base.repository, "tag": base.tag}
        await connection.execute(insert_missing(connection, bases, **place, due_at=now, used=True))
    return ids | await _ids_of(connection, set(missing))


async def _ids_of(connection: AsyncConnection, some_bases: set[Base]) -> dict[Base, int]:
    ids: dict[Base, int] = {}
    for chunk in chunks(sorted({base.tag for base in some_bases})):
        rows = await connection.execute(
            select(bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag).where(bases.c.tag.in_(chunk))
        )
        ids |= {base_of(row): row.id for row in rows}
    return {base: id_ for base, id_ in ids.items() if base in some_bases}


async def mark_used(connection: AsyncConnection, ids: Collection[int]) -> None:
    """Marks the bases that some usage follows, since only these are polled, and those of which one of them is a
    copy; the latter are marked last."""
    is_followed = select(usages.c.id).where(usages.c.base_id == bases.c.id).exists()
    is_copied = select(_COPIES.c.id).where(_COPIES.c.upstream_id == bases.c.id, _COPIES.c.used.is_(True)).exists()
    is_copy = bases.c.upstream_id.is_not(None)
    for is_concerned, is_used in ((is_copy, is_followed), (~is_copy, or_(is_followed, is_copied))):
        for chunk in chunks(sorted(ids)):
            conditions = (bases.c.id.in_(chunk), is_concerned, bases.c.used != is_used)
            await connection.execute(update(bases).where(*conditions).values(used=is_used))


async def left_behind(connection: AsyncConnection, reading: Reading, ids: Mapping[Base, int]) -> set[int]:
    """Reads the last change of each base that has left behind what the repository pins: it is new, or was put back.

    A base that has not moved since it is watched has no such change: a first run finds the fleet as it is.
    """
    rows = await connection.execute(
        select(bases.c.id, bases.c.digest, bases.c.version).where(bases.c.id.in_(ids.values()))
    )
    now = {row.id: (row.digest, row.version) for row in rows}
    behind = set()
    for usage, base in reading.usages:
        digest, version = now.get(ids.get(base, 0), (None, None)) if base is not None else (None, None)
        if base is None or digest is None:
            continue
        target = wanted_reference(usage.reference, base, digest, version)
        if isinstance(target, Reference) and target != usage.reference:
            behind.add(ids[base])
    if not behind:
        return set()
    change_rows = await connection.execute(last_changes(behind))
    return {row.id for row in change_rows}
