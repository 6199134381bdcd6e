"""With what the gate compares a tag that builds are promoted to: with what that tag itself showed before."""

from datetime import timedelta

from bot.domain.images.image import ProducedImage
from bot.domain.packages.gate import Gated, GateOutcome, GateRule, MatchedRule
from bot.fleet.verify.gating.judging import Gating
from bot.fleet.verify.gating.ports import GateOptions, ToldImage
from bot.images.scan_reports import ReportOrigin, ScanReport
from bot.images.scanners.report import Report
from tests.integration.store.filling import Stores, digest
from tests.integration.store.holding import FIXED, SSL, looks_at, promoting, publish

OPTIONS = GateOptions((MatchedRule(("*",), GateRule()),), platforms=frozenset({"linux/amd64"}))


async def prod(stores: Stores) -> ProducedImage:
    [found] = [each for each in await stores.images.images_of("contoso/shop") if each.claim.tag.text == "prod"]
    return found


async def judged(stores: Stores) -> Gated:
    """What a rebuild meets of `prod`."""
    gated = await Gating(stores.gating, OPTIONS, stores.clock).gated([await prod(stores)])
    assert gated is not None
    return gated


async def told_of_prod(stores: Stores) -> ToldImage:
    number = (await prod(stores)).id
    return (await stores.gating.told_images([number]))[number]


async def compared_with(stores: Stores) -> set[str]:
    told = await told_of_prod(stores)
    return {each for platform in told.before or () for each in platform.digests}


async def test_what_is_new_to_the_tag_is_held_back_though_it_is_not_new_to_the_build(stores: Stores) -> None:
    await promoting(stores, FIXED)
    await publish(stores)
    await looks_at(stores, "latest", "1", SSL)
    await looks_at(stores, "latest", "f", SSL)
    await looks_at(stores, "prod", "f")
    await publish(stores)
    assert await compared_with(stores) == {digest("d")}
    assert (await judged(stores)).outcome is GateOutcome.BLOCKED


async def test_what_the_tag_had_is_not_new_though_it_is_new_to_the_build(stores: Stores) -> None:
    await promoting(stores, SSL)
    await looks_at(stores, "latest", "1", FIXED)
    await looks_at(stores, "latest", "f", SSL)
    await looks_at(stores, "prod", "f")
    await publish(stores)
    assert (await judged(stores)).outcome is GateOutcome.PASSED


async def test_a_tag_that_went_back_and_forth_is_compared_with_what_it_showed_last(stores: Stores) -> None:
    await promoting(stores, SSL)
    for letter in "12":
        await looks_at(stores, "prod", letter, SSL)
    await looks_at(stores, "prod", "1")
    assert await compared_with(stores) == {digest("2")}
    await looks_at(stores, "prod", "d")
    await looks_at(stores, "prod", "1")
    assert await compared_with(stores) == {digest("d")}


async def test_a_report_about_what_the_tag_showed_before_stays(stores: Stores) -> None:
    await promoting(stores, SSL)
    report = Report((), (), stores.clock.now(), "shop", frozenset({digest("d")}))
    await stores.scan_reports.keep(ScanReport(digest("0"), ReportOrigin.FILE, "report.json", report))
    stores.clock.advance(timedelta(days=30))
    for letter in "1f":
        await looks_at(stores, "latest", letter, SSL)
    await looks_at(stores, "prod", "f")
    task = await stores.retention.claim_forgetting()
    assert task is not None
    await stores.retention.forget(task, timedelta(days=400))
    told = await told_of_prod(stores)
    assert [each.scan.document for each in told.reports_before] == [digest("0")]
