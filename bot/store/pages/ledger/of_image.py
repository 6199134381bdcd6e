"""The ledger of one image alone: read in some fifteen statements, whatever the fleet holds beside it."""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.pages.ledger.below import read_bases, read_names
from bot.store.pages.ledger.entries import ExposedImage, Ledger
from bot.store.pages.ledger.exposed import read_exposures_in
from bot.store.pages.ledger.fixes_below import FixesBelow
from bot.store.pages.ledger.histories import read_histories_of, with_past
from bot.store.pages.ledger.pinned import read_builds
from bot.store.pages.ledger.shown_again import as_shown, read_shown_again
from bot.store.pages.ledger.shown_since import ShownSince


async def read_ledger_of(
    connection: AsyncConnection, number: int, image: ExposedImage, platforms: Collection[str] | None
) -> Ledger:
    """`number` is that of its row. `platforms` are those that are read at all, None where all are. When a fix has
    passed below the image is not looked up."""
    bases = await read_bases(connection, image.standings)
    digests = {place.digest for place in image.deployed if place.digest is not None}
    pinned = await read_builds(connection, platforms, digests)
    shown_inventories = set(bases.shown.values())
    of_pinned = {number for build in pinned.values() for _, number in build.inventories}
    again = await read_shown_again(connection, [number])
    before = {row.previous_id for rows in again.values() for row in rows if row.previous_id is not None}
    mine = await with_past(connection, before.union(inventory for _, inventory in image.inventories))
    numbers = mine | shown_inventories | of_pinned
    exposed = await read_exposures_in(connection, numbers)
    histories = await read_histories_of(connection, exposed, numbers)
    image = replace(image, inventories=tuple(as_shown(histories, number, image.inventories, again)))
    names = {name for several in exposed.by_package.values() for each in several for name in each.affected.names}
    brings = await read_names(connection, shown_inventories, names)
    fixes = FixesBelow(histories, bases, brings, ShownSince())
    return Ledger(exposed, histories, bases, fixes, pinned, (image,))
