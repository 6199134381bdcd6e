"""What a cluster tells by HTTP: taken from whoever has its token, within bounds, and from nobody else."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from bot.domain.running.snapshot import RunningContainer, RunningPlace, Snapshot
from bot.domain.running.written import written
from bot.fleet.running.rows import RunningStore
from bot.store.rows.running.running import running_places, running_sources, runs
from bot.web.site import Senders, Site
from tests.integration.web.conftest import ACTOR, NOON, Asking

TOKENS: Mapping[str, str] = {"production": "p" * 32, "test": "t" * 32}
API = RunningContainer(RunningPlace("shop", "Deployment", "api", "api"), "api:1", "sha256:" + "a" * 64, NOON, 0, 2)
SHOP = Snapshot(NOON - timedelta(minutes=1), (API,))


@pytest.fixture
def expecting(site: Site) -> Site:
    return replace(site, senders=Senders(clusters=TOKENS))


async def put(
    client: httpx.AsyncClient, body: bytes, source: str = "production", token: str = "p" * 32
) -> httpx.Response:
    return await client.put(
        f"/api/v1/running/{source}", content=body, headers={"Authorization": f"Bearer {token}"} if token else {}
    )


async def kept(site: Site) -> list[tuple[str, str]]:
    async with site.stores[RunningStore]._database.reading() as connection:
        joined = runs.join(running_places, running_places.c.id == runs.c.place_id).join(
            running_sources, running_sources.c.id == running_places.c.source_id
        )
        query = select(running_sources.c.name, running_places.c.workload).select_from(joined)
        return [(row.name, row.workload) for row in await connection.execute(query)]


async def test_what_a_source_tells_is_kept(asking: Asking, expecting: Site) -> None:
    answer = await put(asking(of=expecting), written(SHOP))
    assert (answer.status_code, answer.json()) == (202, {"detail": "kept"})
    assert await kept(expecting) == [("production", "api")]


async def test_what_is_no_later_than_what_is_known_changes_nothing(asking: Asking, expecting: Site) -> None:
    client = asking(of=expecting)
    await put(client, written(SHOP))
    answer = await put(client, written(Snapshot(SHOP.taken_at - timedelta(seconds=1), ())))
    assert (answer.status_code, answer.json()["detail"]) == (409, "a later snapshot of this source is known")


@pytest.mark.parametrize(
    ("source", "token"),
    [
        ("production", TOKENS["test"]),
        ("nowhere", "p" * 32),
        ("nowhere", "0" * 64),
        ("production", ""),
        ("test", ACTOR),
    ],
)
async def test_nobody_speaks_for_another_source(asking: Asking, expecting: Site, source: str, token: str) -> None:
    answer = await put(asking(of=expecting), written(SHOP), source, token)
    assert (answer.status_code, answer.json()["detail"]) == (403, "this is not the token of a source of that name")
    assert await kept(expecting) == []


async def test_whoever_guesses_is_stopped(asking: Asking, expecting: Site) -> None:
    client = asking(of=expecting)
    answers = [(await put(client, b"", token=f"{number:032}")).status_code for number in range(30)]
    assert answers[-1] == 429


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "this is no snapshot: is no JSON, or names a member twice"),
        (b"{}", "this is no snapshot: the document has not the members version, taken_at, not_read, containers"),
        (
            written(replace(SHOP, taken_at=NOON + timedelta(minutes=6))),
            "taken_at is yet to come; set the clocks of the cluster right by NTP",
        ),
    ],
)
async def test_what_is_no_snapshot_is_refused_in_one_line(
    asking: Asking, expecting: Site, body: bytes, said: str
) -> None:
    answer = await put(asking(of=expecting), body)
    assert (answer.status_code, answer.json()) == (400, {"detail": said})
    assert await kept(expecting) == []


async def test_a_body_of_more_than_a_cluster_has_is_not_read(asking: Asking, expecting: Site) -> None:
    answer = await put(asking(of=expecting), b" " * (8 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["detail"]) == (413, "the body is larger than 8192 KiB")


async def test_a_large_cluster_is_taken(asking: Asking, expecting: Site) -> None:
    places = (replace(API.place, workload=f"api-{number}") for number in range(2_000))
    body = written(replace(SHOP, containers=tuple(replace(API, place=place) for place in places)))
    assert len(body) > 400_000
    assert (await put(asking(of=expecting), body)).status_code == 202
    assert len(await kept(expecting)) == 2_000


async def test_it_is_only_put(asking: Asking, expecting: Site) -> None:
    answer = await asking(of=expecting).post("/api/v1/running/production", content=json.dumps({}))
    assert answer.status_code in (401, 404, 405)
