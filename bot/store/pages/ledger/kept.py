"""The list of all CVEs as it was last worked out, kept for whoever asks next, also in another process."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.codec import dump, load, readable
from bot.store.rows.inventories.kept_ledger import kept_ledger
from bot.views.images.ledger import CveRow


@dataclass(frozen=True, slots=True)
class FleetLedger:
    """The CVEs that some image waited for at that time, the most severe first."""

    at: datetime
    rows: tuple[CveRow, ...]
    not_known: int
    gaps: tuple[str, ...]


TAKEN_FOR = timedelta(minutes=15)
"""What is kept is renewed before this, as long as the bot runs."""


async def read_kept(
    connection: AsyncConnection, now: datetime, known: FleetLedger | None = None
) -> FleetLedger | None:
    """Reads what was kept last; None where that is too long ago, or there is nothing. It may be thousands of CVEs:
    where it is what is `known`, that is given back and nothing decoded."""
    at = kept_ledger.c.at
    ledger = kept_ledger.c.ledger if known is None else case((at != known.at, kept_ledger.c.ledger))
    query = select(at, ledger.label("ledger")).where(at > now - TAKEN_FOR, at <= now)
    rows = await connection.execute(query.order_by(at.desc()).limit(1))
    ledgers = readable(
        rows,
        lambda row: known if known is not None and row.at == known.at else load(row.ledger, FleetLedger),
        lambda _: "the ledger of the fleet",
    )
    return next(iter(ledgers), None)


async def is_kept(connection: AsyncConnection, now: datetime, at_most: timedelta) -> bool:
    """Whether there is a list that was worked out no longer ago than that."""
    at = kept_ledger.c.at
    return bool(await connection.scalar(select(exists().where(at > now - at_most, at <= now))))


async def keep(connection: AsyncConnection, ledger: FleetLedger) -> None:
    """Keeps it in place of what was kept before."""
    await connection.execute(delete(kept_ledger))
    await connection.execute(insert(kept_ledger).values(at=ledger.at, ledger=dump(ledger, FleetLedger)))
