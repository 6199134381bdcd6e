"""How each listed repository stands to its bases: counted every half minute, so that every page can sort by it."""

from collections.abc import Mapping
from datetime import date
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, bindparam, case, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.images.standing import ImageState
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, upsert_rows
from bot.store.rows.bases.behind import DIFFERS, FLOATS, pin_key, pins_not_left
from bot.store.rows.bases.tables import bases
from bot.store.rows.images.images import images
from bot.store.rows.repositories.repositories import IS_WORD_UNREAD, standing_days, standings
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.rollouts import OPEN
from bot.store.rows.rollouts.tables import rebuilds
from bot.views.fleet.fleet import Standing

_RANK = {standing.value: rank for rank, standing in enumerate(Standing)}


class StandingStore(Store):
    """Counts how the repositories stand, and keeps each day's numbers."""

    async def count(self) -> int:
        """Brings the standings up to date; how many changed.

        What is counted is read aside, so that no writer waits for it, and what changed alone is written. Replicas
        that count at once write the same.
        """
        today = self._clock.now().date()
        async with self._database.reading() as connection:
            kept = await pins_not_left(connection)
            repositories_now = {row.id: row for row in await connection.execute(_COUNTED, {"kept": kept})}
            known = {row.repository_id: row for row in await connection.execute(select(standings))}
            counted = await connection.execute(_OF_DAY, {"day": today})
            counted_before = {row.standing: row.repositories for row in counted}
        changed = [_values(row) for id_, row in repositories_now.items() if not _is_same(row, known.get(id_))]
        gone = sorted(known.keys() - repositories_now.keys())
        totals = {standing.value: 0 for standing in Standing}
        for row in repositories_now.values():
            totals[row.standing] += 1
        if not changed and not gone and totals == counted_before:
            return 0
        async with self._database.transaction() as connection:
            await _keep(connection, changed)
            for ids in chunks(gone):
                await connection.execute(delete(standings).where(standings.c.repository_id.in_(ids)))
            await _keep_day(connection, today, totals)
        return len(changed) + len(gone)


async def _keep_day(connection: AsyncConnection, day: date, totals: Mapping[str, int]) -> None:
    rows = [{"day": day, "standing": standing, "repositories": number} for standing, number in totals.items()]
    await connection.execute(upsert_rows(connection, standing_days, ["day", "standing"], ["repositories"]), rows)


async def _keep(connection: AsyncConnection, changed: list[dict[str, Any]]) -> None:
    """A repository that was forgotten meanwhile has no standing any more."""
    counted_columns = ("rank", "standing", "since", "latest_rebuild")
    upsert_all = upsert_rows(connection, standings, ["repository_id"], counted_columns)
    for chunk in chunks(sorted(changed, key=itemgetter("repository_id"))):
        ids = [values["repository_id"] for values in chunk]
        there = set(
            (await connection.execute(select(repositories.c.id).where(repositories.c.id.in_(ids)))).scalars()
        )
        if mine := [values for values in chunk if values["repository_id"] in there]:
            await connection.execute(upsert_all, mine)


def _counted() -> Select[Any]:
    """A row for each listed repository: id, standing, since (for how long it is behind or has failed) and latest
    (the id of its latest rebuild). The counts read indexes alone."""
    used, built, waiting, old = _used(), _built(), _waiting(), _old()
    latest = rebuilds.alias()
    enabled: ColumnElement[Any] = repositories.c.config["enabled"].as_boolean()
    is_unproven = or_(built.c.succeeded_at.is_(None), built.c.succeeded_at < used.c.floated_at)
    has_failed = latest.c.state == RebuildState.FAILED.value
    is_unread = or_(repositories.c.error.is_not(None), repositories.c.read_at.is_(None), IS_WORD_UNREAD)
    standing = case(
        (is_unread, Standing.UNREADABLE.value),
        (enabled.is_(False), Standing.LEFT_ALONE.value),
        (used.c.repository_id.is_(None), Standing.NO_BASE.value),
        (has_failed, Standing.FAILED.value),
        (waiting.c.since.is_not(None), Standing.BEHIND.value),
        (used.c.differs == 1, Standing.BEHIND.value),
        (old.c.since.is_not(None), Standing.BEHIND.value),
        (old.c.doubted == 1, Standing.UNKNOWN.value),
        (and_(used.c.floated_at.is_not(None), is_unproven), Standing.UNKNOWN.value),
        else_=Standing.CURRENT.value,
    )
    since = case(
        (has_failed, func.coalesce(latest.c.waits_since, latest.c.planned_at)),
        (waiting.c.since.is_not(None), waiting.c.since),
        (used.c.differs == 1, used.c.differs_since),
        (old.c.since.is_not(None), old.c.since),
    )
    return (
        select(repositories.c.id, standing.label("standing"), since.label("since"), built.c.latest)
        .outerjoin(used, used.c.repository_id == repositories.c.id)
        .outerjoin(built, built.c.repository_id == repositories.c.id)
        .outerjoin(old, old.c.repository_id == repositories.c.id)
        .outerjoin(waiting, waiting.c.repository_id == repositories.c.id)
        .outerjoin(latest, latest.c.id == built.c.latest)
        .where(repositories.c.listed.is_(True))
    )


def _used() -> Subquery:
    """By repository, how the bases that it uses have moved on: past what it pins, or under a tag that floats.
    `kept` are the pins that their bases have not left."""
    is_left = and_(DIFFERS, pin_key().not_in(bindparam("kept", expanding=True)))
    return (
        select(
            usages.c.repository_id,
            func.max(case((is_left, 1), else_=0)).label("differs"),
            func.max(case((is_left, bases.c.moved_at))).label("differs_since"),
            func.max(case((FLOATS, bases.c.moved_at))).label("floated_at"),
        )
        .join(bases, bases.c.id == usages.c.base_id)
        .group_by(usages.c.repository_id)
        .subquery()
    )


def _built() -> Subquery:
    """By repository, its latest rebuild, and when one last succeeded."""
    return (
        select(
            rebuilds.c.repository_id,
            func.max(rebuilds.c.id).label("latest"),
            func.max(case((rebuilds.c.state == RebuildState.SUCCEEDED.value, rebuilds.c.ended_at))).label(
                "succeeded_at"
            ),
        )
        .group_by(rebuilds.c.repository_id)
        .subquery()
    )


def _waiting() -> Subquery:
    """By repository, since when a rebuild of it is open."""
    return (
        select(
            rebuilds.c.repository_id,
            func.min(func.coalesce(rebuilds.c.waits_since, rebuilds.c.planned_at)).label("since"),
        )
        .where(rebuilds.c.state.in_(OPEN))
        .group_by(rebuilds.c.repository_id)
        .subquery()
    )


_DOUBTED = (ImageState.CONTRADICTED.value, ImageState.UNSEEN_BUILD.value)


def _old() -> Subquery:
    """By repository, since when an image that it produces is behind, and whether one contradicts what its files
    name or stands on a build of it that was not seen."""
    doubted = case((images.c.state.in_(_DOUBTED), 1), else_=0)
    return (
        select(
            images.c.repository_id,
            func.min(images.c.behind_since).label("since"),
            func.max(doubted).label("doubted"),
        )
        .group_by(images.c.repository_id)
        .subquery()
    )


_COUNTED = _counted()
_OF_DAY = select(standing_days.c.standing, standing_days.c.repositories).where(
    standing_days.c.day == bindparam("day")
)


def _values(row: Any) -> dict[str, Any]:
    return {
        "repository_id": row.id,
        "rank": _RANK[row.standing],
        "standing": row.standing,
        "since": row.since,
        "latest_rebuild": row.latest,
    }


def _is_same(row: Any, known: Any) -> bool:
    if known is None:
        return False
    return (row.standing, row.since, row.latest) == (known.standing, known.since, known.latest_rebuild)
