"""What ran and is shown no more is kept as sets of packages; what is in none of what ran goes."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, or_, select, tuple_, union, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.images.vulnerabilities import SYSTEM
from bot.store.engine.among import is_among
from bot.store.engine.codec import NoJson, say_once
from bot.store.engine.writing import chunks
from bot.store.rows.forgetting import UNREFERRED_FOR, forgets
from bot.store.rows.inventories.inventories import (
    inventories,
    inventory_packages,
    packages,
    sbom_packages,
    sboms,
)
from bot.store.rows.inventories.packages import needed_by_none
from bot.store.rows.running.past import (
    PastContent,
    forget_sets,
    keep_past,
    package_sets,
    past_contents,
)
from bot.store.rows.running.running import running_contents, running_reads, runs

MOST_AT_ONCE = 2_000
"""So many contents become sets in a day, and twice as many sets go: not all at once, since others wait to
write."""

_HELD = union(
    select(inventory_packages.c.inventory_id, inventory_packages.c.package_id, packages.c.type)
    .join(packages, packages.c.id == inventory_packages.c.package_id)
    .where(is_among(inventory_packages.c.inventory_id, "inventories")),
    select(sboms.c.inventory_id, sbom_packages.c.package_id, packages.c.type)
    .join(sboms, sboms.c.id == sbom_packages.c.sbom_id)
    .join(packages, packages.c.id == sbom_packages.c.package_id)
    .where(is_among(sboms.c.inventory_id, "inventories")),
)


@forgets(
    running_contents,
    "all but the packages of what only ran",
    UNREFERRED_FOR,
)
async def forget_contents(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    """Keeps, of what has not run since then and nothing else needs, its packages as sets, so that its inventory may
    go. What runs once more is read once more."""
    await _forget_unused_sets(connection)
    ran_since = exists().where(
        runs.c.build_id == running_contents.c.build_id, or_(runs.c.until.is_(None), runs.c.until >= before)
    )
    rows = await connection.execute(
        select(
            *(running_contents.c.build_id, running_contents.c.kind, inventories.c.id, inventories.c.platform),
            *(inventories.c.distribution, inventories.c.read_at, inventories.c.is_complete, inventories.c.error),
            *(inventories.c.digest, inventories.c.config_digest),
        )
        .join(inventories, inventories.c.id == running_contents.c.inventory_id)
        .where(~ran_since, needed_by_none(before))
        .order_by(running_contents.c.build_id, running_contents.c.inventory_id)
        .limit(MOST_AT_ONCE)
    )
    contents = rows.all()
    await keep_past(connection, [each for chunk in chunks(contents) for each in await _past_of(connection, chunk)])
    pair = tuple_(running_contents.c.build_id, running_contents.c.inventory_id)
    for chunk in chunks(contents):
        await connection.execute(
            delete(running_contents).where(pair.in_([(row.build_id, row.id) for row in chunk]))
        )
    return {}


async def _past_of(connection: AsyncConnection, rows: Sequence[Any]) -> list[PastContent]:
    """These contents with the ids of their packages."""
    held: dict[tuple[int, bool], set[int]] = defaultdict(set)
    for inventory, package, kind in await connection.execute(_HELD, {"inventories": {row.id for row in rows}}):
        held[inventory, kind in SYSTEM].add(package)
    return [
        PastContent(
            *(row.build_id, row.kind, row.platform, *_distribution(row), row.error),
            tuple(filter(None, (row.digest, row.config_digest))),
            *(frozenset(held[row.id, is_system]) for is_system in (True, False)),
        )
        for row in rows
    ]


def _distribution(row: Any) -> tuple[Any, bool, bool | None]:
    """The distribution of a platform, whether its packages were read, and whether as a whole: not where nobody can
    tell which distribution they are of."""
    is_read = row.read_at is not None
    if isinstance(row.distribution, NoJson):
        say_once(f"{row.platform} of build {row.build_id}", "its distribution is no JSON")
        return None, is_read, False
    return row.distribution, is_read, row.is_complete


@forgets(running_reads, "those of such builds", UNREFERRED_FOR)
async def forget_reads(connection: AsyncConnection, _before: datetime) -> dict[str, int]:
    """Forgets that these were read, so that what runs once more is."""
    columns, of_build = running_reads.c, running_reads.c.build_id
    has_contents = exists().where(running_contents.c.build_id == of_build)
    is_past = exists().where(past_contents.c.build_id == of_build)
    was_read = columns.read_at.is_not(None) & columns.error.is_(None)
    await connection.execute(delete(running_reads).where(was_read, is_past, ~has_contents))
    return {}


async def _forget_unused_sets(connection: AsyncConnection) -> None:
    """Forgets the sets that are inside of nothing that ran any more."""
    columns = (past_contents.c.system_set_id, past_contents.c.other_set_id)
    used = union_all(*(select(each).where(each.is_not(None)) for each in columns))
    unused = select(package_sets.c.id, package_sets.c.numbers).where(package_sets.c.id.not_in(used))
    unused = unused.order_by(package_sets.c.id).limit(2 * MOST_AT_ONCE)
    await forget_sets(connection, {row.id: row.numbers for row in await connection.execute(unused)})
