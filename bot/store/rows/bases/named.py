"""Which bases the files of repositories name, and for what."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.images.named_bases import NamedBase, is_official
from bot.domain.reference import Base
from bot.domain.repositories.usage import Role
from bot.store.engine.inserting import chunks
from bot.store.rows.bases.tables import bases
from bot.store.rows.repositories.tables import usages

_ROLES = {role.value: role for role in Role}


async def bases_named_by(
    connection: AsyncConnection, repositories: Collection[int]
) -> dict[int, Sequence[NamedBase]]:
    """The bases that each of these repositories names; nothing for one that names none. One that nobody watches is
    told as None, as far as it is kept: an image of the fleet's registries, or of .NET."""
    bases_by_home: dict[int, list[NamedBase]] = {}
    role, path = usages.c.usage["role"].as_string(), usages.c.usage["path"].as_string()
    named_at = usages.c.usage[("named_at", "path")].as_string()
    for chunk in chunks(sorted(repositories)):
        rows = await connection.execute(
            select(
                *(usages.c.repository_id, usages.c.image, bases.c.registry, bases.c.repository, bases.c.tag),
                *(role.label("role"), path.label("path"), named_at.label("named_at")),
            )
            .outerjoin_from(usages, bases, bases.c.id == usages.c.base_id)
            .where(usages.c.repository_id.in_(chunk))
            .distinct()
        )
        for row in rows:
            if row.role in _ROLES and (row.registry is not None or not is_official(row.image or "")):
                base = Base(row.registry, row.repository, row.tag) if row.registry is not None else None
                named_base = NamedBase(base, _ROLES[row.role], row.path, row.named_at or "")
                bases_by_home.setdefault(row.repository_id, []).append(named_base)
    return {number: tuple(each) for number, each in bases_by_home.items()}
