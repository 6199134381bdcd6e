"""Every page over a fleet: what it shows, that nothing stored in it is taken for markup, and how large it is."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from markupsafe import escape
from sqlalchemy import update

from bot.store.engine.database import Database
from bot.store.rows.tables import rebuilds
from bot.web.site import Site
from tests.integration.web.conftest import ACTOR, MARK, READER, Asking, opened_copy
from tests.integration.web.large_fleet import LargeFleet

BASE = "mcr.microsoft.com/dotnet/runtime:9.0"
PAGES = {
    "fleet": "/",
    "fleet, the oldest first": "/?sort=since&page=2",
    "fleet, found": "/?q=service",
    "users of a base": f"/?base={BASE}",
    "rollouts": "/rollouts",
    "rollout": "/rollouts/13",
    "rollout, what waits": "/rollouts/13?state=planned",
    "bases": "/bases",
    "base": f"/bases/{BASE}",
    "repository": "/repositories/contoso/service-0002",
    "advisories": "/advisories",
    "advisory": "/advisories/CVE-2026-10005",
    "upstream": "/upstream",
    "operations": "/operations",
}
SECONDS, BYTES = 0.150, 100_000


class TestASmallFleet:
    @pytest.fixture
    async def database(self, filled_store: Path, tmp_path: Path) -> AsyncIterator[Database]:
        async with opened_copy(filled_store, tmp_path) as opened:
            yield opened

    @pytest.mark.parametrize("page", PAGES)
    async def test_no_text_of_others_is_taken_for_markup(self, asking: Asking, page: str) -> None:
        text = (await asking(ACTOR).get(PAGES[page])).text
        assert "<script" not in text
        assert "<img src=x" not in text
        assert "{{7*7}}" in text or MARK not in text
        assert str(escape(MARK))[:12] in text or page in {"bases", "rollouts", "fleet, the oldest first"}
        assert re.search(r" on[a-z]+=|style=|javascript:", text.replace(str(escape(MARK)), "")) is None

    async def test_a_hostile_name_has_its_own_page(self, asking: Asking) -> None:
        client = asking(READER)
        listed = (await client.get("/?q=service-0001")).text
        [link] = re.findall(r'href="(/repositories/contoso/service-0001[^"]*)"', listed)
        page = await client.get(link)
        assert page.status_code == 200
        assert str(escape(f"contoso/service-0001{MARK}")) in page.text

    @pytest.mark.parametrize("page", PAGES)
    async def test_pages_are_whole_without_a_script(self, asking: Asking, page: str) -> None:
        answer = await asking(READER).get(PAGES[page])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.text.count("<main") == answer.text.count("<h1") == 1
        assert '<html lang="en">' in answer.text
        assert "None" not in re.sub(r"<[^>]+>", "", answer.text)

    async def test_a_rebuild_that_leads_outside_does_so_by_https_alone(
        self, asking: Asking, database: Database
    ) -> None:
        async with database.transaction() as connection:
            await connection.execute(update(rebuilds).values(url="javascript:alert(1)"))
        assert "javascript:" not in (await asking(READER).get("/rollouts/13")).text

    async def test_usages_lead_to_their_lines(self, asking: Asking) -> None:
        text = (await asking(READER).get("/repositories/contoso/service-0002")).text
        assert 'href="https://github.example/contoso/service-0002/blob/main/services/0/Dockerfile' in text
        assert "#L1" in text

    async def test_an_advisory_tells_where_its_fix_is_open(self, asking: Asking) -> None:
        text = (await asking(READER).get("/advisories/CVE-2026-10005")).text
        assert "Rebuilds that bring the fix" in text
        assert "/repositories/contoso/service-" in text

    @pytest.mark.parametrize(
        "path", ["/rollouts/999", "/bases/none", "/repositories/none", "/advisories/CVE-1", "/?page=99", "/nothing"]
    )
    async def test_what_is_not_there_is_told(self, asking: Asking, path: str) -> None:
        answer = await asking(READER).get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 404
        assert "There is no such page" in answer.text

    async def test_a_badge_tells_the_standing(self, asking: Asking, site: Site) -> None:
        answer = await asking(READER).get("/badge/contoso/service-0002.svg")
        standing = await site.stores.fleet.standing("contoso/service-0002")
        assert standing is not None
        assert f"base image: {standing.value}" in answer.text


@pytest.mark.long
class TestFiveThousandRepositories:
    """With 60,000 usages. Processor time is measured, which other programs on the machine do not lengthen."""

    async def test_every_page_is_quick_and_small(self, asking: Asking, site: Site, database: Database) -> None:
        await LargeFleet(database, site.clock.now()).write()
        await site.stores.standing.count()
        client = asking(READER)
        slow = {}
        for page, path in PAGES.items():
            took = []
            for _ in range(3):
                began = time.process_time()
                answer = await client.get(path)
                took.append(time.process_time() - began)
            assert answer.status_code == 200
            if min(took) > SECONDS or len(answer.content) > BYTES:
                slow[page] = (min(took), len(answer.content))
        assert slow == {}
