"""Bases that lead nowhere and fixes that wait for their image: said once, to those whom it concerns."""

from datetime import timedelta
from typing import Any

from bot.sandbox.fleet import ASPNET, PATCHES, RUNTIME_TAG
from bot.sandbox.images import Pushed, dotnet_image
from bot.store.status import Status, StatusStore
from tests.e2e.conftest import Stage

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
    return await StatusStore(stage.bot.database).status()


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


def ends_in(stage: Stage, days: int) -> None:
    end = (stage.clock.now() + days * DAY).date()
    stage.world.feeds.publish_release(
        "10.0", "10.0.0", aspnetcore="10.0.0", sdks=[PATCHES["10.0.0"]], end_of_life=end
    )


async def test_an_end_of_life_is_told_once_when_it_comes_near(stage: Stage) -> None:
    ends_in(stage, 100)
    await stage.run_pass()
    assert await messages(stage) == []
    for _ in range(2):
        stage.clock.ahead += 11 * DAY
        await stage.run_pass()

    [message] = await messages(stage)
    assert message["text"] == "2 base images need attention"
    assert "End of life: sdk:10.0-noble: .NET 10.0 is supported for 8" in words(message)
