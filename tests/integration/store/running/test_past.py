"""What ran and is shown no more: kept as sets of packages, and answered for like what is shown."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Column, func, insert, select, text, update

from bot.domain.packages.cves.vulnerability import Ecosystem
from bot.domain.packages.package import Package
from bot.domain.running.exposure import PlaceState
from bot.store.pages.running.report import ExposureReportStore
from bot.store.rows.inventories.inventories import inventories, packages
from bot.store.rows.running import keeping, past
from bot.store.rows.running.numbers import packed_numbers
from bot.store.rows.running.past import package_set_blocks, package_sets, past_contents, past_images
from bot.store.rows.running.running import running_contents
from bot.store.stores import StoreOptions
from bot.store.stores import Stores as OpenedStores
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import Stores, digest
from tests.integration.store.holding import FIXED, SSL, move_image, publish, running, sbom
from tests.integration.store.running.pasts import DAY, digests, exposed_then, forget, is_past, rows, then
from tests.integration.store.running.snapshots import EUROPE, WEB, runs_in, tells

API = replace(WEB, workload="api")
JSON = Package("nuget", "Newtonsoft.Json", "13.0.3")
YAML = Package("nuget", "YamlDotNet", "16.0.0")


def opened(stores: Stores) -> OpenedStores:
    return OpenedStores(stores.database, stores.worker, stores.clock, StoreOptions())


async def ran(stores: Stores, *held: Package) -> datetime:
    """`web` ran a build that holds these, of which nothing is shown any more, and runs another now; when it ran."""
    await stores.running.follow([EUROPE])
    await running(stores, *held)
    await tells(stores, *runs_in(WEB, "e"))
    await tells(stores, *runs_in(WEB, "e"))
    ran_at = stores.clock.now()
    for letter in ("f", "5"):
        await move_image(stores, FIXED, letter=letter)
    await tells(stores, *runs_in(WEB, "5"))
    stores.clock.advance(20 * DAY)
    await tells(stores, *runs_in(WEB, "5"))
    return ran_at


@ON_BOTH
async def test_a_question_about_the_past_is_answered_when_its_inventory_is_gone(stores: Stores) -> None:
    ran_at = await exposed_then(stores, SSL, JSON)
    before = await then(stores, ran_at)
    assert (before.state, before.packages) == (
        PlaceState.EXPOSED,
        (f"libssl3t64 {SSL.version} (fixed in {FIXED.version})",),
    )
    await is_past(stores)
    assert await then(stores, ran_at) == before


@ON_BOTH
async def test_the_report_tells_as_much_of_it_when_its_inventory_is_gone(stores: Stores) -> None:
    await exposed_then(stores, SSL, JSON)
    until = stores.clock.now()
    before = (await opened(stores)[ExposureReportStore].report(60, until)).sums
    await is_past(stores)
    after = (await opened(stores)[ExposureReportStore].report(60, until)).sums
    assert (after.time, after.places, after.trend) == (before.time, before.places, before.trend)
    assert before.time


async def test_what_ran_before_the_time_that_is_asked_of_is_found_by_its_set(stores: Stores) -> None:
    await exposed_then(stores, SSL, JSON)
    now = stores.clock.now()
    before = await then(stores, now)
    assert before.exposed
    await is_past(stores)
    assert await then(stores, now) == before


async def test_a_build_with_the_fix_is_free_of_it_in_the_past_too(stores: Stores) -> None:
    ran_at = await exposed_then(stores, FIXED)
    await is_past(stores)
    place = await then(stores, ran_at)
    assert (place.state, place.why) == (PlaceState.NOT_AFFECTED, f"libssl3t64 {FIXED.version} is not affected")


async def test_what_an_sbom_told_of_it_stays(stores: Stores) -> None:
    ran_at = await exposed_then(stores, FIXED, sboms=(sbom(SSL),))
    await is_past(stores)
    assert (await then(stores, ran_at)).state is PlaceState.EXPOSED


@pytest.mark.parametrize("unknown", [{"read_at": None, "error": "denied"}, {"is_complete": False}])
async def test_what_was_not_read_as_a_whole_stays_unknown(stores: Stores, unknown: dict[str, Any]) -> None:
    ran_at = await exposed_then(stores, FIXED)
    async with stores.database.transaction() as connection:
        await connection.execute(update(inventories).where(inventories.c.digest == digest("d")).values(**unknown))
    before = await then(stores, ran_at)
    await is_past(stores)
    assert await then(stores, ran_at) == before
    assert before.state is PlaceState.NOT_READ


async def test_what_runs_is_kept_as_it_is(stores: Stores) -> None:
    await ran(stores, SSL)
    await tells(stores, *runs_in(WEB, "5"), *runs_in(API, "e"))
    await forget(stores)
    await forget(stores)
    assert digest("d") in await digests(stores)
    assert await rows(stores, past_contents) == []


async def test_what_runs_once_more_is_read_once_more_and_counts_once(stores: Stores) -> None:
    await ran(stores, SSL)
    await publish(stores)
    await is_past(stores)
    await tells(stores, *runs_in(WEB, "e"))
    assert await stores.running.want_builds(["ghcr.io"]) == 1
    await move_image(stores, SSL, letter="d")
    await stores.running.match()
    for letter in ("f", "5"):
        await move_image(stores, FIXED, letter=letter)
    await tells(stores, *runs_in(WEB, "5"))
    stores.clock.advance(20 * DAY)
    await is_past(stores)
    of_build = [row.build_id for row in await rows(stores, past_contents)]
    assert len(of_build) == len(set(of_build))


async def test_builds_on_one_base_share_its_set(stores: Stores) -> None:
    await stores.running.follow([EUROPE])
    await running(stores, SSL, JSON)
    await tells(stores, *runs_in(WEB, "d"))
    for letter in ("1", "2", "3"):
        await move_image(stores, SSL, YAML, letter=letter)
        await tells(stores, *runs_in(WEB, letter))
    for letter in ("5", "6"):
        await move_image(stores, FIXED, letter=letter)
    await tells(stores, *runs_in(WEB, "6"))
    stores.clock.advance(20 * DAY)
    await forget(stores)
    contents = await rows(stores, past_contents)
    assert len(contents) == 4
    assert len({row.system_set_id for row in contents}) == 1
    assert len({row.other_set_id for row in contents}) == 2
    assert len(await rows(stores, package_sets)) == 3


@ON_BOTH
async def test_a_set_that_nothing_has_any_more_is_found_by_no_package(stores: Stores) -> None:
    await ran(stores, SSL, JSON)
    await is_past(stores)
    kept = {row.package_id for row in await rows(stores, package_set_blocks)}
    assert len(kept) == 2
    stores.clock.advance(10 * DAY)
    await stores.running.forget_before(stores.clock.now() - 25 * DAY)
    await forget(stores)
    assert [await rows(stores, each) for each in (past_contents, package_sets, package_set_blocks)] == [[]] * 3
    await forget(stores)
    async with stores.database.reading() as connection:
        left = select(func.count()).select_from(packages).where(packages.c.id.in_(kept))
        assert await connection.scalar(left) == 0


async def test_of_an_older_store_so_many_become_sets_in_a_day(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_AT_ONCE", 1)
    await ran(stores, SSL)
    await tells(stores, *runs_in(WEB, "f"))
    await tells(stores, *runs_in(WEB, "5"))
    stores.clock.advance(20 * DAY)
    before = len(await rows(stores, running_contents))
    await forget(stores)
    assert len(await rows(stores, running_contents)) == before - 1


async def test_cve_data_goes_on_to_be_read_for_what_ran(stores: Stores) -> None:
    await ran(stores, SSL, JSON)
    wanted = await stores.vulnerabilities.wanted_packages()
    questions = [await stores.vulnerabilities.questions(each) for each in (Ecosystem.UBUNTU, Ecosystem.NUGET)]
    await is_past(stores)
    assert await stores.vulnerabilities.wanted_packages() == wanted
    after = [await stores.vulnerabilities.questions(each) for each in (Ecosystem.UBUNTU, Ecosystem.NUGET)]
    assert after == questions


async def spoil(stores: Stores, column: Column[Any]) -> None:
    """Has all rows hold in it what cannot be read."""
    value = {"places": b"x", "numbers": b"x", "digests": b"\x03\xff\xfe\xfd", "distribution": {"nope": 1}}
    async with stores.database.transaction() as connection:
        await connection.execute(update(column.table).values({column.name: value[column.name]}))


SPOILT = (package_set_blocks.c.places, past_images.c.distribution, past_contents.c.digests)


@pytest.mark.parametrize("column", SPOILT, ids=lambda column: column.name)
async def test_what_is_kept_and_cannot_be_read_is_not_taken_for_free(stores: Stores, column: Column[Any]) -> None:
    ran_at = await exposed_then(stores, FIXED, JSON)
    await is_past(stores)
    await spoil(stores, column)
    place = await then(stores, ran_at)
    assert (place.state, place.why) == (
        PlaceState.NOT_READ,
        "not all of the packages of linux/amd64 can be read",
    )


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_ran_is_kept_where_its_distribution_is_no_json(stores: Stores) -> None:
    ran_at = await exposed_then(stores, FIXED, JSON)
    async with stores.database.transaction() as connection:
        await connection.execute(text("UPDATE inventories SET distribution = '{'"))
    await is_past(stores)
    assert {row.is_complete for row in await rows(stores, past_images)} == {False}
    assert (await then(stores, ran_at)).state is PlaceState.NOT_READ


async def test_what_is_known_to_be_exposed_is_told_where_its_digests_cannot_be_read(stores: Stores) -> None:
    ran_at = await exposed_then(stores, SSL)
    await is_past(stores)
    await spoil(stores, past_contents.c.digests)
    assert (await then(stores, ran_at)).state is PlaceState.EXPOSED


@pytest.mark.parametrize("column", SPOILT, ids=lambda column: column.name)
async def test_the_report_tells_what_of_the_past_cannot_be_read(stores: Stores, column: Column[Any]) -> None:
    await exposed_then(stores, SSL, JSON)
    until = stores.clock.now()
    await is_past(stores)
    await spoil(stores, column)
    report = await opened(stores)[ExposureReportStore].report(60, until)
    assert "not all of the packages of linux/amd64 can be read" in {each.why for each in report.unread}


async def test_cve_data_is_read_on_where_one_distribution_cannot_be(stores: Stores) -> None:
    await exposed_then(stores, SSL, JSON)
    wanted = await stores.vulnerabilities.wanted_packages()
    questions = await stores.vulnerabilities.questions(Ecosystem.NUGET)
    await is_past(stores)
    await spoil(stores, past_images.c.distribution)
    assert await stores.vulnerabilities.wanted_packages() == wanted
    assert await stores.vulnerabilities.questions(Ecosystem.NUGET) == questions
    assert await stores.vulnerabilities.questions(Ecosystem.UBUNTU)


@ON_BOTH
async def test_sets_go_whose_packages_cannot_be_read(stores: Stores) -> None:
    await ran(stores, SSL, JSON)
    await is_past(stores)
    await spoil(stores, package_sets.c.numbers)
    stores.clock.advance(10 * DAY)
    await stores.running.forget_before(stores.clock.now() - 25 * DAY)
    await forget(stores)
    assert [await rows(stores, each) for each in (past_contents, package_sets, package_set_blocks)] == [[]] * 3


async def test_sets_come_and_go_where_one_block_cannot_be_read(stores: Stores) -> None:
    await ran(stores, SSL, JSON)
    await is_past(stores)
    await spoil(stores, package_set_blocks.c.places)
    [image] = await rows(stores, past_images)
    build = (await rows(stores, past_contents))[0].build_id
    both = frozenset(row.package_id for row in await rows(stores, package_set_blocks))
    told = image.kind, image.platform, image.distribution, True, True, None
    async with stores.database.transaction() as connection:
        await past.keep_past(connection, [past.PastContent(build, *told, (digest("9"),), both, frozenset())])
    assert len(await rows(stores, package_sets)) == 3
    stores.clock.advance(10 * DAY)
    await stores.running.forget_before(stores.clock.now() - 25 * DAY)
    await forget(stores)
    assert await rows(stores, package_sets) == []


async def test_sets_of_several_blocks_are_found(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "BLOCK", 1)
    ran_at = await exposed_then(stores, SSL, JSON)
    await is_past(stores)
    assert (await then(stores, ran_at)).state is PlaceState.EXPOSED
    assert {row.block for row in await rows(stores, package_set_blocks)} == {1, 2}


@ON_BOTH
async def test_of_many_sets_that_nothing_has_any_more_so_many_go_in_a_day(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_AT_ONCE", 1)
    held = [
        {"id": each, "key": str(each), "type": "deb", "name": f"p{each}", "version": "1"} for each in range(1, 6)
    ]
    sets = [{"id": each, "key": bytes([each]), "numbers": packed_numbers([each])} for each in range(1, 6)]
    places = [{"package_id": each, "block": 0, "places": packed_numbers([each])} for each in range(1, 6)]
    async with stores.database.transaction() as connection:
        await connection.execute(insert(packages), held)
        await connection.execute(insert(package_sets), sets)
        await connection.execute(insert(package_set_blocks), places)
    left = []
    for _ in range(3):
        await forget(stores)
        left.append((len(await rows(stores, package_sets)), len(await rows(stores, package_set_blocks))))
    assert left == [(3, 3), (1, 1), (0, 0)]
