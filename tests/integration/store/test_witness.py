"""An empty store waits for a person where the bot was here before."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from bot.domain.failure import Failure
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.witness import Said, SaidHold, SaidQuarantine
from bot.fleet.plan.taking_up.rows import TakingUpStore
from bot.fleet.report.witness.rows import WitnessStore
from bot.fleet.report.witness.tick import UNKNOWN
from bot.store.rows.rollouts.quarantines import open_quarantines
from bot.store.rows.rollouts.rollouts import open_pauses
from bot.store.rows.rollouts.tables import pauses, quarantines, rebuilds
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, Stores, digest

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
    assert witness.to_put_back == (QUARANTINE, HOLD)
    async with stores.database.reading() as connection:
        assert len((await connection.execute(select(pauses.c.id))).all()) == 1


QUARANTINE = SaidQuarantine(ASPNET, digest("b"), "Bob", "it crashes")
HOLD = SaidHold("contoso/shop-0000", "held by Cem: a release")


async def told_before(stores: Stores, *said: Said) -> None:
    """A store that has read its fleet, and starts paused by what the issue says."""
    await stores.fill(2)
    await stores.plan_all()
    await stores[WitnessStore].end("the bot was here before", said)
    await stores[TakingUpStore].end(is_any=False)


async def held(stores: Stores) -> list[str | None]:
    return await stores.column(rebuilds, "held_because")


@ON_BOTH
async def test_holds_and_quarantines_are_put_back_with_the_resume_as_they_were_said(stores: Stores) -> None:
    await told_before(stores, QUARANTINE, HOLD)
    assert (await held(stores), await stores.column(quarantines, "id")) == ([None, None], [])
    assert await stores.orders.resume(None, ANN)
    assert (await reasons(stores), await held(stores)) == ([], ["held by Cem: a release", None])
    async with stores.database.reading() as connection:
        [quarantine] = await open_quarantines(connection)
    assert (quarantine.base, quarantine.digest, quarantine.who) == (ASPNET, digest("b"), "Bob")
    assert (quarantine.reason, quarantine.waiting) == ("it crashes", 2)
    assert [(each.what, each.subject, each.word) for each in await stores.orders.entries(3)] == [
        ("put back", "hold contoso/shop-0000", Word("Ann", "held by Cem: a release")),
        ("put back", f"quarantine {ASPNET}@{digest('b')}", Word("Ann", "quarantined by Bob: it crashes")),
        ("resume", "everything", ANN),
    ]


async def test_it_is_put_back_once(stores: Stores) -> None:
    await told_before(stores, HOLD)
    await stores.orders.resume(None, ANN)
    await stores.orders.retry("contoso/shop-0000", ANN)
    await stores.orders.pause(None, ANN)
    await stores.orders.resume(None, ANN)
    assert await held(stores) == [None, None]


async def test_what_cannot_be_put_back_is_said_in_the_journal(stores: Stores) -> None:
    gone, unknown = replace(QUARANTINE, digest=digest("a")), replace(HOLD, repository="contoso/gone")
    await told_before(stores, gone, unknown)
    await stores.orders.resume(None, ANN)
    assert (await held(stores), await stores.column(quarantines, "id")) == ([None, None], [])
    assert [(each.what, each.word.reason.partition("; ")[2]) for each in await stores.orders.entries(2)] == [
        ("not put back", "nothing waits there"),
        ("not put back", "its base does not show that, or is not known"),
    ]


async def test_before_the_fleet_is_read_nobody_lets_go_on_what_was_held(stores: Stores) -> None:
    await stores[WitnessStore].end("the bot was here before", [HOLD])
    with pytest.raises(Failure, match="not read yet"):
        await stores.orders.resume(None, ANN)
    assert await reasons(stores) == ["the bot was here before"]
