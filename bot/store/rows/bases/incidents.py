"""Incidents: what is wrong outside, told once when it begins and once when it is over."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import Incident
from bot.domain.clock import AHEAD
from bot.store.engine.inserting import insert_missing
from bot.store.rows.bases.tables import incidents
from bot.store.rows.outbox import announce


async def tell_incidents(
    connection: AsyncConnection, opened: Collection[Incident], over: Collection[str], at: datetime
) -> None:
    """Opens incidents and ends those on the subjects `over`; each beginning and each end causes a message.

    One that is open already keeps its beginning; by a clock that was ahead it begins now. One subject after the
    other, since who opens one waits for whoever is just ending it.
    """
    beginning = {incident.subject: incident for incident in opened}
    for subject in sorted({*beginning, *over}):
        if subject in over:
            await _end(connection, subject, at)
        if subject in beginning:
            await _open(connection, beginning[subject], at)


async def _open(connection: AsyncConnection, incident: Incident, at: datetime) -> None:
    values = {"subject": incident.subject, "opened_at": incident.opened_at, "detail": incident.detail}
    added = await connection.scalar(insert_missing(connection, incidents, **values).returning(incidents.c.id))
    if added is not None:
        await announce(connection, f"incident:{added}", at)
        return
    is_ahead = incidents.c.opened_at > at + AHEAD
    known = incidents.c.subject == incident.subject, incidents.c.cleared_at.is_(None)
    await connection.execute(update(incidents).where(*known, is_ahead).values(opened_at=incident.opened_at))


async def _end(connection: AsyncConnection, subject: str, at: datetime) -> None:
    ended = await connection.scalar(
        update(incidents)
        .where(incidents.c.subject == subject, incidents.c.cleared_at.is_(None))
        .values(cleared_at=at)
        .returning(incidents.c.id)
    )
    if ended is not None:
        await announce(connection, f"incident:{ended}", at)


async def open_since(connection: AsyncConnection, subject: str) -> datetime | None:
    found = select(incidents.c.opened_at).where(incidents.c.subject == subject, incidents.c.cleared_at.is_(None))
    return (await connection.execute(found)).scalar_one_or_none()
