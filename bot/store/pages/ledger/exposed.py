"""Which packages of the fleet are exposed to which CVE, by dumps and by the advisories of .NET."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.advisory import Advisory, Severity
from bot.domain.packages.cves.marks import CveMark
from bot.domain.packages.cves.vulnerability import AffectedPackage, affected_by
from bot.domain.packages.package import RUNTIME_PACK, Package, PackageType
from bot.domain.packages.wanted import Fit
from bot.store.engine.codec import load, readable
from bot.store.engine.writing import chunks
from bot.store.rows.bases.tables import advisories
from bot.store.rows.inventories.inventories import inventory_packages, package_of, packages, packages_by_id
from bot.store.rows.inventories.marks import mark_in, with_marks
from bot.store.rows.inventories.vulnerabilities import (
    affected_packages,
    dumps,
    exposures,
    vulnerabilities,
    vulnerability_cves,
)
from bot.upstream.feeds.combine import combine_all

_DOTNET = "Microsoft (.NET)"
_NOTICES = ("USN-", "DSA-", "DLA-", "GHSA-")
"""Records that are published together with the fix that they tell of."""
_PAIRS = select(exposures, affected_packages.c.vulnerability_id).join(
    affected_packages, affected_packages.c.id == exposures.c.affected_id
)
"""Which package is exposed to what a record says is affected."""


@dataclass(frozen=True, slots=True)
class CveFacts:
    """What is said of a CVE, whoever says it: a publisher's own word before what follows from a score, and the
    highest severity of several."""

    cve: str
    title: str = ""
    severity: Severity | None = None
    rated_by: str = ""
    score: float | None = None
    publishers: tuple[str, ...] = ()

    def joined(self, other: "CveFacts") -> "CveFacts":
        first, second = sorted((self, other), key=_weight)
        scores = [each.score for each in (self, other) if each.score is not None]
        return CveFacts(
            self.cve,
            second.title or first.title,
            second.severity,
            second.rated_by,
            max(scores, default=None),
            tuple(dict.fromkeys((*self.publishers, *other.publishers))),
        )


def _weight(facts: CveFacts) -> tuple[bool, int]:
    if facts.severity is None:
        return False, -1
    return not facts.rated_by.startswith("CVSS"), facts.severity.rank


@dataclass(frozen=True, slots=True)
class Exposure:
    """A package that a publisher says is affected, in images of `affected.release`.

    `fixed_at` is when its fix was published, or only `is_seen` then; `fixed_in` is empty where no version of this
    package is known to be free of it, also where others have a fix.
    """

    cve: str
    publisher: str
    affected: AffectedPackage
    package: Package
    is_certain: bool
    fixed_at: datetime | None
    fixed_in: str
    is_seen: bool = False


@dataclass(slots=True)
class Exposed:
    """All CVEs that are asked for, what each publisher says of them, by CVE and publisher, by the ids of packages
    what each is exposed to, and what stands beside each CVE."""

    cves: dict[str, CveFacts] = field(default_factory=dict)
    said: dict[tuple[str, str], CveFacts] = field(default_factory=dict)
    by_package: dict[int, list[Exposure]] = field(default_factory=dict)
    marks: dict[str, CveMark] = field(default_factory=dict)

    def add(self, facts: CveFacts) -> None:
        earlier = self.cves.get(facts.cve)
        self.cves[facts.cve] = facts if earlier is None else earlier.joined(facts)
        for publisher in facts.publishers:
            publisher_facts = self.said.get((facts.cve, publisher))
            self.said[facts.cve, publisher] = facts if publisher_facts is None else publisher_facts.joined(facts)

    def severity_of(self, exposure: Exposure) -> Severity | None:
        """How its own publisher rates it; where that says nothing, how others do."""
        own = self.said.get((exposure.cve, exposure.publisher))
        if own is not None and own.severity is not None:
            return own.severity
        facts = self.cves.get(exposure.cve)
        return facts.severity if facts is not None else None


async def read_exposed(connection: AsyncConnection, cve: str | None = None) -> Exposed:
    """What the fleet's packages are exposed to; one CVE alone where that is named."""
    exposed = Exposed()
    records = await _records(connection, exposed, cve)
    if cve is None:
        pairs = (await connection.execute(_PAIRS)).all()
    else:
        pairs = await _pairs(connection, affected_packages.c.vulnerability_id, records)
    await _of_dumps(connection, exposed, records, pairs)
    await _of_dotnet(connection, exposed, cve)
    return exposed


async def read_exposures_of(connection: AsyncConnection, package_ids: Collection[int]) -> Exposed:
    """Reads what these packages, by their ids, are exposed to."""
    pairs = await _pairs(connection, exposures.c.package_id, package_ids)
    is_nuget = packages.c.type == PackageType.NUGET.value
    return await _of_pairs(connection, pairs, await packages_by_id(connection, package_ids, is_nuget))


async def read_exposures_in(connection: AsyncConnection, numbers: Collection[int]) -> Exposed:
    """What is exposed of all that these inventories hold, some hundred at most: in as many statements however much
    that is."""
    package_ids = select(inventory_packages.c.package_id).where(inventory_packages.c.inventory_id.in_(numbers))
    pairs = (await connection.execute(_PAIRS.where(exposures.c.package_id.in_(package_ids)))).all()
    is_nuget = packages.c.type == PackageType.NUGET.value
    nuget = await connection.execute(select(packages).where(is_nuget, packages.c.id.in_(package_ids)))
    return await _of_pairs(connection, pairs, {row.id: package_of(row) for row in nuget})


async def _of_pairs(connection: AsyncConnection, pairs: Sequence[Any], nuget: Mapping[int, Package]) -> Exposed:
    """What these pairs tell of, and what Microsoft says of those packages of NuGet's."""
    exposed = Exposed()
    records: dict[int, list[Any]] = {}
    for ids in chunks(sorted({pair.vulnerability_id for pair in pairs})):
        records |= await _records(connection, exposed, conditions=[vulnerabilities.c.id.in_(ids)])
    await _of_dumps(connection, exposed, records, pairs)
    await _of_dotnet(connection, exposed, None, nuget)
    return exposed


async def _records(
    connection: AsyncConnection,
    exposed: Exposed,
    cve: str | None = None,
    conditions: Sequence[ColumnElement[bool]] = (),
) -> dict[int, list[Any]]:
    """What dumps say, by the ids of records: a row for each CVE that one is about."""
    cve_name = func.coalesce(vulnerability_cves.c.cve, vulnerabilities.c.name)
    of_one = () if cve is None else (cve_name == cve,)
    query = (
        select(vulnerabilities, cve_name.label("cve"), dumps.c.ecosystem)
        .join(dumps, dumps.c.id == vulnerabilities.c.dump_id)
        .outerjoin(vulnerability_cves, vulnerability_cves.c.vulnerability_id == vulnerabilities.c.id)
        .where(*of_one, *conditions)
        .order_by(vulnerabilities.c.id)
    )
    records: dict[int, list[Any]] = {}
    for row in await connection.execute(with_marks(query, cve_name)):
        exposed.marks[row.cve] = mark_in(row)
        records.setdefault(row.id, []).append(row)
        severity = Severity(row.severity) if row.severity else None
        exposed.add(CveFacts(row.cve, row.title, severity, row.rated_by, row.score, (row.ecosystem,)))
    return records


async def _of_dumps(
    connection: AsyncConnection, exposed: Exposed, records: Mapping[int, Sequence[Any]], pairs: Sequence[Any]
) -> None:
    affected = await _affected(connection, {pair.affected_id for pair in pairs})
    held_packages = await packages_by_id(connection, {pair.package_id for pair in pairs})
    for pair in pairs:
        if pair.affected_id not in affected or pair.package_id not in held_packages:
            continue
        affected_package, fix_seen_at = affected[pair.affected_id]
        fixed_in = affected_package.fixed_for(held_packages[pair.package_id])
        for row in records.get(pair.vulnerability_id, ()):
            published = row.published_at if row.name.startswith(_NOTICES) else None
            fixed_at = (published or fix_seen_at) if fixed_in else None
            package, is_certain = held_packages[pair.package_id], pair.is_certain
            exposure = Exposure(
                *(row.cve, row.ecosystem, affected_package, package, is_certain, fixed_at, fixed_in),
                is_seen=published is None,
            )
            exposed.by_package.setdefault(pair.package_id, []).append(exposure)


async def _pairs(connection: AsyncConnection, column: ColumnElement[int], values: Iterable[int]) -> Sequence[Any]:
    """Reads the pairs with one of these values in that column of `_PAIRS`."""
    pairs: list[Any] = []
    for ids in chunks(sorted(values)):
        pairs += await connection.execute(_PAIRS.where(column.in_(ids)))
    return pairs


async def _affected(
    connection: AsyncConnection, numbers: Iterable[int]
) -> dict[int, tuple[AffectedPackage, datetime | None]]:
    affected: dict[int, tuple[AffectedPackage, datetime | None]] = {}
    columns = (affected_packages.c.id, affected_packages.c.affected, affected_packages.c.fix_seen_at)
    for ids in chunks(sorted(numbers)):
        rows = await connection.execute(select(*columns).where(affected_packages.c.id.in_(ids)))
        affected |= dict(
            readable(
                rows,
                lambda row: (row.id, (load(row.affected, AffectedPackage), row.fix_seen_at)),
                lambda row: f"affected package {row.id}",
            )
        )
    return affected


async def _of_dotnet(
    connection: AsyncConnection, exposed: Exposed, cve: str | None, only: Mapping[int, Package] | None = None
) -> None:
    """What Microsoft says of .NET: of these packages, or of all; nothing is read where there are none."""
    if only is not None and not only:
        return
    query = select(advisories.c.cve, advisories.c.source, advisories.c.advisory)
    query = with_marks(query if cve is None else query.where(advisories.c.cve == cve), advisories.c.cve)
    rows = (await connection.execute(query)).all()
    exposed.marks |= {row.cve: mark_in(row) for row in rows}
    statements = readable(rows, lambda row: load(row.advisory, Advisory), lambda row: f"{row.cve} of {row.source}")
    by_name: dict[str, list[tuple[Advisory, AffectedPackage]]] = {}
    for advisory in combine_all(statements).values():
        rated_by = "Microsoft" if advisory.severity is not None else ""
        severity = advisory.severity
        facts = CveFacts(advisory.cve, advisory.title, severity, rated_by, advisory.score, (_DOTNET,))
        said_affected = affected_by(advisory)
        if said_affected or cve is not None:
            exposed.add(facts)
        for affected in said_affected:
            by_name.setdefault(affected.name, []).append((advisory, affected))
    nuget_packages = only
    if nuget_packages is None:
        names = [*by_name, *(f"{RUNTIME_PACK}{name}" for name in by_name)]
        is_nuget = packages.c.type == PackageType.NUGET.value
        package_rows = await connection.execute(select(packages).where(is_nuget, packages.c.name.in_(names)))
        nuget_packages = {row.id: package_of(row) for row in package_rows}
    nuget_packages = {
        number: package for number, package in nuget_packages.items() if package.advisory_name in by_name
    }
    for number, exposure in _exposures(nuget_packages, by_name):
        exposed.by_package.setdefault(number, []).append(exposure)


def _exposures(
    nuget_packages: Mapping[int, Package], by_name: Mapping[str, Sequence[tuple[Advisory, AffectedPackage]]]
) -> Iterator[tuple[int, Exposure]]:
    for number, package in nuget_packages.items():
        for advisory, affected in by_name[package.advisory_name]:
            fit = affected.fit(package)
            if fit is not Fit.NO:
                is_certain = fit is Fit.YES
                published = advisory.published_at
                fixed_in = affected.fixed_for(package)
                yield number, Exposure(advisory.cve, _DOTNET, affected, package, is_certain, published, fixed_in)
