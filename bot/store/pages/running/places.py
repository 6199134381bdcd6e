"""What runs now, as sources have told it last."""

from sqlalchemy import and_, func, select

from bot.domain.running.exposure import CoveredSource
from bot.store.engine.among import is_among
from bot.store.engine.store import Store
from bot.store.pages.running.exposure import read_producers
from bot.store.pages.running.sources import read_sources
from bot.store.rows.running.running import place_columns, running_builds, running_places, running_sources, runs
from bot.views.paging import Cut, page_of
from bot.views.running.places import RunningList, RunningRow, running_now

_IS_OPEN = and_(runs.c.until.is_(None), is_among(running_places.c.source_id, "sources"))
_COUNTED = (
    select(func.count(), func.count(runs.c.place_id.distinct()))
    .join(running_places, running_places.c.id == runs.c.place_id)
    .where(_IS_OPEN)
)
_BUILDS = (
    select(runs.c.place_id, runs.c.build_id, runs.c.image)
    .join(running_places, running_places.c.id == runs.c.place_id)
    .where(_IS_OPEN)
)
_ROWS = (
    select(runs, running_builds.c.digest, running_places, running_sources.c.name, running_sources.c.environment)
    .join(running_places, running_places.c.id == runs.c.place_id)
    .join(running_sources, running_sources.c.id == running_places.c.source_id)
    .join(running_builds, running_builds.c.id == runs.c.build_id)
    .where(_IS_OPEN)
    .order_by(running_sources.c.name, *place_columns, runs.c.since, runs.c.id)
)


class RunningPlacesStore(Store):
    """Reads what runs, and writes nothing."""

    async def running(self, cut: Cut, source: str | None = None) -> RunningList:
        """One page of what runs now in the sources that settings name, or in one of that name or environment."""
        async with self._database.reading() as connection:
            sources = {
                number: each for number, each in (await read_sources(connection, source)).items() if each.is_listed
            }
            given = {"sources": sources}
            number, places = (await connection.execute(_COUNTED, given)).one()
            built = (await connection.execute(_BUILDS, given)).all()
            producers = await read_producers(connection, {row.build_id: row.image for row in built})
            rows = (await connection.execute(_ROWS.limit(cut.per_page).offset(cut.offset), given)).all()
        nobodys = len({row.place_id for row in built if not producers[row.build_id]})
        items = tuple(
            RunningRow(
                *(row.name, row.environment, row.namespace, row.kind, row.workload, row.container),
                *(row.image, row.digest, row.since, row.is_older, row.seen_at, row.pods),
                producers[row.build_id],
            )
            for row in rows
        )
        page = page_of(items, number, cut)
        return running_now(tuple(sources.values()), places, nobodys, page, self._clock.now())

    async def sources(self) -> tuple[CoveredSource, ...]:
        """The sources that settings name, each with the times through which it was read as a whole."""
        async with self._database.reading() as connection:
            return tuple(each for each in (await read_sources(connection)).values() if each.is_listed)
