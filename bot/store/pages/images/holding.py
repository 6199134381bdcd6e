"""Which images hold packages, by what was read of their layers and of their SBOMs."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import String, cast, func, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.evidence import Strength
from bot.domain.packages.cves.vulnerability import release_of
from bot.domain.packages.package import Distribution
from bot.domain.packages.wanted import Fit, Sought, fit_of
from bot.store.engine.among import is_among
from bot.store.engine.codec import load_text
from bot.store.engine.readable import readable
from bot.store.pages.images.found_packages import Asked, BaseName, HoldingImage, PackageSight, StandsOn
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import image_inventories, inventories, inventory_packages
from bot.store.rows.inventories.sboms import sbom_packages, sboms
from bot.store.rows.repositories.tables import repositories
from bot.views.images.inventory import ShownBy

T = TypeVar("T")

_HELD = union_all(
    select(
        inventory_packages.c.inventory_id,
        inventory_packages.c.package_id,
        inventory_packages.c.since,
        cast(null(), sboms.c.strength.type).label("strength"),
    ).where(is_among(inventory_packages.c.package_id, "packages")),
    select(sboms.c.inventory_id, sbom_packages.c.package_id, sboms.c.at, sboms.c.strength)
    .join(sboms, sboms.c.id == sbom_packages.c.sbom_id)
    .where(is_among(sbom_packages.c.package_id, "packages")),
).subquery()
"""Inventories with any of these packages, since when each is known there, and the strength of the SBOM that says
so: none where it is the layers."""
_SIGHTS = (
    select(
        image_inventories.c.image_id,
        image_inventories.c.platform,
        _HELD.c.package_id,
        _HELD.c.since,
        _HELD.c.strength,
        images.c.registry + "/" + images.c.repository + ":" + func.coalesce(images.c.found, images.c.tag),
        images.c.digest,
        cast(images.c.standings, String),
        repositories.c.name,
    )
    .join(_HELD, _HELD.c.inventory_id == image_inventories.c.inventory_id)
    .join(images, images.c.id == image_inventories.c.image_id)
    .join(repositories, repositories.c.id == images.c.repository_id)
)
_RELEASES = (
    select(
        *(image_inventories.c.image_id, image_inventories.c.platform),
        *(cast(inventories.c.distribution, String), inventories.c.id),
    )
    .join(inventories, inventories.c.id == image_inventories.c.inventory_id)
    .where(is_among(image_inventories.c.image_id, "images"))
)


async def sights_of(
    connection: AsyncConnection, sought_packages: Asked
) -> tuple[dict[int, HoldingImage], dict[int, list[PackageSight]]]:
    """The images that hold these packages, and where each was seen to, by layers and by SBOMs."""
    holding_images: dict[int, HoldingImage] = {}
    sights: dict[int, list[PackageSight]] = {}
    if not sought_packages:
        return holding_images, sights
    rows = (await connection.execute(_SIGHTS, {"packages": sought_packages})).all()
    for image, platform, package, since, strength, name, digest, standings, produced_by in rows:
        if image not in holding_images:
            [stands_on] = told_in(standings, _bases_in, f"image {image}") or [StandsOn({})]
            holding_images[image], sights[image] = HoldingImage(name, digest, produced_by, stands_on), []
        sights[image].append(PackageSight(package, platform, since, shown_by(strength)))
    return holding_images, sights


async def of_releases(
    connection: AsyncConnection,
    sought: Collection[Sought],
    sought_packages: Asked,
    sights: Mapping[int, Sequence[PackageSight]],
) -> dict[int, list[PackageSight]]:
    """Those in images of the releases that are spoken of: elsewhere the same version may be another package. An
    image of which nobody can read the release may be of any."""
    rows = (await connection.execute(_RELEASES, {"images": sights})).all()
    pairs = readable(rows, lambda row: ((row[0], row[1]), release_in(row[2])), lambda row: f"inventory {row[3]}")
    releases = dict(pairs)
    fitting_sights: dict[int, list[PackageSight]] = {}
    for image, image_sights in sights.items():
        for sight in image_sights:
            if (image, sight.platform) not in releases:
                fitting_sights.setdefault(image, []).append(sight._replace(is_certain=False))
                continue
            fit = fit_of(sought_packages[sight.package][0], sought, releases[image, sight.platform])
            if fit is not Fit.NO:
                fitting_sights.setdefault(image, []).append(sight._replace(is_certain=fit is Fit.YES))
    return fitting_sights


def told_in(text: str | None, read: Callable[[str | None], T], row: str) -> list[T]:
    """What a column of this row tells; nothing where it cannot be read, which the log says once."""
    return readable([text], read, lambda _: row)


@lru_cache(maxsize=4_096)
def release_in(distribution: str | None) -> str | None:
    """Reads the release of a stored distribution, as publishers list it."""
    if not distribution or distribution == "null":
        return None
    return release_of(load_text(distribution, Distribution))


def shown_by(strength: str | None) -> ShownBy:
    """Gives what tells of a package, by the strength of the SBOM that lists it."""
    if strength is None:
        return ShownBy.LAYERS
    return ShownBy.PROVED_SBOM if strength == Strength.PROVED.value else ShownBy.CLAIMED_SBOM


@lru_cache(maxsize=4_096)
def _bases_in(standings: str | None) -> StandsOn:
    """The bases that an image is seen to stand on.

    Read from the plain JSON of `Standing`, once for all images that stand alike: there may be thousands.
    """
    names_by_platform: dict[str, tuple[BaseName, ...]] = {}
    for standing in json.loads(standings or "null") or ():
        names = {
            (base["registry"], base["repository"], base["tag"])
            for base in (publication["base"] for publication in standing["publications"])
        }
        names_by_platform[standing["platform"]] = tuple(sorted(names, key=lambda name: (sum(map(len, name)), name)))
    return StandsOn(names_by_platform)
