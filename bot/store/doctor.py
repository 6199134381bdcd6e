"""What `doctor` reads of the store."""

from datetime import datetime

from sqlalchemy import func, select

from bot.domain.bases.followed_base import is_patch_pinned
from bot.domain.bases.observation import ShowsTwo
from bot.domain.reference import Base
from bot.domain.repositories.repository import FleetRepository
from bot.domain.repositories.usage import Usage
from bot.store.engine.codec import load, readable
from bot.store.engine.store import Store
from bot.store.rows.bases.tables import base_of, bases, documents, shows_two_in
from bot.store.rows.inventories.vulnerabilities import dumps
from bot.store.rows.news import newest_times
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.rebuilds import MEMBER, fleet_repository_of
from bot.store.rows.running.running import running_looks, running_sources


class DoctorStore(Store):
    """Reads what `doctor` asks of the store, and writes nothing."""

    async def feed_readings(self) -> dict[str, tuple[datetime | None, str | None]]:
        """Reads when each document of a feed was last asked for with success, and what went wrong last."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(documents.c.url, documents.c.checked_at, documents.c.error))
            read = await connection.execute(select(dumps.c.place, dumps.c.checked_at, dumps.c.error))
            return {
                **{row.url: (row.checked_at, row.error) for row in rows},
                **{row.place: (row.checked_at, row.error) for row in read},
            }

    async def newest_times(self) -> dict[str, datetime]:
        """Reads the newest time in what is kept of each source, by the names of `CADENCES`."""
        async with self._database.reading() as connection:
            return await newest_times(connection)

    async def whole_lists(self) -> dict[str, datetime]:
        """Reads when each source of what runs was last told as a whole."""
        last = func.max(running_looks.c.until).label("until")
        told = running_sources.join(running_looks, running_looks.c.source_id == running_sources.c.id)
        async with self._database.reading() as connection:
            query = select(running_sources.c.name, last).select_from(told).group_by(running_sources.c.name)
            return {row.name: row.until for row in await connection.execute(query)}

    async def used_bases(self) -> list[Base]:
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(bases.c.registry, bases.c.repository, bases.c.tag).where(bases.c.used).order_by(bases.c.id)
            )
            return [base_of(row) for row in rows]

    async def shown_in_turn(self) -> list[tuple[Base, ShowsTwo]]:
        """The bases in use of which the registry shows two digests in turn."""
        async with self._database.reading() as connection:
            is_doubted = bases.c.used.is_(True) & bases.c.other_digest.is_not(None)
            rows = await connection.execute(select(bases).where(is_doubted).order_by(bases.c.id))
            return [(base_of(row), doubt) for row in rows if (doubt := shows_two_in(row)) is not None]

    async def members(self) -> list[tuple[FleetRepository, tuple[Base, ...]]]:
        """Every repository of the fleet that stands on a watched base, with those of its bases that float."""
        following = select(usages.c.repository_id).where(usages.c.base_id.is_not(None))
        async with self._database.reading() as connection:
            homes = await connection.execute(
                select(*MEMBER)
                .where(repositories.c.listed, repositories.c.id.in_(following))
                .order_by(repositories.c.name)
            )
            known = readable(
                homes.mappings(), lambda row: fleet_repository_of(row, {}), lambda row: f"repository {row['id']}"
            )
            usage_rows = await connection.execute(
                select(usages.c.id, usages.c.repository_id, usages.c.usage).where(usages.c.base_id.is_not(None))
            )
            pairs = readable(
                usage_rows, lambda row: (row.repository_id, load(row.usage, Usage)), lambda row: f"usage {row.id}"
            )
        floating: dict[int, set[Base]] = {}
        for home, usage in pairs:
            if usage.reference.digest is None and not is_patch_pinned(usage.reference):
                floating.setdefault(home, set()).add(usage.reference.base)
        return [(each, tuple(sorted(floating.get(each.id, ())))) for each in known]
