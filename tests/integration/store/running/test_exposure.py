"""Where a CVE runs: before a fix, while it comes, after it, and at a time that is long past."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import update

from bot.domain.packages.cves.marks import CveMarks, MarkedCves
from bot.domain.packages.package import Distribution, Package
from bot.domain.repositories.repository import Repository
from bot.domain.repositories.repository_config import OwnedPaths, RepositoryConfig
from bot.domain.running.exposure import Asked, PlaceExposure, PlaceState
from bot.store.engine.codec import dump
from bot.store.pages.running.answering import exposure_of
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.inventories.marks import save_marks
from bot.store.rows.repositories.tables import repositories
from bot.views.running.exposed import ExposureAnswer, Narrowed, as_json
from tests.integration.store.filling import HOUR, Stores, digest
from tests.integration.store.holding import CVE, FIXED, SSL, microsoft_says, move_image, publish, running
from tests.integration.store.running.snapshots import EUROPE, STALE, WEB, exposed_fleet, goes_on, runs_in, tells
from tests.integration.store.statements import statements

DAY = timedelta(days=1)
API = replace(WEB, workload="api")
ZLIB = Package("deb", "zlib1g", "1.3", "amd64", "zlib", "1.3")


async def exposure(
    stores: Stores,
    at: datetime | None = None,
    since: datetime | None = None,
    narrowed: Narrowed = Narrowed(),  # noqa: B008 - frozen
) -> ExposureAnswer:
    return await stores.exposure.exposure(CVE, Asked(at or stores.clock.now(), since), narrowed)


async def only(stores: Stores, at: datetime | None = None) -> PlaceExposure:
    [place] = (await exposure(stores, at)).places
    return place


async def test_what_runs_with_an_affected_package_is_exposed_since_that_was_published(stores: Stores) -> None:
    published = await exposed_fleet(stores)
    place = await only(stores)
    assert (place.state, place.packages) == (
        PlaceState.EXPOSED,
        (f"libssl3t64 {SSL.version} (fixed in {FIXED.version})",),
    )
    [time] = place.exposed
    assert (time.since, time.until, place.environment) == (published, None, "production")


async def test_what_began_to_run_after_that_is_exposed_since_it_runs(stores: Stores) -> None:
    await exposed_fleet(stores)
    await tells(stores, *runs_in(WEB, "e"), *runs_in(API, "d"))
    began = stores.clock.now()
    api, web = (await exposure(stores)).places
    assert (api.place, api.exposed[0].since) == (API, began)
    assert web.exposed[0].since < began


async def test_the_verdict_counts_places_and_days(stores: Stores) -> None:
    published = await exposed_fleet(stores)
    await goes_on(stores, 3 * DAY, *runs_in(WEB, "e"))
    answer = await exposure(stores)
    assert answer.verdict == f"exposed in 1 of 1 running place since {published:%Y-%m-%d} (3 days); 0 not affected"
    assert answer.exit_code == 1


async def test_what_stands_beside_the_cve_is_told_with_the_answer(stores: Stores) -> None:
    await exposed_fleet(stores)
    async with stores.database.transaction() as connection:
        await save_marks(connection, CveMarks(MarkedCves({CVE: date(2026, 3, 4)}), MarkedCves({CVE: 114})))
    answer = await exposure(stores)
    assert answer.mark.told == "known exploited since 2026-03-04, EPSS 0.0114"
    assert as_json(answer)["mark"] == {"is_exploited": True, "exploited_since": date(2026, 3, 4), "epss": 0.0114}


async def test_a_place_is_exposed_until_the_fix_runs(stores: Stores) -> None:
    published = await exposed_fleet(stores)
    await move_image(stores, FIXED)
    await tells(stores, *runs_in(WEB, "e"))
    assert (await only(stores)).state is PlaceState.EXPOSED
    await tells(stores, *runs_in(WEB, "f"))
    fixed = stores.clock.now()
    place = await only(stores)
    assert (place.state, place.why) == (PlaceState.NOT_AFFECTED, f"libssl3t64 {FIXED.version} is not affected")
    [time] = place.exposed
    assert (time.since, time.until) == (published, fixed)
    assert (await exposure(stores)).verdict == (
        f"not exposed: none of 1 has it; of these 1 was exposed until {fixed:%Y-%m-%d}"
    )


async def test_a_place_that_is_rolled_out_is_exposed_as_long_as_the_old_build_runs(stores: Stores) -> None:
    await exposed_fleet(stores)
    await move_image(stores, FIXED)
    await tells(stores, *runs_in(WEB, "e", "f"))
    assert (await only(stores)).state is PlaceState.EXPOSED


async def test_a_time_in_the_past_is_answered_as_it_was_then(stores: Stores) -> None:
    before = stores.clock.now() + HOUR
    published = await exposed_fleet(stores)
    await move_image(stores, FIXED)
    await tells(stores, *runs_in(WEB, "f"))
    assert (await only(stores, published + timedelta(minutes=2))).state is PlaceState.NOT_READ, "a hole"
    await tells(stores, *runs_in(WEB, "f"))
    at = published + timedelta(minutes=5)
    assert (await only(stores, at)).state is PlaceState.EXPOSED
    assert (await only(stores, stores.clock.now())).state is PlaceState.NOT_AFFECTED
    assert before < published


async def test_before_it_was_published_nothing_was_exposed_to_it(stores: Stores) -> None:
    await stores.running.follow([EUROPE])
    await running(stores, SSL)
    await tells(stores, *runs_in(WEB, "e"))
    at = stores.clock.now()
    await publish(stores)
    await tells(stores, *runs_in(WEB, "e"))
    place = await only(stores, at)
    assert (place.state, place.why) == (PlaceState.NOT_AFFECTED, "it was not published then")


async def test_a_hole_makes_a_time_not_known(stores: Stores) -> None:
    await exposed_fleet(stores)
    stores.clock.advance(2 * HOUR)
    at = stores.clock.now()
    stores.clock.advance(2 * HOUR)
    await tells(stores, *runs_in(WEB, "e"))
    answer = await exposure(stores, at)
    assert [place.state for place in answer.places] == [PlaceState.NOT_READ]
    assert (answer.verdict, answer.exit_code) == ("not known: nothing was read of what runs; 1 not read", 3)
    [line] = answer.unread
    assert line.startswith("europe was last read as a whole on ")


async def test_a_source_that_is_stale_is_not_known_now(stores: Stores) -> None:
    await exposed_fleet(stores)
    stores.clock.advance(STALE + timedelta(minutes=1))
    assert (await exposure(stores)).exit_code == 3
    assert (await only(stores)).state is PlaceState.NOT_READ


async def test_a_source_that_was_never_read_is_told(stores: Stores) -> None:
    await exposed_fleet(stores)
    await stores.running.follow([EUROPE, replace(EUROPE, name="asia")])
    assert (await exposure(stores)).unread == ("asia was never read as a whole",)


async def test_what_nobody_builds_that_is_known_is_told(stores: Stores) -> None:
    await exposed_fleet(stores)
    await tells(stores, *runs_in(WEB, "e"), *runs_in(API, "1"))
    answer = await exposure(stores)
    assert answer.verdict.endswith("; 0 not affected; 1 not read")
    assert [each.why for each in answer.of(PlaceState.NOT_READ)] == ["built by nobody we know"]


async def test_a_build_that_was_not_read_is_not_free_of_it(stores: Stores) -> None:
    await exposed_fleet(stores)
    await move_image(stores, FIXED, is_read=False)
    await tells(stores, *runs_in(WEB, "f"))
    place = await only(stores)
    assert (place.state, place.why) == (PlaceState.NOT_READ, "the packages of linux/amd64 are not read")


async def test_a_build_of_which_a_part_was_not_read_is_not_free_of_it(stores: Stores) -> None:
    await exposed_fleet(stores)
    await move_image(stores, FIXED)
    async with stores.database.transaction() as connection:
        of_new = inventories.c.digest == digest("f")
        await connection.execute(update(inventories).where(of_new).values(is_complete=False))
    await tells(stores, *runs_in(WEB, "f"))
    place = await only(stores)
    assert (place.state, place.why) == (PlaceState.NOT_READ, "not all of the packages of linux/amd64 can be read")


async def test_an_image_without_the_package_is_not_affected_for_that(stores: Stores) -> None:
    await exposed_fleet(stores)
    await move_image(stores, ZLIB)
    await tells(stores, *runs_in(WEB, "f"))
    place = await only(stores)
    assert (place.state, place.why) == (PlaceState.NOT_AFFECTED, "not in the image")


async def test_a_distribution_of_which_no_data_is_read_is_not_free_of_it(stores: Stores) -> None:
    await stores.running.follow([EUROPE])
    await running(stores, SSL, distribution=Distribution("debian", "12"))
    await publish(stores)
    await tells(stores, *runs_in(WEB, "e"))
    place = await only(stores)
    assert (place.state, place.why) == (PlaceState.NOT_READ, "no CVE data of Debian is read")


async def test_an_application_that_brings_its_own_runtime_is_exposed_by_what_microsoft_says(stores: Stores) -> None:
    """A runtime pack is published without the prefix under which an application names it."""
    await stores.running.follow([EUROPE])
    pack = Package("nuget", "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64", "10.0.4")
    await running(stores, pack)
    advisory = await microsoft_says(stores)
    await tells(stores, *runs_in(WEB, "e"))
    answer = await stores.exposure.exposure(advisory.cve, Asked(stores.clock.now()), Narrowed())
    [place] = answer.places
    assert (place.state, place.packages) == (PlaceState.EXPOSED, (f"{pack.name} 10.0.4 (fixed in 10.0.5)",))


async def test_a_cve_that_nobody_tells_of_is_not_known_with_what_would_tell(stores: Stores) -> None:
    await stores.running.follow([EUROPE])
    await running(stores, SSL)
    await tells(stores, *runs_in(WEB, "e"))
    answer = await exposure(stores)
    assert answer.verdict == (
        "not known: no source that is read tells of it; these would: feeds.dotnet_releases, "
        "vulnerabilities.ubuntu, vulnerabilities.debian, vulnerabilities.alpine, vulnerabilities.azure_linux, "
        "vulnerabilities.nuget"
    )
    assert answer.exit_code == 3


async def test_without_sources_nothing_is_known(stores: Stores) -> None:
    await running(stores, SSL)
    await publish(stores)
    answer = await exposure(stores)
    assert answer.verdict == "not known: no source tells what runs (`running.sources` in the settings)"
    assert answer.exit_code == 3


async def test_what_is_gone_is_told_as_gone_and_counts_in_a_time_that_it_ran_in(stores: Stores) -> None:
    published = await exposed_fleet(stores)
    await tells(stores)
    gone = stores.clock.now()
    answer = await exposure(stores)
    assert [place.state for place in answer.places] == [PlaceState.GONE]
    assert answer.verdict == "not exposed: none of 0 has it; 1 place that is gone had it"
    answer = await exposure(stores, since=published - HOUR)
    assert answer.verdict == (
        f"exposed at some time since {published - HOUR:%Y-%m-%d} in 1 of 1 running place, in 0 still"
    )
    assert answer.exit_code == 1
    assert (await exposure(stores, since=gone)).exit_code != 1


async def test_a_hole_within_the_time_that_is_asked_of_leaves_it_open(stores: Stores) -> None:
    await stores.running.follow([EUROPE])
    await running(stores, FIXED)
    await publish(stores)
    await tells(stores, *runs_in(WEB, "e"))
    since = stores.clock.now()
    stores.clock.advance(2 * HOUR)
    await tells(stores, *runs_in(WEB, "e"))
    answer = await exposure(stores, since=since)
    [line] = answer.unread
    assert line.startswith("europe was not read as a whole from ")
    assert answer.exit_code == 3


async def test_a_question_is_narrowed_by_environment_repository_and_organisation(stores: Stores) -> None:
    await exposed_fleet(stores)
    for fitting in (
        Narrowed(environment="production"),
        Narrowed(environment="europe"),
        Narrowed(repository="contoso/shop"),
        Narrowed(org="contoso"),
        Narrowed(repository="Contoso/Shop", org="CONTOSO"),
    ):
        assert len((await exposure(stores, narrowed=fitting)).places) == 1
    await stores.listing(Repository("contoso/shop", "main"), Repository("contoso/api", "main"))
    answer = await exposure(stores, narrowed=Narrowed(repository="contoso/api"))
    assert (answer.places, answer.exit_code) == ((), 0), "it runs nowhere"


@pytest.mark.parametrize(
    ("asked_of", "unknown"),
    [
        (
            Narrowed(environment="prodution"),
            "no source or environment is called prodution; there are europe, production",
        ),
        (Narrowed(repository="contoso/shopp"), "no repository of the fleet is called contoso/shopp"),
        (Narrowed(org="fabrikam"), "no repository of the fleet is of fabrikam"),
        (Narrowed(team="paymnets"), "no repository of the fleet names paymnets as reviewer or owner"),
    ],
)
async def test_what_is_asked_of_by_a_name_that_nothing_bears_is_not_known(
    stores: Stores, asked_of: Narrowed, unknown: str
) -> None:
    await exposed_fleet(stores)
    answer = await exposure(stores, narrowed=asked_of)
    assert (answer.verdict, answer.exit_code) == (f"not known: {unknown}", 3)


async def test_a_team_has_what_repositories_build_that_name_it(stores: Stores) -> None:
    await exposed_fleet(stores)
    config = RepositoryConfig(owned=(OwnedPaths(("contoso/payments", "ada"), ("Dockerfile",)),))
    async with stores.database.transaction() as connection:
        await connection.execute(update(repositories).values(config=dump(config, RepositoryConfig)))
    for team in ("payments", "contoso/payments", "ada"):
        assert len((await exposure(stores, narrowed=Narrowed(team=team))).places) == 1


async def test_what_nobody_builds_is_told_where_a_builder_is_asked_of(stores: Stores) -> None:
    await exposed_fleet(stores)
    await tells(stores, *runs_in(WEB, "e"), *runs_in(API, "1"))
    async with stores.database.transaction() as connection:
        from bot.store.rows.running.running import runs

        await connection.execute(update(runs).values(image="registry.local/other:1"))
    answer = await exposure(stores, narrowed=Narrowed(org="contoso"))
    assert len(answer.places) == 1
    assert answer.unread == ("1 place left out: what runs there is built by nobody we know",)


async def test_the_ledger_says_who_moves_it(stores: Stores) -> None:
    await exposed_fleet(stores)
    answer = await exposure_of(stores, CVE, Asked(stores.clock.now()), Narrowed())
    [mover] = answer.movers.values()
    assert mover.who == "contoso/shop"


async def test_an_older_build_that_runs_while_its_image_has_the_fix_is_to_be_rolled_out(stores: Stores) -> None:
    await exposed_fleet(stores)
    await move_image(stores, FIXED)
    await tells(stores, *runs_in(WEB, "e"))
    answer = await exposure_of(stores, CVE, Asked(stores.clock.now()), Narrowed())
    [mover] = answer.movers.values()
    assert (mover.who, mover.says) == ("contoso/shop", "not rolled out: older builds run at shop/web in europe")


async def test_however_many_places_there_are_the_store_is_asked_as_often(stores: Stores) -> None:
    await exposed_fleet(stores)
    with statements(stores.database._readers) as for_one:
        await exposure(stores)
    many = [replace(WEB, workload=f"web-{number}") for number in range(200)]
    await tells(stores, *(each for place in many for each in runs_in(place, "e")))
    with statements(stores.database._readers) as for_many:
        assert len((await exposure(stores)).places) == 201
    assert len(for_many) == len(for_one) <= 30
