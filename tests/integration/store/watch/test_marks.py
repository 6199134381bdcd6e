"""A list of marks as rows: of a long document what differs is written, and little of it held at once."""

import tracemalloc
from collections.abc import Mapping

from sqlalchemy import select

from bot.domain.packages.cves.marks import CveMarks, MarkedCves
from bot.store.rows.inventories.marks import epss_scores, save_marks
from tests.integration.store.filling import Stores

MANY = 22_000
SCORES = {f"CVE-2026-{number}": number % 10_000 for number in range(1_000, 1_000 + MANY)}


async def save(stores: Stores, scores: Mapping[str, int], *, is_whole: bool = True) -> int:
    async with stores.database.transaction() as connection:
        return await save_marks(connection, CveMarks(epss=MarkedCves(scores, is_whole)))


async def kept(stores: Stores) -> dict[str, int]:
    async with stores.database.reading() as connection:
        return {row.cve: row.score for row in await connection.execute(select(epss_scores))}


async def test_what_differs_is_written_and_what_is_listed_no_more_goes(stores: Stores) -> None:
    assert await save(stores, SCORES) == MANY
    assert await save(stores, SCORES) == 0
    gone = [f"CVE-2026-{number}" for number in range(1_000, 20_000, 999)]
    changed = {**SCORES, "CVE-2026-1001": 7, "CVE-2027-1": 8}
    for each in gone:
        del changed[each]
    assert await save(stores, changed) == len(gone) + 2
    assert await kept(stores) == changed


async def test_what_is_in_doubt_ends_nothing(stores: Stores) -> None:
    await save(stores, SCORES)
    assert await save(stores, {"CVE-2026-1001": 7}) == 1
    assert await save(stores, {"CVE-2026-1002": 8, "CVE-2027-1": 8}, is_whole=False) == 2
    assert await kept(stores) == {**SCORES, "CVE-2026-1001": 7, "CVE-2026-1002": 8, "CVE-2027-1": 8}


async def test_a_day_on_which_all_scores_change_holds_a_few_thousand_at_once(stores: Stores) -> None:
    await save(stores, SCORES)
    changed = {cve: 10_000 - score for cve, score in SCORES.items()}
    tracemalloc.start()
    try:
        await save(stores, changed)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most / MANY < 300, "bytes for each score; all rows at once take more"
