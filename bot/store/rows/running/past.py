"""What was inside builds that ran and that nothing shows any more: sets of packages, each kept once.

Builds on one base share what its distribution installed, and builds of one week mostly what the application brings:
so these are two sets. From a package its sets are found by blocks of them.
"""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    bindparam,
    delete,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.among import is_among
from bot.store.engine.codec import readable
from bot.store.engine.writing import chunks, insert_all, insert_into, upsert_rows
from bot.store.rows.forgetting import delete_rows
from bot.store.rows.inventories.inventories import packages
from bot.store.rows.running.numbers import numbers_in, packed_digests, packed_numbers
from bot.store.rows.schema import Id, LongText, ShortText, key_column, locked_after, metadata

BLOCK = 4_096
"""So many sets, one after another, are told of a package in one row."""

package_sets = Table(
    "package_sets",
    metadata,
    key_column(),
    Column("key", LargeBinary, nullable=False, unique=True),
    Column("numbers", LargeBinary, nullable=False),
)
"""`numbers` are the ids of packages; `key` is a hash of them."""
package_set_blocks = Table(
    "package_set_blocks",
    metadata,
    Column("package_id", ForeignKey("packages.id"), primary_key=True, autoincrement=False),
    Column("block", Id, primary_key=True, autoincrement=False),
    Column("places", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""In which sets of a block a package is, by their places in it."""
past_images = Table(
    "past_images",
    metadata,
    key_column(),
    Column("key", LargeBinary, nullable=False, unique=True),
    Column("kind", ShortText(16), nullable=False),
    Column("platform", ShortText(100), nullable=False),
    Column("distribution", JSON),
    Column("is_read", Boolean, nullable=False),
    Column("is_complete", Boolean),
    Column("error", LongText),
)
"""What many contents have in common, as `running_contents` and `inventories` told it; `key` is a hash of all."""
past_contents = Table(
    "past_contents",
    metadata,
    key_column(),
    Column("build_id", ForeignKey("running_builds.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("image_id", ForeignKey("past_images.id"), nullable=False, index=True),
    Column("system_set_id", ForeignKey("package_sets.id")),
    Column("other_set_id", ForeignKey("package_sets.id")),
    Column("digests", LargeBinary, nullable=False),
    *(
        Index(f"ix_past_contents_{each}_id", f"{each}_id", "image_id", "build_id")
        for each in ("system_set", "other_set")
    ),
)
"""`digests` are those of the platform's manifest and of its config. Which builds have a set is told by the index
alone."""
locked_after(package_sets, packages.name, "package_changes", "rebuilds", "artifact_reads")
locked_after(package_set_blocks, package_sets.name)
locked_after(past_images, package_set_blocks.name)


@dataclass(frozen=True, slots=True)
class PastContent:
    """One platform of a build, with the ids of its packages: those of its distribution, and all others."""

    build: int
    kind: str
    platform: str
    distribution: Any
    is_read: bool
    is_complete: bool | None
    error: str | None
    digests: tuple[str, ...]
    system: frozenset[int]
    others: frozenset[int]

    @property
    def image(self) -> dict[str, Any]:
        """The row of `past_images` that tells of it."""
        names = ("kind", "platform", "distribution", "is_read", "is_complete", "error")
        row = {name: getattr(self, name) for name in names}
        return {"key": _hashed(json.dumps(row, sort_keys=True).encode()), **row}


def _hashed(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


async def keep_past(connection: AsyncConnection, contents: Sequence[PastContent]) -> None:
    """Keeps these contents, with the sets that are new; of what was kept of the same platform's image before, the
    better known stays. Images that nothing has any more go, where there are no contents as well."""
    to_keep, replaced = await _better_known(connection, contents)
    sets = await _keep_sets(connection, {numbers for each in to_keep for numbers in (each.system, each.others)})
    images = await _keep_images(connection, [each.image for each in to_keep])
    rows = [
        {
            "build_id": each.build,
            "image_id": images[each.image["key"]],
            "system_set_id": sets.get(each.system),
            "other_set_id": sets.get(each.others),
            "digests": packed_digests(each.digests),
        }
        for each in to_keep
    ]
    await delete_rows(connection, past_contents, "id", replaced)
    for chunk in chunks(rows):
        await connection.execute(insert(past_contents), chunk)


async def _better_known(
    connection: AsyncConnection, contents: Sequence[PastContent]
) -> tuple[list[PastContent], list[int]]:
    """Those of which no more is kept already, and the ids of what is kept of these."""
    by_manifest = {(each.build, packed_digests(each.digests[:1])): each for each in contents}
    sizes = sorted({len(manifest) for _, manifest in by_manifest})
    replaced: list[int] = []
    query = (
        select(*(past_contents.c[name] for name in ("id", "build_id", "digests")))
        .add_columns(past_images.c.is_read, past_images.c.is_complete)
        .join(past_images, past_images.c.id == past_contents.c.image_id)
        .where(is_among(past_contents.c.build_id, "builds"))
    )
    for row in (await connection.execute(query, {"builds": {each.build for each in contents}})).all():
        for key in ((row.build_id, row.digests[:size]) for size in sizes):
            content = by_manifest.get(key)
            if content is None:
                continue
            if (row.is_read, bool(row.is_complete)) > (content.is_read, bool(content.is_complete)):
                del by_manifest[key]
            else:
                replaced.append(row.id)
    return list(by_manifest.values()), replaced


async def _keep_sets(connection: AsyncConnection, wanted: Iterable[frozenset[int]]) -> dict[frozenset[int], int]:
    """The ids of these sets but for the empty one; those that are new are added, and found by their packages."""
    bodies = {numbers: packed_numbers(sorted(numbers)) for numbers in wanted if numbers}
    keys = {_hashed(body): numbers for numbers, body in bodies.items()}
    known = await _known(connection, package_sets, keys)
    new = sorted((key for key in keys if key not in known), key=lambda key: sorted(keys[key]))
    rows = [{"key": key, "numbers": bodies[keys[key]]} for key in new]
    known |= dict(zip(new, await insert_all(connection, package_sets, rows), strict=True))
    places = _places({known[key]: keys[key] for key in new})
    await _change_blocks(connection, places, set.union)
    return {keys[key]: number for key, number in known.items()}


def _places(sets: Mapping[int, Iterable[int]]) -> dict[tuple[int, int], set[int]]:
    """Where these sets stand in the blocks of each of their packages."""
    places: dict[tuple[int, int], set[int]] = defaultdict(set)
    for number, packages_of_it in sets.items():
        block, place = divmod(number, BLOCK)
        for package in packages_of_it:
            places[package, block].add(place)
    return places


async def forget_sets(connection: AsyncConnection, sets: Mapping[int, bytes]) -> None:
    """Forgets these sets, which are given with their packages; any may be in one whose packages cannot be read."""
    inside = {number: _numbers(body, f"set {number} of packages") for number, body in sets.items()}
    of_block = select(package_set_blocks.c.package_id).where(package_set_blocks.c.block == bindparam("block"))
    for number in [number for number, numbers in inside.items() if numbers is None]:
        inside[number] = set((await connection.execute(of_block, {"block": number // BLOCK})).scalars())
    await delete_rows(connection, package_sets, "id", sets)
    await _change_blocks(connection, _places({each: of or () for each, of in inside.items()}), set.difference)


def _numbers(packed: bytes, row: str) -> set[int] | None:
    """The numbers in a row; None where they cannot be read, which the log says once."""
    return next(iter(readable([packed], lambda body: set(numbers_in(body)), lambda _: row)), None)


def _places_in(row: Any) -> set[int] | None:
    return _numbers(row.places, f"block {row.block} of the sets with package {row.package_id}")


async def _keep_images(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> dict[bytes, int]:
    """The ids of these images by their keys; those that nothing has any more go."""
    used = select(past_contents.c.image_id)
    await connection.execute(delete(past_images).where(past_images.c.id.not_in(used)))
    by_key = {row["key"]: row for row in rows}
    for chunk in chunks([by_key[key] for key in sorted(by_key)]):
        await connection.execute(insert_into(connection, past_images).on_conflict_do_nothing(), chunk)
    return await _known(connection, past_images, by_key)


async def _known(connection: AsyncConnection, table: Table, keys: Collection[bytes]) -> dict[bytes, int]:
    known: dict[bytes, int] = {}
    for chunk in chunks(sorted(keys)):
        rows = await connection.execute(select(table.c.key, table.c.id).where(table.c.key.in_(chunk)))
        known |= {row.key: row.id for row in rows}
    return known


async def _change_blocks(
    connection: AsyncConnection,
    places: Mapping[tuple[int, int], set[int]],
    how: Callable[[set[int], set[int]], set[int]],
) -> None:
    """Adds places to what blocks tell of packages, or takes them away; what tells of none goes, and what cannot be
    read stays as it is."""
    before: dict[tuple[int, int], set[int] | None] = {}
    columns = package_set_blocks.c
    for block in sorted({block for _, block in places}):
        query = select(package_set_blocks).where(is_among(columns.package_id, "packages"), columns.block == block)
        of_block = {"packages": sorted(package for package, of in places if of == block)}
        for row in await connection.execute(query, of_block):
            before[row.package_id, block] = _places_in(row)
    known = ((key, before.get(key, set())) for key in places)
    after = {key: how(told, places[key]) for key, told in known if told is not None}
    rows = [
        {"package_id": package, "block": block, "places": packed_numbers(sorted(after[package, block]))}
        for package, block in sorted(after)
        if after[package, block]
    ]
    for chunk in chunks(rows):
        await connection.execute(
            upsert_rows(connection, package_set_blocks, ["package_id", "block"], ["places"]), chunk
        )
    emptied: dict[int, list[int]] = defaultdict(list)
    for package, block in sorted(key for key in before if after.get(key) == set()):
        emptied[block].append(package)
    for block, packages_of_none in sorted(emptied.items()):
        of_none = is_among(columns.package_id, "packages"), columns.block == block
        await connection.execute(delete(package_set_blocks).where(*of_none), {"packages": packages_of_none})


@dataclass(frozen=True, slots=True)
class HoldingSets:
    """Sets by their ids, each with those of some packages that it holds; the `unread` may hold more of them."""

    held: Mapping[int, Sequence[int]]
    unread: Set[int]


async def sets_with(connection: AsyncConnection, some_packages: Collection[int]) -> HoldingSets:
    """The sets that hold any of these packages."""
    query = select(package_set_blocks).where(is_among(package_set_blocks.c.package_id, "packages"))
    rows = (await connection.execute(query, {"packages": sorted(some_packages)})).all()
    return await asyncio.to_thread(_unfolded, rows)


def _unfolded(rows: Sequence[Any]) -> HoldingSets:
    held: dict[int, list[int]] = defaultdict(list)
    unread: set[int] = set()
    for row in rows:
        first = row.block * BLOCK
        if (places := _places_in(row)) is None:
            unread.update(range(first, first + BLOCK))
        for place in places or ():
            held[first + place].append(row.package_id)
    return HoldingSets(held, unread)
