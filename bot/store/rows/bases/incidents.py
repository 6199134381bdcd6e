"""Incidents: what is wrong outside, told once when it begins and once when it is over."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import Incident
from bot.domain.clock import AHEAD
from bot.store.engine.writing import insert_missing
from bot.store.rows.bases.tables import incidents
from bot.store.rows.tables import announce


async def tell_incidents(
    connection: AsyncConnection, opened: Collection[Incident], over: Collection[str], now: datetime
) -> None:
    """Opens incidents and ends those on the subjects `over`; each beginning and each end causes a message.

    One that is open already keeps its beginning; by a clock that was ahead it begins now. One subject after the
    other, since who opens one waits for whoever is just ending it.
    """
    beginning = {incident.subject: incident for incident in opened}
    for subject in sorted({*beginning, *over}):
        if subject in over:
            await _end(connection, subject, now)
        if subject in beginning:
            await _open(connection, beginning[subject], now)


async def _open(connection: AsyncConnection, incident: Incident, now: datetime) -> None:
    values = {"subject": incident.subject, "opened_at": incident.opened_at, "detail": incident.detail}
    new_id = await connection.scalar(insert_missing(connection, incidents, **values).returning(incidents.c.id))
    if new_id is not None:
        await announce(connection, f"incident:{new_id}", now)
        return
    is_ahead = incidents.c.opened_at > now + AHEAD
    is_open = incidents.c.subject == incident.subject, incidents.c.cleared_at.is_(None)
    await connection.execute(update(incidents).where(*is_open, is_ahead).values(opened_at=incident.opened_at))


async def _end(connection: AsyncConnection, subject: str, now: datetime) -> None:
    ended_id = await connection.scalar(
        update(incidents)
        .where(incidents.c.subject == subject, incidents.c.cleared_at.is_(None))
        .values(cleared_at=now)
        .returning(incidents.c.id)
    )
    if ended_id is not None:
        await announce(connection, f"incident:{ended_id}", now)


async def open_since(connection: AsyncConnection, subject: str) -> datetime | None:
    query = select(incidents.c.opened_at).where(incidents.c.subject == subject, incidents.c.cleared_at.is_(None))
    return (await connection.execute(query)).scalar_one_or_none()
