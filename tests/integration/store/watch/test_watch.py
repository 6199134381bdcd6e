"""Bases are polled, their history grows, and incidents are told once."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.bases.incident import Incident
from bot.domain.bases.observation import NotJudged, Observation, PlatformImage, ShowsTwo, Sight
from bot.domain.failure import LeaseLost
from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.watch.registry.ports import Poll, Sighting
from bot.store.engine.codec import dump
from bot.store.engine.writing import upsert
from bot.store.rows.bases.tables import bases, incidents, manifests, observations, releases
from bot.store.rows.tables import outbox
from tests.integration.store.conftest import NOON, ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, LEASE, SDK, Stores, digest, usage_of
from tests.integration.store.statements import statements

TROUBLE = Incident("registry:mcr.microsoft.com", NOON, "mcr.microsoft.com: no answer")


async def watching(stores: Stores, *watched: Base) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree-1", tuple((usage_of(base), base) for base in watched)))


async def test_a_pass_over_many_bases_is_few_statements(stores: Stores) -> None:
    await watching(stores, *(Base("registry.example", f"team/app-{number}", "1") for number in range(300)))
    due = await stores.bases(1000)
    assert len(due) == 300
    with statements(stores.database.engine) as told:
        await stores.watch.reschedule([Poll(each.id, NOON + HOUR + timedelta(seconds=each.id)) for each in due])
    assert len([statement for statement in told if statement.startswith("UPDATE")]) == 1
    assert await stores.column(bases, "lease_owner") == [None] * 300


async def test_a_recorded_sighting_is_history_and_the_present_state(stores: Stores) -> None:
    await watching(stores, ASPNET)
    await stores.see({ASPNET: "a"})
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "b"})
    assert await stores.column(observations, "digest") == [digest("a"), digest("b")]
    assert await stores.column(observations, "previous_id") == [None, 1]
    assert await stores.column(observations, "assessed") == [True, False]
    assert await stores.column(bases, "digest") == [digest("b")]
    stores.clock.advance(HOUR)
    due = (await stores.bases(10))[0]
    assert due.digest == digest("b")
    assert await stores.watch.earlier_digests(due.id) == {digest("a"), digest("b")}
    assert due.moved_at == NOON + HOUR


async def test_layers_are_kept_with_their_whole_digests_and_those_of_what_is_in_them(stores: Stores) -> None:
    """A later look at an image proves by them what it stands on."""
    await watching(stores, ASPNET)
    [due] = await stores.bases(1)
    layers, contents = (digest("a"), digest("b")), (digest("c"), digest("d"))
    platform = PlatformImage("linux/amd64", digest("e"), layers=layers, diff_ids=contents)
    seen = Observation(NOON, ASPNET, digest("f"), platforms=(platform,))
    await stores.watch.record([Sighting(due.id, Sight.FIRST, seen, NOON + HOUR)], {})
    assert [each async for each in stores.history.observations()] == [seen]


async def test_what_of_a_base_was_not_judged_is_kept_and_on_its_page(stores: Stores) -> None:
    await watching(stores, ASPNET)
    [due] = await stores.bases(1)
    told = (NotJudged("windows/amd64 10.0.20348.2700", "stands beside images for Linux"),)
    twice = tuple(PlatformImage("linux/amd64", digest(each), layers=(digest(each),)) for each in "ab")
    seen = Observation(NOON, ASPNET, digest("f"), platforms=twice, not_judged=told)
    await stores.watch.record([Sighting(due.id, Sight.FIRST, seen, NOON + HOUR)], {})
    assert [each async for each in stores.history.observations()] == [seen]
    page = await stores.base_pages.base(str(ASPNET))
    assert page is not None
    assert page.not_judged == told


async def test_a_registry_that_shows_two_is_told_on_the_bases_page_in_status_and_by_doctor(stores: Stores) -> None:
    await watching(stores, ASPNET)
    [due] = await stores.bases(1)
    doubt = ShowsTwo(digest("b"), NOON)
    await stores.watch.reschedule([Poll(due.id, NOON + HOUR, shows_two=doubt)])
    page = await stores.base_pages.base(str(ASPNET))
    assert page is not None
    assert page.base.shows_two == doubt
    assert [each.shows_two for each in (await stores.fleet_views.status()).bases] == [doubt]
    assert await stores.doctor.shown_in_turn() == [(ASPNET, doubt)]


@ON_BOTH
async def test_a_sighting_by_whoever_lost_the_lease_leaves_no_trace(stores: Stores) -> None:
    await watching(stores, ASPNET, SDK)
    due = await stores.bases(10)
    await stores.other("second", NOON + LEASE).bases(1)
    seen = [Sighting(each.id, Sight.FIRST, Observation(NOON, each.base, digest("a")), NOON + HOUR) for each in due]
    with pytest.raises(LeaseLost):
        await stores.watch.record(seen, {digest("a"): b"{}"})
    assert (await stores.count(observations), await stores.count(manifests)) == (0, 0)


async def test_the_newest_release_of_each_channel_is_known(stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        for number, version in enumerate(("10.0.5", "10.0.4", "9.0.1")):
            release = Release(version.rpartition(".")[0], version, NOON - number * HOUR)
            await connection.execute(
                upsert(
                    connection,
                    releases,
                    ["channel", "version"],
                    channel=release.channel,
                    version=version,
                    published_at=release.published_at,
                    release=dump(release, Release),
                )
            )
    newest = await stores.watch.newest_releases()
    assert sorted(release.version for release in newest) == ["10.0.5", "9.0.1"]


# Incidents


async def test_an_incident_is_told_when_it_begins_and_when_it_is_over(stores: Stores) -> None:
    await stores.watch.save_incidents([TROUBLE], [])
    assert await stores.watch.open_incidents("registry:") == [TROUBLE]
    assert await stores.column(outbox, "key") == ["incident:1"]
    stores.clock.advance(HOUR)
    await stores.watch.save_incidents([], [TROUBLE])
    assert await stores.watch.open_incidents("registry:") == []
    assert await stores.column(outbox, "wanted") == [2]
    news = await stores.report.incident(1)
    assert (news.place, news.cleared_at) == ("mcr.microsoft.com", NOON + HOUR)


@ON_BOTH
async def test_replicas_that_see_the_same_trouble_tell_it_once(stores: Stores) -> None:
    replicas = [stores.other(f"replica {number}").watch for number in range(4)]
    await asyncio.gather(*(replica.save_incidents([TROUBLE], []) for replica in replicas))
    assert await stores.count(incidents) == 1
    assert await stores.column(outbox, "wanted") == [1]


async def test_trouble_that_comes_back_is_a_new_incident(stores: Stores) -> None:
    await stores.watch.save_incidents([TROUBLE], [])
    await stores.watch.save_incidents([], [TROUBLE])
    await stores.watch.save_incidents([TROUBLE], [])
    assert await stores.column(outbox, "key") == ["incident:1", "incident:2"]
