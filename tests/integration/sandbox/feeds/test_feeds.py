import json
from datetime import UTC, date, datetime, timedelta

import httpx

from bot.domain.clock import ManualClock
from sandbox.edges.edge import PATIENCE
from sandbox.feeds.feeds import INDEX, RELEASES
from sandbox.world import World


async def get(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        return await client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})


def publish(world: World, runtime: str, *cves: str) -> None:
    world.feeds.publish_release("8.0", runtime, sdks=["8.0.416"], cves=cves, on=date(2025, 11, 11))


async def test_a_release_stands_in_the_index_and_in_its_channels_document(world: World) -> None:
    publish(world, "8.0.21")
    publish(world, "8.0.22", "CVE-2025-55315")
    [row] = (await get(world.feeds.addresses["dotnet_releases"])).json()["releases-index"]
    assert row["latest-release"] == "8.0.22"
    channel = (await get(row["releases.json"])).json()
    assert [entry["release-version"] for entry in channel["releases"]] == ["8.0.22", "8.0.21"]
    assert [entry["cve-id"] for entry in channel["releases"][0]["cve-list"]] == ["CVE-2025-55315"]


async def test_cves_may_come_after_the_release(world: World) -> None:
    publish(world, "8.0.22")
    publish(world, "8.0.22", "CVE-2025-55315")
    [entry] = (await get(f"{world.feeds.url}{RELEASES}/8.0/releases.json")).json()["releases"]
    assert entry["security"] is True


async def test_a_channel_is_supported_for_years_whenever_the_world_is_entered() -> None:
    clock = ManualClock(datetime(2031, 6, 1, 18, tzinfo=UTC))
    async with World(clock=clock) as world:
        publish(world, "8.0.22")
        clock.advance(timedelta(days=30))
        publish(world, "8.0.22", "CVE-2025-55315")
        [row] = (await get(world.feeds.addresses["dotnet_releases"])).json()["releases-index"]
        channel = (await get(row["releases.json"])).json()
    assert row["eol-date"] == channel["eol-date"] == "2034-05-31"


async def test_nothing_new_is_a_304_by_either_validator(world: World) -> None:
    publish(world, "8.0.22")
    first = await get(world.feeds.url + INDEX)
    by_tag = await get(world.feeds.url + INDEX, if_none_match=first.headers["etag"])
    by_date = await get(world.feeds.url + INDEX, if_modified_since=first.headers["last-modified"])
    assert (by_tag.status_code, by_date.status_code) == (304, 304)
    publish(world, "8.0.23")
    assert (await get(world.feeds.url + INDEX, if_none_match=first.headers["etag"])).status_code == 200


async def test_the_worlds_clock_dates_the_documents() -> None:
    async with World(clock=ManualClock(datetime(2025, 11, 11, 18, tzinfo=UTC))) as world:
        publish(world, "8.0.22")
        answer = await get(world.feeds.url + INDEX)
    assert answer.headers["last-modified"] == "Tue, 11 Nov 2025 18:00:00 GMT"


async def test_bulletins_are_found_through_the_list_of_updates(world: World) -> None:
    world.feeds.publish_bulletin("2025-Nov", b"<cvrf/>", released=datetime(2025, 11, 11, 8, tzinfo=UTC))
    [row] = (await get(world.feeds.addresses["msrc"])).json()["value"]
    assert (await get(row["CvrfUrl"])).content == b"<cvrf/>"


async def test_any_bytes_can_be_published_and_withdrawn(world: World) -> None:
    world.feeds.put(INDEX, b"\xff not JSON")
    assert (await get(world.feeds.url + INDEX)).content == b"\xff not JSON"
    world.feeds.withdraw(INDEX)
    assert (await get(world.feeds.url + INDEX)).status_code == 404


async def test_advisories_and_inventory_have_their_publishers_shapes(world: World) -> None:
    world.feeds.publish_advisory(
        "CVE-2025-55315",
        severity="critical",
        package="Microsoft.AspNetCore.App",
        affected="<= 8.0.20",
        patched="8.0.21",
    )
    [advisory] = (await get(world.feeds.addresses["github_advisories"])).json()
    assert advisory["vulnerabilities"][0]["first_patched_version"] == "8.0.21"
    assert json.loads((await get(world.feeds.addresses["image_info"])).content) == {
        "schemaVersion": "2.0",
        "repos": [],
    }
