"""Repositories as rows, the forge and its own id being who they are, and how each stands."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    and_,
    bindparam,
    case,
    false,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.repository import Identity, Repository, RepositoryId
from bot.store.engine.writing import lock
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.schema import Id, Moment, ShortText, key_column, locked_after, metadata

IDENTITY = (repositories.c.name, repositories.c.node_id, repositories.c.forge)
"""What `identity_of` reads."""
IS_WORD_UNREAD = func.coalesce(repositories.c.config["unread"].as_string(), "") != ""
"""What it asks for of the bot cannot be understood, and may be a no."""


def identity_of(row: Any) -> Identity:
    """Makes a value of the columns of `IDENTITY`."""
    return Identity(row.name, row.node_id, row.forge)


async def read_within_a_day(connection: AsyncConnection, repository: int, now: datetime) -> None:
    """Has a repository read within a day, although its branch may be where it was."""
    latest = now + timedelta(days=1)
    due = case((repositories.c.due_at > latest, latest), else_=repositories.c.due_at)
    await connection.execute(
        update(repositories).where(repositories.c.id == repository).values(tree=None, due_at=due)
    )


async def rename_in_place(connection: AsyncConnection, listing: Sequence[Repository]) -> None:
    """Gives known rows the names and node ids of the listing, so that a renamed repository keeps its rebuilds.

    A row without an id (from before ids were kept) takes that of the repository with its name. A row whose name
    now belongs to another repository makes way under a name that no repository can have. Names are changed in two
    steps, since two repositories may have swapped theirs.
    """
    rows = (
        await connection.execute(
            select(
                repositories.c.id,
                repositories.c.name,
                repositories.c.forge,
                repositories.c.forge_id,
                repositories.c.node_id,
            )
        )
    ).all()
    by_key = {RepositoryId(row.forge, row.forge_id): row for row in rows if row.forge_id is not None}
    by_name = {row.name.lower(): row for row in rows}
    new_values: list[dict[str, Any]] = []
    in_the_way: list[int] = []
    for item in listing:
        if item.key is None:
            continue
        bearer = by_name.get(item.name.lower())
        row = by_key.get(item.key)
        if row is None and bearer is not None and (bearer.forge, bearer.forge_id) == (item.forge, None):
            row = bearer
        if bearer is not None and (row is None or bearer.id != row.id):
            in_the_way.append(bearer.id)
        if row is not None and (row.name, row.forge_id, row.node_id) != (item.name, item.id, item.node_id):
            new_values.append({"row": row.id, "named": item.name, "own": item.id, "node": item.node_id})
    ids_aside = sorted({*in_the_way, *(each["row"] for each in new_values)})
    if not ids_aside:
        return
    await lock(connection, repositories, ids_aside)
    await connection.execute(
        update(repositories).where(repositories.c.id == bindparam("row")).values(name=bindparam("aside")),
        [{"row": row, "aside": f"no longer its name: {row}"} for row in ids_aside],
    )
    if new_values:
        await connection.execute(
            update(repositories)
            .where(repositories.c.id == bindparam("row"))
            .values(name=bindparam("named"), forge_id=bindparam("own"), node_id=bindparam("node")),
            new_values,
        )


standings = Table(
    "standings",
    metadata,
    Column(
        "repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("rank", Integer, nullable=False),
    Column("standing", ShortText(16), nullable=False),
    Column("since", Moment),
    Column("latest_rebuild", Id),
    Index(None, "standing"),
)

standing_days = Table(
    "standing_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("standing", ShortText(16), primary_key=True),
    Column("repositories", Integer, nullable=False),
)
locked_after(standing_days, "standings")

calm = Table("calm", metadata, key_column(), Column("since", Moment, nullable=False))
"""At most one row: since when nothing needs a person."""


def is_one_of(keys: Collection[RepositoryId]) -> ColumnElement[bool]:
    """The condition that a row of `repositories` is one of these."""
    ids_by_forge: dict[str, list[str]] = {}
    for key in sorted(keys):
        ids_by_forge.setdefault(key.forge, []).append(key.id)
    return or_(
        false(),
        *(
            and_(repositories.c.forge == forge, repositories.c.forge_id.in_(ids))
            for forge, ids in ids_by_forge.items()
        ),
    )


def limit_to(repository_id: ColumnElement[int], only: Collection[str] | None) -> list[ColumnElement[bool]]:
    """The condition that a row is of one of these repositories; none where all are meant."""
    if only is None:
        return []
    return [repository_id.in_(select(repositories.c.id).where(repositories.c.name.in_(sorted(only))))]
