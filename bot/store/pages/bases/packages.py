"""The inventory question, asked of what was read of images and bases."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import String, and_, cast, func, or_, select, union
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
from bot.store.pages.bases.holding import holding
from bot.store.pages.ledger.gaps import NO_IMAGE
from bot.store.rows.bases.tables import bases
from bot.store.rows.images.images import deployments, images, names_own_tag
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


class PackagesStore(Store):
    """Reads only."""

    async def find(self, wanted: Collection[Sought], platforms: Collection[str]) -> FoundPackages:
        """The images of the fleet that hold any of these packages; `platforms` are those that are read at all."""
        async with self._database.reading() as connection:
            named = await _named(connection, wanted)
            asked = _asked_for(named, wanted)
            shown, sights = await _sights(connection, asked)
            if any(each.release is not None for each in wanted):
                sights = await _of_releases(connection, wanted, asked, sights)
            run_at = await _deployments(connection, {shown[number].place for number in sights})
            sides = await _base_sides(connection, named, [shown[number] for number in sights])
            not_known, gaps = await _not_known(connection, platforms)
        answering = Answering(wanted, asked, sides)
        found = [
            row
            for number, seen in sights.items()
            for row in answering.rows(shown[number], seen, _run_at(shown[number], run_at))
        ]
        return FoundPackages(tuple(sorted(found, key=_order)), not_known, gaps)

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


async def _named(connection: AsyncConnection, wanted: Collection[Sought]) -> dict[int, Package]:
    """The packages of the names in question, in whatever version, each with its source package.

    What is built from a source package that is asked for by name is known by the images that say so, and has that
    source also where an image names none: chiseled ones do not.
    """
    names = names_of(wanted)
    by_name = {each.name for each in wanted if isinstance(each, WantedPackage)}
    built = packages.alias()
    of_sources = (
        select(packages)
        .join(built, built.c.name == packages.c.name)
        .where(is_among(connection, built.c.source, sorted(by_name)))
    )
    by_names = (
        select(packages).where(is_among(connection, column, names))
        for column in (packages.c.name, packages.c.source)
    )
    found = {row.id: package_of(row) for row in await connection.execute(union(*by_names, of_sources))}
    sources = {
        (each.type, each.name): each.source for each in found.values() if each.source in by_name and each.source
    }
    return {number: _sourced(each, sources) for number, each in found.items()}


def _sourced(package: Package, sources: Mapping[tuple[str, str], str]) -> Package:
    """The package, with its source package where other images alone name that."""
    source = sources.get((package.type, package.name)) if package.source is None else None
    return package if source is None else replace(package, source=source)


def _asked_for(named: Mapping[int, Package], wanted: Collection[Sought]) -> dict[int, tuple[Package, bool]]:
    """The packages that are asked for in any image, for whatever architecture, and whether that is certain."""
    found: dict[int, tuple[Package, bool]] = {}
    for number, package in named.items():
        fits = {fit for each in wanted if (fit := each.fit(package)) is not Fit.NO}
        if fits:
            found[number] = (replace(package, architecture=None), Fit.YES in fits)
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


async def _sights(
    connection: AsyncConnection, asked: Collection[int]
) -> tuple[dict[int, HoldingImage], dict[int, list[PackageSight]]]:
    """The images that hold these packages, and where each was seen to, by layers and by SBOMs."""
    if not asked:
        return {}, {}
    held = holding(connection, asked).subquery()
    rows = await connection.execute(
        select(
            image_inventories.c.image_id,
            image_inventories.c.platform,
            held.c.package_id,
            held.c.since,
            held.c.strength,
            images.c.registry,
            images.c.repository,
            images.c.tag,
            images.c.found,
            images.c.digest,
            cast(images.c.standings, String),
            repositories.c.name,
        )
        .join(held, held.c.inventory_id == image_inventories.c.inventory_id)
        .join(images, images.c.id == image_inventories.c.image_id)
        .join(repositories, repositories.c.id == images.c.repository_id)
    )
    shown: dict[int, HoldingImage] = {}
    found: dict[int, list[PackageSight]] = {}
    for image, platform, package, since, strength, *told in rows:
        if image not in shown:
            shown[image], found[image] = _image(*told), []
        found[image].append(PackageSight(package, platform, since, _shown_by(strength)))
    return shown, found


def _shown_by(strength: str | None) -> ShownBy:
    """What tells of a package, by the strength of the SBOM that lists it."""
    if strength is None:
        return ShownBy.LAYERS
    return ShownBy.PROVED_SBOM if strength == Strength.PROVED.value else ShownBy.CLAIMED_SBOM


def _image(
    registry: str,
    repository: str,
    tag: str,
    last: str | None,
    digest: str | None,
    standings: str | None,
    produced_by: str,
) -> HoldingImage:
    name = f"{registry}/{repository}:{last or tag}"
    return HoldingImage(name, (registry, repository), tag, digest, produced_by, _bases_in(standings))


async def _deployments(
    connection: AsyncConnection, places: Collection[RegistryPath]
) -> dict[RegistryPath, list[tuple[Deployment, bool]]]:
    """Where images of these names are run, by registry and repository, and whether that is the image of one tag
    alone."""
    if not places:
        return {}
    at = deployments.c
    rows = await connection.execute(
        select(
            at.registry, at.repository, names_own_tag(), repositories.c.name, at.path, at.line, at.tag, at.digest
        )
        .join(repositories, repositories.c.id == at.repository_id)
        .where(
            is_among(connection, at.registry, {registry for registry, _ in places}),
            is_among(connection, at.repository, {repository for _, repository in places}),
        )
        .order_by(repositories.c.name, at.path, at.line)
    )
    found: dict[RegistryPath, list[tuple[Deployment, bool]]] = {}
    for registry, repository, is_of_tag, *where in rows:
        found.setdefault((registry, repository), []).append((Deployment(*where), bool(is_of_tag)))
    return found


def _run_at(
    image: HoldingImage, found: Mapping[RegistryPath, Sequence[tuple[Deployment, bool]]]
) -> tuple[Deployment, ...]:
    known = found.get(image.place, ())
    return tuple(where for where, is_of_tag in known if not is_of_tag or where.tag == image.tag)


async def _base_sides(
    connection: AsyncConnection, named: Mapping[int, Package], shown: Collection[HoldingImage]
) -> Mapping[tuple[BaseName, str], BaseSide]:
    """What the bases of these images show now of the packages in question, by name and platform."""
    stood_on = {name for image in shown for names in image.stands_on.values() for name in names}
    if not stood_on:
        return {}
    at = inventory_packages.c
    is_held = and_(at.inventory_id == inventories.c.id, is_among(connection, at.package_id, named))
    rows = await connection.execute(
        select(
            bases.c.registry,
            bases.c.repository,
            bases.c.tag,
            bases.c.digest,
            observed_inventories.c.platform,
            inventories.c.is_complete,
            cast(inventories.c.distribution, String),
            at.package_id,
        )
        .join(observed_inventories, observed_inventories.c.observation_id == bases.c.observation_id)
        .join(inventories, inventories.c.id == observed_inventories.c.inventory_id)
        .outerjoin(inventory_packages, is_held)
        .where(bases.c.digest.is_not(None), is_among(connection, bases.c.tag, {tag for _, _, tag in stood_on}))
    )
    sides: dict[tuple[BaseName, str], BaseSide] = {}
    for *name, digest, platform, is_complete, distribution, package in rows:
        base = (name[0], name[1], name[2])
        if base not in stood_on:
            continue
        side = sides.get((base, platform))
        if side is None:
            held: list[Package] | None = [] if is_complete else None
            side = BaseSide("{}/{}:{}".format(*base), digest, held, _release(distribution))
            sides[base, platform] = side
        if side.packages is not None and package is not None:
            side.packages.append(named[package])
    return sides


async def _not_known(connection: AsyncConnection, platforms: Collection[str]) -> tuple[int, tuple[str, ...]]:
    """How many images have not been read on any platform, or not as a whole; and the line for a fleet of which no
    image is known."""
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
    return int(of_all - of_read + of_incomplete), () if of_all else (NO_IMAGE,)


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
