"""Which bases the files of repositories name, and for what."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.images.named_bases import NamedBase
from bot.domain.reference import Base
from bot.domain.repositories.usage import Role
from bot.store.engine.inserting import chunks
from bot.store.rows.bases.tables import bases
from bot.store.rows.repositories.tables import usages

_ROLES = {role.value: role for role in Role}


async def bases_named_by(
    connection: AsyncConnection, repositories: Collection[int]
) -> dict[int, Sequence[NamedBase]]:
    """The watched bases that each of these repositories names; nothing for one that names none."""
    named: dict[int, list[NamedBase]] = {}
    role, path = usages.c.usage["role"].as_string(), usages.c.usage["path"].as_string()
    for some in chunks(sorted(repositories)):
        rows = await connection.execute(
            select(
                *(usages.c.repository_id, bases.c.registry, bases.c.repository, bases.c.tag),
                *(role.label("role"), path.label("path")),
            )
            .join(bases, bases.c.id == usages.c.base_id)
            .where(usages.c.repository_id.in_(some))
            .distinct()
        )
        for row in rows:
            if row.role in _ROLES:
                base = Base(row.registry, row.repository, row.tag)
                named.setdefault(row.repository_id, []).append(NamedBase(base, _ROLES[row.role], row.path))
    return {number: tuple(each) for number, each in named.items()}
