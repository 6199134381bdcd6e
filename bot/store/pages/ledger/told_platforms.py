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
from bot.images.told_platforms import ToldPlatform
from bot.store.engine.codec import load
from bot.store.engine.inserting import chunks
from bot.store.engine.readable import readable
from bot.store.pages.ledger.exposed import Exposed, Exposure, read_exposures_of
from bot.store.rows.inventories.inventories import inventories, inventory_packages, packages_by_id
from bot.store.rows.inventories.sboms import sbom_packages, sboms

_UNREADABLE = "what is stored of them is damaged; restore it from a backup"


@dataclass(slots=True)
class HeldPackages:
    """What inventories and SBOMs list, by package rows, and what those are exposed to."""

    listed: dict[int, list[int]] = field(default_factory=dict)
    sboms: dict[int, "_Listed"] = field(default_factory=dict)
    packages: dict[int, Package] = field(default_factory=dict)
    exposed: Exposed = field(default_factory=Exposed)


@dataclass(frozen=True, slots=True)
class _Listed:
    strength: Strength
    distribution: Distribution | None
    problems: tuple[str, ...]
    packages: tuple[int, ...]


async def inventory_rows(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for ids in chunks(sorted(numbers)):
        rows = await connection.execute(select(inventories).where(inventories.c.id.in_(ids)))
        found |= {row.id: row for row in rows}
    return found


async def read_held(connection: AsyncConnection, rows: Mapping[int, Any]) -> HeldPackages:
    held = HeldPackages()
    for ids in chunks(sorted(rows)):
        pairs = await connection.execute(
            select(inventory_packages.c.inventory_id, inventory_packages.c.package_id).where(
                inventory_packages.c.inventory_id.in_(ids)
            )
        )
        for inventory, package in pairs:
            held.listed.setdefault(inventory, []).append(package)
    unread = [number for number, row in rows.items() if row.read_at is None or not row.is_complete]
    held.sboms = await _best_sboms(connection, unread)
    numbers = {each for listed in held.listed.values() for each in listed}
    numbers |= {each for sbom in held.sboms.values() for each in sbom.packages}
    held.packages = await packages_by_id(connection, numbers)
    held.exposed = await read_exposures_of(connection, numbers)
    return held


async def _best_sboms(connection: AsyncConnection, some: Sequence[int]) -> dict[int, _Listed]:
    """Of each inventory that layers do not tell: an SBOM that is proved before one that is claimed."""
    best: dict[int, Any] = {}
    for ids in chunks(sorted(some)):
        for row in await connection.execute(
            select(sboms).where(sboms.c.inventory_id.in_(ids)).order_by(sboms.c.id)
        ):
            known = best.get(row.inventory_id)
            if known is None or _worth(row) > _worth(known):
                best[row.inventory_id] = row
    listed: dict[int, list[int]] = {}
    for ids in chunks(sorted(row.id for row in best.values())):
        pairs = await connection.execute(select(sbom_packages).where(sbom_packages.c.sbom_id.in_(ids)))
        for sbom, package in pairs:
            listed.setdefault(sbom, []).append(package)
    told = readable(
        best.values(), lambda row: (row.inventory_id, _listed(row, listed)), lambda row: f"SBOM {row.id}"
    )
    return dict(told)


def _listed(row: Any, listed: Mapping[int, Sequence[int]]) -> _Listed:
    distribution = load(row.distribution, Distribution) if row.distribution is not None else None
    return _Listed(Strength(row.strength), distribution, tuple(row.problems), tuple(listed.get(row.id, ())))


def _worth(row: Any) -> tuple[bool, bool]:
    return row.strength == Strength.PROVED.value, not row.problems


def told_platform(platform: str, row: Any, held: HeldPackages) -> ToldPlatform:
    """What is told of a platform by the row of its inventory, also where that is damaged."""
    told = readable([row], partial(_platform, platform, held=held), _named)
    found = told[0] if told else ToldPlatform(platform, error=_UNREADABLE)
    return replace(found, digests=frozenset(each for each in (row.digest, row.config_digest) if each))


def _named(row: Any) -> str:
    return f"inventory {row.id}"


def _platform(platform: str, row: Any, held: HeldPackages) -> ToldPlatform:
    sbom = held.sboms.get(row.id)
    if row.read_at is None and sbom is None:
        return ToldPlatform(platform, error=row.error)
    distribution = load(row.distribution, Distribution) if row.distribution is not None else None
    numbers, problems, by_sbom = list(held.listed.get(row.id, ())), tuple(row.problems or ()), None
    if sbom is not None:
        numbers += [each for each in sbom.packages if each not in numbers]
        distribution = distribution or sbom.distribution
        problems, by_sbom = sbom.problems, sbom.strength
    release = release_of(distribution)
    found: list[DetectedVulnerability] = []
    uncertain: list[DetectedVulnerability] = []
    for number in numbers:
        for each in held.exposed.by_package.get(number, ()):
            if each.affected.release in (ANY_RELEASE, release):
                told = found if each.is_certain else uncertain
                told.append(_detected(each, held.exposed, distribution))
    names = tuple(held.packages[number] for number in numbers if number in held.packages)
    return ToldPlatform(platform, names, distribution, problems, None, by_sbom, tuple(found), tuple(uncertain))


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
