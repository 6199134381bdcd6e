"""The last clock of the ledger: until when older builds of an image run, and where that is not known."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.packages.ledger.clocks import Passage, Station
from bot.domain.packages.ledger.entries import Places
from bot.domain.running.snapshot import RunningPlace
from bot.views.images.ledger import LedgerRow, StationRow
from bot.views.paging import Cut
from tests.integration.store.filling import Stores
from tests.integration.store.holding import CVE, FIXED, SSL, move_base, move_image, publish, running
from tests.integration.store.running.snapshots import EUROPE, STALE, WEB, runs_in, tells


async def row_of(stores: Stores) -> LedgerRow:
    stores.clock.advance(timedelta(minutes=1))
    page = await stores.ledger.cve(CVE, Cut())
    assert page is not None
    [row] = page.images.items
    return row


def clock_of(row: LedgerRow) -> StationRow:
    [clock] = [each for each in row.clocks if each.station is Station.RUNNING]
    return clock


async def rebuilt(stores: Stores) -> None:
    """The image has the fix, and `web` runs the build before that."""
    await stores.running.follow([EUROPE])
    await running(stores, SSL, base=(SSL,))
    await publish(stores)
    await move_base(stores, FIXED)
    await tells(stores, *runs_in(WEB, "e"))
    await move_image(stores, FIXED)
    await tells(stores, *runs_in(WEB, "e"))


async def test_a_fix_waits_while_an_older_build_runs(stores: Stores) -> None:
    await rebuilt(stores)
    row = await row_of(stores)
    assert (row.waits_at, row.state, row.who) == (Station.RUNNING, "not rolled out", "contoso/shop")
    assert row.says == "older builds run at shop/web in europe"


async def test_what_runs_has_the_fix_since_it_runs_there(stores: Stores) -> None:
    await rebuilt(stores)
    at = stores.clock.now() + timedelta(minutes=2)
    await tells(stores, *(replace(each, started_at=at) for each in runs_in(WEB, "f")))
    row = await row_of(stores)
    clock = clock_of(row)
    assert (row.state, clock.passage, clock.at) == ("fixed", Passage.PASSED, at)


async def test_while_both_run_it_is_not_passed(stores: Stores) -> None:
    await rebuilt(stores)
    await tells(stores, *runs_in(WEB, "e", "f"))
    assert (await row_of(stores)).waits_at is Station.RUNNING


async def test_of_a_build_that_nobody_read_it_cannot_be_told(stores: Stores) -> None:
    await rebuilt(stores)
    await tells(stores, *runs_in(WEB, "7"))
    row = await row_of(stores)
    assert (row.cannot_tell, row.says) == (True, "it cannot be told what runs at shop/web in europe")


async def test_where_a_source_has_a_hole_it_is_not_known(stores: Stores) -> None:
    await rebuilt(stores)
    await tells(stores, *runs_in(WEB, "f"))
    stores.clock.advance(STALE)
    row = await row_of(stores)
    assert (row.cannot_tell, row.state) == (True, "cannot be told")
    assert row.says.startswith("not all is known of what runs: europe was last read as a whole on ")


async def test_a_source_that_was_read_in_part_leaves_it_unknown(stores: Stores) -> None:
    await rebuilt(stores)
    await tells(stores, *runs_in(WEB, "f"), not_read=("namespace billing: 403",))
    await tells(stores, *runs_in(WEB, "f"), not_read=("namespace billing: 403",))
    row = await row_of(stores)
    assert row.waits_at is Station.RUNNING, "what was not listed may run still"


async def test_an_image_that_runs_nowhere_ends_with_its_build(stores: Stores) -> None:
    await rebuilt(stores)
    await tells(stores)
    row = await row_of(stores)
    assert (row.state, clock_of(row).says) == ("fixed", "it runs nowhere")


async def test_without_sources_nothing_waits_for_what_runs(stores: Stores) -> None:
    await rebuilt(stores)
    await stores.running.follow([])
    row = await row_of(stores)
    assert (row.state, clock_of(row).says) == ("fixed", "no source tells what runs")


async def test_the_list_of_all_counts_what_is_not_rolled_out(stores: Stores) -> None:
    await rebuilt(stores)
    stores.clock.advance(timedelta(minutes=2))
    [row] = (await stores.ledger.cves(Cut())).cves.items
    assert row.places == Places({**dict.fromkeys(Station, 0), Station.RUNNING: 1})
    await tells(stores, *runs_in(WEB, "f"))
    stores.clock.advance(timedelta(minutes=2))
    assert (await stores.ledger.cves(Cut())).cves.items == ()


async def test_where_azure_tells_no_digest_it_is_not_known_what_runs(stores: Stores) -> None:
    await rebuilt(stores)
    app = RunningPlace("shop-rg", "ContainerApp", "web", "web")
    await tells(stores, *runs_in(WEB, "f"), *runs_in(app, None))
    assert clock_of(await row_of(stores)).passage is Passage.UNKNOWN
    report = await stores.exposure_report.report()
    line = "europe: 1 place named by tag, of which Azure tells no digest; name digests in templates"
    assert line in report.not_known
