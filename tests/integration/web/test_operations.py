"""The page about the bot itself: what waits, and what has not moved for too long."""

import re
from datetime import timedelta

from sqlalchemy import insert

from bot.domain.clock import ManualClock
from bot.store.engine.database import Database
from bot.store.rows.bases.tables import bases
from bot.web.site import Site
from tests.integration.web.conftest import NOON, READER, Asking


async def test_only_queues_in_which_something_is_are_shown(asking: Asking, database: Database) -> None:
    client = asking(READER)
    assert re.search(r"All \d+ are empty\.", (await client.get("/operations")).text)
    base = {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0", "due_at": NOON}
    async with database.transaction() as connection:
        await connection.execute(insert(bases).values(**base, used=True))
    text = (await client.get("/operations")).text
    assert re.findall(r'data-label="Queue">([^<]+)<', text) == ["bases"]


async def test_a_stage_that_has_not_moved_for_too_long_says_for_how_long(
    asking: Asking, site: Site, clock: ManualClock
) -> None:
    client = asking(READER)
    site.beats.began("watch", clock.now())
    site.beats.ended("watch", clock.now())
    assert "late" not in (await client.get("/operations")).text
    clock.advance(timedelta(hours=3))
    assert "late</span> has not begun anew for 3 h" in (await client.get("/operations")).text
    site.beats.began("watch", clock.now())
    clock.advance(timedelta(hours=2))
    assert "late</span> at it for 2 h" in (await client.get("/operations")).text
