"""What publishers call the fixes that came with new versions of packages: the notices and CVEs that dumps hold."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.changes import Direction, PackageChange, PlatformChanges, in_order_of_publication
from bot.domain.packages.cves.vulnerability import AffectedPackage
from bot.domain.packages.package import Package
from bot.domain.packages.wanted import Fit
from bot.store.engine.codec import load
from bot.store.engine.writing import chunks
from bot.store.rows.inventories.inventories import package_of, packages
from bot.store.rows.inventories.vulnerabilities import (
    affected_packages,
    exposures,
    vulnerabilities,
    vulnerability_cves,
)

_WITHOUT_NOTICES = ("ALPINE-", "AZL-")
"""Records of Alpine and Azure Linux, who publish no notices: the CVEs that they are about stand in their place."""
NOTICES = ("USN-", "DSA-", "DLA-", *_WITHOUT_NOTICES)
"""How records are named that tell of a fix: what Ubuntu and Debian publish together with one is among them."""

_Named = tuple[str, str, str]
"""Type, name and version of a package."""
_Moves = Sequence[tuple[int, str | None, PlatformChanges]]


async def with_notices(connection: AsyncConnection, moves: _Moves) -> list[tuple[int, PlatformChanges]]:
    """The same changes, newer packages with the notices that speak of them in the release of the base.

    A notice does where it names the version before as affected, and the one after not. A base whose release is not
    known, and packages that no image holds any more, have none.
    """
    newer = [
        change
        for _, release, platform in moves
        for change in platform.changes or ()
        if release is not None and change.direction is Direction.UP
    ]
    packages_by_name = await _read_packages(connection, {change.name for change in newer})
    affected_ids = {number for change in newer for number, _ in packages_by_name.get(_version_before(change), ())}
    words_by_package = await _read_words(connection, affected_ids)
    return [
        (
            number,
            platform if release is None else _add_notices(platform, release, packages_by_name, words_by_package),
        )
        for number, release, platform in moves
    ]


def _version_before(change: PackageChange) -> _Named:
    return (change.type, change.name, change.before or "")


def _version_after(change: PackageChange) -> _Named:
    return (change.type, change.name, change.after or "")


async def _read_packages(
    connection: AsyncConnection, names: Collection[str]
) -> dict[_Named, list[tuple[int, Package]]]:
    packages_by_name: dict[_Named, list[tuple[int, Package]]] = {}
    for chunk in chunks(sorted(names)):
        for row in await connection.execute(select(packages).where(packages.c.name.in_(chunk))):
            packages_by_name.setdefault((row.type, row.name, row.version), []).append((row.id, package_of(row)))
    return packages_by_name


async def _read_words(
    connection: AsyncConnection, numbers: Collection[int]
) -> dict[int, list[tuple[str, AffectedPackage]]]:
    """The notices, or the CVEs without one, by which packages are affected, by their ids."""
    words_by_package: dict[int, list[tuple[str, AffectedPackage]]] = {}
    is_notice = _is_named(NOTICES)
    of_record = vulnerability_cves.c.vulnerability_id == vulnerabilities.c.id
    for ids in chunks(sorted(numbers)):
        rows = await connection.execute(
            select(
                exposures.c.package_id,
                vulnerabilities.c.name,
                vulnerability_cves.c.cve,
                affected_packages.c.affected,
            )
            .join(affected_packages, affected_packages.c.id == exposures.c.affected_id)
            .join(vulnerabilities, vulnerabilities.c.id == affected_packages.c.vulnerability_id)
            .outerjoin(vulnerability_cves, and_(of_record, _is_named(_WITHOUT_NOTICES)))
            .where(exposures.c.package_id.in_(ids), exposures.c.is_certain, is_notice)
        )
        for row in rows:
            notice = row.cve or row.name
            words_by_package.setdefault(row.package_id, []).append((notice, load(row.affected, AffectedPackage)))
    return words_by_package


def _is_named(starts: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(vulnerabilities.c.name.startswith(start) for start in starts))


def _add_notices(
    platform: PlatformChanges,
    release: str,
    packages_by_name: Mapping[_Named, Sequence[tuple[int, Package]]],
    words_by_package: Mapping[int, Sequence[tuple[str, AffectedPackage]]],
) -> PlatformChanges:
    if platform.changes is None:
        return platform

    def notices(change: PackageChange) -> tuple[str, ...]:
        after = [package for _, package in packages_by_name.get(_version_after(change), ())]
        return tuple(
            sorted(
                {
                    name
                    for number, _ in packages_by_name.get(_version_before(change), ())
                    for name, affected in words_by_package.get(number, ())
                    if affected.release == release and after and all(affected.fit(each) is Fit.NO for each in after)
                },
                key=in_order_of_publication,
            )
        )

    return replace(platform, changes=tuple(replace(each, notices=notices(each)) for each in platform.changes))
