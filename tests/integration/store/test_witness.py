"""An empty store waits for a person where the bot was here before."""

from sqlalchemy import select

from bot.domain.rollouts.journal import Word
from bot.fleet.report.witness.rows import WitnessStore
from bot.fleet.report.witness.tick import UNKNOWN
from bot.store.rows.rollouts.rollouts import open_pauses
from bot.store.rows.rollouts.tables import pauses
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import Stores

ANN = Word("Ann", "all is said again")


async def reasons(stores: Stores) -> list[str]:
    async with stores.database.reading() as connection:
        return [pause.reason for pause in await open_pauses(connection)]


@ON_BOTH
async def test_a_pause_until_the_issue_is_read_gives_way_to_what_that_says(stores: Stores) -> None:
    store = stores[WitnessStore]
    for _ in range(2):
        await store.pause(UNKNOWN)
    assert await reasons(stores) == [UNKNOWN]
    await store.end("the bot was here before")
    assert await reasons(stores) == ["the bot was here before"]
    assert await store.is_asked()


async def test_what_nobody_tells_of_is_paused_no_more(stores: Stores) -> None:
    store = stores[WitnessStore]
    assert not await store.is_asked()
    await store.pause(UNKNOWN)
    await store.end(None)
    assert await reasons(stores) == []
    assert await store.is_asked()


async def test_a_pause_of_a_person_stays(stores: Stores) -> None:
    await stores.orders.pause(None, ANN)
    await stores[WitnessStore].end(None)
    assert await reasons(stores) == [ANN.reason]


async def test_a_store_with_rollouts_is_no_new_one(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    assert await stores[WitnessStore].is_asked()


async def test_what_was_said_before_stays_in_the_issue_until_a_person_lets_the_bot_go_on(stores: Stores) -> None:
    await stores[WitnessStore].end("the bot was here before")
    assert (await stores.fleet_issue.news()).witness is None
    await stores.orders.resume(None, ANN)
    now = (await stores.fleet_issue.news()).witness
    assert now is not None
    assert now.said == ()
    await stores.orders.pause(None, ANN)
    later = (await stores.fleet_issue.news()).witness
    assert later is not None
    assert later.said == ("everything paused by Ann: all is said again",)


@ON_BOTH
async def test_what_would_be_lost_with_the_store_is_said(stores: Stores) -> None:
    await stores.fill(2)
    await stores.plan_all()
    await stores.orders.quarantine("mcr.microsoft.com/dotnet/aspnet:10.0", Word("Bob", "it crashes"))
    await stores.orders.hold("contoso/shop-0000", Word("Cem", "a release"))
    await stores.orders.pause(1, ANN)
    witness = (await stores.fleet_issue.news()).witness
    assert witness is not None
    assert witness.said == (
        "rollout 1 paused by Ann: all is said again",
        f"aspnet:10.0@sha256:{'b' * 12} quarantined by Bob: it crashes",
        "contoso/shop-0000 held by Cem: a release",
    )
    assert witness.day == stores.clock.now().date()
    async with stores.database.reading() as connection:
        assert len((await connection.execute(select(pauses.c.id))).all()) == 1
