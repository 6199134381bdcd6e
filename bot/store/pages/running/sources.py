"""The sources that tell what runs, with the times through which they were read as a whole."""

from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.running.exposure import CoveredSource
from bot.domain.running.runs import Coverage
from bot.domain.running.snapshot import AZURE_KINDS
from bot.store.rows.running.running import running_looks, running_places, running_sources

_BY_TAG = (
    select(func.count())
    .select_from(running_places)
    .where(
        running_places.c.source_id == running_sources.c.id,
        running_places.c.pulls_since.is_not(None),
        running_places.c.kind.in_(AZURE_KINDS),
    )
    .scalar_subquery()
    .label("by_tag")
)


async def read_sources(connection: AsyncConnection, environment: str | None = None) -> dict[int, CoveredSource]:
    """The sources by their ids, of one environment, or of one name, where that is given."""
    query = select(running_sources, _BY_TAG).order_by(running_sources.c.name)
    if environment is not None:
        query = query.where(
            or_(running_sources.c.environment == environment, running_sources.c.name == environment)
        )
    rows = (await connection.execute(query)).all()
    if not rows:
        return {}
    covered: dict[int, list[Coverage]] = {}
    for look in await connection.execute(select(running_looks).order_by(running_looks.c.since)):
        covered.setdefault(look.source_id, []).append(Coverage(look.since, look.until))
    return {
        row.id: CoveredSource(
            *(row.name, row.environment, tuple(covered.get(row.id, ())), timedelta(seconds=row.stale_after)),
            *(row.is_listed, tuple(row.not_read or ()), row.error or "", row.by_tag),
        )
        for row in rows
    }
