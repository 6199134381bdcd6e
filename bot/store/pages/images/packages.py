"""The inventory question, asked of what was read of images and bases."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.cves.vulnerability import AffectedPackage, WantedAffected
from bot.domain.packages.package import Package, PackageType
from bot.domain.packages.wanted import Fit, Sought, WantedPackage, names_of
from bot.store.engine.among import is_among
from bot.store.engine.codec import load
from bot.store.engine.store import Store
from bot.store.pages.images.deployed import deployments_of
from bot.store.pages.images.found_packages import Answering, Asked, of_releases, sides_of, sights_of
from bot.store.pages.images.read_platforms import count_images
from bot.store.pages.ledger.gaps import NO_IMAGE
from bot.store.rows.inventories.inventories import package_of, packages
from bot.store.rows.inventories.vulnerabilities import (
    affected_packages,
    exposures,
    vulnerabilities,
    vulnerability_cves,
)
from bot.views.images.inventory import FoundPackages

_BUILT = packages.alias()
_NAMED = union(
    *(select(packages).where(is_among(column, "names")) for column in (packages.c.name, packages.c.source)),
    select(packages).join(_BUILT, _BUILT.c.name == packages.c.name).where(is_among(_BUILT.c.source, "sources")),
)


class PackagesStore(Store):
    """Reads which images and bases hold a package, and writes nothing."""

    async def find(self, sought: Collection[Sought], platforms: Collection[str]) -> FoundPackages:
        """The images of the fleet that hold any of these packages; `platforms` are those that are read at all."""
        async with self._database.reading() as connection:
            sought = (*sought, *await _spelled_otherwise(connection, sought))
            candidates = await _read_candidates(connection, sought)
            sought_packages = _asked_for(candidates, sought)
            holding_images, sights = await sights_of(connection, sought_packages)
            if any(each.release is not None for each in sought):
                sights = await of_releases(connection, sought, sought_packages, sights)
            run_at = await deployments_of(connection, sights)
            sides = await sides_of(connection, candidates, [holding_images[number] for number in sights])
            of_all, not_known = await count_images(connection, platforms)
        answering = Answering(sought, sought_packages, sides)
        by_name = sorted(
            sights, key=lambda number: (holding_images[number].name, holding_images[number].produced_by, number)
        )
        rows = [
            row
            for number in by_name
            for row in answering.rows(holding_images[number], sights[number], tuple(run_at.get(number, ())))
        ]
        return FoundPackages(tuple(rows), not_known, () if of_all else (NO_IMAGE,))

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
        affected_by_id = {row.id: load(row.affected, AffectedPackage) for row in rows}
        names: dict[int, set[str]] = {}
        for row in rows:
            names.setdefault(row.id, set()).update(each for each in (row.name, row.source) if each)
        return tuple(
            WantedAffected(affected, tuple(sorted(names[number])))
            for number, affected in sorted(affected_by_id.items())
        )


async def _read_candidates(connection: AsyncConnection, sought: Collection[Sought]) -> dict[int, Package]:
    """The packages of the names in question, in whatever version, each with its source package.

    What is built from a source package that is asked for by name is known by the images that say so, and has that
    source also where an image names none: chiseled ones do not.
    """
    by_name = {each.name for each in sought if isinstance(each, WantedPackage)}
    rows = (await connection.execute(_NAMED, {"names": names_of(sought), "sources": by_name})).all()
    candidates = {row.id: package_of(row) for row in rows}
    sources = {
        (package.type, package.name): package.source
        for package in candidates.values()
        if package.source in by_name and package.source
    }
    return {number: _sourced(each, sources) for number, each in candidates.items()}


async def _spelled_otherwise(connection: AsyncConnection, sought: Collection[Sought]) -> tuple[Sought, ...]:
    """The same packages by other spellings of their names in NuGet, where case does not count."""
    of_nuget: dict[str, list[WantedPackage]] = {}
    for package in sought:
        if isinstance(package, WantedPackage) and package.type in (None, PackageType.NUGET):
            of_nuget.setdefault(package.name.lower(), []).append(package)
    if not of_nuget:
        return ()
    is_named = (packages.c.type == PackageType.NUGET.value, func.lower(packages.c.name).in_(of_nuget))
    names = await connection.scalars(select(packages.c.name).where(*is_named).distinct())
    return tuple(
        replace(package, name=name, type=PackageType.NUGET.value)
        for name in sorted(names)
        for package in of_nuget.get(name.lower(), ())
        if package.name != name
    )


def _sourced(package: Package, sources: Mapping[tuple[str, str], str]) -> Package:
    """The package, with its source package where other images alone name that."""
    source = sources.get((package.type, package.name)) if package.source is None else None
    return package if source is None else replace(package, source=source)


def _asked_for(candidates: Mapping[int, Package], sought: Collection[Sought]) -> Asked:
    """The packages that are asked for in any image, for whatever architecture, and whether that is certain."""
    fitting_packages: dict[int, tuple[Package, bool]] = {}
    for number, package in candidates.items():
        fits = {fit for each in sought if (fit := each.fit(package)) is not Fit.NO}
        if fits:
            fitting_packages[number] = (replace(package, architecture=None), Fit.YES in fits)
    return fitting_packages
