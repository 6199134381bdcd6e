"""The rows of bases that are copies: what each is a copy of, and how far it is behind."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.mirrors import Behind, Copied, Likeness, copied, mirror_prefix, took
from bot.domain.bases.observation import Observation
from bot.domain.reference import Base
from bot.store.engine.codec import load, readable
from bot.store.engine.writing import chunks
from bot.store.rows.bases.observations import histories, latest_observations, loaded
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.repositories.tables import usages
from bot.views.bases.mirrors import MirrorStatus, Took, took_of

MOST_PUBLISHED = 30
"""So many publications of upstream are compared with what a mirror shows, before all of them are."""

upstreams = bases.alias("upstreams")
"""What a base is a copy of."""
IS_BEHIND = and_(bases.c.used.is_(True), bases.c.behind_since.is_not(None))
"""Selects the mirrors' bases in use that do not show yet what upstream does."""
IS_IN_TROUBLE = or_(
    bases.c.error != "",
    bases.c.digest.is_(None),
    and_(
        bases.c.upstream_id.is_not(None),
        or_(bases.c.behind_since.is_not(None), bases.c.unconfirmed.is_not(None), bases.c.likeness.is_(None)),
    ),
)
"""Selects the bases of which the views' `is_in_trouble` holds."""


async def with_mirrors(connection: AsyncConnection, numbers: Collection[int]) -> set[int]:
    """These bases with those that are copies of them, or that they are copies of: all whose rows may follow from
    theirs."""
    both_sides = set(numbers)
    for part in chunks(sorted(numbers)):
        rows = await connection.execute(
            select(bases.c.id, bases.c.upstream_id).where(
                bases.c.upstream_id.is_not(None), or_(bases.c.id.in_(part), bases.c.upstream_id.in_(part))
            )
        )
        both_sides |= {number for row in rows for number in row}
    return both_sides


async def link_mirrors(
    connection: AsyncConnection, ids: Mapping[Base, int], upstream_of: Mapping[Base, Base], now: datetime
) -> None:
    """Notes of bases what they are copies of, as the operator says now; the rows must be locked."""
    before = {
        row.id: row.upstream_id
        for part in chunks(sorted(ids.values()))
        for row in await connection.execute(select(bases.c.id, bases.c.upstream_id).where(bases.c.id.in_(part)))
    }
    news = {
        number: ids[upstream_of[base]] if base in upstream_of else None
        for base, number in ids.items()
        if before.get(number) != (ids[upstream_of[base]] if base in upstream_of else None)
    }
    if not news:
        return
    nothing = {"upstream_digest": None, "likeness": None, "behind_since": None}
    statement = update(bases).where(bases.c.id == bindparam("row"))
    await connection.execute(
        statement.values(upstream_id=bindparam("upstream"), **nothing),
        [{"row": number, "upstream": upstream} for number, upstream in sorted(news.items())],
    )
    await compare_mirrors(connection, news, now)


async def compare_mirrors(connection: AsyncConnection, numbers: Collection[int], now: datetime) -> None:
    """Works out how mirrors stand to their upstreams where either is among these bases, whose rows are locked.

    Who may show something new by now is looked at at once: mirrors of what has moved, and the upstream of a mirror
    that shows what upstream was not seen with.
    """
    rows = await _read_pairs(connection, numbers)
    if not rows:
        return
    ids = {row.id: base_of(row) for row in rows}
    above = {row.upstream_id: _upstream(row) for row in rows}
    histories_here = loaded(ids, await latest_observations(connection, sorted(ids), 1))
    published = loaded(above, await latest_observations(connection, sorted(above), MOST_PUBLISHED))

    def compared() -> list[tuple[Row[Any], Copied]]:
        return [
            (
                row,
                _compare_copy(row, histories_here.get(ids[row.id], []), published.get(above[row.upstream_id], [])),
            )
            for row in rows
        ]

    pairs = compared()
    older = {
        row.upstream_id for row, copy in pairs if _may_be_older(copy, published.get(above[row.upstream_id], []))
    }
    if older:
        published |= loaded(above, await histories(connection, sorted(older)))
        pairs = compared()
    values = [
        {
            "row": row.id,
            "published": row.up_digest,
            "alike": copy.likeness.value if copy.likeness is not None else None,
            "late": copy.behind_since,
        }
        for row, copy in pairs
    ]
    statement = (
        update(bases)
        .where(bases.c.id == bindparam("row"))
        .values(upstream_digest=bindparam("published"), likeness=bindparam("alike"), behind_since=bindparam("late"))
    )
    await connection.execute(statement, values)
    late_ids = {row.id for row, each in pairs if each.behind_since is not None and row.upstream_id in numbers}
    late_ids |= {row.upstream_id for row, each in pairs if each.behind_since is not None and each.shows is None}
    for part in chunks(sorted(late_ids)):
        waiting = (bases.c.id.in_(part), bases.c.lease_owner.is_(None), bases.c.due_at > now)
        await connection.execute(update(bases).where(*waiting).values(due_at=now))


async def behind_of_homes(connection: AsyncConnection, homes: Collection[int]) -> dict[int, tuple[Behind, ...]]:
    """The mirrors' bases that are behind, by the repositories that build on them, of these repositories."""
    behind_of_base = {row.id: behind_of(row) for row in await connection.execute(_with_upstream().where(IS_BEHIND))}
    behinds_by_home: dict[int, list[Behind]] = {}
    for part in chunks(sorted(homes)) if behind_of_base else ():
        rows = await connection.execute(
            select(usages.c.repository_id, usages.c.base_id)
            .join(bases, bases.c.id == usages.c.base_id)
            .where(usages.c.repository_id.in_(part), IS_BEHIND)
            .distinct()
            .order_by(usages.c.repository_id, usages.c.base_id)
        )
        for row in rows:
            behinds_by_home.setdefault(row.repository_id, []).append(behind_of_base[row.base_id])
    return {home: tuple(behinds) for home, behinds in behinds_by_home.items()}


async def lags_of_mirrors(connection: AsyncConnection, now: datetime) -> dict[str, timedelta]:
    """Reads by mirror for how long the base that is behind longest has not shown what upstream does."""
    lags: dict[str, timedelta] = {}
    for row in await connection.execute(_with_upstream().where(bases.c.used.is_(True))):
        place = mirror_prefix(base_of(row), _upstream(row))
        lag = timedelta() if row.behind_since is None else max(now - row.behind_since, timedelta())
        lags[place] = max(lag, lags.get(place, timedelta()))
    return lags


async def behind(connection: AsyncConnection) -> list[Behind]:
    """The mirrors' bases in use that do not show yet what upstream does."""
    return [behind_of(row) for row in await connection.execute(_with_upstream().where(IS_BEHIND))]


def behind_of(row: Any) -> Behind:
    """Reads a row of a mirror's base that is behind."""
    foreign = row.digest if row.likeness is None else None
    return Behind(base_of(row), _upstream(row), row.up_digest, row.behind_since, foreign)


async def took_by(connection: AsyncConnection, mirror: int, upstream: int) -> Took | None:
    """Reads how long a mirror's base took to show what upstream had published, of late."""
    rows = await latest_observations(connection, [mirror, upstream], MOST_PUBLISHED)
    sights: dict[int, list[Observation]] = {mirror: [], upstream: []}
    pairs = readable(
        rows, lambda row: (row.base_id, load(row.observation, Observation)), lambda row: f"observation {row.id}"
    )
    for number, sight in pairs:
        sights[number].append(sight)
    return took_of([lag for _, lag in took(sights[mirror], sights[upstream])])


async def statuses(connection: AsyncConnection, condition: ColumnElement[bool]) -> dict[int, MirrorStatus]:
    """Reads how the copies stand of which `condition` holds, by the ids of their bases."""
    rows = await connection.execute(_with_upstream().where(condition))
    return {row.id: _status(row) for row in rows}


def _status(row: Any) -> MirrorStatus:
    return MirrorStatus(
        str(_upstream(row)),
        Likeness(row.likeness) if row.likeness is not None else None,
        behind_of(row) if row.behind_since is not None else None,
        row.unconfirmed,
    )


def _with_upstream() -> Select[Any]:
    return select(
        bases,
        upstreams.c.registry.label("up_registry"),
        upstreams.c.repository.label("up_repository"),
        upstreams.c.tag.label("up_tag"),
        upstreams.c.digest.label("up_digest"),
    ).join(upstreams, upstreams.c.id == bases.c.upstream_id)


async def _read_pairs(connection: AsyncConnection, numbers: Collection[int]) -> list[Row[Any]]:
    rows: dict[int, Row[Any]] = {}
    for part in chunks(sorted(numbers)):
        either = or_(bases.c.id.in_(part), bases.c.upstream_id.in_(part))
        rows |= {row.id: row for row in await connection.execute(_with_upstream().where(either))}
    return [rows[number] for number in sorted(rows)]


def _may_be_older(copy: Copied, published: Sequence[Observation]) -> bool:
    """Whether a copy that shows none of the latest publications may show one from before: it may stand still for a
    year."""
    return copy.likeness is None and len(published) == MOST_PUBLISHED


def _compare_copy(row: Any, sights: list[Observation], published: list[Observation]) -> Copied:
    """Nothing is told of a mirror before both were seen."""
    if row.digest is None or not sights or sights[-1].digest is None:
        return Copied(None, None, None)
    return copied(sights[-1], published)


def _upstream(row: Any) -> Base:
    return Base(row.up_registry, row.up_repository, row.up_tag)
