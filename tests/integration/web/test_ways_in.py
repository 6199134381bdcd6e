"""Every number on a page leads to what it counts: on the page, in the API and as CSV."""

import csv
import io
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bot.domain.repositories.finding import Outcome
from bot.domain.rollouts.timing.waves import WavePart
from bot.store.engine.database import Database
from bot.views.fleet.fleet import AGES
from bot.views.fleet.needs import NeedReason
from bot.views.spreadsheet import cell
from tests.integration.web.conftest import READER, Asking, opened_copy


@pytest.fixture
async def database(filled_store: Path, tmp_path: Path) -> AsyncIterator[Database]:
    async with opened_copy(filled_store, tmp_path) as opened:
        yield opened


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


async def test_all_that_needs_somebody_is_listed_by_reason(asking: Asking) -> None:
    client = asking(READER)
    groups: list[dict[str, Any]] = (await client.get("/api/v1/needs")).json()["groups"]
    fleet = (await client.get("/")).text
    assert len(groups) > 1
    for group in groups:
        reason = group["reason"]
        [whole] = (await client.get(f"/api/v1/needs?reason={reason}")).json()["groups"]
        assert len(whole["first"]) == group["number"]
        assert (f'href="/needs/{reason}"' in fleet) is (group["number"] > 2)
        page = (await client.get(f"/needs/{reason}")).text
        assert page.count('<td data-label="What">') == min(group["number"], 50)
        assert len(rows_of((await client.get(f"/needs/{reason}.csv")).text)) == group["number"]


@pytest.mark.parametrize("reason", NeedReason)
async def test_a_reason_that_nothing_waits_for_has_a_page_too(asking: Asking, reason: NeedReason) -> None:
    assert (await asking(READER).get(f"/needs/{reason}")).status_code == 200
    assert (await asking(READER).get("/needs/none")).status_code == 404


@pytest.mark.parametrize("outcome", [Outcome.FAILS, Outcome.HOLDS, Outcome.UNKNOWN, Outcome.WAIVED])
async def test_a_practice_lists_the_repositories_in_which_it_fails(asking: Asking, outcome: Outcome) -> None:
    client = asking(READER)
    practices = (await client.get("/practices")).text
    target = f"/practices/image-user?outcome={outcome}"
    [number] = re.findall(rf'<a href="{re.escape(target)}">([\d,]+)</a>', practices) or ["0"]
    listed = (await client.get(f"/api/v1{target}&per_page=100")).json()
    assert listed["counts"][outcome] == listed["repositories"]["total"] == int(number)
    assert {row["outcome"] for row in listed["repositories"]["items"]} <= {outcome}
    assert (await client.get(target)).text.count('<td data-label="Outcome">') == min(int(number), 50)
    table = rows_of((await client.get(f"/practices/image-user.csv?outcome={outcome}")).text)
    assert [row["repository"] for row in table] == [row["name"] for row in listed["repositories"]["items"]]
    assert (await client.get("/practices/none")).status_code == 404


async def test_each_number_of_a_wave_leads_to_its_rebuilds(asking: Asking) -> None:
    client = asking(READER)
    waves = (await client.get("/api/v1/rollouts/13")).json()["waves"]
    page = unescape((await client.get("/rollouts/13")).text)
    assert len(waves) > 1
    for wave in waves:
        for part in WavePart:
            number = wave[part.value.replace("-", "_")]
            query = f"wave={wave['name']}&part={part}"
            listed = (await client.get(f"/api/v1/rollouts/13?{query}&per_page=100")).json()["rebuilds"]
            assert (listed["total"], {row["wave"] for row in listed["items"]} <= {wave["name"]}) == (number, True)
            assert (f'"/rollouts/13?{query}#list"' in page) is bool(number)
            assert len(rows_of((await client.get(f"/rollouts/13.csv?{query}")).text)) == number


async def test_each_group_of_a_cve_leads_to_its_images(asking: Asking) -> None:
    client = asking(READER)
    text = (await client.get("/cves/CVE-2026-31790")).text
    groups = re.findall(r'class="number"><a href="(/cves/[^"]*)">([\d,]+)</a>', text)
    assert groups
    for target, number in groups:
        path = unescape(target).removesuffix("#list")
        listed = (await client.get(f"/api/v1{path}")).json()["images"]
        assert listed["total"] == int(number)
        assert "Those stuck at" in (await client.get(path)).text
        assert len(rows_of((await client.get(path.replace("?", ".csv?"))).text)) == int(number)


async def test_each_number_of_an_advisory_leads_to_its_rebuilds_and_images(asking: Asking) -> None:
    client = asking(READER)
    [told, *_] = [
        each
        for row in (await client.get("/api/v1/advisories")).json()["advisories"]["items"]
        if (each := (await client.get(f"/api/v1/advisories/{row['cve']}")).json())["images"]
    ]
    cve = told["advisory"]["cve"]
    page = (await client.get(f"/advisories/{cve}")).text
    assert sum(told["fixes"].values()) > 0
    for fix, number in told["fixes"].items():
        assert (f'"/advisories/{cve}?fix={fix}#list"' in page) is bool(number)
        listed = (await client.get(f"/api/v1/advisories/{cve}?fix={fix}")).json()["rebuilds"]
        assert (
            listed["total"] == number == len(rows_of((await client.get(f"/advisories/{cve}.csv?fix={fix}")).text))
        )
    for words, number in told["images"].items():
        query = f"stuck={quote(words)}"
        assert f'<a href="/cves/{cve}?{query}#list">{number:,} {words}</a>' in page
        listed = (await client.get(f"/api/v1/cves/{cve}?{query}")).json()["images"]
        assert listed["total"] == number == len(rows_of((await client.get(f"/cves/{cve}.csv?{query}")).text))


async def test_for_how_long_repositories_are_behind_leads_to_them(asking: Asking) -> None:
    client = asking(READER)
    ages = (await client.get("/api/v1/fleet")).json()["ages"]
    for age in AGES:
        listed = (await client.get(f"/api/v1/fleet?age={age}")).json()["repositories"]
        assert listed["total"] == ages[age]
        assert len(rows_of((await client.get(f"/fleet.csv?age={age}")).text)) == ages[age]
    assert sum(ages.values()) > 0
    assert (await client.get("/api/v1/fleet?age=a-while")).status_code == 422


def test_what_others_wrote_is_no_formula_in_a_table() -> None:
    assert [cell(text) for text in ("=1+1", "+1", "-1", "@x", "\t=1", "plain", None, 3)] == [
        *("'=1+1", "'+1", "'-1", "'@x", "'\t=1", "plain", "", "3"),
    ]


async def test_nobody_reads_a_table_without_a_token(asking: Asking) -> None:
    tables = ("fleet", "needs/failed", "practices/sbom", "rollouts/13", "cves/CVE-1", "advisories/CVE-1")
    for path in (f"/{each}.csv" for each in tables):
        assert (await asking().get(path)).status_code in (303, 401), path
