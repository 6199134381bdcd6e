"""The exposure report: of one place, by what `exposed` tells of it, and of what is not known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.feeds.advisory import Severity
from bot.domain.running.causes import ExposureCause
from bot.domain.running.exposure import Asked, PlaceState
from bot.domain.running.promises import PromiseState
from bot.domain.running.report import known_parts, parts_within, total
from bot.fleet.report.rows import ReportStore
from bot.store.pages.fleet.summary import SummaryStore
from bot.store.pages.running.report import ExposureReportStore
from bot.store.stores import StoreOptions
from bot.store.stores import Stores as OpenedStores
from bot.views.running.exposed import Narrowed
from bot.views.running.report import ExposureReport, as_json, table
from tests.integration.store.filling import Stores
from tests.integration.store.holding import CVE, FIXED, SSL, move_image
from tests.integration.store.running.snapshots import WEB, exposed_fleet, goes_on, runs_in, tells
from tests.integration.store.statements import statements

DAY = timedelta(days=1)
ODD = "3.0.13~?"
"""No version by the rules of Debian's packages."""


async def read(stores: Stores, fix_within: timedelta | None = None) -> ExposureReport:
    promised = {} if fix_within is None else dict.fromkeys(Severity, fix_within)
    options = StoreOptions(fix_within=lambda _: promised)
    opened = OpenedStores(stores.database, stores.worker, stores.clock, options)
    return await opened[ExposureReportStore].report()


async def test_a_place_counts_for_as_long_as_exposed_tells(stores: Stores) -> None:
    await exposed_fleet(stores)
    await goes_on(stores, 2 * DAY, *runs_in(WEB, "e"))
    await move_image(stores, FIXED)
    await goes_on(stores, DAY, *runs_in(WEB, "e"))
    await tells(stores, *runs_in(WEB, "f"))
    await goes_on(stores, DAY, *runs_in(WEB, "f"))
    now = stores.clock.now()
    answer = await stores.exposure.exposure(CVE, Asked(now), Narrowed())
    [time] = answer.places[0].exposed
    report = await read(stores)
    [europe] = answer.sources
    known = known_parts(europe, report.since, now)
    assert report.sums.time == total(parts_within((time.since, time.until or now), known)) > 2 * DAY
    assert sum((row.time for row in report.sums.rows), timedelta()) == report.sums.time
    causes = {row.cause: row.time for row in report.sums.rows}
    assert causes[ExposureCause.DEPLOY] > timedelta(hours=23)
    assert report.verdict.startswith("exposed in the last 7 days: 1 of 1 running place, for 3.0 days")


async def test_each_place_is_added_up(stores: Stores) -> None:
    await exposed_fleet(stores)
    many = [replace(WEB, workload=f"web-{number}") for number in range(9)]
    everywhere = tuple(each for place in (WEB, *many) for each in runs_in(place, "e"))
    await goes_on(stores, DAY, *everywhere)
    report = await read(stores)
    assert (report.sums.places, report.places) == (10, 10)
    assert 9 * DAY < report.sums.time < 11 * DAY
    assert report.sums.trend[-1].time == report.sums.time


async def test_a_time_of_which_nothing_is_known_counts_in_no_sum_and_is_said(stores: Stores) -> None:
    await exposed_fleet(stores)
    await goes_on(stores, DAY, *runs_in(WEB, "e"))
    before = (await read(stores)).sums.time
    stores.clock.advance(2 * DAY)
    await tells(stores, *runs_in(WEB, "e"))
    report = await read(stores)
    assert report.sums.time - before < timedelta(minutes=10)
    assert any(line.startswith("europe was not read as a whole from ") for line in report.not_known)


async def test_what_is_not_read_is_said_and_exposed_to_nothing(stores: Stores) -> None:
    await exposed_fleet(stores)
    await goes_on(stores, DAY, *runs_in(replace(WEB, workload="api"), "9"))
    report = await read(stores)
    [unread] = [each for each in report.unread if "nobody" in each.why]
    assert unread.places == 1
    assert unread.time >= timedelta(hours=23)


async def test_a_promise_is_missed_once_its_time_is_over(stores: Stores) -> None:
    await exposed_fleet(stores)
    await goes_on(stores, 3 * DAY, *runs_in(WEB, "e"))
    long, short = [await read(stores, within) for within in (5 * DAY, DAY)]
    assert (long.promised(PromiseState.IN_TIME), long.promised(PromiseState.MISSED)) == (1, 0)
    assert (short.promised(PromiseState.IN_TIME), short.promised(PromiseState.MISSED)) == (0, 1)
    assert "1 promise missed, 0 kept" in short.verdict


async def test_what_cannot_be_told_from_a_version_keeps_no_promise_and_is_said(stores: Stores) -> None:
    await exposed_fleet(stores)
    await goes_on(stores, DAY, *runs_in(WEB, "e"))
    await move_image(stores, replace(SSL, version=ODD, source_version=ODD))
    await goes_on(stores, DAY, *runs_in(WEB, "f"))
    answer = await stores.exposure.exposure(CVE, Asked(stores.clock.now()), Narrowed())
    report = await read(stores, 5 * DAY)
    assert (report.promised(PromiseState.KEPT), report.promised(PromiseState.UNKNOWN)) == (0, 1)
    assert answer.places[0].state is PlaceState.NOT_READ
    assert [each.why for each in report.unread] == [
        f"which CVEs {SSL.name} {ODD} has cannot be told from its version"
    ]


async def test_without_sources_it_says_what_would_tell(stores: Stores) -> None:
    report = await read(stores)
    assert report.verdict == "not known: no source tells what runs (`running.sources` in the settings)"
    assert list(table(report)) == []


async def test_however_many_places_there_are_the_store_is_asked_as_often(stores: Stores) -> None:
    await exposed_fleet(stores)
    with statements(stores.database._readers) as for_one:
        await read(stores)
    many = [replace(WEB, workload=f"web-{number}") for number in range(200)]
    for _ in range(2):
        await tells(stores, *(each for place in (WEB, *many) for each in runs_in(place, "e")))
    with statements(stores.database._readers) as for_many:
        assert (await read(stores)).sums.places == 201
    assert len(for_many) == len(for_one)


async def test_rows_and_json_tell_the_same_days(stores: Stores) -> None:
    await exposed_fleet(stores)
    await goes_on(stores, DAY, *runs_in(WEB, "e"))
    report = await read(stores)
    days = as_json(report)["days"]
    rows = list(table(report))
    assert sum(row[5] for row in rows if row[0] == "exposed") == days  # type: ignore[misc]
    assert [row[5] for row in rows if row[0] == "trend" and row[2] == "all"][-1] == days


@pytest.mark.parametrize("has_sources", [False, True])
async def test_a_summary_tells_of_what_runs_where_a_source_is_set(stores: Stores, has_sources: bool) -> None:
    await exposed_fleet(stores)
    await goes_on(stores, DAY, *runs_in(WEB, "e"))
    await stores.report.announce_summary(stores.clock.now() - 7 * DAY)
    await stores.report.announce_summary(stores.clock.now())
    options = StoreOptions(has_sources=has_sources)
    opened = OpenedStores(stores.database, stores.worker, stores.clock, options)
    weekly = await opened[ReportStore].summary(2)
    by_command = await opened[SummaryStore].summary(stores.clock.now() - 7 * DAY)
    assert weekly.exposure == by_command.exposure == (await read(stores) if has_sources else None)
    assert (await opened[ReportStore].summary(2, ["contoso/shop"])).exposure is None


async def test_a_summary_of_a_time_that_is_over_tells_what_was_exposed_until_then(stores: Stores) -> None:
    await exposed_fleet(stores)
    await goes_on(stores, DAY, *runs_in(WEB, "e"))
    until, by_then = stores.clock.now(), await read(stores, 2 * DAY)
    await goes_on(stores, 2 * DAY, *runs_in(WEB, "e"))
    await tells(stores, *runs_in(WEB, "f"))
    options = StoreOptions(has_sources=True, fix_within=lambda _: dict.fromkeys(Severity, 2 * DAY))
    opened = OpenedStores(stores.database, stores.worker, stores.clock, options)
    exposure = (await opened[SummaryStore].summary(until - 7 * DAY, until)).exposure
    assert exposure is not None
    assert (exposure.until, exposure.sums) == (until, by_then.sums)
    assert exposure.promised(PromiseState.IN_TIME) == 1


async def test_a_summary_without_a_source_asks_nothing_of_what_runs(stores: Stores) -> None:
    await exposed_fleet(stores)
    opened = OpenedStores(stores.database, stores.worker, stores.clock)
    with statements(stores.database._readers) as asked:
        await opened[SummaryStore].summary(stores.clock.now() - 7 * DAY)
    assert not any("runs" in each or "running_" in each for each in asked)


async def test_a_week_through_which_no_source_was_read_is_not_known(stores: Stores) -> None:
    await exposed_fleet(stores)
    await goes_on(stores, 8 * DAY, *runs_in(WEB, "e"))
    *_, before, last = (await read(stores)).sums.trend
    assert (before.is_known, last.is_known) == (False, True)
