"""Layers, what is inside the images that they make, and how each move of a base changed it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    and_,
    cast,
    delete,
    exists,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.changes import PackageChange, PlatformChanges
from bot.domain.packages.cves.vulnerability import release_of
from bot.domain.packages.package import Distribution
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.store.engine.codec import load, load_text, readable
from bot.store.engine.writing import chunks, lock_where
from bot.store.rows.bases.tables import bases, changes
from bot.store.rows.forgetting import UNREFERRED_FOR, forgets
from bot.store.rows.images.gates import let_through
from bot.store.rows.images.images import deployments, images
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventories,
    inventory_layers,
    inventory_packages,
    later_indexes,
    layers,
    observed_inventories,
    package_changes,
    packages,
    sbom_packages,
    shown_before,
)
from bot.store.rows.inventories.notices import with_notices
from bot.store.rows.inventories.pinned import shown_since_pinned
from bot.store.rows.inventories.vulnerabilities import exposures
from bot.store.rows.rollouts.rebuilds import outdate, read_targets
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.running.past import package_set_blocks
from bot.store.rows.running.running import running_contents

_READING_TAKES = timedelta(minutes=10)
"""Of CVE data, with a large dump: it is looked through for what was held when that began."""


async def package_changes_of(
    connection: AsyncConnection, change_ids: Collection[int]
) -> dict[int, tuple[PlatformChanges, ...]]:
    """How packages changed with each of these changes of bases, in the order in which the bases moved, with the
    notices that tell of fixes in them."""
    moves_by_change: dict[int, list[PlatformChanges]] = {}
    for ids in chunks(sorted(change_ids)):
        rows = await connection.execute(
            select(
                changes.c.id,
                package_changes.c.platform,
                package_changes.c.changes,
                package_changes.c.is_complete,
                package_changes.c.compared_at,
                cast(inventories.c.distribution, String).label("distribution"),
            )
            .join(changes, changes.c.to_observation == package_changes.c.observation_id)
            .outerjoin(inventories, inventories.c.id == package_changes.c.after_id)
            .where(changes.c.id.in_(ids))
            .order_by(changes.c.to_observation, package_changes.c.platform)
        )
        moves = readable(rows, _platform_changes, lambda row: f"packages of change {row.id}")
        for number, move in await with_notices(connection, moves):
            moves_by_change.setdefault(number, []).append(move)
    return {number: tuple(each) for number, each in moves_by_change.items()}


def _platform_changes(row: Any) -> tuple[int, str | None, PlatformChanges]:
    """A change's id, the release of the base as publishers list it, and what changed."""
    if row.compared_at is None:
        return row.id, None, PlatformChanges(row.platform, None, is_complete=False)
    package_moves = load(row.changes, tuple[PackageChange, ...])
    is_known = row.distribution is not None and row.distribution != "null"
    release = release_of(load_text(row.distribution, Distribution)) if is_known else None
    return row.id, release, PlatformChanges(row.platform, package_moves, bool(row.is_complete))


async def outdate_told(connection: AsyncConnection, observation: int, now: datetime) -> None:
    """Has open pull requests that bring this observation of a base say what it changed."""
    change = (
        await connection.execute(
            select(changes.c.id, changes.c.rollout_id).where(changes.c.to_observation == observation)
        )
    ).first()
    if change is None or change.rollout_id is None:
        return
    changes_by_rebuild = await _read_brought_by_open(connection, rebuilds.c.rollout_id == change.rollout_id)
    await outdate(
        connection, [number for number, change_ids in changes_by_rebuild.items() if change.id in change_ids], now
    )


async def noticed_in_open(connection: AsyncConnection, affected: Collection[int]) -> frozenset[int]:
    """The open pull requests that are to name the notices that these rows, which are new, speak of: those that
    bring a newer version in place of an affected one."""
    affected_versions: set[tuple[str, str, str]] = set()
    for ids in chunks(sorted(affected)):
        rows = await connection.execute(
            select(packages.c.type, packages.c.name, packages.c.version)
            .join(exposures, exposures.c.package_id == packages.c.id)
            .where(exposures.c.affected_id.in_(ids), exposures.c.is_certain)
        )
        affected_versions |= {(row.type, row.name, row.version) for row in rows}
    changes_by_rebuild = await _read_brought_by_open(connection) if affected_versions else {}
    noticed_changes: set[int] = set()
    for ids in chunks(sorted({each for change_ids in changes_by_rebuild.values() for each in change_ids})):
        rows = await connection.execute(
            select(changes.c.id, package_changes.c.changes)
            .join(changes, changes.c.to_observation == package_changes.c.observation_id)
            .where(changes.c.id.in_(ids), package_changes.c.compared_at.is_not(None))
        )
        moves_by_change = readable(
            rows,
            lambda row: (row.id, load(row.changes, tuple[PackageChange, ...])),
            lambda row: f"packages of change {row.id}",
        )
        noticed_changes |= {
            number
            for number, package_moves in moves_by_change
            if any((c.type, c.name, c.before) in affected_versions for c in package_moves)
        }
    return frozenset(number for number, change_ids in changes_by_rebuild.items() if change_ids & noticed_changes)


async def exposed_in_open(connection: AsyncConnection, affected: Collection[int]) -> frozenset[int]:
    """The open pull requests that are to name the CVEs of these rows, which are new: those that bring an affected
    package."""
    exposed_packages: set[int] = set()
    for ids in chunks(sorted(affected)):
        exposed_packages |= set(
            await connection.scalars(select(exposures.c.package_id).where(exposures.c.affected_id.in_(ids)))
        )
    changes_by_rebuild = await _read_brought_by_open(connection) if exposed_packages else {}
    concerned_changes: set[int] = set()
    holding = select(inventory_packages.c.inventory_id)
    for ids in chunks(sorted({each for change_ids in changes_by_rebuild.values() for each in change_ids})):
        for chunk in chunks(sorted(exposed_packages)):
            holders = holding.where(inventory_packages.c.package_id.in_(chunk))
            concerned_changes |= set(
                await connection.scalars(_select_compared(ids).where(package_changes.c.after_id.in_(holders)))
            )
    return frozenset(number for number, change_ids in changes_by_rebuild.items() if change_ids & concerned_changes)


async def compared_in_open(connection: AsyncConnection, since: datetime | None) -> frozenset[int]:
    """The open pull requests that are to tell of CVEs anew, since they bring what was compared after the reading of
    CVE data began that ended at `since`: it was not looked through for that. None where there was no such reading.
    """
    changes_by_rebuild = await _read_brought_by_open(connection)
    concerned_changes: set[int] = set()
    for ids in chunks(sorted({each for change_ids in changes_by_rebuild.values() for each in change_ids})):
        is_late = package_changes.c.compared_at >= since - _READING_TAKES if since is not None else true()
        concerned_changes |= set(await connection.scalars(_select_compared(ids).where(is_late)))
    return frozenset(number for number, change_ids in changes_by_rebuild.items() if change_ids & concerned_changes)


def _select_compared(change_ids: Sequence[int]) -> Select[tuple[int]]:
    """Those of these changes of which it is known what they did to packages."""
    return (
        select(changes.c.id)
        .join(package_changes, package_changes.c.observation_id == changes.c.to_observation)
        .where(changes.c.id.in_(change_ids), package_changes.c.compared_at.is_not(None))
    )


async def _read_brought_by_open(
    connection: AsyncConnection, *conditions: ColumnElement[bool]
) -> dict[int, frozenset[int]]:
    """The changes that each open pull request brings, by the ids of both."""
    rows = await connection.execute(
        select(rebuilds.c.id, rebuilds.c.targets).where(
            rebuilds.c.state == RebuildState.OPEN.value, rebuilds.c.action == Action.PULL_REQUEST.value, *conditions
        )
    )
    return {
        number: frozenset(each for target in targets for each in target.changes)
        for number, targets in read_targets(rows).items()
    }


@forgets(
    later_indexes, "what no tag shows and no manifest names, but for what a tag showed right before", UNREFERRED_FOR
)
async def forget_indexes(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    """Forgets which images tags have shown since under other indexes, seen before then, that no tag shows and no
    manifest names, and that are not the last of what a tag showed right before: reports may be about that."""
    digests = (select(table.c.digest).where(table.c.digest.is_not(None)) for table in (images, deployments))
    newer = later_indexes.alias("newer")
    has_newer = exists().where(
        newer.c.inventory_id == later_indexes.c.inventory_id, newer.c.seen_at > later_indexes.c.seen_at
    )
    await connection.execute(
        delete(later_indexes).where(
            later_indexes.c.seen_at < before,
            later_indexes.c.index_digest.not_in(union_all(*digests)),
            or_(later_indexes.c.inventory_id.not_in(shown_before()), has_newer),
        )
    )
    return {}


_COMPARED_FOR = timedelta(days=90)
"""So long each move of a base tells which CVEs it fixed, and which are still open in what it brought."""


def _unshown(before: datetime) -> ColumnElement[bool]:
    """Whether no image and no base shows an inventory that was seen before then, and none is compared with it."""
    shown_by_bases = (
        select(observed_inventories.c.inventory_id)
        .join(bases, bases.c.observation_id == observed_inventories.c.observation_id)
        .where(bases.c.used.is_(True))
    )
    is_uncompared = and_(package_changes.c.compared_at.is_(None), package_changes.c.due_at >= before)
    needed_ids = union_all(
        shown_by_bases,
        select(image_inventories.c.inventory_id),
        select(let_through.c.inventory_id),
        select(package_changes.c.before_id).where(is_uncompared),
        select(package_changes.c.after_id).where(is_uncompared),
    )
    return and_(inventories.c.seen_at < before, inventories.c.id.not_in(needed_ids))


def _to_tell(before: datetime) -> CompoundSelect[tuple[int]]:
    """The inventories by which it is told, of what images and bases show, which CVEs were fixed and are open."""
    was_compared = package_changes.c.compared_at >= before + UNREFERRED_FOR - _COMPARED_FOR
    return union_all(
        select(package_changes.c.before_id).where(was_compared),
        select(package_changes.c.after_id).where(was_compared),
        shown_before(),
        shown_since_pinned(),
    )


def needed_by_none(before: datetime) -> ColumnElement[bool]:
    """Whether an inventory that was seen before then is needed by nothing but what runs or ran."""
    return and_(_unshown(before), inventories.c.id.not_in(_to_tell(before)))


@forgets(
    inventories,
    "what no image and no base shows, with its layers; "
    f"of a move of a base the layers, and the rest {_COMPARED_FOR.days} days after it was compared",
    UNREFERRED_FOR,
)
async def forget_inventories(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    """Forgets what no image and no base shows any more, seen before then; how many inventories, and layers.

    How moves of bases have changed packages stays, and, without its layers, what was compared in the last
    `_COMPARED_FOR`, what images showed right before what they show, what they have shown since a manifest pinned
    it, and what runs or ran as long as that is kept: by that it is told which CVEs were fixed, when, and which are
    still open.
    """
    unshown = _unshown(before)
    of_unshown = select(inventory_layers.c.layer_id).where(
        inventory_layers.c.inventory_id.in_(select(inventories.c.id).where(unshown))
    )
    await lock_where(connection, layers, layers.c.id.in_(of_unshown))
    forgotten = await connection.execute(
        delete(inventories).where(
            needed_by_none(before), inventories.c.id.not_in(select(running_contents.c.inventory_id))
        )
    )
    await connection.execute(
        delete(inventory_layers).where(inventory_layers.c.inventory_id.in_(select(inventories.c.id).where(unshown)))
    )
    unused_layers = await connection.execute(
        delete(layers).where(layers.c.id.not_in(select(inventory_layers.c.layer_id)))
    )
    return {"inventories": forgotten.rowcount, "layers": unused_layers.rowcount}


@forgets(package_changes, "what was not compared", UNREFERRED_FOR)
async def forget_package_changes(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    """What is not compared after so long never will be: nobody reads its platform, or its registry has lost it."""
    await connection.execute(
        delete(package_changes).where(package_changes.c.compared_at.is_(None), package_changes.c.due_at < before)
    )
    return {}


@forgets(packages, "what no inventory, SBOM or set lists, with the last that did", UNREFERRED_FOR)
async def forget_packages(connection: AsyncConnection, _before: datetime) -> dict[str, int]:
    """Forgets them whenever they came: what listed them was kept for so long."""
    columns = (each.c.package_id for each in (inventory_packages, sbom_packages, package_set_blocks))
    package_ids = union_all(*map(select, columns))
    await connection.execute(delete(packages).where(packages.c.id.not_in(package_ids)))
    return {}
