"""Notices that stand, as rows, and who is concerned by them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.notice import OpenNotice, Topic
from bot.domain.reference import Base
from bot.store.engine.codec import load, readable
from bot.store.rows.bases.tables import base_of, bases, notices
from bot.store.rows.repositories.tables import repositories, usages


async def open_notices(connection: AsyncConnection) -> list[OpenNotice]:
    """Reads the notices that are open, oldest first."""
    rows = await connection.execute(
        select(notices, bases.c.registry, bases.c.repository, bases.c.tag)
        .join(bases, bases.c.id == notices.c.base_id)
        .where(notices.c.cleared_at.is_(None))
        .order_by(notices.c.since, notices.c.id)
    )
    return readable(rows, _notice, lambda row: f"notice {row.id}")


def _notice(row: Row[Any]) -> OpenNotice:
    return OpenNotice(
        row.id,
        Topic(row.topic),
        base_of(row),
        row.since,
        row.until,
        row.text,
        load(row.toward, tuple[Base, ...]),
        row.told_with is not None,
        row.opened_at,
    )


async def users_of(connection: AsyncConnection, ids: Iterable[int]) -> dict[int, list[str]]:
    """The repositories that build on each of these bases, or on a copy of it in a mirror."""
    copies = bases.alias("copies")
    rows = await connection.execute(
        select(bases.c.id, repositories.c.name)
        .join(copies, or_(copies.c.id == bases.c.id, copies.c.upstream_id == bases.c.id))
        .join(usages, usages.c.base_id == copies.c.id)
        .join(repositories, repositories.c.id == usages.c.repository_id)
        .where(bases.c.id.in_(list(ids)), repositories.c.listed.is_(True))
        .distinct()
        .order_by(repositories.c.name)
    )
    names_by_base: dict[int, list[str]] = {}
    for row in rows:
        names_by_base.setdefault(row.id, []).append(row.name)
    return names_by_base
