"""Has what bases and images show read, and compared with what they showed before."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Table,
    and_,
    case,
    delete,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.image import is_digest
from bot.domain.bases.observation import PlatformImage, named_apart
from bot.domain.packages.package import EDITION
from bot.store.engine.writing import chunks, insert_into, insert_missing, upsert
from bot.store.rows.bases.tables import observations
from bot.store.rows.inventories.inventories import (
    MOST_BEFORE,
    image_inventories,
    inventories,
    inventory_layers,
    later_indexes,
    layers,
    observed_inventories,
    package_changes,
    sbom_looks,
    shown_again,
)

ATTACHED_AFTER = timedelta(minutes=5)
"""How long a build is given to attach its SBOMs to what it has pushed."""


@dataclass(frozen=True, slots=True)
class ShownImage:
    """An image that somebody shows, and where it can be fetched."""

    registry: str
    repository: str
    image: PlatformImage


@dataclass(frozen=True, slots=True)
class TwoLooks:
    """When an image is looked at `now`, and was `before`, None at its first look."""

    now: datetime
    before: datetime | None

    def tell(self, seen_at: datetime, *, is_next: bool) -> bool:
        """Whether what was first seen then began to be shown between the looks: `is_next` where it is known to come
        after what the image showed."""
        if seen_at == self.now:
            return True
        return is_next and self.before is not None and seen_at > self.before


async def want_inventories(
    connection: AsyncConnection, shown_images: Collection[ShownImage], now: datetime
) -> Mapping[str, int]:
    """Adds the inventories that are new, which await to be read; the ids of all by the digests of their manifests.

    What an inventory of others tells is left out: it knows no whole digests of layers.
    """
    whole_images = [each for each in shown_images if all(map(is_digest, (each.image.digest, *each.image.layers)))]
    images = {each.image.digest: each for each in whole_images if each.image.layers}
    before = await _ids_of(connection, inventories, images)
    new = sorted(images.keys() - before.keys())
    if not new:
        return before
    layer_ids = await _want_layers(connection, [images[digest] for digest in new], now)
    for chunk in chunks(new):
        rows = [
            {
                "digest": digest,
                "config_digest": images[digest].image.config,
                "platform": images[digest].image.platform,
                "seen_at": now,
                "due_at": now,
            }
            for digest in chunk
        ]
        await connection.execute(insert_into(connection, inventories).on_conflict_do_nothing(), rows)
    ids = await _ids_of(connection, inventories, new)
    made_of = [
        {"inventory_id": ids[digest], "position": position, "layer_id": layer_ids[layer]}
        for digest in new
        for position, layer in enumerate(images[digest].image.layers)
    ]
    for links in chunks(made_of):
        await connection.execute(insert_into(connection, inventory_layers).on_conflict_do_nothing(), links)
    return {**before, **ids}


async def _want_layers(
    connection: AsyncConnection, shown_images: Sequence[ShownImage], now: datetime
) -> Mapping[str, int]:
    """The layers by their digests; one that is new, or that an earlier edition has read, awaits to be read."""
    rows: dict[str, dict[str, object]] = {}
    for shown_image in shown_images:
        image = shown_image.image
        has_all = len(image.diff_ids) == len(image.layers)
        for position, layer in enumerate(image.layers):
            rows[layer] = {
                "digest": layer,
                "registry": shown_image.registry,
                "repository": shown_image.repository,
                "named_diff_id": image.diff_ids[position] if has_all else None,
                "due_at": now,
            }
    for chunk in chunks([rows[digest] for digest in sorted(rows)]):
        statement = insert_into(connection, layers)
        was_read = layers.c.read_at.is_not(None)
        reading_columns = {
            "read_at": None,
            "due_at": case((was_read, statement.excluded.due_at), else_=layers.c.due_at),
            "attempts": case((was_read, 0), else_=layers.c.attempts),
        }
        source_columns = {name: statement.excluded[name] for name in ("registry", "repository")}
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["digest"],
                set_=reading_columns | source_columns,
                where=~was_read | (layers.c.edition < EDITION),
            ),
            chunk,
        )
    return await _ids_of(connection, layers, rows)


async def _ids_of(connection: AsyncConnection, table: Table, digests: Collection[str]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for chunk in chunks(sorted(digests)):
        rows = await connection.execute(select(table.c.digest, table.c.id).where(table.c.digest.in_(chunk)))
        ids |= {row.digest: row.id for row in rows}
    return ids


async def want_observed(
    connection: AsyncConnection, images_by_observation: Mapping[int, Sequence[ShownImage]], now: datetime
) -> None:
    """Has read what these observations show, by their ids, and compared with what was shown before."""
    ids = await want_inventories(
        connection, [each for shown_images in images_by_observation.values() for each in shown_images], now
    )
    rows = [
        {"observation_id": number, "platform": platform, "inventory_id": inventory}
        for number, shown_images in sorted(images_by_observation.items())
        for platform, inventory in _inventories_by_platform(shown_images, ids).items()
    ]
    if not rows:
        return
    await connection.execute(insert(observed_inventories), rows)
    after, before = observed_inventories, observed_inventories.alias()
    moves = await connection.execute(
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
        .where(after.c.observation_id.in_(images_by_observation), before.c.inventory_id != after.c.inventory_id)
        .order_by(after.c.observation_id, after.c.platform)
    )
    if pairs := [{**row, "due_at": now} for row in moves.mappings()]:
        await connection.execute(insert(package_changes), pairs)
        await _follow(connection, {pair["after_id"]: pair["before_id"] for pair in pairs})


def _inventories_by_platform(shown_images: Sequence[ShownImage], ids: Mapping[str, int]) -> dict[str, int]:
    """The inventory of each platform of a base; of several images of one, that of the first, which builds take."""
    first: dict[str, int] = {}
    for shown_image in shown_images:
        if shown_image.image.digest in ids:
            first.setdefault(shown_image.image.platform, ids[shown_image.image.digest])
    return first


def _inventories_by_name(shown_images: Sequence[ShownImage], ids: Mapping[str, int]) -> dict[str, int]:
    """The inventory of each image of an index; those of one platform have a name of their own each."""
    image_names = named_apart(each.image for each in shown_images)
    return {name: ids[image.digest] for name, image in image_names if image.digest in ids}


async def want_image(
    connection: AsyncConnection,
    image: int,
    index: str,
    shown_images: Sequence[ShownImage],
    looks: TwoLooks,
) -> None:
    """What an image of the fleet, a row of `images`, shows now under the digest `index` is to be read, and its
    registry asked for SBOMs."""
    now = looks.now
    ids = await want_inventories(connection, shown_images, now)
    links = image_inventories
    rows = await connection.execute(select(links.c.platform, links.c.inventory_id).where(links.c.image_id == image))
    before = {row.platform: row.inventory_id for row in rows}
    now_shown = _inventories_by_name(shown_images, ids)
    followed_inventories = {
        inventory: before[platform] for platform, inventory in now_shown.items() if platform in before
    }
    await _follow(connection, followed_inventories)
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
    for shown_image in shown_images:
        if shown_image.image.digest in ids:
            insertion = insert_missing(
                connection,
                sbom_looks,
                inventory_id=ids[shown_image.image.digest],
                registry=shown_image.registry,
                repository=shown_image.repository,
                index_digest=index,
                due_at=now + ATTACHED_AFTER,
            )
            await connection.execute(insertion)
    await _note_index(connection, index, now_shown.values(), now)
    changed = {platform: number for platform, number in now_shown.items() if before.get(platform) != number}
    await _note_again(connection, image, changed, before, looks)


async def _note_again(
    connection: AsyncConnection,
    image: int,
    changed: Mapping[str, int],
    before: Mapping[str, int],
    looks: TwoLooks,
) -> None:
    """Notes of what the image has begun to show on these platforms where that was known since before the last look,
    or is known to follow something else than what the image showed. That stood elsewhere before then: so does all
    that comes after it. No more is kept than is looked back at."""
    columns = (inventories.c[name] for name in ("id", "seen_at", "previous_id"))
    rows = await connection.execute(select(*columns).where(inventories.c.id.in_(changed.values())))
    rows_by_id = {row.id: row for row in rows}
    query = select(shown_again.c.platform, shown_again.c.inventory_id).where(shown_again.c.image_id == image)
    strayed_pairs = (
        {(row.platform, row.inventory_id) for row in await connection.execute(query)} if changed else set()
    )
    new_rows = []
    for platform, number in sorted(changed.items()):
        previous, row = before.get(platform), rows_by_id[number]
        is_told = looks.tell(row.seen_at, is_next=row.previous_id == previous)
        if not is_told or (platform, previous) in strayed_pairs:
            since = row.seen_at if is_told else looks.now
            of_image = {"image_id": image, "platform": platform, "inventory_id": number}
            new_rows.append({**of_image, "previous_id": previous, "since": since})
    if new_rows:
        await connection.execute(insert(shown_again), new_rows)
    for new_row in new_rows:
        is_same_place = and_(shown_again.c.image_id == image, shown_again.c.platform == new_row["platform"])
        last = select(shown_again.c.id).where(is_same_place).order_by(shown_again.c.id.desc()).limit(MOST_BEFORE)
        await connection.execute(delete(shown_again).where(is_same_place, shown_again.c.id.not_in(last)))


async def _note_index(connection: AsyncConnection, index: str, numbers: Collection[int], now: datetime) -> None:
    """Notes that these inventories are shown under the index, where they were shown under another first."""
    looks = sbom_looks.c
    others = select(literal(index), looks.inventory_id, literal(now, later_indexes.c.seen_at.type)).where(
        looks.inventory_id.in_(numbers), looks.index_digest != index
    )
    key = ["index_digest", "inventory_id"]
    statement = insert_into(connection, later_indexes).from_select([*key, "seen_at"], others)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=key, set_={"seen_at": statement.excluded.seen_at})
    )


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
