"""Images that hold a package: by layers and SBOMs, by what their bases show, and where it was seen, put
together."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypeVar

from sqlalchemy import String, and_, cast, func, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.evidence import Strength
from bot.domain.packages.cves.vulnerability import release_of
from bot.domain.packages.package import Distribution, Package
from bot.domain.packages.wanted import Fit, Sought, fit_of
from bot.store.engine.among import is_among
from bot.store.engine.codec import load_text, readable
from bot.store.rows.bases.tables import bases
from bot.store.rows.images.images import images
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventories,
    inventory_packages,
    observed_inventories,
    sbom_packages,
    sboms,
)
from bot.store.rows.repositories.tables import repositories
from bot.views.images.images import Deployment
from bot.views.images.inventory import FixSource, FoundPackage, NextVersion, ShownBy

_BEST_FIRST = tuple(ShownBy)
BaseName = tuple[str, str, str]
"""Registry, repository and tag."""
Asked = Mapping[int, tuple[Package, bool]]
"""Packages that are asked for, by their numbers, and whether that is certain."""


class PackageSight(NamedTuple):
    """Where a package was found, and what tells so; no dataclass, since there may be tens of thousands."""

    package: int
    platform: str
    since: datetime
    shown_by: ShownBy = ShownBy.LAYERS
    is_certain: bool = True


@dataclass(frozen=True, eq=False)
class StandsOn:
    """An image's bases by platform, the shortest name first; one value for all images that stand alike."""

    names: Mapping[str, tuple[BaseName, ...]]


class HoldingImage(NamedTuple):
    """An image that holds a package; no dataclass for the same reason."""

    name: str
    digest: str | None
    produced_by: str
    stands_on: StandsOn


@dataclass(frozen=True, slots=True)
class BaseSide:
    """What a base shows now on one platform: the packages of the names in question, None where it is not read."""

    name: str
    digest: str
    packages: list[Package] | None
    release: str | None = None


@dataclass(slots=True)
class Answering:
    """Puts rows together; of hundreds of images most hold the same packages on the same few bases."""

    wanted: Collection[Sought]
    asked: Asked
    sides: Mapping[tuple[BaseName, str], BaseSide]
    _fixes: dict[tuple[int, tuple[str, ...], StandsOn], NextVersion] = field(default_factory=dict)

    def rows(
        self, image: HoldingImage, sights: Sequence[PackageSight], deployed: tuple[Deployment, ...]
    ) -> Sequence[FoundPackage]:
        """One for each version of each package, whatever architecture it is for, by what tells of it best."""
        if len(sights) == 1:
            return (self._row(image, sights[0], (sights[0].platform,), deployed),)
        rows = []
        for version_sights in self._by_version(sights):
            best_sights = _told_best(version_sights)
            platforms = tuple(sorted({sight.platform for sight in best_sights}))
            rows.append(self._row(image, _first(best_sights), platforms, deployed))
        return sorted(rows, key=lambda row: row.package.sort_key)

    def _row(
        self, image: HoldingImage, sight: PackageSight, platforms: tuple[str, ...], deployed: tuple[Deployment, ...]
    ) -> FoundPackage:
        package, is_certain = self.asked[sight.package]
        return FoundPackage(
            image.name,
            image.digest,
            image.produced_by,
            platforms,
            package,
            sight.since,
            deployed,
            self._fix(sight.package, image, platforms),
            is_certain and sight.is_certain,
            sight.shown_by,
        )

    def _by_version(self, sights: Sequence[PackageSight]) -> Collection[Sequence[PackageSight]]:
        grouped: dict[tuple[str, str, str], list[PackageSight]] = {}
        for sight in sights:
            package = self.asked[sight.package][0]
            grouped.setdefault((package.type, package.name, package.version), []).append(sight)
        return grouped.values()

    def _fix(self, number: int, image: HoldingImage, platforms: tuple[str, ...]) -> NextVersion:
        """What the bases say on which the image may stand: it is fixed where none of them lacks the fix."""
        next_version = self._fixes.get((number, platforms, image.stands_on))
        if next_version is None:
            keys = [(name, each) for each in platforms for name in image.stands_on.names.get(each, ())]
            sides = [self.sides[key] for key in keys if key in self.sides]
            next_version = self._worst(self.asked[number][0], sides)
            self._fixes[number, platforms, image.stands_on] = next_version
        return next_version

    def _worst(self, package: Package, sides: Sequence[BaseSide]) -> NextVersion:
        states: dict[FixSource, BaseSide] = {}
        for side in sides:
            states.setdefault(self._state(package, side), side)
        for state in (FixSource.AWAITED, FixSource.BASE, FixSource.OWN):
            if state in states:
                return NextVersion(state, states[state].name, states[state].digest)
        return NextVersion(FixSource.UNKNOWN)

    def _state(self, package: Package, side: BaseSide) -> FixSource:
        if side.packages is None:
            return FixSource.UNKNOWN
        same = [each for each in side.packages if (each.type, each.name) == (package.type, package.name)]
        if not same:
            return FixSource.OWN
        is_fixed = all(fit_of(each, self.wanted, side.release) is Fit.NO for each in same)
        return FixSource.BASE if is_fixed else FixSource.AWAITED


def _told_best(sights: Sequence[PackageSight]) -> Sequence[PackageSight]:
    """Keeps those of the sights that tell best of a package."""
    shown_by = min((sight.shown_by for sight in sights), key=_BEST_FIRST.index)
    return [sight for sight in sights if sight.shown_by is shown_by]


def _first(sights: Sequence[PackageSight]) -> PackageSight:
    """Gives the first of several sights that tell alike; it is certain where all of them are."""
    since = min(sight.since for sight in sights)
    return sights[0]._replace(since=since, is_certain=all(sight.is_certain for sight in sights))


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
    found = distribution_in(distribution)
    return None if found is None else release_of(found)


def distribution_in(distribution: str | None) -> Distribution | None:
    """Reads a stored distribution."""
    return load_text(distribution, Distribution) if distribution and distribution != "null" else None


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


_SIDES = (
    select(
        bases.c.registry,
        bases.c.repository,
        bases.c.tag,
        bases.c.digest,
        observed_inventories.c.platform,
        inventories.c.is_complete,
        cast(inventories.c.distribution, String),
        inventories.c.id,
        inventory_packages.c.package_id,
    )
    .join(observed_inventories, observed_inventories.c.observation_id == bases.c.observation_id)
    .join(inventories, inventories.c.id == observed_inventories.c.inventory_id)
    .outerjoin(
        inventory_packages,
        and_(
            inventory_packages.c.inventory_id == inventories.c.id,
            is_among(inventory_packages.c.package_id, "packages"),
        ),
    )
    .where(bases.c.digest.is_not(None), is_among(bases.c.tag, "tags"))
)


async def sides_of(
    connection: AsyncConnection, packages_by_id: Mapping[int, Package], holding_images: Collection[HoldingImage]
) -> Mapping[tuple[BaseName, str], BaseSide]:
    """Reads what these images' bases show of these packages, by name and platform."""
    stood_on = {name for image in holding_images for names in image.stands_on.names.values() for name in names}
    sides: dict[tuple[BaseName, str], BaseSide] = {}
    if not stood_on:
        return sides
    rows = await connection.execute(_SIDES, {"packages": packages_by_id, "tags": {tag for _, _, tag in stood_on}})
    for *name, digest, platform, is_complete, distribution, number, package in rows:
        base = (name[0], name[1], name[2])
        if base not in stood_on:
            continue
        side = sides.get((base, platform))
        if side is None:
            releases = told_in(distribution, release_in, f"inventory {number}")
            base_packages: list[Package] | None = [] if is_complete and releases else None
            side = BaseSide("{}/{}:{}".format(*base), digest, base_packages, next(iter(releases), None))
            sides[base, platform] = side
        if side.packages is not None and package is not None:
            side.packages.append(packages_by_id[package])
    return sides
