"""What one platform's image holds and what is wrong with it, by its layers, else by an SBOM."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.evidence import Strength
from bot.domain.packages.cves.detected import DetectedVulnerability, Rating
from bot.domain.packages.cves.vulnerability import ANY_RELEASE, release_of
from bot.domain.packages.package import Distribution, Package
from bot.images.sbom.package_url import package_url
from bot.images.vulnerabilities import ToldPlatform
from bot.store.engine.codec import load, readable
from bot.store.engine.writing import chunks
from bot.store.pages.ledger.exposed import Exposed, Exposure, read_exposures_of
from bot.store.rows.inventories.inventories import (
    inventories,
    inventory_packages,
    packages_by_id,
    sbom_packages,
    sboms,
)

_UNREADABLE = "what is stored of them is damaged; restore it from a backup"


@dataclass(slots=True)
class HeldPackages:
    """What inventories and SBOMs list, by package rows, and what those are exposed to."""

    listed: dict[int, list[int]] = field(default_factory=dict)
    sboms: dict[int, "_ListedSbom"] = field(default_factory=dict)
    packages: dict[int, Package] = field(default_factory=dict)
    exposed: Exposed = field(default_factory=Exposed)


@dataclass(frozen=True, slots=True)
class _ListedSbom:
    strength: Strength
    distribution: Distribution | None
    problems: tuple[str, ...]
    packages: tuple[int, ...]


async def inventory_rows(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, Any]:
    rows_by_id: dict[int, Any] = {}
    for ids in chunks(sorted(numbers)):
        rows = await connection.execute(select(inventories).where(inventories.c.id.in_(ids)))
        rows_by_id |= {row.id: row for row in rows}
    return rows_by_id


async def read_held(connection: AsyncConnection, rows: Mapping[int, Any]) -> HeldPackages:
    held_packages = HeldPackages()
    for ids in chunks(sorted(rows)):
        pairs = await connection.execute(
            select(inventory_packages.c.inventory_id, inventory_packages.c.package_id).where(
                inventory_packages.c.inventory_id.in_(ids)
            )
        )
        for inventory, package in pairs:
            held_packages.listed.setdefault(inventory, []).append(package)
    unread = [number for number, row in rows.items() if row.read_at is None or not row.is_complete]
    held_packages.sboms = await _best_sboms(connection, unread)
    numbers = {each for package_ids in held_packages.listed.values() for each in package_ids}
    numbers |= {each for sbom in held_packages.sboms.values() for each in sbom.packages}
    held_packages.packages = await packages_by_id(connection, numbers)
    held_packages.exposed = await read_exposures_of(connection, numbers)
    return held_packages


async def _best_sboms(connection: AsyncConnection, inventory_ids: Sequence[int]) -> dict[int, _ListedSbom]:
    """Of each inventory that layers do not tell: an SBOM that is proved before one that is claimed."""
    best: dict[int, Any] = {}
    for ids in chunks(sorted(inventory_ids)):
        for row in await connection.execute(
            select(sboms).where(sboms.c.inventory_id.in_(ids)).order_by(sboms.c.id)
        ):
            best_so_far = best.get(row.inventory_id)
            if best_so_far is None or _worth(row) > _worth(best_so_far):
                best[row.inventory_id] = row
    package_ids: dict[int, list[int]] = {}
    for ids in chunks(sorted(row.id for row in best.values())):
        pairs = await connection.execute(select(sbom_packages).where(sbom_packages.c.sbom_id.in_(ids)))
        for sbom, package in pairs:
            package_ids.setdefault(sbom, []).append(package)
    sbom_pairs = readable(
        best.values(), lambda row: (row.inventory_id, _load_sbom(row, package_ids)), lambda row: f"SBOM {row.id}"
    )
    return dict(sbom_pairs)


def _load_sbom(row: Any, package_ids: Mapping[int, Sequence[int]]) -> _ListedSbom:
    distribution = load(row.distribution, Distribution) if row.distribution is not None else None
    return _ListedSbom(
        Strength(row.strength), distribution, tuple(row.problems), tuple(package_ids.get(row.id, ()))
    )


def _worth(row: Any) -> tuple[bool, bool]:
    return row.strength == Strength.PROVED.value, not row.problems


def told_platform(platform: str, row: Any, held_packages: HeldPackages) -> ToldPlatform:
    """What is told of a platform by the row of its inventory, also where that is damaged."""
    platforms = readable([row], partial(_platform, platform, held_packages=held_packages), _name_row)
    facts = platforms[0] if platforms else ToldPlatform(platform, error=_UNREADABLE)
    return replace(facts, digests=frozenset(each for each in (row.digest, row.config_digest) if each))


def _name_row(row: Any) -> str:
    return f"inventory {row.id}"


def _platform(platform: str, row: Any, held_packages: HeldPackages) -> ToldPlatform:
    sbom = held_packages.sboms.get(row.id)
    if row.read_at is None and sbom is None:
        return ToldPlatform(platform, error=row.error)
    distribution = load(row.distribution, Distribution) if row.distribution is not None else None
    numbers, problems, by_sbom = list(held_packages.listed.get(row.id, ())), tuple(row.problems or ()), None
    if sbom is not None:
        numbers += [each for each in sbom.packages if each not in numbers]
        distribution = distribution or sbom.distribution
        problems, by_sbom = sbom.problems, sbom.strength
    release = release_of(distribution)
    vulnerabilities: list[DetectedVulnerability] = []
    uncertain: list[DetectedVulnerability] = []
    for number in numbers:
        for exposure in held_packages.exposed.by_package.get(number, ()):
            if exposure.affected.release in (ANY_RELEASE, release):
                detections = vulnerabilities if exposure.is_certain else uncertain
                detections.append(_detected(exposure, held_packages.exposed, distribution))
    names = tuple(held_packages.packages[number] for number in numbers if number in held_packages.packages)
    return ToldPlatform(
        platform, names, distribution, problems, None, by_sbom, tuple(vulnerabilities), tuple(uncertain)
    )


def _detected(exposure: Exposure, exposed: Exposed, distribution: Distribution | None) -> DetectedVulnerability:
    package = exposure.package
    return DetectedVulnerability(
        exposure.cve,
        package.name,
        package.version,
        exposure.fixed_in,
        Rating.of(exposed.severity_of(exposure)),
        bool(exposure.fixed_in),
        package_url(package, distribution) or "",
    )
