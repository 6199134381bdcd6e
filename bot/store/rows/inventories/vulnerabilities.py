"""Vulnerabilities that dumps tell of, and which packages of images are exposed to which."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.cves.vulnerability import AffectedPackage
from bot.domain.packages.package import Package
from bot.domain.packages.wanted import Fit
from bot.store.engine.codec import load
from bot.store.engine.writing import chunks, insert_into
from bot.store.rows.inventories.inventories import package_of, packages, packages_by_id
from bot.store.rows.schema import (
    DueTable,
    Id,
    LongText,
    Moment,
    ShortText,
    falls_due,
    leased,
    locked_after,
    metadata,
)

dumps = leased(
    "dumps",
    Column("ecosystem", ShortText(32), nullable=False, unique=True),
    Column("place", ShortText(1024), nullable=False),
    Column("etag", ShortText(512)),
    Column("last_modified", ShortText(512)),
    Column("considered", LargeBinary),
    Column("asked", LargeBinary),
    Column("settled", LargeBinary),
    Column("reader", ShortText(64)),
    Column("entries", Integer),
    Column("problems", JSON),
    Column("fetched_at", Moment),
    Column("checked_at", Moment),
    Column("newest_at", Moment),
    Column("error", LongText),
)
"""`ecosystem` is the name of the publication. `considered` are the releases and names that were looked for, `asked`
the versions that an API was asked about, both compressed; `settled` are the entries of a dump that need no reading
while they stay as they are; `entries` counts all records, of which one was changed at
`newest_at` and none later."""
falls_due(dumps, DueTable("dumps", is_regular=True))
locked_after(dumps, "packages")

vulnerabilities = Table(
    "vulnerabilities",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("dump_id", ForeignKey("dumps.id", ondelete="CASCADE"), nullable=False),
    Column("name", ShortText(64), nullable=False),
    Column("content", ShortText(64), nullable=False),
    Column("modified", ShortText(40)),
    Column("title", LongText, nullable=False),
    Column("severity", ShortText(16)),
    Column("rated_by", ShortText(32), nullable=False),
    Column("score", Float),
    Column("published_at", Moment),
    Column("seen_at", Moment, nullable=False),
    UniqueConstraint("dump_id", "name"),
)
"""`content` is a hash of all that is kept of a record, `modified` when its publisher says that it was changed last;
`seen_at` is when it was first seen."""

vulnerability_cves = Table(
    "vulnerability_cves",
    metadata,
    Column("vulnerability_id", ForeignKey("vulnerabilities.id", ondelete="CASCADE"), primary_key=True),
    Column("cve", ShortText(32), primary_key=True, index=True),
)

affected_packages = Table(
    "affected_packages",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("vulnerability_id", ForeignKey("vulnerabilities.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("release", ShortText(64), nullable=False),
    Column("affected", JSON, nullable=False),
    Column("fix_seen_at", Moment),
)
"""`fix_seen_at` is when one of the versions that are free of it now was first seen to be."""

affected_names = Table(
    "affected_names",
    metadata,
    Column("name", ShortText(256), primary_key=True),
    Column("affected_id", ForeignKey("affected_packages.id", ondelete="CASCADE"), primary_key=True, index=True),
)
"""By which a package may be one that is affected, in lower case."""

exposures = Table(
    "exposures",
    metadata,
    Column("affected_id", ForeignKey("affected_packages.id", ondelete="CASCADE"), primary_key=True),
    Column("package_id", ForeignKey("packages.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("is_certain", Boolean, nullable=False),
)
"""A package whose version is affected, where it is in an image of that release; not certain where no rule tells."""


async def look_again_soon(connection: AsyncConnection, now: datetime) -> None:
    """Has dumps asked for what they say of packages that were not known before, once more of those were read."""
    soon = now + timedelta(minutes=10)
    await connection.execute(
        update(dumps).where(dumps.c.due_at > soon, dumps.c.lease_owner.is_(None)).values(due_at=soon)
    )


async def expose_packages(connection: AsyncConnection, package_ids: Collection[int]) -> None:
    """Notes what these packages, which are new, are exposed to."""
    new_packages = await packages_by_id(connection, package_ids)
    by_name = _index_by_name(new_packages)
    affected: dict[int, AffectedPackage] = {}
    for names in chunks(sorted(by_name)):
        rows = await connection.execute(
            select(affected_packages.c.id, affected_packages.c.affected)
            .join(affected_names, affected_names.c.affected_id == affected_packages.c.id)
            .where(affected_names.c.name.in_(names))
        )
        affected |= {row.id: load(row.affected, AffectedPackage) for row in rows}
    await _expose(connection, affected, new_packages, by_name)


async def expose_to(connection: AsyncConnection, affected: Mapping[int, AffectedPackage]) -> None:
    """Notes which of all packages are exposed to what these rows, which are new, say."""
    if not affected:
        return
    types = {each.type for each in affected.values()}
    rows = await connection.execute(select(packages).where(packages.c.type.in_(types)))
    all_packages = {row.id: package_of(row) for row in rows}
    await _expose(connection, affected, all_packages, _index_by_name(all_packages))


def _index_by_name(packages_by_row: Mapping[int, Package]) -> dict[str, list[int]]:
    by_name: dict[str, list[int]] = {}
    for number, package in packages_by_row.items():
        for name in package.listed_names:
            by_name.setdefault(name, []).append(number)
    return by_name


async def _expose(
    connection: AsyncConnection,
    affected: Mapping[int, AffectedPackage],
    packages_by_row: Mapping[int, Package],
    by_name: Mapping[str, Iterable[int]],
) -> None:
    rows = [
        {"affected_id": number, "package_id": package, "is_certain": fit is Fit.YES}
        for number, package_range in sorted(affected.items())
        for package in sorted({id_ for name in package_range.names for id_ in by_name.get(name, ())})
        if (fit := package_range.fit(packages_by_row[package])) is not Fit.NO
    ]
    for chunk in chunks(rows):
        await connection.execute(insert_into(connection, exposures).on_conflict_do_nothing(), chunk)
