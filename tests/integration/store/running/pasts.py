"""Builds that ran and are shown no more, so that sets of packages are all that is kept of them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, select

from bot.domain.packages.package import Package, Sbom
from bot.domain.running.exposure import Asked, PlaceExposure
from bot.store.rows.inventories.inventories import inventories
from bot.views.running.exposed import Narrowed
from tests.integration.store.filling import HOUR, Stores, digest
from tests.integration.store.holding import CVE, FIXED, asked, move_image, publish, running
from tests.integration.store.running.snapshots import EUROPE, WEB, runs_in, tells

DAY = timedelta(days=1)


async def forget(stores: Stores) -> None:
    task = await stores.retention.claim_forgetting()
    assert task is not None
    await stores.retention.forget(task, 365 * DAY)
    stores.clock.advance(DAY + HOUR)


async def rows(stores: Stores, table: Table) -> list[Any]:
    async with stores.database.reading() as connection:
        return list((await connection.execute(select(table))).all())


async def digests(stores: Stores) -> set[str]:
    return {row.digest for row in await rows(stores, inventories)}


async def then(stores: Stores, at: datetime) -> PlaceExposure:
    [place] = (await stores.exposure.exposure(CVE, Asked(at), Narrowed())).places
    return place


async def is_past(stores: Stores) -> None:
    """What ran became sets, and a day later its inventory went."""
    await forget(stores)
    await forget(stores)
    assert digest("d") not in await digests(stores)


async def exposed_then(stores: Stores, *held: Package, sboms: tuple[Sbom, ...] = ()) -> datetime:
    """`web` ran a build with these, and SBOMs of it, after the CVE was known; when it ran. Nothing shows it now."""
    await stores.running.follow([EUROPE])
    await running(stores, *held)
    if sboms:
        await asked(stores, *sboms)
    await publish(stores)
    await tells(stores, *runs_in(WEB, "e"))
    await tells(stores, *runs_in(WEB, "e"))
    ran_at = stores.clock.now()
    for letter in ("f", "5"):
        await move_image(stores, FIXED, letter=letter)
    await tells(stores, *runs_in(WEB, "5"))
    stores.clock.advance(20 * DAY)
    return ran_at
