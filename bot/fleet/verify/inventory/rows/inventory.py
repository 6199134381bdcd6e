"""Layers, inventories and package changes: what the reading of packages reads and writes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backports import zstd
from sqlalchemy import ColumnElement, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Failure, Trouble
from bot.domain.packages.changes import PackageChange
from bot.domain.packages.package import EDITION, Distribution, Inventory
from bot.fleet.verify.inventory.tick import Comparison, UnreadInventory, UnreadLayer
from bot.images.packages.databases.places import assumed_links
from bot.images.packages.layers.layer import LayerContents
from bot.reconcile.work import Claimed
from bot.store.engine.codec import dump
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, upsert
from bot.store.rows.inventories.inventories import (
    ARE_BOTH_TOLD,
    inventories,
    inventory_layers,
    inventory_packages,
    layer_contents,
    layers,
    package_changes,
)
from bot.store.rows.inventories.packages import outdate_told
from bot.store.rows.inventories.read_inventories import (
    distribution_in,
    inventories_of,
    is_new_to_release,
    package_ids,
)
from bot.store.rows.inventories.vulnerabilities import look_again_soon

_LARGEST_CONTENTS = 512 * 1024 * 1024


class InventoryStore(Store):
    """`bot.fleet.verify.inventory.tick.InventoryStore` on the database."""

    def layers(self, platforms: Collection[str]) -> DueRows[UnreadLayer]:
        """Those of images that are still to be read: of what was told once nothing is fetched again."""
        is_wanted = (
            exists()
            .where(inventory_layers.c.layer_id == layers.c.id)
            .where(inventories.c.id == inventory_layers.c.inventory_id)
            .where(inventories.c.platform.in_(platforms), inventories.c.read_at.is_(None))
        )
        return self._rows_not_done(layers, layers.c.read_at, _unread_layer, is_wanted)

    def inventories(self, platforms: Collection[str]) -> DueRows[UnreadInventory]:
        unread = (
            exists()
            .where(inventory_layers.c.inventory_id == inventories.c.id)
            .where(layers.c.id == inventory_layers.c.layer_id)
            .where(layers.c.read_at.is_(None))
        )
        is_ready = (inventories.c.platform.in_(platforms), ~unread)
        return self._rows_not_done(inventories, inventories.c.read_at, _unread_inventory, *is_ready)

    @property
    def comparisons(self) -> DueRows[Comparison]:
        return self._rows_not_done(package_changes, package_changes.c.compared_at, _comparison, *ARE_BOTH_TOLD)

    def _rows_not_done(
        self, table: Any, column: Any, reader: Any, *conditions: ColumnElement[bool]
    ) -> DueRows[Any]:
        return DueRows(self._database, self._worker, table, reader, _name, where=[column.is_(None), *conditions])

    async def layer_unpacked_to(self, diff_id: str) -> LayerContents | None:
        query = (
            select(layer_contents.c.body, layers.c.diff_id)
            .join(layers, layers.c.id == layer_contents.c.layer_id)
            .where(layers.c.diff_id == diff_id, layers.c.edition == EDITION)
            .limit(1)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _unpack(row.body, row.diff_id)

    async def save_layer(self, layer: UnreadLayer, contents: LayerContents | None, problem: str | None) -> None:
        now = self._clock.now()
        values = {
            "read_at": now,
            "problem": problem,
            "edition": EDITION,
            "diff_id": contents.diff_id if contents is not None else None,
            "error": None,
        }
        body = None if contents is None else _pack(contents)
        async with self._database.transaction() as connection:
            if body is not None:
                await connection.execute(
                    upsert(connection, layer_contents, ["layer_id"], layer_id=layer.id, body=body)
                )
            await settle(connection, layers, self._worker, layer.id, due_at=now, values=values)

    async def layers_of(self, inventory: UnreadInventory) -> list[LayerContents]:
        query = (
            select(layers.c.problem, layers.c.diff_id, layer_contents.c.body)
            .join(inventory_layers, inventory_layers.c.layer_id == layers.c.id)
            .outerjoin(layer_contents, layer_contents.c.layer_id == layers.c.id)
            .where(inventory_layers.c.inventory_id == inventory.id)
            .order_by(inventory_layers.c.position.desc())
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [
            LayerContents(problems=(row.problem,)) if row.body is None else _unpack(row.body, row.diff_id)
            for row in rows
        ]

    async def save_inventory(self, inventory: UnreadInventory, contents: Inventory) -> None:
        now = self._clock.now()
        values = {
            "read_at": now,
            "distribution": dump(contents.distribution, Distribution | None),
            "problems": list(contents.problems),
            "is_complete": not contents.problems,
            "error": None,
        }
        async with self._database.transaction() as connection:
            await settle(connection, inventories, self._worker, inventory.id, due_at=now, values=values)
            ids = await package_ids(connection, contents.packages, now)
            before = await _shown_before(connection, inventory.id)
            rows = [
                {
                    "inventory_id": inventory.id,
                    "package_id": package,
                    "since": before.since.get(package, before.seen_at),
                }
                for package in sorted(ids)
            ]
            for part in chunks(rows):
                await connection.execute(insert(inventory_packages), part)
            new = ids - before.since.keys() if contents.distribution == before.distribution else ids
            if await is_new_to_release(connection, inventory.id, values["distribution"], new):
                await look_again_soon(connection, now)

    async def inventory(self, number: int) -> Inventory:
        """Reads an inventory; raises `Failure` where its packages are not known."""
        inventory = await self.known_inventory(number)
        if inventory is None:
            raise Failure(Trouble.MISSING, "its packages are not known any more", where=f"inventory {number}")
        return inventory

    async def known_inventory(self, number: int) -> Inventory | None:
        """What was told of an image; None where nothing was. Raises `Failure` where that cannot be read."""
        async with self._database.reading() as connection:
            answer = (await inventories_of(connection, [number])).get(number)
        if isinstance(answer, Failure):
            raise answer
        return answer

    async def known_inventories(self, numbers: Collection[int]) -> dict[int, Inventory | Failure]:
        """What was told of some hundred images at most, by their ids, as `inventories_of` reads it."""
        async with self._database.reading() as connection:
            return await inventories_of(connection, numbers)

    async def save_comparison(
        self, comparison: Comparison, changes: Sequence[PackageChange], *, is_complete: bool
    ) -> None:
        now = self._clock.now()
        values = {
            "compared_at": now,
            "changes": dump(tuple(changes), tuple[PackageChange, ...]),
            "is_complete": is_complete,
            "error": None,
        }
        async with self._database.transaction() as connection:
            await settle(connection, package_changes, self._worker, comparison.id, due_at=now, values=values)
            of = select(package_changes.c.observation_id).where(package_changes.c.id == comparison.id)
            await outdate_told(connection, (await connection.execute(of)).scalar_one(), now)


@dataclass(frozen=True, slots=True)
class _PreviousInventory:
    """What an image of a tag, first seen at `seen_at`, came in the place of: since when that had its packages."""

    seen_at: datetime
    distribution: Distribution | None
    since: Mapping[int, datetime]


async def _shown_before(connection: AsyncConnection, inventory: int) -> _PreviousInventory:
    previous = inventories.alias()
    row = (
        await connection.execute(
            select(inventories.c.seen_at, inventories.c.previous_id, previous.c.distribution)
            .outerjoin(previous, previous.c.id == inventories.c.previous_id)
            .where(inventories.c.id == inventory)
        )
    ).one()
    package_rows = await connection.execute(
        select(inventory_packages.c.package_id, inventory_packages.c.since).where(
            inventory_packages.c.inventory_id == row.previous_id
        )
    )
    return _PreviousInventory(
        row.seen_at, distribution_in(row.distribution), {each.package_id: each.since for each in package_rows}
    )


def _pack(contents: LayerContents) -> bytes:
    import cbor2

    values = [
        contents.files,
        sorted(contents.removed),
        sorted(contents.opaque),
        sorted(contents.replaced),
        list(contents.problems),
        contents.marks,
        contents.links,
        contents.hard_links,
    ]
    return zstd.compress(cbor2.dumps(values))


def _unpack(body: bytes, diff_id: str) -> LayerContents:
    import cbor2

    plain = zstd.ZstdDecompressor().decompress(body, _LARGEST_CONTENTS)
    files, removed, opaque, replaced, problems, *later = cbor2.loads(plain)
    hiding = (frozenset(removed), frozenset(opaque), frozenset(replaced))
    marks = later[0] if later else b""  # early rows have none, later ones no links, or none that are hard
    links = later[1] if len(later) > 1 else assumed_links(replaced)
    hard_links = later[2] if len(later) > 2 else {}
    return LayerContents(files, *hiding, tuple(problems), diff_id, marks, links, hard_links)


async def _unread_layer(claimed: Claimed) -> UnreadLayer:
    row = claimed.row
    return UnreadLayer(
        row["id"], row["registry"], row["repository"], row["digest"], row["named_diff_id"], row["attempts"]
    )


async def _unread_inventory(claimed: Claimed) -> UnreadInventory:
    return UnreadInventory(claimed.row["id"], claimed.row["digest"])


async def _comparison(claimed: Claimed) -> Comparison:
    return Comparison(claimed.row["id"], claimed.row["before_id"], claimed.row["after_id"])


def _name(row: Mapping[str, Any]) -> str:
    subject = row.get("digest") or f"the packages of observation {row.get('observation_id')}"
    return f"{subject} of {row['registry']}/{row['repository']}" if "registry" in row else str(subject)
