"""Bases that lead nowhere and fixes that wait for their image: said once, to those whom it concerns."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.bases.change import Cause
from bot.domain.bases.lifecycle import END_OF_LIFE, LIFECYCLE
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.wiring.opening import open_bot
from bot.settings import load
from bot.store.views.bases import BaseViewsStore
from bot.store.views.fleet import FleetViewsStore
from bot.views.fleet.status import Status
from sandbox.fleets.fleet import ASPNET, PATCHES, RUNTIME_TAG, SDK, SampleFleet
from sandbox.images import Pushed, dotnet_image
from sandbox.world import World
from tests.e2e.staging import AheadClock, Stage
from tests.migrated import new_sqlite

FULL_TAG = "10.0-noble"
DAY = timedelta(days=1)


async def publish_kin(stage: Stage) -> None:
    """A live tag that nobody in the fleet uses."""
    image = dotnet_image("aspnet", "10.0.0", os=b"noble 1", upper=b"full")
    pushed = await stage.world.registry.push(ASPNET, FULL_TAG, image)
    stage.world.feeds.publish_image(ASPNET, [FULL_TAG], pushed, version="10.0.0", os_version="noble")


async def withdraw(stage: Stage) -> None:
    await publish_kin(stage)
    stage.world.feeds.unlist_image(ASPNET, RUNTIME_TAG)


async def messages(stage: Stage) -> list[dict[str, Any]]:
    return [dict(message) for message in await stage.world.slack.messages()]


def words(message: dict[str, Any]) -> str:
    return "\n".join(block["text"]["text"] for block in message["blocks"] if "text" in block)


async def status(stage: Stage) -> Status:
    return await stage.bot.stores[FleetViewsStore].status()


async def test_a_withdrawn_base_is_told_with_where_to_move_and_who_uses_it(stage: Stage) -> None:
    await withdraw(stage)

    await stage.run_pass()

    [message] = await messages(stage)
    assert f"aspnet:{RUNTIME_TAG} was withdrawn" in message["text"]
    assert f"move to {FULL_TAG}" in words(message)
    for name in ("payments-api", "orders-api", "catalog-web", "search-worker"):
        assert f"contoso/{name}" in words(message)
    assert "tools-cli" not in words(message)
    assert await stage.states() == {}
    [notice] = (await status(stage)).notices
    assert [base.tag for base in notice.toward] == [FULL_TAG]


async def test_the_mark_on_a_withdrawn_image_supports_what_the_inventory_says_at_one_request(stage: Stage) -> None:
    registry, name = stage.world.registry, f"{ASPNET}:{RUNTIME_TAG}"
    assert registry.edge is not None
    registry.edge.serve_referrers()
    await registry.attach(ASPNET, stage.fleet.digests[name], LIFECYCLE, {END_OF_LIFE: "2026-11-10"})
    await withdraw(stage)

    await stage.run_pass()
    asked = [request.path for request in stage.world.traffic.requests() if "/referrers/" in request.path]
    await stage.run_pass()

    ((change, _),) = await stage.bot.stores[BaseViewsStore].changes_of(f"aspnet:{RUNTIME_TAG}")
    assert change.cause is Cause.WITHDRAWN
    assert change.detail.endswith("its publisher marked the image as at its end on 2026-11-10")
    assert asked == [f"/v2/{ASPNET}/referrers/{stage.fleet.digests[name]}"]
    assert not [request for request in stage.world.traffic.requests() if "/referrers/" in request.path]


async def test_a_withdrawn_base_is_told_once(stage: Stage) -> None:
    await withdraw(stage)
    await stage.run_pass()
    stage.clock.ahead += 3 * DAY

    await stage.run_pass()

    assert stage.world.traffic.writes() == []
    [notice] = (await status(stage)).notices
    assert "was withdrawn 3 days ago" in notice.text


async def test_a_base_that_comes_back_clears_its_notice(stage: Stage) -> None:
    await withdraw(stage)
    await stage.run_pass()
    [before] = await messages(stage)
    image = Pushed(f"{stage.fleet.registry}/{ASPNET}", stage.fleet.digests[f"{ASPNET}:{RUNTIME_TAG}"], {})
    stage.world.feeds.publish_image(ASPNET, [RUNTIME_TAG], image, version="10.0.0", os_version="noble")

    await stage.run_pass()

    [after] = await messages(stage)
    assert after["ts"] == before["ts"]
    assert "is published again" in after["text"]
    assert (await status(stage)).notices == ()
    assert await stage.states() == {}


async def test_a_fix_without_its_image_is_told_after_a_day_and_cleared_when_the_base_moves(stage: Stage) -> None:
    stage.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    await stage.run_pass()
    assert await messages(stage) == [], "images follow their release within hours, most of the time"
    assert {notice.base.short for notice in (await status(stage)).notices} == {
        f"aspnet:{RUNTIME_TAG}",
        "sdk:10.0-noble",
    }

    stage.clock.ahead += DAY
    await stage.run_pass()

    [message] = await messages(stage)
    assert "Waiting for base" in words(message)
    assert "the fix for CVE-2026-21218 is out for 24 h" in words(message)
    await stage.fleet.publish_runtime("10.0.1")
    await stage.fleet.publish_sdk("10.0.1")
    stage.clock.ahead += DAY
    await stage.run_pass()
    alert = next(item for item in await messages(stage) if item["ts"] == message["ts"])
    assert "the fix arrived after 2 days" in words(alert)
    assert (await status(stage)).notices == ()


async def test_a_base_that_goes_back_is_told_with_what_that_opens_again_and_what_is_open_is_called_off(
    stage: Stage,
) -> None:
    stage.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    begun = await stage.states()
    dispatched = len(stage.world.github.runs())
    await stage.fleet.publish_runtime("10.0.0")
    for _ in range(4):  # a digest of before is believed once it was shown alone for a day
        stage.clock.ahead += timedelta(hours=13)
        await stage.run_pass()

    *_, rolled_back = [
        change for change, _ in await stage.bot.stores[BaseViewsStore].changes_of(f"aspnet:{RUNTIME_TAG}")
    ]
    assert (rolled_back.cause, rolled_back.reopens) == (Cause.ROLLBACK, ("CVE-2026-21218",))
    told = "went back from 10.0.1 to 10.0.0, which opens CVE-2026-21218 again"
    [message] = [each for each in await messages(stage) if told in words(each)]
    assert f"Rolled back: aspnet:{RUNTIME_TAG} {told}" in words(message)
    assert not [each for each in await messages(stage) if "* is well again" in words(each)]
    assert await stage.states() == {
        **begun,
        "payments-api": RebuildState.SUCCEEDED,
        "orders-api": RebuildState.SUCCEEDED,
    }, "what pins the digest needs nothing any more"
    assert len(stage.world.github.runs()) == dispatched, "no run is started for an older base"

    await stage.fleet.publish_runtime("10.0.1")
    for _ in range(4):
        stage.clock.ahead += timedelta(hours=13)
        await stage.run_pass()
    alert = next(item for item in await messages(stage) if item["ts"] == message["ts"])
    assert "it came forward again after" in words(alert)


async def test_the_lag_behind_a_release_is_shown_and_not_posted(stage: Stage) -> None:
    stage.fleet.announce("10.0.1", security=False)
    await stage.run_pass()
    stage.clock.ahead += DAY / 2
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()

    lags = {base.base.tag: base.release_lag for base in (await status(stage)).bases}
    lag = lags[RUNTIME_TAG]
    assert lag is not None
    assert timedelta(hours=12) <= lag < timedelta(hours=13)
    assert len(await messages(stage)) == 1, "the rollout's"


def ends_in(world: World, days: int) -> None:
    end = (AheadClock().now() + days * DAY).date()
    world.feeds.publish_release("10.0", "10.0.0", aspnetcore="10.0.0", sdks=[PATCHES["10.0.0"]], end_of_life=end)


async def test_an_end_of_life_is_told_once_when_it_comes_near(stage: Stage) -> None:
    ends_in(stage.world, 100)
    await stage.run_pass()
    assert await messages(stage) == []
    for _ in range(2):
        stage.clock.ahead += 11 * DAY
        await stage.run_pass()

    beside_the_weeks_summaries = [each for each in await messages(stage) if "of the fleet is" not in each["text"]]
    [message] = beside_the_weeks_summaries
    assert message["text"] == "2 base images need attention"
    assert "End of life: sdk:10.0-noble: .NET 10.0 is supported for 8" in words(message)


async def test_what_has_long_been_so_is_one_message_of_the_first_pass(world: World, tmp_path: Path) -> None:
    fleet, clock = SampleFleet(world), AheadClock()
    await fleet.build("10.0.0")
    world.feeds.unlist_image(ASPNET, RUNTIME_TAG)
    kin = dotnet_image("aspnet", "10.0.0", upper=b"full")
    pushed = await world.registry.push(ASPNET, FULL_TAG, kin)
    world.feeds.publish_image(ASPNET, [FULL_TAG], pushed, version="10.0.0", os_version="noble")
    ends_in(world, 30)
    async with open_bot(load(world.config(tmp_path, new_sqlite(tmp_path / "freshness.db"))), clock) as bot:
        stage = Stage(fleet, bot, clock)
        await stage.run_pass()

        [message] = await messages(stage)
        assert message["text"] == "2 base images need attention"
        assert f"aspnet:{RUNTIME_TAG} is not in the published inventory" in words(message)
        assert f"move to {FULL_TAG}. Used by contoso/catalog-web" in words(message)
        assert "sdk:10.0-noble: .NET 10.0 is supported for" in words(message)
        assert await stage.states() == {}
        await stage.run_pass()
        assert world.traffic.writes() == []


async def publish_on_ubuntu(stage: Stage, release: str) -> None:
    """`sdk:10.0`, which names no distribution."""
    labels = {"org.opencontainers.image.ref.name": "ubuntu", "org.opencontainers.image.version": release}
    image = dotnet_image("sdk", PATCHES["10.0.0"], os=release.encode())
    pushed = await stage.world.registry.push(SDK, "10.0", replace(image, labels=labels))
    stage.world.feeds.publish_image(SDK, ["10.0"], pushed, version=PATCHES["10.0.0"], os_version="noble")


async def test_a_short_tag_that_changed_its_distribution_is_told_once(stage: Stage) -> None:
    await publish_on_ubuntu(stage, "24.04")
    dockerfile = f"FROM {stage.fleet.registry}/{SDK}:10.0 AS build\n"
    await stage.world.github.create_repository("short-tag", {"Dockerfile": dockerfile})
    await stage.run_pass()
    await publish_on_ubuntu(stage, "26.04")

    await stage.run_pass()
    await stage.run_pass()

    told = [message["text"] for message in await messages(stage) if "underneath" in message["text"]]
    assert told == ["Changed underneath: sdk:10.0 changed under its users: noble became resolute"]
    stage.clock.ahead += 8 * DAY
    await stage.run_pass()
    assert (await status(stage)).notices == ()
