"""Links between the repositories of own bases and those that build upon them."""

from sqlalchemy import and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.reference import Base
from bot.domain.repositories.usage import BUILT_UPON
from bot.plan.cascade.graph import Link
from bot.plan.cascade.stage import Decided
from bot.store.engine.inserting import chunks, upsert
from bot.store.rows.bases.own_bases import own_links
from bot.store.rows.repositories.images import contested_images, images
from bot.store.rows.tables import bases, repositories, usages


async def links_of_fleet(connection: AsyncConnection) -> tuple[tuple[Link, ...], dict[int, str]]:
    """The links, and the names of the repositories in them. What is contested has no producer.

    A repository that builds one of its images upon another is no circle: the order is that of its own build. Where
    it produces a single one, that stands on itself.
    """
    role = usages.c.usage["role"].as_string()
    query = (
        select(
            func.min(usages.c.id).label("first"),
            func.min(own_links.c.id).label("number"),
            usages.c.repository_id.label("child"),
            images.c.repository_id.label("parent"),
            *(bases.c.registry, bases.c.repository, bases.c.tag),
        )
        .join(bases, bases.c.id == usages.c.base_id)
        .join(images, and_(images.c.registry == bases.c.registry, images.c.repository == bases.c.repository))
        .outerjoin(
            own_links,
            and_(own_links.c.repository_id == usages.c.repository_id, own_links.c.base_id == bases.c.id),
        )
        .where(role.in_(sorted(role.value for role in BUILT_UPON)))
        .group_by(usages.c.repository_id, images.c.repository_id, bases.c.registry, bases.c.repository, bases.c.tag)
    )
    rows = (await connection.execute(query)).all()
    if not rows:
        return (), {}
    lost = await contested_images(connection)
    several = await _producers_of_several(connection)
    newest = max((row.number for row in rows if row.number is not None), default=0)
    links = tuple(
        Link(
            row.number if row.number is not None else newest + row.first,
            row.child,
            row.parent,
            Base(row.registry, row.repository, row.tag),
        )
        for row in rows
        if (row.parent, f"{row.registry}/{row.repository}") not in lost
        and not (row.child == row.parent and row.parent in several)
    )
    numbers = sorted({number for link in links for number in (link.child, link.parent)})
    names: dict[int, str] = {}
    for some in chunks(numbers):
        named = select(repositories.c.id, repositories.c.name).where(repositories.c.id.in_(some))
        names |= {row.id: row.name for row in await connection.execute(named)}
    return links, names


async def _producers_of_several(connection: AsyncConnection) -> frozenset[int]:
    """The repositories that produce more than one image."""
    rows = await connection.execute(
        select(images.c.repository_id).group_by(images.c.repository_id).having(func.count() > 1)
    )
    return frozenset(rows.scalars())


async def keep_links(connection: AsyncConnection, decided: Decided) -> None:
    """Adds the links that were not seen before, the oldest first, and forgets those that are gone."""
    links, cut = decided.fleet.links, decided.graph.cut
    known = {
        (row.repository_id, row.base_id): row.cut
        for row in await connection.execute(select(own_links.c.repository_id, own_links.c.base_id, own_links.c.cut))
    }
    named = {link.base for link in links}
    rows = await connection.execute(
        select(bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag).where(
            bases.c.tag.in_({base.tag for base in named})
        )
    )
    ids = {Base(row.registry, row.repository, row.tag): row.id for row in rows}
    wanted = {
        (link.child, ids[link.base]): (link.child, link.base) in cut for link in sorted(links) if link.base in ids
    }
    for pair, is_cut in wanted.items():
        if known.get(pair) != is_cut:
            home, base = pair
            row = upsert(
                connection, own_links, ["repository_id", "base_id"], repository_id=home, base_id=base, cut=is_cut
            )
            await connection.execute(row)
    for home, base in sorted(known.keys() - wanted.keys()):
        gone = and_(own_links.c.repository_id == home, own_links.c.base_id == base)
        await connection.execute(delete(own_links).where(gone))
