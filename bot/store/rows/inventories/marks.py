"""CVEs that are known to be exploited, and scores of EPSS, as rows: of a document, what differs is written."""

from collections.abc import AsyncIterator, Collection
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, Date, Integer, Select, Table, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.packages.cves.marks import EPSS_UNIT, CveMark, CveMarks, MarkedCves, Value
from bot.store.engine.among import is_among
from bot.store.engine.writing import chunks, upsert_rows
from bot.store.rows.schema import ShortText, locked_after, metadata

exploited_cves = Table(
    "exploited_cves",
    metadata,
    Column("cve", ShortText(32), primary_key=True),
    Column("listed_on", Date),
)
locked_after(exploited_cves, "advisories")

epss_scores = Table(
    "epss_scores",
    metadata,
    Column("cve", ShortText(32), primary_key=True),
    Column("score", Integer, nullable=False),
)
"""Of every CVE that has one, in ten-thousandths."""
locked_after(epss_scores, "exploited_cves")

_TOGETHER = 2_000


async def save_marks(connection: AsyncConnection, marks: CveMarks) -> int:
    """Writes what a document says otherwise than what is kept; how many rows that were."""
    written = 0
    if marks.exploited is not None:
        written += await _save(connection, exploited_cves, "listed_on", marks.exploited)
    if marks.epss is not None:
        written += await _save(connection, epss_scores, "score", marks.epss)
    return written


async def _save(connection: AsyncConnection, table: Table, column: str, told: MarkedCves[Value]) -> int:
    """Compares some CVEs at a time: all that is kept of EPSS takes more memory than anything else that is read."""
    before = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
    kept_of = select(table).where(is_among(table.c.cve, "cves"))
    statement = upsert_rows(connection, table, ["cve"], [column])
    written = listed_again = 0
    for chunk in chunks(sorted(told.values), _TOGETHER):
        kept: dict[str, Any] = {row.cve: row[1] for row in await connection.execute(kept_of, {"cves": chunk})}
        listed_again += len(kept)
        if news := told.news(chunk, kept):
            await connection.execute(statement, [{"cve": cve, column: value} for cve, value in news.items()])
            written += len(news)
    if listed_again == before or not told.ends_others(before):
        return written
    gone = [cve async for cve in _every_cve(connection, table) if cve not in told.values]
    await connection.execute(delete(table).where(is_among(table.c.cve, "gone")), {"gone": gone})
    return written + len(gone)


async def _every_cve(connection: AsyncConnection, table: Table) -> AsyncIterator[str]:
    """All that are kept, some at a time."""
    query = select(table.c.cve).where(table.c.cve > bindparam("last")).order_by(table.c.cve).limit(_TOGETHER)
    last = ""
    while cves := (await connection.execute(query, {"last": last})).scalars().all():
        for cve in cves:
            yield cve
        last = cves[-1]


def with_marks(query: Select[Any], cve: ColumnElement[Any]) -> Select[Any]:
    """The same query with what stands beside the CVE in that column, for `mark_in`: no statement of its own."""
    return (
        query.add_columns(
            exploited_cves.c.cve.label("exploited"), exploited_cves.c.listed_on, epss_scores.c.score.label("epss")
        )
        .outerjoin(exploited_cves, exploited_cves.c.cve == cve)
        .outerjoin(epss_scores, epss_scores.c.cve == cve)
    )


def mark_in(row: Any) -> CveMark:
    """What stands beside the CVE of a row of `with_marks`."""
    epss = None if row.epss is None else row.epss / EPSS_UNIT
    return CveMark(row.exploited is not None, row.listed_on, epss)


_EXPLOITED = select(exploited_cves)
_SCORES = select(epss_scores).where(is_among(epss_scores.c.cve, "cves"))


async def read_marks(connection: AsyncConnection, cves: Collection[str]) -> dict[str, CveMark]:
    """What stands beside these CVEs, as far as anything does: in two statements however many they are."""
    listed: dict[str, date | None] = {row.cve: row.listed_on for row in await connection.execute(_EXPLOITED)}
    scores: dict[str, int] = {row.cve: row.score for row in await connection.execute(_SCORES, {"cves": cves})}
    return {
        cve: CveMark(cve in listed, listed.get(cve), scores[cve] / EPSS_UNIT if cve in scores else None)
        for cve in cves
        if cve in listed or cve in scores
    }
