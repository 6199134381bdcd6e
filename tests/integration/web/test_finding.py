"""Anything is found by its name, and files that pages are drawn with are kept by their content."""

from collections.abc import AsyncIterator
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bot.domain.wording.pages import base_path
from bot.store.engine.database import Database
from bot.web.static_files import address_of
from sandbox.stored_fleet.pages import BASE, REPOSITORY
from tests.bench.bench_page import counted
from tests.integration.web.conftest import MARK, READER, Asking, opened_copy


@pytest.fixture
async def database(filled_store: Path, tmp_path: Path) -> AsyncIterator[Database]:
    async with opened_copy(filled_store, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        (REPOSITORY[3:].upper(), "repository", REPOSITORY),
        ("aspnet:10.0-nob", "base", f"{BASE}-noble"),
        (REPOSITORY[3:], "image", f"ghcr.io/{REPOSITORY}"),
        ("CVE-2026-1002", "advisory", "CVE-2026-10020"),
        ("CVE-2026-3179", "cve", "CVE-2026-31790"),
        ("enss", "package", "openssl"),
    ],
)
async def test_a_part_of_a_name_finds_what_is_called_so(asking: Asking, text: str, kind: str, name: str) -> None:
    found = (await asking(READER).get("/api/v1/find", params={"q": text})).json()
    assert name in {group["kind"]: group["names"] for group in found["groups"]}[kind]
    page = await asking(READER).get("/find", params={"q": text})
    assert page.status_code == 200


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (REPOSITORY, f"/repositories/{REPOSITORY}"),
        (BASE, base_path(BASE)),
        (f"ghcr.io/{REPOSITORY}", f"/images/ghcr.io/{REPOSITORY}"),
        ("cve-2026-10020", "/advisories/CVE-2026-10020"),
        ("CVE-2026-31790", "/cves/CVE-2026-31790"),
        ("openssl", "/packages/openssl"),
    ],
)
async def test_a_whole_name_leads_to_its_page(asking: Asking, name: str, path: str) -> None:
    answer = await asking(READER).get("/find", params={"q": name})
    assert (answer.status_code, answer.headers.get("location")) == (303, path)
    assert (await asking(READER).get(path)).status_code == 200


@pytest.mark.parametrize("text", ["", "nothing-is-called-so", "%", "_", MARK, "\\"])
async def test_what_nothing_is_called_is_said(asking: Asking, text: str) -> None:
    answer = await asking(READER).get("/find", params={"q": text})
    assert answer.status_code == 200
    assert "<h2>Bases</h2>" not in answer.text


async def test_a_package_has_its_versions_and_the_images_that_hold_them(asking: Asking) -> None:
    client = asking(READER)
    found = (await client.get("/api/v1/packages/openssl?per_page=100")).json()
    assert sum(row["images"] for row in found["versions"]) == found["images"]["total"] > 0
    assert {row["package"] for row in found["images"]["items"]} <= {row["name"] for row in found["versions"]}
    page = (await client.get("/packages/openssl")).text
    assert all(f">{row['version']}<" in page for row in found["versions"])
    assert (await client.get("/packages/no-such")).status_code == 404


async def test_each_number_of_a_package_leads_to_its_images_on_the_page_in_the_api_and_as_csv(
    asking: Asking,
) -> None:
    client = asking(READER)
    for row in (await client.get("/api/v1/packages/openssl")).json()["versions"]:
        asked = {"version": row["version"], "package": row["name"], "type": row["type"]}
        address = f"/packages/openssl?{urlencode(asked)}"
        assert f'href="{escape(address)}#list"' in (await client.get("/packages/openssl")).text
        found = (await client.get("/api/v1/packages/openssl", params=asked)).json()["images"]
        assert found["total"] == row["images"]
        assert {(each["package"], each["version"]) for each in found["items"]} == {(row["name"], row["version"])}
        assert (await client.get(address)).status_code == 200
        table = (await client.get("/packages/openssl.csv", params=asked)).text.splitlines()
        assert len(table) == row["images"] + 1


async def test_finding_takes_one_statement_for_each_kind(asking: Asking) -> None:
    client = asking(READER)
    with counted() as statements:
        await client.get("/find?q=CVE-2026-1")
    assert len(statements) <= 6


async def test_a_file_is_kept_under_the_address_of_its_content(asking: Asking) -> None:
    page = (await asking(READER).get("/")).text
    for name in ("style.css", "icon.svg", "page.js"):
        assert f'"{address_of(name)}"' in page
        kept = await asking().get(address_of(name))
        assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
        for address in (f"/static/{name}", f"/static/{name}?v=0"):
            assert (await asking().get(address)).headers["cache-control"] == "no-cache"


async def test_scripts_are_ours_alone_and_nobody_gets_one_who_has_not_signed_in(asking: Asking) -> None:
    page = await asking(READER).get("/")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert [part for part in policy.split("; ") if "script" in part] == ["script-src 'self'"]
    assert "<script" not in (await asking().get("/login")).text
