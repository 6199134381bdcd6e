"""Links between the images of the fleet that are own bases and those that are built upon them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.reference import Base
from bot.domain.repositories.usage import BUILT_UPON, Usage
from bot.fleet.plan.cascade.graph import Image, Link
from bot.fleet.plan.cascade.parts import RepositoryImages, parts_of
from bot.fleet.plan.cascade.tick import Decided
from bot.store.engine.codec import load, readable
from bot.store.engine.writing import chunks, upsert
from bot.store.rows.bases.bases import own_links
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.images.images import images, parents_of_others
from bot.store.rows.repositories.blobs import usage_text
from bot.store.rows.repositories.tables import repositories, usages

_IS_BUILT_UPON = usage_text("role").in_(sorted(role.value for role in BUILT_UPON))


@dataclass(frozen=True, slots=True)
class Links:
    """The links, the names of the repositories in them, and the parts of those that produce several images."""

    links: tuple[Link, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    parts: Mapping[int, RepositoryImages] = field(default_factory=dict)


async def links_of_fleet(connection: AsyncConnection) -> Links:
    """Reads the links, of which what is contested, contradicted or weak evidence has no producer.

    Where nothing tells the images of a repository apart, one that is built upon another closes no circle: the order
    is that of its own build. Where it produces a single one, that stands on itself.
    """
    query = (
        select(
            func.min(usages.c.id).label("first"),
            usages.c.repository_id.label("child"),
            usages.c.base_id,
            images.c.repository_id.label("parent"),
            *(bases.c.registry, bases.c.repository, bases.c.tag),
        )
        .join(bases, bases.c.id == usages.c.base_id)
        .join(images, and_(images.c.registry == bases.c.registry, images.c.repository == bases.c.repository))
        .where(_IS_BUILT_UPON)
        .group_by(
            *(usages.c.repository_id, usages.c.base_id, images.c.repository_id),
            *(bases.c.registry, bases.c.repository, bases.c.tag),
        )
    )
    rows = (await connection.execute(query)).all()
    if not rows:
        return Links()
    counted_parents = await parents_of_others(connection, {row.parent for row in rows})
    parts = await parts_of_producers(connection, {number for row in rows for number in (row.child, row.parent)})
    numbers = {
        (row.repository_id, row.image, row.base_id): row.id
        for row in await connection.execute(
            select(own_links.c.id, own_links.c.repository_id, own_links.c.image, own_links.c.base_id)
        )
    }
    newest = max(numbers.values(), default=0)
    links: list[Link] = []
    for row in rows:
        base = base_of(row)
        if (row.parent, base.name) not in counted_parents:
            continue
        parent = parts[row.parent].image_named(base.name) if row.parent in parts else Image(row.parent)
        for child in _children(row.child, base, parts):
            if row.child == row.parent and row.parent in parts and not (child.name and parent.name):
                continue
            number = numbers.get((child.repository, child.name, row.base_id), newest + row.first)
            links.append(Link(number, child, parent, base))
    names = await _names(connection, {image.repository for link in links for image in (link.child, link.parent)})
    return Links(tuple(links), names, parts)


def _children(repository: int, base: Base, parts: Mapping[int, RepositoryImages]) -> Collection[Image]:
    if repository not in parts:
        return [Image(repository)]
    return [image for image, image_bases in parts[repository].bases.items() if base in image_bases]


async def _names(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    for part in chunks(sorted(numbers)):
        query = select(repositories.c.id, repositories.c.name).where(repositories.c.id.in_(part))
        names |= {row.id: row.name for row in await connection.execute(query)}
    return names


async def parts_of_producers(connection: AsyncConnection, homes: Collection[int]) -> dict[int, RepositoryImages]:
    """Reads the parts of those of these repositories that produce images of more than one name. Tags of one name
    that are built from several files are not told apart."""
    names = (images.c.registry + "/" + images.c.repository).distinct()
    several = select(images.c.repository_id).group_by(images.c.repository_id).having(func.count(names) > 1)
    files_by_home: dict[int, dict[str, str]] = {}
    usages_by_home: dict[int, list[tuple[Base, Usage]]] = {}
    for part in chunks(sorted(homes)):
        query = select(images).where(images.c.repository_id.in_(part), images.c.repository_id.in_(several))
        for row in await connection.execute(query):
            home_files, name = files_by_home.setdefault(row.repository_id, {}), f"{row.registry}/{row.repository}"
            home_files[name] = row.built_from if home_files.get(name, row.built_from) == row.built_from else ""
    for part in chunks(sorted(files_by_home)):
        rows = await connection.execute(
            select(
                *(usages.c.id, usages.c.repository_id, usages.c.usage),
                *(bases.c.registry, bases.c.repository, bases.c.tag),
            )
            .join(bases, bases.c.id == usages.c.base_id)
            .where(usages.c.repository_id.in_(part), _IS_BUILT_UPON)
        )
        pairs = readable(
            rows,
            lambda row: (row.repository_id, base_of(row), load(row.usage, Usage)),
            lambda row: f"usage {row.id}",
        )
        for repository, base, usage in pairs:
            usages_by_home.setdefault(repository, []).append((base, usage))
    return {
        repository: parts_of(repository, files, usages_by_home.get(repository, ()))
        for repository, files in files_by_home.items()
    }


async def bases_below(connection: AsyncConnection, base: Base) -> frozenset[Base] | None:
    """The bases that an image of the fleet is built upon, but for those that close a cycle.

    None where nothing tells it apart from the other images of who produces it.
    """
    producers = select(images.c.repository_id).where(
        images.c.registry == base.registry, images.c.repository == base.repository
    )
    homes = set((await connection.execute(producers)).scalars())
    parts = await parts_of_producers(connection, homes)
    image_parts = [parts[home].image_named(base.name) for home in homes if home in parts]
    if len(image_parts) < len(homes) or not all(image.name for image in image_parts):
        return None
    image_bases: frozenset[Base] = frozenset()
    for image in image_parts:
        image_bases |= parts[image.repository].bases[image]
    closing = await connection.execute(
        select(bases.c.registry, bases.c.repository, bases.c.tag)
        .join(own_links, own_links.c.base_id == bases.c.id)
        .where(own_links.c.repository_id.in_(homes), own_links.c.image == base.name, own_links.c.cut.is_(True))
    )
    return image_bases - {Base(*row) for row in closing}


async def keep_links(connection: AsyncConnection, decision: Decided) -> None:
    """Adds the links that were not seen before, the oldest first, and forgets those that are gone.

    The counter of releases must have been raised where `links_changed`: of two that begin at once, the later one
    sees what the first has written.
    """
    new_links, lost_places = await _link_news(connection, decision)
    for place, flags in new_links.items():
        values = dict(zip((*_PLACE, "cut", "only_brought"), (*place, *flags), strict=True))
        await connection.execute(upsert(connection, own_links, list(_PLACE), **values))
    for place in sorted(lost_places):
        is_gone = and_(*(own_links.c[column] == value for column, value in zip(_PLACE, place, strict=True)))
        await connection.execute(delete(own_links).where(is_gone))


async def links_changed(connection: AsyncConnection, decision: Decided) -> bool:
    """Tells whether `keep_links` has anything to write."""
    new_links, lost_places = await _link_news(connection, decision)
    return bool(new_links or lost_places)


_PLACE = ("repository_id", "image", "base_id")
_Place = tuple[int, str, int]


async def _link_news(
    connection: AsyncConnection, decision: Decided
) -> tuple[dict[_Place, tuple[bool, bool]], set[_Place]]:
    """The links that are new or told otherwise, the oldest first, with whether they are cut and count for what they
    bring alone; and those that are gone."""
    links, cut, only_brought = decision.fleet.links, decision.graph.cut, decision.graph.only_brought
    rows = await connection.execute(select(own_links))
    stored_flags = {(row.repository_id, row.image, row.base_id): (row.cut, row.only_brought) for row in rows}
    link_bases = {link.base for link in links}
    base_rows = await connection.execute(
        select(bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag).where(
            bases.c.tag.in_({base.tag for base in link_bases})
        )
    )
    ids = {base_of(row): row.id for row in base_rows}
    flags_by_place = {
        (link.child.repository, link.child.name, ids[link.base]): (
            (link.child, link.base) in cut,
            (link.child, link.base) in only_brought,
        )
        for link in sorted(links)
        if link.base in ids
    }
    new_links = {place: flags for place, flags in flags_by_place.items() if stored_flags.get(place) != flags}
    return new_links, stored_flags.keys() - flags_by_place.keys()
