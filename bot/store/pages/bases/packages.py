"""The inventory question, asked of what was read of images and bases."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.evidence import Strength
from bot.domain.packages.package import Distribution, Package
from bot.domain.packages.vulnerability import AffectedPackage, WantedAffected, release_of
from bot.domain.packages.wanted import Fit, Sought, WantedPackage, fit_of, names_of
from bot.store.engine.among import is_among
from bot.store.engine.codec import load, load_text
from bot.store.engine.inserting import chunks
from bot.store.engine.store import Store
from bot.store.pages.bases.found_packages import (
    Answering,
    BaseName,
    BaseSide,
    HoldingImage,
    PackageSight,
    RegistryPath,
)
from bot.store.pages.bases.sboms import listed_by_sboms
from bot.store.rows.bases.tables import bases
from bot.store.rows.images.images import deployments, images
from bot.store.rows.inventories.inventories import (
    image_inventories,
    inventories,
    inventory_packages,
    observed_inventories,
    package_of,
    packages,
)
from bot.store.rows.inventories.vulnerabilities import (
    affected_packages,
    exposures,
    vulnerabilities,
    vulnerability_cves,
)
from bot.store.rows.repositories.tables import repositories
from bot.views.bases.images import Deployment
from bot.views.bases.inventory import FoundPackage, FoundPackages, ShownBy

_Sources = Mapping[tuple[str, str], str]
"""Names of source packages, by type and name of what is built from them."""


class PackagesStore(Store):
    """Reads only."""

    async def find(self, wanted: Collection[Sought], platforms: Collection[str]) -> FoundPackages:
        """The images of the fleet that hold any of these packages; `platforms` are those that are read at all."""
        async with self._database.reading() as connection:
            sources = await _sources(connection, wanted)
            asked = await _asked_for(connection, wanted, sources)
            sights = await _sights(connection, asked)
            if any(each.release is not None for each in wanted):
                sights = await _of_releases(connection, wanted, asked, sights)
            shown = await _images(connection, sights)
            run_at = await _deployments(connection, shown)
            sides = await _base_sides(connection, wanted, sources, shown.values())
            not_known = await _not_known(connection, platforms)
        answering = Answering(wanted, asked, sides)
        found = [
            row
            for number, image in shown.items()
            for row in answering.rows(image, sights[number], run_at.get(image.place, ()))
        ]
        return FoundPackages(tuple(sorted(found, key=_order)), not_known)

    async def affected(self, name: str) -> tuple[WantedAffected, ...] | None:
        """What publishers say is affected by a CVE, or by a record of that name, of packages in images; None where
        none tells of it."""
        is_named = or_(vulnerabilities.c.name == name, vulnerability_cves.c.cve == name)
        of_record = (
            select(vulnerabilities.c.id)
            .outerjoin(vulnerability_cves, vulnerability_cves.c.vulnerability_id == vulnerabilities.c.id)
            .where(is_named)
            .distinct()
        )
        exposed = (
            select(affected_packages.c.id, affected_packages.c.affected, packages.c.name, packages.c.source)
            .join(exposures, exposures.c.affected_id == affected_packages.c.id)
            .join(packages, packages.c.id == exposures.c.package_id)
            .where(affected_packages.c.vulnerability_id.in_(of_record))
        )
        async with self._database.reading() as connection:
            if (await connection.execute(of_record.limit(1))).one_or_none() is None:
                return None
            rows = (await connection.execute(exposed)).all()
        said = {row.id: load(row.affected, AffectedPackage) for row in rows}
        names: dict[int, set[str]] = {}
        for row in rows:
            names.setdefault(row.id, set()).update(each for each in (row.name, row.source) if each)
        return tuple(WantedAffected(each, tuple(sorted(names[number]))) for number, each in sorted(said.items()))


def _order(found: FoundPackage) -> tuple[Any, ...]:
    return (found.image, found.repository, found.package.sort_key)


async def _sources(connection: AsyncConnection, wanted: Collection[Sought]) -> _Sources:
    """What is built from packages that are asked for by name, by the images that say so: chiseled ones do not."""
    names = [each.name for each in wanted if isinstance(each, WantedPackage)]
    columns = (packages.c.type, packages.c.name, packages.c.source)
    rows = await connection.execute(select(*columns).where(packages.c.source.in_(names)).distinct())
    return {(kind, name): source for kind, name, source in rows}


def _sourced(package: Package, sources: _Sources) -> Package:
    """The package, with its source package where other images alone name that."""
    if package.source is not None:
        return package
    return replace(package, source=sources.get((package.type, package.name)))


async def _asked_for(
    connection: AsyncConnection, wanted: Collection[Sought], sources: _Sources
) -> dict[int, tuple[Package, bool]]:
    """The packages that are asked for in any image, for whatever architecture, and whether that is certain."""
    found: dict[int, tuple[Package, bool]] = {}
    for row in await connection.execute(select(packages).where(_is_named(wanted, sources))):
        package = _sourced(package_of(row), sources)
        fits = {fit for each in wanted if (fit := each.fit(package)) is not Fit.NO}
        if fits:
            found[row.id] = (replace(package, architecture=None), Fit.YES in fits)
    return found


async def _of_releases(
    connection: AsyncConnection,
    wanted: Collection[Sought],
    asked: Mapping[int, tuple[Package, bool]],
    sights: Mapping[int, Sequence[PackageSight]],
) -> dict[int, list[PackageSight]]:
    """Those in images of the releases that are spoken of: elsewhere the same version may be another package."""
    releases: dict[tuple[int, str], str | None] = {}
    for some in chunks(sorted(sights)):
        rows = await connection.execute(
            select(
                image_inventories.c.image_id, image_inventories.c.platform, cast(inventories.c.distribution, String)
            )
            .join(inventories, inventories.c.id == image_inventories.c.inventory_id)
            .where(image_inventories.c.image_id.in_(some))
        )
        releases |= {(image, platform): _release(text) for image, platform, text in rows}
    found: dict[int, list[PackageSight]] = {}
    for image, seen in sights.items():
        for sight in seen:
            fit = fit_of(asked[sight.package][0], wanted, releases.get((image, sight.platform)))
            if fit is not Fit.NO:
                found.setdefault(image, []).append(replace(sight, is_certain=fit is Fit.YES))
    return found


@lru_cache(maxsize=4_096)
def _release(distribution: str | None) -> str | None:
    """The release of a stored distribution, as publishers list it."""
    if not distribution or distribution == "null":
        return None
    return release_of(load_text(distribution, Distribution))


def _is_named(wanted: Collection[Sought], sources: _Sources) -> Any:
    names = names_of(wanted)
    of_sources = (name for _, name in sources)
    return or_(packages.c.name.in_({*names, *of_sources}), packages.c.source.in_(names))


async def _sights(connection: AsyncConnection, asked: Collection[int]) -> dict[int, list[PackageSight]]:
    """Where these packages are, by image."""
    rows = await connection.execute(
        select(
            image_inventories.c.image_id,
            image_inventories.c.platform,
            inventory_packages.c.package_id,
            inventory_packages.c.since,
        )
        .join(inventory_packages, inventory_packages.c.inventory_id == image_inventories.c.inventory_id)
        .where(inventory_packages.c.package_id.in_(asked))
    )
    found: dict[int, list[PackageSight]] = {}
    for image, platform, package, since in rows:
        found.setdefault(image, []).append(PackageSight(package, platform, since))
    for each in await listed_by_sboms(connection, asked):
        shown_by = ShownBy.PROVED_SBOM if each.strength == Strength.PROVED.value else ShownBy.CLAIMED_SBOM
        found.setdefault(each.image, []).append(PackageSight(each.package, each.platform, each.since, shown_by))
    return found


async def _images(connection: AsyncConnection, some: Collection[int]) -> dict[int, HoldingImage]:
    rows = await connection.execute(
        select(
            images.c.id,
            images.c.registry,
            images.c.repository,
            images.c.tag,
            images.c.found,
            images.c.digest,
            cast(images.c.standings, String),
            repositories.c.name,
        )
        .join(repositories, repositories.c.id == images.c.repository_id)
        .where(is_among(connection, images.c.id, some))
    )
    return {
        number: HoldingImage(
            f"{registry}/{repository}:{last or tag}",
            (registry, repository),
            digest,
            produced_by,
            _bases_in(standings),
        )
        for number, registry, repository, tag, last, digest, standings, produced_by in rows
    }


async def _deployments(
    connection: AsyncConnection, shown: Mapping[int, HoldingImage]
) -> dict[RegistryPath, tuple[Deployment, ...]]:
    """Where images with the names of these are run, by registry and repository."""
    at, places = deployments.c, {image.place for image in shown.values()}
    rows = await connection.execute(
        select(at.registry, at.repository, repositories.c.name, at.path, at.line, at.tag, at.digest)
        .join(repositories, repositories.c.id == at.repository_id)
        .where(
            is_among(connection, at.registry, {registry for registry, _ in places}),
            is_among(connection, at.repository, {repository for _, repository in places}),
        )
        .order_by(repositories.c.name, at.path, at.line)
    )
    found: dict[RegistryPath, list[Deployment]] = {}
    for registry, repository, *where in rows:
        found.setdefault((registry, repository), []).append(Deployment(*where))
    return {place: tuple(each) for place, each in found.items()}


async def _base_sides(
    connection: AsyncConnection, wanted: Collection[Sought], sources: _Sources, shown: Collection[HoldingImage]
) -> Mapping[tuple[BaseName, str], BaseSide]:
    """What the bases of these images show now, by name and platform."""
    named = {name for image in shown for names in image.stands_on.values() for name in names}
    if not named:
        return {}
    rows = await connection.execute(
        select(
            bases.c.registry,
            bases.c.repository,
            bases.c.tag,
            bases.c.digest,
            observed_inventories.c.platform,
            observed_inventories.c.inventory_id,
            inventories.c.is_complete,
            cast(inventories.c.distribution, String).label("told"),
        )
        .join(observed_inventories, observed_inventories.c.observation_id == bases.c.observation_id)
        .join(inventories, inventories.c.id == observed_inventories.c.inventory_id)
        .where(bases.c.digest.is_not(None))
    )
    sides = [row for row in rows if (row.registry, row.repository, row.tag) in named]
    held: dict[int, list[Package]] = {}
    for ids in chunks(sorted({row.inventory_id for row in sides})):
        found = await connection.execute(
            select(inventory_packages.c.inventory_id, packages)
            .join(packages, packages.c.id == inventory_packages.c.package_id)
            .where(inventory_packages.c.inventory_id.in_(ids), _is_named(wanted, sources))
        )
        for row in found:
            held.setdefault(row.inventory_id, []).append(_sourced(package_of(row), sources))
    return {
        ((row.registry, row.repository, row.tag), row.platform): BaseSide(
            f"{row.registry}/{row.repository}:{row.tag}",
            row.digest,
            tuple(held.get(row.inventory_id, ())) if row.is_complete else None,
            _release(row.told),
        )
        for row in sides
    }


async def _not_known(connection: AsyncConnection, platforms: Collection[str]) -> int:
    """How many images have not been read on any platform, or not as a whole."""
    of_platforms = image_inventories.c.platform.in_(platforms)
    distinct = func.count(image_inventories.c.image_id.distinct())
    total = select(func.count()).select_from(images)
    read = select(distinct).where(of_platforms)
    incomplete = (
        select(distinct)
        .join(inventories, inventories.c.id == image_inventories.c.inventory_id)
        .where(inventories.c.is_complete.is_not(True), of_platforms)
    )
    counts = select(*(each.scalar_subquery() for each in (total, read, incomplete)))
    of_all, of_read, of_incomplete = (await connection.execute(counts)).one()
    return int(of_all - of_read + of_incomplete)


@lru_cache(maxsize=4_096)
def _bases_in(standings: str | None) -> Mapping[str, tuple[BaseName, ...]]:
    """By platform, the bases that an image is seen to stand on, the shortest name first.

    Read from the plain JSON of `Standing`, once for all images that stand alike: there may be thousands.
    """
    found: dict[str, tuple[BaseName, ...]] = {}
    for standing in json.loads(standings or "null") or ():
        named = {
            (base["registry"], base["repository"], base["tag"])
            for base in (publication["base"] for publication in standing["publications"])
        }
        found[standing["platform"]] = tuple(sorted(named, key=lambda name: (sum(map(len, name)), name)))
    return found
