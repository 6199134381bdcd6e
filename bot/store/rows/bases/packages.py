"""Layers, what is inside the images that they make, and how each move of a base changed it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.image import is_digest
from bot.domain.bases.observation import PlatformImage
from bot.domain.packages.changes import PackageChange
from bot.domain.packages.moves import PlatformChanges
from bot.domain.rollouts.rebuild import Action, State, Target
from bot.store.engine.codec import load
from bot.store.engine.inserting import chunks, insert_into, upsert
from bot.store.engine.readable import readable
from bot.store.rows.moment import Moment
from bot.store.rows.rollouts.rebuilds import outdate
from bot.store.rows.tables import Id, bases, changes, metadata, observations, rebuilds


def _key() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def _lease(table: str, column: str) -> list[Column[int] | Column[str] | Column[datetime] | Index]:
    """Due until `column` says that it is done: what is done is most of the table, and is not looked through."""
    undone = text(f"{column} IS NULL")
    return [
        Column("due_at", Moment, nullable=False),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("lease_owner", String(64)),
        Column("lease_until", Moment),
        Index(f"ix_{table}_undone", "due_at", sqlite_where=undone, postgresql_where=undone),
    ]


layers = Table(
    "layers",
    metadata,
    _key(),
    Column("digest", String(160), nullable=False, unique=True),
    Column("registry", String(255), nullable=False),
    Column("repository", String(255), nullable=False),
    Column("named_diff_id", String(160)),
    Column("diff_id", String(160), index=True),
    Column("problem", Text),
    Column("read_at", Moment),
    Column("error", Text),
    *_lease("layers", "read_at"),
)
"""`named_diff_id` is what an image says that it unpacks to, `diff_id` what it was seen to unpack to. `problem` says
why a layer that was read tells nothing."""

layer_contents = Table(
    "layer_contents",
    metadata,
    Column("layer_id", ForeignKey("layers.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
"""Apart from the layers, so that looking through those reads none of it."""

inventories = Table(
    "inventories",
    metadata,
    _key(),
    Column("digest", String(160), nullable=False, unique=True),
    Column("platform", String(100), nullable=False),
    Column("previous_id", Id),
    Column("seen_at", Moment, nullable=False),
    Column("read_at", Moment),
    Column("distribution", JSON),
    Column("problems", JSON),
    Column("is_complete", Boolean),
    Column("error", Text),
    *_lease("inventories", "read_at"),
    Index(
        "ix_inventories_incomplete",
        "id",
        sqlite_where=text("is_complete IS NOT 1"),
        postgresql_where=text("is_complete IS NOT true"),
    ),
)
"""What is inside one platform's image, by the digest of its manifest; `previous_id` is that of the image under the
same tag before, as far as it was seen."""

inventory_layers = Table(
    "inventory_layers",
    metadata,
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("layer_id", ForeignKey("layers.id"), nullable=False, index=True),
)
"""The bottom layer is at 0."""

packages = Table(
    "packages",
    metadata,
    _key(),
    Column("key", String(64), nullable=False, unique=True),
    Column("type", String(256), nullable=False),
    Column("name", String(256), nullable=False, index=True),
    Column("version", String(256), nullable=False),
    Column("architecture", String(256)),
    Column("source", String(256), index=True),
    Column("source_version", String(256)),
)
"""Each once, however many images have it; `key` is a hash of all else, which would be too long for an index."""

inventory_packages = Table(
    "inventory_packages",
    metadata,
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("package_id", ForeignKey("packages.id"), primary_key=True, autoincrement=False),
    Column("since", Moment, nullable=False),
    Index(None, "package_id"),
    sqlite_with_rowid=False,
)
"""`since` is when the package was first seen there, in this version and without a break."""

observed_inventories = Table(
    "observed_inventories",
    metadata,
    Column(
        "observation_id", ForeignKey("observations.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("platform", String(100), primary_key=True),
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), nullable=False, index=True),
)

image_inventories = Table(
    "image_inventories",
    metadata,
    Column("image_id", ForeignKey("images.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("platform", String(100), primary_key=True),
    Column("inventory_id", ForeignKey("inventories.id", ondelete="CASCADE"), nullable=False, index=True),
)

package_changes = Table(
    "package_changes",
    metadata,
    _key(),
    Column("observation_id", ForeignKey("observations.id", ondelete="CASCADE"), nullable=False),
    Column("platform", String(100), nullable=False),
    Column("before_id", Id, nullable=False),
    Column("after_id", Id, nullable=False),
    Column("compared_at", Moment),
    Column("changes", JSON),
    Column("is_complete", Boolean),
    Column("error", Text),
    *_lease("package_changes", "compared_at"),
    UniqueConstraint("observation_id", "platform"),
)
"""How an observation of a base differs from the one before it; the inventories that were compared may be gone."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An image that somebody shows, and where it can be fetched."""

    registry: str
    repository: str
    image: PlatformImage


async def want_inventories(
    connection: AsyncConnection, shown: Collection[Shown], now: datetime
) -> Mapping[str, int]:
    """The inventory of each image by the digest of its manifest; those that are new await to be read.

    What an inventory of others tells is left out: it knows no whole digests of layers.
    """
    known = [each for each in shown if all(map(is_digest, (each.image.digest, *each.image.layers)))]
    images = {each.image.digest: each for each in known if each.image.layers}
    before = await _ids(connection, inventories, images)
    new = sorted(images.keys() - before.keys())
    if not new:
        return before
    found = await _layers(connection, [images[digest] for digest in new], now)
    for some in chunks(new):
        rows = [
            {"digest": each, "platform": images[each].image.platform, "seen_at": now, "due_at": now}
            for each in some
        ]
        await connection.execute(insert_into(connection, inventories).on_conflict_do_nothing(), rows)
    ids = await _ids(connection, inventories, new)
    made_of = [
        {"inventory_id": ids[digest], "position": position, "layer_id": found[layer]}
        for digest in new
        for position, layer in enumerate(images[digest].image.layers)
    ]
    for links in chunks(made_of):
        await connection.execute(insert_into(connection, inventory_layers).on_conflict_do_nothing(), links)
    return {**before, **ids}


async def _layers(connection: AsyncConnection, shown: Sequence[Shown], now: datetime) -> Mapping[str, int]:
    rows: dict[str, dict[str, object]] = {}
    for each in shown:
        image = each.image
        has_all = len(image.diff_ids) == len(image.layers)
        for position, layer in enumerate(image.layers):
            rows[layer] = {
                "digest": layer,
                "registry": each.registry,
                "repository": each.repository,
                "named_diff_id": image.diff_ids[position] if has_all else None,
                "due_at": now,
            }
    for some in chunks([rows[digest] for digest in sorted(rows)]):
        statement = insert_into(connection, layers)
        taken = {name: statement.excluded[name] for name in ("registry", "repository")}
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["digest"], set_=taken, where=layers.c.read_at.is_(None)
            ),
            some,
        )
    return await _ids(connection, layers, rows)


async def _ids(connection: AsyncConnection, table: Table, digests: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in chunks(sorted(digests)):
        rows = await connection.execute(select(table.c.digest, table.c.id).where(table.c.digest.in_(some)))
        found |= {row.digest: row.id for row in rows}
    return found


async def want_observed(
    connection: AsyncConnection, observed: Mapping[int, Sequence[Shown]], now: datetime
) -> None:
    """What these observations, by their ids, show is to be read, and compared with what was shown before."""
    ids = await want_inventories(connection, [each for shown in observed.values() for each in shown], now)
    rows = [
        {"observation_id": number, "platform": each.image.platform, "inventory_id": ids[each.image.digest]}
        for number, shown in sorted(observed.items())
        for each in shown
        if each.image.digest in ids
    ]
    if not rows:
        return
    await connection.execute(insert(observed_inventories), rows)
    after, before = observed_inventories, observed_inventories.alias()
    moved = await connection.execute(
        select(
            after.c.observation_id,
            after.c.platform,
            before.c.inventory_id.label("before_id"),
            after.c.inventory_id.label("after_id"),
        )
        .join(observations, observations.c.id == after.c.observation_id)
        .join(
            before,
            (before.c.observation_id == observations.c.previous_id) & (before.c.platform == after.c.platform),
        )
        .where(after.c.observation_id.in_(observed), before.c.inventory_id != after.c.inventory_id)
        .order_by(after.c.observation_id, after.c.platform)
    )
    if pairs := [{**row, "due_at": now} for row in moved.mappings()]:
        await connection.execute(insert(package_changes), pairs)
        await _follow(connection, {pair["after_id"]: pair["before_id"] for pair in pairs})


async def want_image(connection: AsyncConnection, image: int, shown: Sequence[Shown], now: datetime) -> None:
    """What an image of the fleet, a row of `images`, shows now is to be read."""
    ids = await want_inventories(connection, shown, now)
    links = image_inventories
    rows = await connection.execute(select(links.c.platform, links.c.inventory_id).where(links.c.image_id == image))
    before = {row.platform: row.inventory_id for row in rows}
    now_shown = {each.image.platform: ids[each.image.digest] for each in shown if each.image.digest in ids}
    await connection.execute(delete(links).where(links.c.image_id == image, links.c.platform.not_in(now_shown)))
    for platform, inventory in sorted(now_shown.items()):
        await connection.execute(
            upsert(
                connection,
                links,
                ["image_id", "platform"],
                image_id=image,
                platform=platform,
                inventory_id=inventory,
            )
        )
    followed = {inventory: before[platform] for platform, inventory in now_shown.items() if platform in before}
    await _follow(connection, followed)


async def _follow(connection: AsyncConnection, previous: Mapping[int, int]) -> None:
    """Tells each inventory by which it is preceded, unless it is known or read already."""
    for inventory, before in sorted(previous.items()):
        if inventory != before:
            await connection.execute(
                update(inventories)
                .where(
                    inventories.c.id == inventory,
                    inventories.c.previous_id.is_(None),
                    inventories.c.read_at.is_(None),
                )
                .values(previous_id=before)
            )


async def package_changes_of(
    connection: AsyncConnection, some: Collection[int]
) -> dict[int, tuple[PlatformChanges, ...]]:
    """How packages changed with each of these changes of bases, in the order in which the bases moved."""
    found: dict[int, list[PlatformChanges]] = {}
    for ids in chunks(sorted(some)):
        rows = await connection.execute(
            select(
                changes.c.id,
                package_changes.c.platform,
                package_changes.c.changes,
                package_changes.c.is_complete,
                package_changes.c.compared_at,
            )
            .join(changes, changes.c.to_observation == package_changes.c.observation_id)
            .where(changes.c.id.in_(ids))
            .order_by(changes.c.to_observation, package_changes.c.platform)
        )
        for number, each in readable(rows, _platform_changes, lambda row: f"packages of change {row.id}"):
            found.setdefault(number, []).append(each)
    return {number: tuple(each) for number, each in found.items()}


def _platform_changes(row: Any) -> tuple[int, PlatformChanges]:
    if row.compared_at is None:
        return row.id, PlatformChanges(row.platform, None, is_complete=False)
    told = load(row.changes, tuple[PackageChange, ...])
    return row.id, PlatformChanges(row.platform, told, bool(row.is_complete))


async def outdate_told(connection: AsyncConnection, observation: int, now: datetime) -> None:
    """Has open pull requests that bring this observation of a base say what it changed."""
    change = (
        await connection.execute(
            select(changes.c.id, changes.c.rollout_id).where(changes.c.to_observation == observation)
        )
    ).first()
    if change is None or change.rollout_id is None:
        return
    rows = await connection.execute(
        select(rebuilds.c.id, rebuilds.c.targets).where(
            rebuilds.c.rollout_id == change.rollout_id,
            rebuilds.c.state == State.OPEN.value,
            rebuilds.c.action == Action.PULL_REQUEST.value,
        )
    )
    concerned = [
        row.id
        for row in rows
        if any(change.id in target.changes for target in load(row.targets, tuple[Target, ...]))
    ]
    await outdate(connection, concerned, now)


async def forget_inventories(connection: AsyncConnection, before: datetime) -> tuple[int, int]:
    """Forgets what no image and no base shows any more, seen before then; how many inventories, and layers.

    How moves of bases have changed packages stays. What is not compared after so long never will be, since nobody
    reads its platform, or its registry has lost it.
    """
    await connection.execute(
        delete(package_changes).where(package_changes.c.compared_at.is_(None), package_changes.c.due_at < before)
    )
    shown_by_bases = (
        select(observed_inventories.c.inventory_id)
        .join(bases, bases.c.observation_id == observed_inventories.c.observation_id)
        .where(bases.c.used.is_(True))
    )
    uncompared = package_changes.c.compared_at.is_(None)
    needed = union_all(
        shown_by_bases,
        select(image_inventories.c.inventory_id),
        select(package_changes.c.before_id).where(uncompared),
        select(package_changes.c.after_id).where(uncompared),
    )
    forgotten = await connection.execute(
        delete(inventories).where(inventories.c.seen_at < before, inventories.c.id.not_in(needed))
    )
    unused = await connection.execute(delete(layers).where(layers.c.id.not_in(select(inventory_layers.c.layer_id))))
    orphans = packages.c.id.not_in(select(inventory_packages.c.package_id))
    await connection.execute(delete(packages).where(orphans))
    return forgotten.rowcount, unused.rowcount
