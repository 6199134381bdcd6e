"""Why images of the fleet may have CVEs that the kept data does not tell of."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import String, case, cast, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.package import RUNTIME_PACK, Distribution, PackageType
from bot.images.vulnerabilities import SYSTEM, FleetHoldings, KeptData, gaps_of_data
from bot.store.engine.codec import load_text, readable
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import image_inventories, inventories, inventory_packages, packages
from bot.store.rows.inventories.kept_data import kept_data

NO_IMAGE = "no image of the fleet is known yet (`freshness-bot doctor` says what is missing)"
_TEXT = func.coalesce(cast(inventories.c.distribution, String), "null")
_OF_IMAGES = image_inventories.join(inventories, inventories.c.id == image_inventories.c.inventory_id)
_TOLD = (
    select(_TEXT.label("text"))
    .select_from(_OF_IMAGES)
    .where(inventories.c.read_at.is_not(None))
    .distinct()
    .subquery()
)
_A_PACKAGE = (
    select(packages.c.id)
    .join(inventory_packages, inventory_packages.c.package_id == packages.c.id)
    .where(inventory_packages.c.inventory_id == inventories.c.id, packages.c.type.in_(SYSTEM))
    .correlate(inventories)
    .limit(1)
    .scalar_subquery()
)
_ITS_INVENTORY = (
    select(inventories.c.id)
    .where(
        _TOLD.c.text == _TEXT,
        exists().where(image_inventories.c.inventory_id == inventories.c.id),
        _A_PACKAGE.is_not(None),
    )
    .correlate(_TOLD)
    .limit(1)
    .scalar_subquery()
)
"""Some inventory of a distribution that holds a package of it: asked only whether there is any, PostgreSQL would
read all that are held. They are looked into one after another until one does, as most do: SQLite would go through
all that is held where few images are of the distribution."""
_DISTRIBUTIONS = select(_TOLD.c.text).where(_ITS_INVENTORY.is_not(None)).order_by(_TOLD.c.text)


async def gaps_of_fleet(
    connection: AsyncConnection, max_age: timedelta, now: datetime, kept: KeptData | None = None
) -> tuple[str, ...]:
    """Gives a line for each publisher of what images hold whose data is missing, older than `max_age`, or not
    looked through yet; and one where there are no images. What is `kept` is read where it is not given."""
    holdings = FleetHoldings(await _distributions(connection), await _nuget(connection))
    gaps = gaps_of_data(holdings, kept or await kept_data(connection), max_age, now)
    has_images = await connection.scalar(select(exists(select(images.c.id))))
    return gaps if has_images else (NO_IMAGE, *gaps)


async def gaps_of_image(
    connection: AsyncConnection,
    distributions: Mapping[int, Distribution | None],
    max_age: timedelta,
    now: datetime,
) -> tuple[str, ...]:
    """The same of one image: the distributions of its platforms, by the inventories of those that were read."""
    is_nuget = packages.c.type == PackageType.NUGET.value
    rows = await connection.execute(
        select(inventory_packages.c.inventory_id, case((is_nuget, packages.c.name)).label("nuget"))
        .join(packages, packages.c.id == inventory_packages.c.package_id)
        .where(inventory_packages.c.inventory_id.in_(distributions), or_(is_nuget, packages.c.type.in_(SYSTEM)))
        .distinct()
    )
    read_distributions: set[Distribution | None] = set()
    nuget: set[str] = set()
    for row in rows:
        if row.nuget is None:
            read_distributions.add(distributions[row.inventory_id])
        else:
            nuget.add(row.nuget.removeprefix(RUNTIME_PACK))
    return gaps_of_data(
        FleetHoldings(tuple(read_distributions), tuple(nuget)), await kept_data(connection), max_age, now
    )


async def _distributions(connection: AsyncConnection) -> tuple[Distribution | None, ...]:
    """Those that images hold packages of."""
    rows = await connection.execute(_DISTRIBUTIONS)
    return tuple(readable(rows, lambda row: _decoded(row.text), lambda row: f"distribution {row.text}"))


def _decoded(text: str) -> Distribution | None:
    return None if text == "null" else load_text(text, Distribution)


async def _nuget(connection: AsyncConnection) -> tuple[str, ...]:
    """The names that advisories have for what images hold of NuGet's."""
    is_held = exists().where(
        inventory_packages.c.package_id == packages.c.id,
        image_inventories.c.inventory_id == inventory_packages.c.inventory_id,
    )
    is_nuget = packages.c.type == PackageType.NUGET.value
    names = await connection.scalars(select(packages.c.name).where(is_nuget, is_held).distinct())
    return tuple(sorted({name.removeprefix(RUNTIME_PACK) for name in names}))
