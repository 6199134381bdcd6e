"""Every page over a fleet: what it shows, that nothing stored in it is taken for markup, and how large it is."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from markupsafe import escape
from sqlalchemy import insert, select, update

from bot.domain.clock import ManualClock
from bot.domain.feeds.advisory import Release
from bot.domain.images.standing import ImageState
from bot.domain.packages.ledger.clocks import AffectedImage, Held, PublishedFix, Station
from bot.domain.packages.ledger.entries import StationTime, entry_of, places_of
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.wording.pages import base_path
from bot.store.engine.codec import dump
from bot.store.engine.database import Database, open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.fleet.fleet import FleetStore
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.rows.bases.tables import bases, releases
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.stores import Stores
from bot.views.bases.advisories import FixState, fix_state
from bot.views.images.ledger import CveFilter, CvePage, CveRow, Cves, ImageGroup, grouped, row_of
from bot.views.paging import Cut, page_of
from bot.web.site import Site
from sandbox.stored_fleet import names
from sandbox.stored_fleet.fleet import StoredFleet
from sandbox.stored_fleet.pages import PAGES, REPOSITORY
from sandbox.stored_fleet.serving import NOW
from tests.bench.bench_page import QUERIES, measured
from tests.integration.web.conftest import ACTOR, MARK, READER, Asking, opened_copy
from tests.integration.web.markup import foreign_markup

UNMARKED = {
    *("bases", "rollouts", "fleet, the oldest first", "fleet, nothing found", "fleet, who uses a base"),
    *("images, searched", "image", "CVEs", "practices", "practice", "image, its packages"),
}
"""Pages on which nothing stands that others have written, or only what sorts behind."""


class TestASmallFleet:
    @pytest.fixture
    async def database(self, filled_store: Path, tmp_path: Path) -> AsyncIterator[Database]:
        async with opened_copy(filled_store, tmp_path) as opened:
            yield opened

    @pytest.mark.parametrize("page", PAGES)
    async def test_no_text_of_others_is_taken_for_markup(self, asking: Asking, page: str) -> None:
        text = (await asking(ACTOR).get(PAGES[page])).text
        assert foreign_markup(text) == []
        assert str(escape(MARK))[:12] in text or page in UNMARKED
        assert "{{7*7}}" in text or page in UNMARKED

    @pytest.mark.parametrize(
        ("path", "shown"),
        [
            ("/practices", '<a href="/" aria-current="page">Fleet</a>'),
            ("/operations", 'data-label="Oldest due">a moment<'),
            (f"/repositories/{REPOSITORY}", "Nothing in it is of a kind that the practices are about."),
        ],
    )
    async def test_what_is_empty_or_has_just_begun_is_said_in_words(
        self, asking: Asking, path: str, shown: str
    ) -> None:
        assert shown in (await asking(READER).get(path)).text

    async def test_a_hostile_name_has_its_own_page(self, asking: Asking) -> None:
        client = asking(READER)
        listed = (await client.get(f"/?q={names.repository(1)}")).text
        [link] = re.findall(rf'href="(/repositories/{names.repository(1)}%[^"]*)"', listed)
        page = await client.get(link)
        assert page.status_code == 200
        assert str(escape(f"{names.repository(1)}{MARK}")) in page.text

    @pytest.mark.parametrize("page", PAGES)
    async def test_pages_are_whole_without_a_script(self, asking: Asking, page: str) -> None:
        answer = await asking(READER).get(PAGES[page])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.text.count("<main") == answer.text.count("<h1") == 1
        assert '<html lang="en">' in answer.text
        assert "None" not in re.sub(r"<[^>]+>", "", answer.text)

    async def test_every_colour_of_the_chart_is_named(self, asking: Asking) -> None:
        page = (await asking(READER).get("/")).text
        kinds = re.findall(r'<g class="k-([\w-]+)">', page)
        assert len(kinds) >= 3
        for kind in kinds:
            assert f'<span class="dot k-{kind}" aria-hidden="true"></span>' in page

    async def test_a_rebuild_that_leads_outside_does_so_by_https_alone(
        self, asking: Asking, database: Database
    ) -> None:
        async with database.transaction() as connection:
            await connection.execute(update(rebuilds).values(url="javascript:alert(1)"))
        assert "javascript:" not in (await asking(READER).get("/rollouts/13")).text

    async def test_a_mirror_is_shown_with_what_it_does_not_show_yet(
        self, asking: Asking, database: Database
    ) -> None:
        async with database.transaction() as connection:
            copy, upstream = (await connection.execute(select(bases).order_by(bases.c.id).limit(2))).all()
            late = {"upstream_id": upstream.id, "behind_since": NOW - timedelta(minutes=40), "used": True}
            await connection.execute(update(bases).where(bases.c.id == copy.id).values(late))
        client = asking(READER)
        names_of = [f"{row.registry}/{row.repository}:{row.tag}" for row in (copy, upstream)]
        for path in (f"/bases/{names_of[0]}", f"/bases/{names_of[1]}", "/bases"):
            assert "to show sha256:" in (await client.get(path)).text, path
        assert "Bases behind" in (await client.get("/upstream")).text
        told = (await client.get(f"/api/v1/bases/{names_of[0]}")).json()["base"]["mirror"]
        assert told["upstream"] == names_of[1]

    async def test_usages_lead_to_their_lines(self, asking: Asking) -> None:
        text = (await asking(READER).get(f"/repositories/{REPOSITORY}")).text
        assert f'href="https://github.example/{REPOSITORY}/blob/main/src/' in text
        assert "#L1" in text

    async def test_a_repository_that_is_being_rebuilt_begins_with_how_far_its_rebuild_is(
        self, asking: Asking, database: Database
    ) -> None:
        of_open_one = select(repositories.c.name, rebuilds.c.reason).where(
            rebuilds.c.repository_id == repositories.c.id, rebuilds.c.state == "open"
        )
        async with database.reading() as connection:
            name, reason = (await connection.execute(of_open_one.limit(1))).one()
        first_paragraph = (await asking(READER).get(f"/repositories/{name}")).text.split('<p class="quiet">')[1]
        assert reason.removesuffix(MARK) in first_paragraph.partition("</p>")[0]

    async def test_a_repository_that_cannot_be_read_says_that_its_rows_are_older(
        self, asking: Asking, database: Database
    ) -> None:
        rebuilt = select(rebuilds.c.repository_id)
        async with database.transaction() as connection:
            name = await connection.scalar(select(repositories.c.name).where(repositories.c.id.not_in(rebuilt)))
            failed = update(repositories).where(repositories.c.name == name).values(error="its tree answers 404")
            await connection.execute(failed)
        assert name is not None
        text = (await asking(READER).get(f"/repositories/{quote(name)}")).text
        assert "It could not be read, so what stands below is as it was read before" in text

    async def test_every_repository_has_its_page_also_where_nothing_was_ever_rebuilt(
        self, asking: Asking, database: Database
    ) -> None:
        async with database.reading() as connection:
            names = (await connection.execute(select(repositories.c.name))).scalars().all()
            rebuilt = (await connection.execute(select(rebuilds.c.repository_id).distinct())).all()
        assert len(rebuilt) < len(names), "the fleet has repositories without a rebuild"
        client = asking(READER)
        answers = {name: (await client.get(f"/repositories/{quote(name)}")).status_code for name in names}
        assert {name: status for name, status in answers.items() if status != 200} == {}

    async def test_an_advisory_tells_where_its_fix_is_open(self, asking: Asking) -> None:
        text = (await asking(READER).get("/advisories/CVE-2026-10005")).text
        assert "Rebuilds that bring the fix" in text
        assert "/repositories/contoso/" in text

    @pytest.mark.parametrize("fix", FixState)
    async def test_an_advisory_shows_the_repositories_in_which_its_fix_is_wanted(
        self, asking: Asking, fix: FixState
    ) -> None:
        client = asking(READER)
        every = (await client.get("/api/v1/advisories/CVE-2026-10005")).json()
        some = (await client.get(f"/api/v1/advisories/CVE-2026-10005?fix={fix}")).json()
        assert sum(every["fixes"].values()) == every["rebuilds"]["total"]
        assert some["rebuilds"]["total"] == every["fixes"][fix]
        assert {fix_state(RebuildState(row["state"])) for row in some["rebuilds"]["items"]} <= {fix}
        page = (await client.get(f"/advisories/CVE-2026-10005?fix={fix}")).text
        assert f"<option selected>{fix}</option>" in page
        assert ("There is none." in page) is not bool(some["rebuilds"]["total"])

    async def test_an_image_shows_its_worst_cves_and_leads_to_all(self, asking: Asking) -> None:
        path = "/images/ghcr.io/contoso/shipping-gateway"
        listed = (await asking(READER).get(f"/api/v1{path}/-/cves")).json()
        rows, severities = listed["cves"]["items"], listed["severities"]
        text = (await asking(READER).get(path)).text
        assert len(rows) > 5
        assert [f'href="/cves/{row["cve"]}"' in text for row in rows] == [True] * 5 + [False] * (len(rows) - 5)
        assert f'href="{path}/-/cves">All {len(rows)} CVEs' in text
        assert f"{severities['high']} HIGH" in text
        assert f'href="{path}/-/packages"' in text

    async def test_the_cves_of_an_image_are_filtered(self, asking: Asking) -> None:
        path = f"{PAGES['image']}/-/cves"
        low = (await asking(READER).get(f"{path}?severity=low")).text
        assert ">HIGH</span>" not in low
        assert ">LOW</span>" in low
        assert "None of them fits." in (await asking(READER).get(f"{path}?q=no-package-is-called-so")).text

    async def test_the_ledger_is_filtered_by_severity_and_by_where_fixes_are_stuck(self, asking: Asking) -> None:
        every = (await asking(READER).get("/api/v1/cves?per_page=100")).json()
        found = (await asking(READER).get("/api/v1/cves?severity=high&station=base")).json()
        wanted = [
            row["cve"]
            for row in every["cves"]["items"]
            if row["severity"] == "high" and row["places"]["waiting"]["base"]
        ]
        assert [row["cve"] for row in found["cves"]["items"]] == wanted
        assert 0 < len(wanted) < every["cves"]["total"]
        assert found["severities"] == every["severities"]
        text = (await asking(READER).get("/cves?severity=high&station=base")).text
        assert all(f'href="/cves/{cve}"' in text for cve in wanted)
        assert "No CVE fits." in (await asking(READER).get("/cves?q=no-cve-is-called-so")).text

    async def test_a_base_in_the_list_says_that_it_was_withdrawn_and_where_to_go(self, asking: Asking) -> None:
        found = (await asking(READER).get("/api/v1/bases?per_page=100")).json()
        withdrawn = {
            name: row["toward"][0].rpartition("/")[2]
            for name, rows in found["notices"].items()
            for row in rows
            if row["topic"] == "withdrawn" and row["toward"]
        }
        assert withdrawn
        text = (await asking(READER).get("/bases")).text
        for name, toward in withdrawn.items():
            row = text.partition(f'href="{base_path(name)}"')[2].partition("</tr>")[0]
            assert ">withdrawn</span>" in row
            assert f"move to {toward}" in row

    @pytest.mark.parametrize("what", ["", "/-/cves", "/-/packages"])
    async def test_a_tag_that_an_image_does_not_have_names_no_page(self, asking: Asking, what: str) -> None:
        answer = await asking(READER).get(f"{PAGES['image']}{what}?tag=none")
        assert answer.status_code == 404

    @pytest.mark.parametrize("state", ImageState)
    async def test_images_are_counted_as_their_rows_stand(self, asking: Asking, state: ImageState) -> None:
        found = (await asking(READER).get(f"/api/v1/images?state={state}")).json()
        assert found["images"]["total"] == found["states"][state]
        assert {row["state"] for row in found["images"]["items"]} <= {state}

    @pytest.mark.parametrize(
        "path", ["/rollouts/999", "/bases/none", "/repositories/none", "/advisories/CVE-1", "/?page=99", "/nothing"]
    )
    async def test_what_is_not_there_is_told(self, asking: Asking, path: str) -> None:
        answer = await asking(READER).get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 404
        assert "There is no such page" in answer.text

    @pytest.mark.parametrize(("room", "status"), [("advisories", 404), ("cves", 200)])
    async def test_a_cve_that_a_release_alone_lists_is_told_so(
        self, asking: Asking, database: Database, room: str, status: int
    ) -> None:
        released = Release("11.0", "11.0.1", NOW, cves=("CVE-2026-777",))
        values = {"channel": "11.0", "version": "11.0.1", "published_at": NOW, "release": dump(released, Release)}
        async with database.transaction() as connection:
            await connection.execute(insert(releases).values(values))
        answer = await asking(READER).get(f"/{room}/CVE-2026-777", headers={"Accept": "text/html"})
        assert answer.status_code == status
        assert ".NET 11.0.1 fixes it, and no advisory that was read says yet what" in answer.text

    async def test_a_cve_that_nothing_tells_of_has_a_page_with_a_verdict(self, asking: Asking) -> None:
        answer = await asking(READER).get("/cves/CVE-2026-99999", headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert "Not known: nothing that was read tells of it." in answer.text
        told = (await asking(READER).get("/api/v1/cves/CVE-2026-99999")).json()
        assert (told["is_told"], told["images"]["total"]) == (False, 0)
        assert (await asking(READER).get("/cves/nonsense", headers={"Accept": "text/html"})).status_code == 404

    async def test_what_is_out_of_support_is_not_fine_on_any_page(self, asking: Asking, clock: ManualClock) -> None:
        clock.advance(datetime(2026, 11, 30, tzinfo=UTC) - clock.now())
        client = asking(READER)
        needs = (await client.get("/api/v1/needs")).json()["groups"]
        [ended] = [group for group in needs if group["reason"] == "out-of-support"]
        listed = (await client.get("/api/v1/fleet?support=out-of-support")).json()["repositories"]
        assert 0 < ended["number"] == listed["total"] < 60
        row = listed["items"][0]
        assert row["support"]["until"] < "2026-11-30"
        page = (await client.get(f"/repositories/{row['name']}")).text
        told = [use["support"]["told"] for use in await _usages(client, row["name"]) if use["support"]]
        assert all(str(escape(each)) in page for each in told)
        assert '<span class="chip k-out-of-support"' in page
        bases_found = (await client.get("/api/v1/bases?q=dotnet/aspnet:8.0")).json()["bases"]["items"]
        base = next(each for each in bases_found if each["name"] == "mcr.microsoft.com/dotnet/aspnet:8.0")
        assert base["support"]["told"] == (
            ".NET 8.0 is out of support for 20 days: no more fixes will come; 10.0 is the next"
        )
        assert (
            f'<p class="ended">{base["support"]["told"]}.</p>' in (await client.get(f"/bases/{base['name']}")).text
        )
        assert '<span class="chip k-out-of-support"' in (await client.get("/bases?q=8.0")).text
        fleet = (await client.get("/")).text
        assert 'href="/needs/out-of-support"' in fleet
        assert '<option value="out-of-support" selected>' in (await client.get("/?support=out-of-support")).text

    async def test_a_badge_tells_the_standing(self, asking: Asking, site: Site) -> None:
        answer = await asking(READER).get(f"/badge/{REPOSITORY}.svg")
        standing = await site.stores[FleetStore].standing(REPOSITORY)
        assert standing is not None
        assert f"base image: {standing.value}" in answer.text


@pytest.mark.parametrize("name", ["contoso/nothing", "contoso/other%20team/nothing"])
async def test_the_badge_of_what_is_not_known_says_so_however_many_parts_its_name_has(
    asking: Asking, name: str
) -> None:
    answer = await asking(READER).get(f"/badge/{name}.svg")
    assert (answer.status_code, "base image: not known" in answer.text) == (200, True)


async def _usages(client: httpx.AsyncClient, repository: str) -> list[dict[str, Any]]:
    usages: list[dict[str, Any]] = (await client.get(f"/api/v1/repositories/{repository}")).json()["usages"]
    return usages


class _Told(LedgerStore):
    """A ledger that has one page, whoever is asked for."""

    def __init__(self, page: CvePage) -> None:
        self._page = page

    async def cve(self, name: str, cut: Cut, stuck: str = "", who: str = "") -> CvePage:
        return self._page

    async def groups(self, name: str) -> tuple[ImageGroup, ...]:
        return grouped(self._page.images.items)

    async def cves(self, cut: Cut, wanted: CveFilter = CveFilter()) -> Cves:  # noqa: B008
        return Cves(page_of((self._page.cve,), 1, cut), self._page.not_known, self._page.gaps)


async def test_a_cve_shows_each_image_with_a_link_and_its_clocks(
    asking: Asking, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = entry_of(
        AffectedImage(
            *("ghcr.io/contoso/shop:1.0", "contoso/shop", ("openssl 3.0",)),
            *(PublishedFix("Ubuntu", ("3.1",), NOW), None, Held(True)),
        )
    )
    cve = CveRow("CVE-2026-1", "overflow", "moderate", "Ubuntu", 7.5, ("Ubuntu",), places_of([(waits, 1)]))
    took = {
        Station.BASE: StationTime(3, timedelta(hours=4)),
        Station.IMAGE: StationTime(5, timedelta(hours=2), of_rebuilds=True),
    }
    told = _Told(CvePage(cve, page_of((row_of(waits, took),), 1, Cut()), not_known=1, gaps=("no data of Alpine",)))
    monkeypatch.setattr(LedgerStore, "opened", lambda _: told)
    client = asking(READER)
    answer = await client.get("/cves/CVE-2026-1")
    assert answer.status_code == 200
    assert 'href="/images/ghcr.io/contoso/shop"' in answer.text
    assert ">MEDIUM</span>" in answer.text
    assert "Ubuntu fixed it in 3.1" in answer.text
    assert answer.text.count("what the image stands on is not known") == 3, "of its group, of itself, of its clock"
    assert answer.text.count("4 h, the median of 3") == 2, "of its group, of its clock"
    assert "(elsewhere 2 h, the median of 5 rebuilds)" in answer.text
    assert "Not all is known: no data of Alpine." in answer.text
    listed = await client.get("/cves")
    assert listed.status_code == 200
    for told_of_all in (
        'href="/cves/CVE-2026-1"',
        "overflow",
        ">MEDIUM</span>",
        "1 cannot be told",
        "1 image not read",
        "no data of Alpine",
    ):
        assert told_of_all in listed.text


@pytest.mark.long
async def test_every_page_over_a_large_fleet_is_small_and_takes_few_queries(database: Database) -> None:
    """5,000 repositories with 60,000 usages. How quick it is, `make bench` tells."""
    await StoredFleet(database, NOW).write()
    assert [f"{each.name}: {each}" for each in await measured(database, tries=2) if not each.is_small] == []


@pytest.mark.second_database
async def test_every_page_is_read_from_postgresql_too(postgres_url: str) -> None:
    database = await open_database(postgres_url)
    try:
        await StoredFleet(database, NOW, repositories=60, usages=3, mark=MARK).write()
        found = await measured(database)
    finally:
        await database.close()
    assert len(found) == len(PAGES)
    assert all(each.queries <= QUERIES for each in found)


@pytest.mark.parametrize("page", ["/cves", "/bases", "/advisories", "/images", "/repositories"])
async def test_a_path_with_a_zero_byte_which_postgresql_takes_in_no_text_names_no_page(
    site: Site, asking: Asking, postgres_url: str, page: str
) -> None:
    database = await open_database(postgres_url)
    try:
        stores = Stores(database, Worker("web"), site.clock)
        answer = await asking(READER, replace(site, stores=stores)).get(f"{page}/a%00b")
    finally:
        await database.close()
    assert answer.status_code == 404
