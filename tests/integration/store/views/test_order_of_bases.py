"""The page of bases begins with those in trouble, as `status` does."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from bot.domain.bases.mirrors import Likeness
from bot.store.rows.bases.mirrors import IS_IN_TROUBLE
from bot.store.rows.bases.tables import bases
from bot.views.bases.base import is_in_trouble
from bot.views.paging import Cut
from tests.builders import NOON
from tests.integration.store.filling import Stores

WELL: dict[str, Any] = {"digest": "sha256:1", "error": None, "upstream_id": None, "behind_since": None}
SHOWS_IT = {"upstream_id": 1, "likeness": Likeness.DIGEST.value}
KINDS: dict[str, dict[str, Any]] = {
    "a-well": {},
    "b-mirror-well": SHOWS_IT,
    "c-error": {"error": "HTTP 503"},
    "d-unseen": {"digest": None},
    "e-behind": {**SHOWS_IT, "behind_since": NOON},
    "f-older": {**SHOWS_IT, "unconfirmed": "sha256:0"},
    "g-uncompared": {"upstream_id": 1},
    "h-well": {},
}


@pytest.mark.asyncio
async def test_those_in_trouble_come_first_on_whichever_page(stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        for number, tag in enumerate(KINDS, 1):
            row = {"id": number, "registry": "mcr.example", "repository": "dotnet/aspnet", "tag": tag, "used": True}
            await connection.execute(insert(bases).values({**row, "due_at": NOON, **WELL}))
        for tag, values in KINDS.items():
            if values:
                await connection.execute(update(bases).where(bases.c.tag == tag).values(values))
    found: list[Any] = []
    for number in (1, 2):
        page = (await stores.base_pages.bases("", Cut(number, 5))).bases
        found += page.items
    assert [row.name.rpartition(":")[2] for row in found] == [
        *("c-error", "d-unseen", "e-behind", "f-older", "g-uncompared"),
        *("a-well", "b-mirror-well", "h-well"),
    ]
    assert [is_in_trouble(row) for row in found] == [True] * 5 + [False] * 3


MAY_HOLD: dict[str, tuple[Any, ...]] = {
    "error": (None, "", "HTTP 503"),
    "digest": (None, "sha256:1"),
    "upstream_id": (None, 1),
    "behind_since": (None, NOON),
    "unconfirmed": (None, "sha256:0"),
    "likeness": (None, Likeness.DIGEST.value),
}


@pytest.mark.asyncio
async def test_whatever_a_row_holds_the_database_finds_in_trouble_what_is_told_to_be(stores: Stores) -> None:
    rows = [dict(zip(MAY_HOLD, values, strict=True)) for values in product(*MAY_HOLD.values())]
    async with stores.database.transaction() as connection:
        for number, row in enumerate([{}, *rows], 1):
            named = {"registry": "mcr.example", "repository": "dotnet/aspnet", "tag": str(number), "used": True}
            await connection.execute(insert(bases).values(**named, **row, id=number, due_at=NOON))
    async with stores.database.reading() as connection:
        found = set(await connection.scalars(select(bases.c.tag).where(IS_IN_TROUBLE)))
    page = (await stores.base_pages.bases("", Cut(1, 200))).bases.items
    assert len(page) == len(rows) + 1
    assert {row.name.rpartition(":")[2] for row in page if is_in_trouble(row)} == found
    assert 0 < len(found) < len(rows)
