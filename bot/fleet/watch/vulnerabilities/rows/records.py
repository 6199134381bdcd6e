"""Records of vulnerabilities as rows: of a reading, what differs from what is kept is written."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.advisory import SEVERE
from bot.domain.packages.cves.vulnerability import AffectedPackage, Vulnerability
from bot.store.engine.codec import dump
from bot.store.engine.writing import chunks, insert_all
from bot.store.rows.inventories.notices import NOTICES
from bot.store.rows.inventories.packages import exposed_in_open, noticed_in_open
from bot.store.rows.inventories.vulnerabilities import (
    affected_names,
    affected_packages,
    expose_to,
    vulnerabilities,
    vulnerability_cves,
)
from bot.upstream.osv.dump import DumpReading

_TOGETHER = 100
"""Records to a statement: each may name hundreds of packages and versions."""
Fixed = tuple[str, str, str]
"""Where a fix is: its record, release and package."""


@dataclass(frozen=True, slots=True)
class SeenElsewhere:
    """Since when a record is known where it comes from (`at`), and since when each of its fixes."""

    at: datetime
    fixes: Mapping[Fixed, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replaced:
    """How many records differ, and the open pull requests that are to tell of them, by their rebuilds. Whoever has
    all of these outdates them at once: their rows are locked by their ids."""

    records: int
    outdated: frozenset[int]


async def replace_records(
    connection: AsyncConnection,
    number: int,
    reading: DumpReading,
    now: datetime,
    *,
    elsewhere: Mapping[str, SeenElsewhere] | None = None,
    stay: frozenset[str] | None = frozenset(),
) -> Replaced:
    """Writes what differs from what the dump said before, and nothing else.

    `elsewhere` is since when what is new here was known where it comes from, by record; else it is new `now`.
    Records that are not in the reading go, except for those that `stay`; all stay where that is None.
    """
    records = reading.vulnerabilities
    column = vulnerabilities.c
    before = select(column.id, column.name, column.content, column.seen_at, column.modified)
    rows_by_name = {row.name: row for row in await connection.execute(before.where(column.dump_id == number))}
    contents = {each.id: _content(each) for each in records}
    unread = rows_by_name.keys() - contents.keys() - (rows_by_name.keys() if stay is None else stay)
    old_ids = [
        row.id
        for name, row in rows_by_name.items()
        if name in unread or contents.get(name, row.content) != row.content
    ]
    fixes = await _fixes_seen(connection, old_ids)
    for ids in chunks(sorted(old_ids)):
        await connection.execute(delete(vulnerabilities).where(column.id.in_(ids)))
    new = [
        record
        for record in records
        if record.id not in rows_by_name or rows_by_name[record.id].content != contents[record.id]
    ]
    first_seen = _FirstSeen(rows_by_name, fixes, elsewhere or {}, now)
    added_rows: dict[int, tuple[Vulnerability, AffectedPackage]] = {}
    for chunk in chunks(new, _TOGETHER):
        rows = [
            _row(record)
            | {"dump_id": number, "content": contents[record.id], "seen_at": first_seen.record(record.id)}
            | {"modified": reading.modified.get(record.id)}
            for record in chunk
        ]
        ids = await insert_all(connection, vulnerabilities, rows)
        added_rows |= await _insert_affected(connection, dict(zip(ids, chunk, strict=True)), first_seen)
    await expose_to(connection, {row: affected for row, (_, affected) in added_rows.items()})
    notice_rows = {row for row, (each, _) in added_rows.items() if each.id.startswith(NOTICES)}
    severe = {row for row, (each, _) in added_rows.items() if each.severity in SEVERE}
    outdated = await noticed_in_open(connection, notice_rows) | await exposed_in_open(connection, severe)
    same_names = contents.keys() & rows_by_name.keys() - {each.id for each in new}
    await _date_again(connection, [rows_by_name[name] for name in sorted(same_names)], reading.modified)
    return Replaced(len(new) + len(unread), outdated)


async def _date_again(connection: AsyncConnection, rows: Iterable[Any], modified: Mapping[str, str]) -> None:
    """Keeps when records that say the same as before were changed last."""
    changed = [
        {"row": row.id, "at": modified.get(row.name)} for row in rows if row.modified != modified.get(row.name)
    ]
    if changed:
        of_record = update(vulnerabilities).where(vulnerabilities.c.id == bindparam("row"))
        await connection.execute(of_record.values(modified=bindparam("at")), changed)


@dataclass(frozen=True, slots=True)
class _FirstSeen:
    """Since when records and their fixes are known: here or where they come from, else now."""

    rows: Mapping[str, Any]
    """The rows of records that are there, by their names."""
    fixes: Mapping[tuple[Fixed, str], datetime]
    """Each with one of the fixed versions that were named."""
    elsewhere: Mapping[str, SeenElsewhere]
    now: datetime

    def record(self, name: str) -> datetime:
        known_since = self.elsewhere[name].at if name in self.elsewhere else self.now
        return min(self.rows[name].seen_at, known_since) if name in self.rows else known_since

    def fix(self, name: str, affected: AffectedPackage) -> datetime | None:
        """None where nothing is free of it; now where none of the versions was named before."""
        fixes_there = self.elsewhere[name].fixes if name in self.elsewhere else {}
        place = (name, affected.release, affected.name)
        moments = [fixes_there[place]] if place in fixes_there else []
        places_here = ((place, each.fixed) for each in affected.ranges if each.fixed)
        moments += [self.fixes[each] for each in places_here if each in self.fixes]
        return min(moments, default=self.now) if affected.has_fix else None


def _row(record: Vulnerability) -> dict[str, Any]:
    return {
        "name": record.id,
        "title": record.title,
        "severity": record.severity.value if record.severity is not None else None,
        "rated_by": record.rated_by,
        "score": record.score,
        "published_at": record.published_at,
    }


async def _insert_affected(
    connection: AsyncConnection,
    records: Mapping[int, Vulnerability],
    first_seen: _FirstSeen,
) -> dict[int, tuple[Vulnerability, AffectedPackage]]:
    """Adds what records, by their rows, say of CVEs and packages; what was added of packages, by its rows."""
    cves = [{"vulnerability_id": row, "cve": cve[:32]} for row, each in records.items() for cve in each.cves]
    for chunk in chunks(cves):
        await connection.execute(insert(vulnerability_cves), chunk)
    triples = [(row, each, affected) for row, each in records.items() for affected in each.affected]
    rows = [
        {
            "vulnerability_id": row,
            "release": affected.release,
            "affected": dump(affected, AffectedPackage),
            "fix_seen_at": first_seen.fix(record.id, affected),
        }
        for row, record, affected in triples
    ]
    ids = await insert_all(connection, affected_packages, rows)
    added_rows = {row: (each, affected) for row, (_, each, affected) in zip(ids, triples, strict=True)}
    names = [
        {"affected_id": row, "name": name}
        for row, (_, affected) in added_rows.items()
        for name in sorted(affected.names)
    ]
    for chunk in chunks(names):
        await connection.execute(insert(affected_names), chunk)
    return added_rows


async def _fixes_seen(connection: AsyncConnection, numbers: Sequence[int]) -> dict[tuple[Fixed, str], datetime]:
    """Since when fixes are known of what is about to be replaced, each with one of its fixed versions."""
    moments: dict[tuple[Fixed, str], datetime] = {}
    for ids in chunks(sorted(numbers)):
        rows = await connection.execute(
            select(
                vulnerabilities.c.name,
                affected_packages.c.release,
                affected_packages.c.affected,
                affected_packages.c.fix_seen_at,
            )
            .join(vulnerabilities, vulnerabilities.c.id == affected_packages.c.vulnerability_id)
            .where(vulnerabilities.c.id.in_(ids), affected_packages.c.fix_seen_at.is_not(None))
        )
        moments |= {
            ((row.name, row.release, row.affected["name"]), affected_range["fixed"]): row.fix_seen_at
            for row in rows
            for affected_range in row.affected["ranges"]
        }
    return moments


def _content(record: Vulnerability) -> str:
    return hashlib.sha256(json.dumps(dump(record, Vulnerability), sort_keys=True).encode()).hexdigest()
