"""Where a CVE runs, on its page, as CSV and by the API: nothing of it where no source of what runs is named."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.clock import ManualClock
from bot.store.engine.database import Database, open_database
from bot.web.site import Site
from tests.integration.store.filling import Stores
from tests.integration.store.holding import CVE, SSL, publish, running
from tests.integration.store.running.snapshots import EUROPE, WEB, runs_in, tells
from tests.integration.web.conftest import NOON, READER, Asking
from tests.migrated import new_sqlite


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(new_sqlite(tmp_path / "store.db"))
    yield opened
    await opened.close()


@pytest.fixture
async def exposed(site: Site, database: Database) -> Site:
    """A site whose store knows of a place that is exposed."""
    clock = ManualClock(NOON)
    stores = Stores.of_worker(database, clock, "first")
    await stores.running.follow([EUROPE])
    await running(stores, SSL)
    await tells(stores, *runs_in(WEB, "e"))
    await publish(stores)
    for _ in range(2):
        await tells(stores, *runs_in(WEB, "e"))
    return replace(site, has_running=True, clock=clock, stores=stores)


async def test_the_page_of_a_cve_says_where_it_runs(asking: Asking, exposed: Site) -> None:
    page = (await asking(READER, of=exposed).get(f"/cves/{CVE}")).text
    assert "<h2>Where it runs</h2>" in page
    assert "<p>Exposed in 1 of 1 running place since " in page
    assert "shop/web/web" in page


async def test_nothing_is_said_of_it_where_settings_name_no_source(asking: Asking, exposed: Site) -> None:
    page = (await asking(READER, of=replace(exposed, has_running=False)).get(f"/cves/{CVE}")).text
    assert "Where it runs" not in page


async def test_all_places_are_a_spreadsheet(asking: Asking, exposed: Site) -> None:
    answer = await asking(READER, of=exposed).get(f"/cves/{CVE}/exposure.csv")
    columns, row = answer.text.splitlines()
    assert columns.startswith("environment,source,namespace,")
    assert row.startswith("production,europe,shop,Deployment/web,web,exposed,")


async def test_the_api_gives_the_same_answer(asking: Asking, exposed: Site) -> None:
    client = asking(READER, of=exposed)
    told = (await client.get(f"/api/v1/cves/{CVE}/exposure")).json()
    assert (told["exposed"], told["places"]["total"]) == (1, 1)
    assert told["places"]["items"][0]["who"] == "contoso/shop"
    now = (await client.get("/api/v1/running")).json()
    assert (now["places"], now["running"]["items"][0]["built_by"]) == (1, "contoso/shop")


async def test_a_time_that_is_none_is_refused(asking: Asking, exposed: Site) -> None:
    answer = await asking(READER, of=exposed).get(f"/api/v1/cves/{CVE}/exposure?at=yesterday")
    assert answer.status_code == 422


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"])
async def test_of_a_time_out_of_all_that_is_covered_nothing_is_known(
    asking: Asking, exposed: Site, at: str
) -> None:
    told = (await asking(READER, of=exposed).get(f"/api/v1/cves/{CVE}/exposure", params={"at": at})).json()
    assert told["exposed"] == 0
    assert told["unread"]


async def test_what_runs_stands_on_a_page_with_how_long_it_was_exposed(asking: Asking, exposed: Site) -> None:
    client = asking(READER, of=exposed)
    assert '<a href="/running">' in (await client.get("/cves")).text
    page = (await client.get("/running")).text
    assert "1 running place in 1 source." in page
    assert "Exposed in the last 7 days: 1 of 1 running place" in page
    assert "shop/web/web" in page


async def test_the_sums_of_the_report_are_a_spreadsheet(asking: Asking, exposed: Site) -> None:
    lines = (await asking(READER, of=exposed).get("/running.csv")).text.splitlines()
    assert lines[0].startswith("row,since,severity,team,cause,days,places,cves,known,")
    assert any(line.startswith("exposed,") for line in lines)


@pytest.mark.parametrize("path", ["/running", "/running.csv", f"/cves/{CVE}/exposure.csv"])
async def test_without_sources_there_is_no_such_page(asking: Asking, exposed: Site, path: str) -> None:
    answer = await asking(READER, of=replace(exposed, has_running=False)).get(path)
    assert answer.status_code == 404


async def test_of_a_cve_that_nothing_tells_of_there_is_no_spreadsheet(asking: Asking, exposed: Site) -> None:
    answer = await asking(READER, of=exposed).get("/cves/CVE-2026-9999/exposure.csv")
    assert answer.status_code == 404
