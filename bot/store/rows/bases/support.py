"""Which bases in use get no more fixes, or soon none, and which repositories stand on them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.dotnet import DotnetVersion
from bot.domain.bases.notice import Topic
from bot.domain.bases.support import Support, SupportState, support_of_base
from bot.store.engine.codec import readable
from bot.store.rows.bases.tables import base_of, bases, notices
from bot.store.rows.repositories.tables import repositories, usages

_IS_ITS_END = and_(
    notices.c.base_id == bases.c.id, notices.c.topic == Topic.END_OF_LIFE.value, notices.c.cleared_at.is_(None)
)


async def ends_of_support(
    connection: AsyncConnection, today: date, *conditions: ColumnElement[bool]
) -> dict[int, Support]:
    """What ends, or has ended, of each base where that is worth telling, by the bases' ids.

    A base's name tells it; where that names no version, or one that is newer than the bot, the release feed does.
    """
    columns = (bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag, bases.c.version, notices.c.since)
    query = select(*columns).select_from(bases.outerjoin(notices, _IS_ITS_END)).where(*conditions)
    read = readable(
        await connection.execute(query), lambda row: (row.id, _end(row, today)), lambda row: f"base {row.id}"
    )
    return {id_: end for id_, end in read if end is not None and end.is_told(today)}


def _end(row: Any, today: date) -> Support | None:
    by_name = support_of_base(base_of(row), today)
    if by_name is not None or row.since is None:
        return by_name
    version = DotnetVersion.parse(row.version)
    return Support(f".NET {version.channel}" if version else base_of(row).short, row.since.date())


def in_state(ends: Mapping[int, Support], state: SupportState, today: date) -> list[int]:
    """The ids of those bases whose support goes so."""
    return sorted(id_ for id_, end in ends.items() if end.state(today) is state)


def stands_on_end(ends: Mapping[int, Support], state: SupportState, today: date) -> ColumnElement[bool]:
    """The condition that the first end of what a repository stands on goes so."""
    over = repositories.c.id.in_(_users_of(in_state(ends, SupportState.ENDED, today)))
    if state is SupportState.ENDED:
        return over
    return and_(repositories.c.id.in_(_users_of(in_state(ends, state, today))), ~over)


def _users_of(ids: Collection[int]) -> Any:
    return select(usages.c.repository_id).where(usages.c.base_id.in_(ids))


async def first_ends(
    connection: AsyncConnection, ends: Mapping[int, Support], of: Iterable[int]
) -> dict[int, Support]:
    """Which of the ends comes first for each of these repositories, by their ids."""
    query = select(usages.c.repository_id, usages.c.base_id).distinct()
    rows = await connection.execute(
        query.where(usages.c.repository_id.in_(sorted(of)), usages.c.base_id.in_(sorted(ends)))
    )
    first: dict[int, Support] = {}
    for repository, base in rows:
        first[repository] = min(first.get(repository, ends[base]), ends[base], key=lambda end: end.until)
    return first
