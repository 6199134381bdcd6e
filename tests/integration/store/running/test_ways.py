"""By which image's clocks the report tells what kept a place exposed."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.running.causes import ExposureCause, way_of
from bot.domain.running.snapshot import RunningContainer
from bot.store.pages.ledger.entries import Ledger
from bot.store.pages.ledger.ledger import read_ledger
from bot.store.pages.running.ways import WaysOfFixes
from tests.integration.store.filling import Stores, digest
from tests.integration.store.holding import CVE, FIXED, SSL, looks_at, promoting, publish
from tests.integration.store.running.snapshots import EUROPE, WEB, goes_on

HOUR = timedelta(hours=1)
IMAGE = "ghcr.io/contoso/shop"


async def hours_by_cause(stores: Stores, *names: str) -> dict[ExposureCause, float]:
    """For how long places that run the first build under these names were exposed, an hour on each of three days:
    `latest` got the fix on the second, `prod` on the third."""
    await stores.running.follow([EUROPE])
    await promoting(stores, SSL)
    await publish(stores)
    first_build = [
        RunningContainer(replace(WEB, workload=f"web-{number}"), name, digest("d"), None, 0, 1)
        for number, name in enumerate(names)
    ]
    await goes_on(stores, HOUR, *first_build)
    for tag, letter in (("latest", "e"), ("prod", "f")):
        await looks_at(stores, tag, letter, FIXED)
        await goes_on(stores, HOUR, *first_build)
    report = await stores.exposure_report.report()
    return {row.cause: round(row.time / HOUR, 1) for row in report.sums.rows}


async def test_an_image_has_its_own_clocks_though_another_holds_the_same(stores: Stores) -> None:
    hours = await hours_by_cause(stores, f"{IMAGE}:latest", f"{IMAGE}:prod")
    assert hours == {ExposureCause.DEPLOY: 1.5, ExposureCause.UNKNOWN: 1.5}


async def test_what_runs_without_a_tag_has_the_clocks_of_no_tag_that_differs_from_others(stores: Stores) -> None:
    hours = await hours_by_cause(stores, f"{IMAGE}@{digest('d')}")
    assert hours == {ExposureCause.UNKNOWN: 1.5}


async def test_what_images_that_show_the_same_share_is_what_the_ledger_tells_of_each(stores: Stores) -> None:
    await stores.running.follow([EUROPE])
    await promoting(stores, SSL)
    await publish(stores)
    for tag, letter, held in (("latest", "e", SSL), ("prod", "f", SSL), ("latest", "a", FIXED)):
        ledger = await _ledger(stores)
        ways = WaysOfFixes(ledger)
        for number, image in enumerate(ledger.images):
            entry = ledger.entry(image, CVE)
            assert entry is not None
            assert ways.way((number,), CVE, ()) == way_of(entry.clocks)
        await looks_at(stores, tag, letter, held)
    ledger = await _ledger(stores)
    assert [ledger.has_now(each, CVE) for each in ledger.images] == [False, True]


async def _ledger(stores: Stores) -> Ledger:
    async with stores.database.reading() as connection:
        return await read_ledger(connection, None, None, stores.clock.now(), looks_back=True)
