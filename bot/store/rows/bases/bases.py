"""The rows of bases, as far as usages make, use and name them, and of those that the fleet builds itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Select,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.followed_base import followed_base, line_of, pinned_to
from bot.domain.images.named_bases import NamedBase, is_official
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Reading
from bot.domain.repositories.usage import Role, Usage
from bot.domain.rollouts.pinning import wanted_reference
from bot.store.engine.codec import load, readable
from bot.store.engine.writing import chunks, insert_missing, lock
from bot.store.rows.bases.mirrors import with_mirrors
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import usages
from bot.store.rows.rollouts.served import last_changes
from bot.store.rows.schema import ShortText, key_column, metadata

_COPIES = bases.alias()


def has_base_name(name: str) -> ColumnElement[bool]:
    """Selects the base whose whole name this is, as `str(base)` writes it."""
    path, _, tag = name.rpartition(":")
    registry, _, repository = path.partition("/")
    return and_(bases.c.tag == tag, bases.c.repository == repository, bases.c.registry == registry)


def has_name_among(some_bases: Collection[Base]) -> ColumnElement[bool]:
    """Selects these bases: some hundred, since each is three parameters."""
    names = [(base.registry, base.repository, base.tag) for base in some_bases]
    return tuple_(bases.c.registry, bases.c.repository, bases.c.tag).in_(names)


async def base_ids(connection: AsyncConnection, some_bases: set[Base], now: datetime) -> dict[Base, int]:
    """Returns the ids of bases, and adds those that are new, which become due at once."""
    ids = await _ids_of(connection, some_bases)
    missing = sorted(some_bases - ids.keys())
    for base in missing:
        place = {"registry": base.registry, "repository": base.repository, "tag": base.tag}
        await connection.execute(insert_missing(connection, bases, **place, due_at=now, used=True))
    return ids | await _ids_of(connection, set(missing))


async def _ids_of(connection: AsyncConnection, some_bases: set[Base]) -> dict[Base, int]:
    ids: dict[Base, int] = {}
    for chunk in chunks(sorted({base.tag for base in some_bases})):
        rows = await connection.execute(
            select(bases.c.id, bases.c.registry, bases.c.repository, bases.c.tag).where(bases.c.tag.in_(chunk))
        )
        ids |= {base_of(row): row.id for row in rows}
    return {base: id_ for base, id_ in ids.items() if base in some_bases}


async def mark_used(connection: AsyncConnection, ids: Collection[int]) -> None:
    """Marks the bases that some usage follows, since only these are polled, and those of which one of them is a
    copy; the latter are marked last."""
    is_followed = select(usages.c.id).where(usages.c.base_id == bases.c.id).exists()
    is_copied = select(_COPIES.c.id).where(_COPIES.c.upstream_id == bases.c.id, _COPIES.c.used.is_(True)).exists()
    is_copy = bases.c.upstream_id.is_not(None)
    for is_concerned, is_used in ((is_copy, is_followed), (~is_copy, or_(is_followed, is_copied))):
        for chunk in chunks(sorted(ids)):
            conditions = (bases.c.id.in_(chunk), is_concerned, bases.c.used != is_used)
            await connection.execute(update(bases).where(*conditions).values(used=is_used))


@dataclass(frozen=True, slots=True)
class BaseNow:
    """What a base shows now."""

    base: Base
    digest: str
    version: str | None

    def has_left(self, reference: Reference) -> bool:
        """Whether a reference that follows the base pins what the base shows no more."""
        target = wanted_reference(reference, self.base, self.digest, self.version)
        return isinstance(target, Reference) and target != reference


async def shown_by_bases(
    connection: AsyncConnection, ids: Collection[int] | Select[tuple[int]]
) -> dict[int, BaseNow]:
    """What each of these bases shows now, of those that show anything."""
    rows = await connection.execute(
        select(*(bases.c[name] for name in ("id", "registry", "repository", "tag", "digest", "version"))).where(
            bases.c.id.in_(ids), bases.c.digest.is_not(None)
        )
    )
    return {row.id: BaseNow(base_of(row), row.digest, row.version) for row in rows}


async def left_behind(connection: AsyncConnection, reading: Reading, ids: Mapping[Base, int]) -> set[int]:
    """Reads the last change of each base that has left behind what the repository pins: it is new, or was put back.

    A base that has not moved since it is watched has no such change: a first run finds the fleet as it is.
    """
    shown = await shown_by_bases(connection, ids.values())
    followed = [(usage, ids[base]) for usage, base in reading.usages if base is not None and base in ids]
    behind = {base for usage, base in followed if base in shown and shown[base].has_left(usage.reference)}
    if not behind:
        return set()
    change_rows = await connection.execute(last_changes(behind))
    return {row.id for row in change_rows}


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


own_links = Table(
    "own_links",
    metadata,
    key_column(),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False),
    Column("image", ShortText(511), nullable=False, server_default=""),
    Column("base_id", ForeignKey("bases.id"), nullable=False),
    Column("cut", Boolean, nullable=False, server_default="0"),
    Column("only_brought", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("repository_id", "image", "base_id"),
)
"""Which image of which repository was seen to be built on which own base, in the order of first sight.

The image is empty where nothing tells those of a repository apart. `cut` where that closes a cycle; `only_brought`
where a move of the base counts for what it brings alone."""

IS_CONCERNED = or_(usages.c.base_id.is_not(None), usages.c.image.is_(None))
"""A usage that is worth showing: not one that would follow an image if somebody produced it."""


async def produced_among(
    connection: AsyncConnection, names: Collection[str], apart_from: Collection[int] = ()
) -> set[str]:
    """Those of these image names, `registry/repository`, that some repository of the fleet produces; what
    repositories `apart_from` say does not count."""
    produced_names: set[str] = set()
    for chunk in chunks(sorted(names)):
        pairs = [tuple(name.split("/", 1)) for name in chunk]
        rows = await connection.execute(
            select(images.c.registry, images.c.repository).where(
                tuple_(images.c.registry, images.c.repository).in_(pairs),
                images.c.repository_id.not_in(apart_from),
            )
        )
        produced_names |= {f"{row.registry}/{row.repository}" for row in rows}
    return produced_names


async def produced_by(connection: AsyncConnection, homes: Collection[int]) -> set[str]:
    """Reads the names of the images that these repositories are known to produce."""
    rows = await connection.execute(
        select(images.c.registry, images.c.repository).where(images.c.repository_id.in_(homes))
    )
    return {f"{row.registry}/{row.repository}" for row in rows}


async def with_own_bases(
    connection: AsyncConnection, home: int, reading: Reading
) -> list[tuple[Usage, Base | None, str | None]]:
    """The usages of a reading, each with the base that it follows, an own one among them, and the name of the image
    that it may follow once somebody says to produce that."""
    produced_names = await produced_among(connection, reading.perhaps_own, [home])
    produced_names |= {claim.name for claim in reading.images}
    followed_usages: list[tuple[Usage, Base | None, str | None]] = []
    for usage, base in reading.usages:
        name = usage.reference.base.name
        may_be_own = base is None and usage.sdk_pin is None and name in reading.perhaps_own
        own = _own_base(usage.reference) if may_be_own and name in produced_names else None
        followed_usages.append((usage, base or own, name if may_be_own else None))
    return followed_usages


async def follow_own_bases(
    connection: AsyncConnection, homes: Collection[int], claimed: Collection[str], now: datetime
) -> None:
    """Has usages follow the images `claimed`, which these repositories produce from now on, and leave those that
    they produced before and that nobody else does.

    Comes before the images themselves are written, by the order of locks.
    """
    names = set(claimed) ^ await produced_by(connection, homes)
    if not names:
        return
    produced_names = {*claimed, *await produced_among(connection, names, homes)}
    rows = await _read_usages_naming(connection, names)
    named_by = {row.id: usage.reference for row, usage in rows}
    base_of_row = {row.id: _base_to_follow(usage, produced_names) for row, usage in rows}
    before = {row.id: row.base_id for row, _ in rows}
    ids = await base_ids(connection, {base for base in base_of_row.values() if base is not None}, now)
    news = [
        {
            "row": number,
            "base": base and ids[base],
            "pinned": named_by[number].digest if base else None,
            "release": pinned_to(named_by[number], base) if base else None,
        }
        for number, base in base_of_row.items()
        if before[number] != (base and ids[base])
    ]
    if not news:
        return
    concerned_bases = {*(each["base"] for each in news), *(before[each["row"]] for each in news)} - {None}
    touched_bases = await with_mirrors(connection, {number for number in concerned_bases if number is not None})
    await lock(connection, bases, touched_bases)
    await lock(connection, usages, [each["row"] for each in news])
    statement = (
        update(usages)
        .where(usages.c.id == bindparam("row"))
        .values(base_id=bindparam("base"), digest=bindparam("pinned"), version=bindparam("release"))
    )
    await connection.execute(statement, news)
    await mark_used(connection, touched_bases)


async def look_at_bases(connection: AsyncConnection, name: str, digest: str, now: datetime) -> None:
    """Has the watch look at once at the bases of an image that was just seen with another digest."""
    registry, _, repository = name.partition("/")
    is_old = [bases.c.registry == registry, bases.c.repository == repository, bases.c.digest != digest]
    await _look_now(connection, and_(*is_old), now)


async def look_at_once(connection: AsyncConnection, some_bases: Collection[Base], now: datetime) -> None:
    """Has the watch look at these bases at once."""
    for chunk in chunks(sorted(some_bases)):
        await _look_now(connection, has_name_among(chunk), now)


async def _look_now(connection: AsyncConnection, which: ColumnElement[bool], now: datetime) -> None:
    waiting = select(bases.c.id).where(which, bases.c.lease_owner.is_(None), bases.c.due_at > now)
    ids = list((await connection.execute(waiting)).scalars())
    if ids:
        await lock(connection, bases, ids)
        await connection.execute(update(bases).where(bases.c.id.in_(ids)).values(due_at=now))


async def _read_usages_naming(connection: AsyncConnection, names: Collection[str]) -> Sequence[tuple[Any, Usage]]:
    usages_naming: list[tuple[Any, Usage]] = []
    for chunk in chunks(sorted(names)):
        rows = await connection.execute(
            select(usages.c.id, usages.c.base_id, usages.c.usage)
            .where(usages.c.image.in_(chunk))
            .order_by(usages.c.id)
        )
        usages_naming += readable(rows, lambda row: (row, load(row.usage, Usage)), lambda row: f"usage {row.id}")
    return usages_naming


def _base_to_follow(usage: Usage, produced_names: Collection[str]) -> Base | None:
    return _own_base(usage.reference) if usage.reference.base.name in produced_names else None


def _own_base(reference: Reference) -> Base | None:
    """A release of an image of the fleet is followed by those after it."""
    return line_of(reference) or followed_base(reference)
