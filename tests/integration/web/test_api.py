"""The API: the same as the pages in JSON, described truly, and broken by nothing."""

import contextlib
import io
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.cli.screen.output import print_json
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.store.engine.codec import dump
from bot.store.engine.database import Database
from bot.store.rows.repositories.tables import repositories
from bot.store.views.bases import BaseViewsStore
from bot.store.views.repositories import RepositoryViewsStore
from bot.views.repositories.explanation import as_json
from bot.web.site import Site
from sandbox.stored_fleet.pages import BASE, REPOSITORY
from tests.integration.web.conftest import NOON, READER, SCRAPER, Asking, opened_copy

PATHS = [
    *("/fleet", "/rollouts", "/rollouts/13", "/bases", f"/bases/{BASE}", f"/repositories/{REPOSITORY}"),
    *(
        "/images",
        f"/images/ghcr.io/{REPOSITORY}",
        f"/images/ghcr.io/{REPOSITORY}/-/cves",
        f"/images/ghcr.io/{REPOSITORY}/-/packages?origin=image",
        "/advisories",
        "/advisories/CVE-2026-10005",
        "/cves/CVE-2026-10005/exposure?since=2026-01-01T00:00:00Z",
        "/running",
        "/upstream",
        "/operations",
    ),
]


@pytest.fixture
async def database(filled_store: Path, tmp_path: Path) -> AsyncIterator[Database]:
    async with opened_copy(filled_store, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("path", PATHS)
async def test_each_view_is_answered_and_the_same_again_is_not_sent(asking: Asking, path: str) -> None:
    client = asking(READER)
    first = await client.get(f"/api/v1{path}")
    assert first.status_code == 200, first.text
    assert first.json()
    again = await client.get(f"/api/v1{path}", headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/fleet?per_page=25", f"/bases/{BASE}", "/openapi.json", "/nothing"])
async def test_head_is_answered_as_get_without_the_body(asking: Asking, path: str) -> None:
    client = asking(READER)
    whole, head = await client.get(f"/api/v1{path}"), await client.head(f"/api/v1{path}")
    assert (head.status_code, head.headers, head.content) == (whole.status_code, whole.headers, b"")
    if "etag" in whole.headers:
        again = await client.head(f"/api/v1{path}", headers={"If-None-Match": whole.headers["etag"]})
        assert again.status_code == 304


async def test_what_else_is_asked_is_told_what_can_be(asking: Asking) -> None:
    answer = await asking(READER).post("/api/v1/fleet")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", [*PATHS, "/openapi.json", "/nothing"])
async def test_nobody_gets_in_without_a_token(asking: Asking, path: str) -> None:
    answers = [(await asking(token).get(f"/api/v1{path}")).status_code for token in (None, "x" * 32)]
    assert set(answers) <= {401, 404}
    assert answers == [401, 401] or path == "/nothing"


async def test_who_scrapes_reads_nothing(asking: Asking) -> None:
    assert (await asking(SCRAPER).get("/api/v1/fleet")).status_code == 403


async def test_pages_lead_to_one_another(asking: Asking) -> None:
    client = asking(READER)
    answer = await client.get("/api/v1/fleet?per_page=25&sort=name")
    names = [row["name"] for row in answer.json()["repositories"]["items"]]
    seen = 1
    while "next" in answer.links:
        answer = await client.get(answer.links["next"]["url"])
        names += [row["name"] for row in answer.json()["repositories"]["items"]]
        seen += 1
    assert seen == 3
    assert names == sorted(set(names))
    assert len(names) == 60


async def test_it_is_the_page_in_json(asking: Asking, site: Site) -> None:
    found = (await asking(READER).get(f"/api/v1/repositories/{REPOSITORY}")).json()
    page = (await asking(READER).get(f"/repositories/{REPOSITORY}")).text
    assert found["standing"] in page
    assert all(usage["url"].split("#")[0] in page for usage in found["usages"])


async def test_what_a_command_shows_too_is_said_alike(asking: Asking, site: Site) -> None:
    client = asking(READER)
    explained = as_json(await site.stores[RepositoryViewsStore].explain(REPOSITORY), NOON.date())
    page = (await client.get(f"/api/v1/repositories/{REPOSITORY}")).json()
    assert written(explained["builds"]) == page["builds"] != []
    packages = [packages for _, packages in await site.stores[BaseViewsStore].changes_of(BASE)]
    changes = (await client.get(f"/api/v1/bases/{BASE}")).json()["changes"]
    shown = [change["packages"] for change in reversed(changes)]
    assert written([[asdict(each) for each in several] for several in packages[-len(shown) :]]) == shown
    assert any(shown)


def written(rows: list[Any]) -> Any:
    """What a command writes, with the API's word for the zone of times."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print_json(rows)
    return json.loads(out.getvalue().replace("+00:00", "Z"))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/rollouts/999", 404),
        ("/rollouts/0", 422),
        ("/rollouts/x", 422),
        ("/bases/none", 404),
        ("/repositories/a/b", 404),
        ("/advisories/CVE-1", 404),
        ("/fleet?page=0", 422),
        ("/fleet?per_page=1000", 422),
        ("/fleet?standing=odd", 422),
        ("/advisories/CVE-2026-10005?fix=odd", 422),
        ("/fleet?q=%00", 422),
        ("/images/ghcr.io/none/-/cves", 404),
        (f"/images/ghcr.io/{REPOSITORY}/-/packages?tag=none", 404),
        (f"/images/ghcr.io/{REPOSITORY}/-/packages?origin=odd", 422),
        (f"/images/ghcr.io/{REPOSITORY}/-/cves?severity=odd", 422),
    ],
)
async def test_what_makes_no_sense_is_told(asking: Asking, path: str, status: int) -> None:
    answer = await asking(READER).get(f"/api/v1{path}")
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])


async def test_a_repository_tells_whether_it_opted_out(asking: Asking, database: Database) -> None:
    async with database.transaction() as connection:
        of_it = update(repositories).where(repositories.c.name == REPOSITORY)
        await connection.execute(of_it.values(config=dump(RepositoryConfig(enabled=False), RepositoryConfig)))
    answer = await asking(READER).get(f"/api/v1/repositories/{REPOSITORY}")
    assert answer.json()["is_enabled"] is False


@pytest.fixture
async def description(asking: Asking) -> dict[str, Any]:
    found: dict[str, Any] = (await asking(READER).get("/api/v1/openapi.json")).json()
    return found


def test_the_description_is_json(description: dict[str, Any]) -> None:
    assert json.loads(json.dumps(description))["openapi"].startswith("3.")


def test_the_description_names_shapes_by_no_module_and_keeps_their_names(description: dict[str, Any]) -> None:
    names = set(description["components"]["schemas"])
    assert [name for name in names if "__" in name or "-" in name] == []
    assert names >= {"CveSeverity", "Severity", "State", "Work"}


@pytest.mark.parametrize("told", ["W/{etag}", '"other", W/{etag}', "*"])
async def test_a_weak_etag_as_a_compressing_proxy_makes_it_counts(asking: Asking, told: str) -> None:
    client = asking(READER)
    first = await client.get("/api/v1/rollouts")
    again = await client.get("/api/v1/rollouts", headers={"If-None-Match": told.format(etag=first.headers["etag"])})
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get("/api/v1/rollouts", headers={"If-None-Match": 'W/"other"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    "path", ["/bases/a%0Ab", "/repositories/a/b%0Ac", "/bases/%00", "/nothing", "/bases/x?q=" + "x" * 5000]
)
async def test_what_is_refused_before_it_is_json_too(asking: Asking, path: str) -> None:
    answer = await asking(READER).get(f"/api/v1{path}")
    assert answer.status_code in {404, 414}
    assert answer.json().keys() == {"detail"}


@pytest.mark.parametrize("rest", ["", "/findings"])
async def test_a_repository_of_three_parts_is_looked_for_by_all_of_them(asking: Asking, rest: str) -> None:
    answer = await asking(READER).get(f"/api/v1/repositories/contoso/other%20team/desk{rest}")
    assert (answer.status_code, "there is no such repository" in answer.text) == (404, True)
