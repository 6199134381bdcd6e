"""The newest time in what is kept of each source, what maintainers hear of one that tells nothing new, and what a
document said before and says no more, while that is doubted."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import Incident
from bot.domain.feeds.document import CADENCES, silence
from bot.store.engine.codec import dump, load, readable
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.bases.tables import documents
from bot.store.rows.inventories.vulnerabilities import dumps
from bot.upstream.feeds.doubts import DoubtedLoss


def dump_doubts(doubts: tuple[DoubtedLoss, ...]) -> Any:
    """The value of a column of doubts; None where nothing is in doubt."""
    return dump(doubts, tuple[DoubtedLoss, ...]) if doubts else None


def load_doubts(data: Any) -> tuple[DoubtedLoss, ...]:
    return load(data, tuple[DoubtedLoss, ...]) if data else ()


_SUBJECT = "source:"


async def newest_times(connection: AsyncConnection) -> dict[str, datetime]:
    """By the names under which sources have a cadence; of documents of one kind the newest counts."""
    of_kinds = select(documents.c.kind.label("source"), func.max(documents.c.newest_at).label("at"))
    of_dumps = select(dumps.c.ecosystem.label("source"), dumps.c.newest_at.label("at"))
    rows = await connection.execute(union_all(of_kinds.group_by(documents.c.kind), of_dumps))
    times = readable(rows, lambda row: (row.source, row.at), lambda row: f"the newest time in {row.source}")
    return {source: newest_at for source, newest_at in times if newest_at is not None}


async def tell_silence(connection: AsyncConnection, source: str, now: datetime) -> None:
    """Opens an incident where a source tells nothing new any more, and ends that where it does again."""
    cadence = CADENCES.get(source)
    if cadence is None:
        return
    silence_text = silence(source, (await newest_times(connection)).get(source), now)
    subject = f"{_SUBJECT}{cadence.name}"
    if silence_text is None:
        await tell_incidents(connection, [], [subject], now)
    else:
        detail = f"{silence_text}; what it would tell is not known, and {cadence.grounds}"
        await tell_incidents(connection, [Incident(subject, now, detail)], [], now)
