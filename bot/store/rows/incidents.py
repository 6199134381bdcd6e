"""Incidents: what is wrong outside, told once when it begins and once when it is over."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.inserting import insert_missing
from bot.store.rows.outbox import announce
from bot.store.rows.tables import incidents


async def open_incident(
    connection: AsyncConnection, subject: str, opened_at: datetime, detail: str, at: datetime
) -> None:
    """Causes a message; an incident that is open already keeps its beginning and causes none."""
    added = await connection.execute(
        insert_missing(connection, incidents, subject=subject, opened_at=opened_at, detail=detail).returning(
            incidents.c.id
        )
    )
    for row in added.all():
        await announce(connection, f"incident:{row.id}", at)


async def clear_incidents(connection: AsyncConnection, subjects: Sequence[str], at: datetime) -> None:
    """Ends those that are open, and causes a message for each."""
    ended = await connection.execute(
        update(incidents)
        .where(incidents.c.subject.in_(subjects), incidents.c.cleared_at.is_(None))
        .values(cleared_at=at)
        .returning(incidents.c.id)
    )
    for row in ended.all():
        await announce(connection, f"incident:{row.id}", at)


async def open_since(connection: AsyncConnection, subject: str) -> datetime | None:
    found = select(incidents.c.opened_at).where(incidents.c.subject == subject, incidents.c.cleared_at.is_(None))
    return (await connection.execute(found)).scalar_one_or_none()
