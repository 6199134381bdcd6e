"""All replicas together keep within the budget of an account, whichever clock they have."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import update

from bot.domain.feeds.advisory import Severity
from bot.domain.host import Host
from bot.domain.rollouts.rebuild import Action
from bot.domain.rollouts.timing.pace import Pace, WriteLimits
from bot.store.engine.budgets import BudgetStore
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.budgets import spendings
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import HOUR, Stores

CONTOSO, FABRIKAM = "contoso/", "fabrikam/"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LIMITS = WriteLimits(per_minute=3, per_hour=5, apart=SECOND)


@pytest.fixture
def budgets(stores: Stores) -> BudgetStore:
    return stores.budgets


@ON_BOTH
async def test_two_writes_begin_as_far_apart_as_is_set(stores: Stores) -> None:
    other = stores.other("second").budgets
    turns = [await each.take(CONTOSO, 0, LIMITS) for each in (stores.budgets, other, stores.budgets)]
    now = stores.clock.now()
    assert [turn.at - now for turn in turns] == [timedelta(0), SECOND, 2 * SECOND]
    assert {turn.because for turn in turns} == {None}


@ON_BOTH
async def test_two_replicas_share_what_an_account_may_make(stores: Stores) -> None:
    other = stores.other("second").budgets
    for each in (stores.budgets, other, stores.budgets):
        assert (await each.take(CONTOSO, 1, LIMITS)).because is None
    refused = await other.take(CONTOSO, 1, LIMITS)
    assert refused.because is not None
    assert "at most 3 new pull requests" in refused.because
    assert refused.at == stores.clock.now() + MINUTE
    assert (await other.take(FABRIKAM, 1, LIMITS)).because is None
    assert (await other.take(CONTOSO, 0, LIMITS)).because is None, "what notifies nobody goes on"


@ON_BOTH
async def test_turns_asked_for_at_once_are_never_too_many(stores: Stores) -> None:
    others = [stores.other(f"worker-{number}").budgets for number in range(4)]
    turns = await asyncio.gather(*(each.take(CONTOSO, 1, LIMITS) for each in others * 3))
    given = sorted(turn.at for turn in turns if turn.because is None)
    assert len(given) == 3
    assert all(later - earlier >= SECOND for earlier, later in pairwise(given))


@ON_BOTH
async def test_a_clock_that_was_an_hour_fast_stops_nobody_once_it_is_right(stores: Stores) -> None:
    now = stores.clock.now()
    fast = stores.other("fast", now + HOUR).budgets
    assert (await fast.take(CONTOSO, 1, LIMITS)).at == now + HOUR

    turns = [await stores.budgets.take(CONTOSO, 1, LIMITS) for _ in range(2)]

    assert [turn.at - now for turn in turns] == [timedelta(0), SECOND]
    refused = await stores.budgets.take(CONTOSO, 1, LIMITS)
    assert refused.because is not None, "what it made counts all the same"


@ON_BOTH
async def test_an_hours_budget_holds_and_what_is_over_is_forgotten(stores: Stores) -> None:
    for _ in range(5):
        assert (await stores.budgets.take(CONTOSO, 1, LIMITS)).because is None
        stores.clock.advance(MINUTE)
    refused = await stores.budgets.take(CONTOSO, 1, LIMITS)
    assert refused.at == stores.clock.now() + HOUR - 5 * MINUTE
    stores.clock.advance(2 * HOUR)
    assert (await stores.budgets.take(CONTOSO, 1, LIMITS)).because is None
    assert await stores.count(spendings) == 1


@ON_BOTH
async def test_a_clock_that_is_behind_gives_no_more_than_one_that_is_right(stores: Stores) -> None:
    for _ in range(3):
        await stores.budgets.take(CONTOSO, 1, LIMITS)
    behind = stores.other("behind", stores.clock.now() - 10 * MINUTE).budgets
    refused = await behind.take(CONTOSO, 1, LIMITS)
    assert refused.because is not None
    assert refused.at == stores.clock.now() + MINUTE


@ON_BOTH
async def test_a_refusal_stops_all_replicas_and_one_soon_after_stops_them_longer(stores: Stores) -> None:
    assert await stores.budgets.stop(CONTOSO, None) == MINUTE
    refused = await stores.other("second").budgets.take(CONTOSO, 0, LIMITS)
    assert (refused.at, refused.because) == (stores.clock.now() + MINUTE, "the forge has asked for fewer writes")
    stores.clock.advance(3 * MINUTE)
    assert await stores.budgets.stop(CONTOSO, SECOND) == 3 * MINUTE
    stores.clock.advance(2 * HOUR)
    assert (await stores.budgets.take(CONTOSO, 0, LIMITS)).because is None
    assert await stores.budgets.stop(CONTOSO, 5 * MINUTE) == 5 * MINUTE


@ON_BOTH
async def test_a_clock_that_was_a_year_fast_stops_no_writes_for_as_long(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    fast = stores.other("fast", stores.clock.now() + 365 * 24 * HOUR).budgets
    for _ in range(5):
        await fast.take(CONTOSO, 1, LIMITS)
    await fast.stop(CONTOSO, 5 * MINUTE)

    assert len(await stores.jobs()) == 1
    assert (await stores.budgets.take(CONTOSO, 0, LIMITS)).because is None
    assert await stores.budgets.stop(CONTOSO, 5 * MINUTE) == 5 * MINUTE
    assert (await stores.budgets.take(CONTOSO, 0, LIMITS)).at == stores.clock.now() + 5 * MINUTE


@ON_BOTH
async def test_what_a_clock_that_was_a_year_fast_has_made_counts_for_an_hour_as_everything_does(
    stores: Stores,
) -> None:
    fast = stores.other("fast", stores.clock.now() + 365 * 24 * HOUR).budgets
    for _ in range(3):
        await fast.take(CONTOSO, 1, LIMITS)
    assert (await stores.budgets.take(CONTOSO, 1, LIMITS)).because is not None
    stores.clock.advance(HOUR)
    assert (await stores.budgets.take(CONTOSO, 1, LIMITS)).because is None


@ON_BOTH
async def test_who_may_not_write_at_present_is_not_claimed(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await stores.budgets.stop("contoso/", 10 * MINUTE)
    assert await stores.jobs() == []
    stores.clock.advance(10 * MINUTE)
    assert len(await stores.jobs()) == 2


@ON_BOTH
@pytest.mark.parametrize("account", ["dev.azure.com: ", "dev.azure.com: contoso/"])
async def test_a_builder_elsewhere_and_the_forge_stop_what_is_theirs_alone(stores: Stores, account: str) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id == 2).values(action=Action.DISPATCH.value))
    stores.act._pace = Pace(builder=Host("dev.azure.com"))
    await stores.budgets.stop(account, 10 * MINUTE)
    assert [job.rebuild.id for job in await stores.jobs()] == [1]
    refused = await stores.budgets.take(account, 0, LIMITS)
    assert refused.because == "dev.azure.com has asked for fewer writes"
    stores.clock.advance(10 * MINUTE)
    await stores.budgets.stop("contoso/", 10 * MINUTE)
    assert [job.rebuild.id for job in await stores.jobs()] == [2]


@ON_BOTH
@pytest.mark.parametrize("account", ["dev.azure.com: ", "dev.azure.com: contoso/"])
async def test_two_forges_stop_what_is_theirs_alone_though_their_owners_bear_one_name(
    stores: Stores, account: str
) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    async with stores.database.transaction() as connection:
        await connection.execute(update(repositories).where(repositories.c.id == 2).values(forge="azure-devops"))
    stores.act._pace = Pace(forges={"azure-devops": Host("dev.azure.com")})
    await stores.budgets.stop(account, 10 * MINUTE)
    assert [job.rebuild.id for job in await stores.jobs()] == [1]
    stores.clock.advance(10 * MINUTE)
    for own in ("contoso/", ""):
        await stores.budgets.stop(own, 10 * MINUTE)
    assert [job.rebuild.id for job in await stores.jobs()] == [2]


@ON_BOTH
async def test_while_there_is_no_room_for_content_dispatches_go_on(stores: Stores) -> None:
    await stores.fill(repositories=3)
    await stores.plan_all()
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id == 2).values(action=Action.DISPATCH.value))
    for _ in range(3):
        await stores.budgets.take("", 1, LIMITS)
    assert [job.rebuild.id for job in await stores.jobs()] == [2]
    stores.clock.advance(MINUTE)
    assert [job.rebuild.id for job in await stores.jobs()] == [1, 3]


@ON_BOTH
async def test_the_severe_come_first_then_the_earlier_wave_then_the_older(stores: Stores) -> None:
    await stores.fill(repositories=5)
    await stores.plan_all()
    ranks: dict[int, dict[str, object]] = {
        1: {"severity": None, "wave": "rest", "waits_since": stores.clock.now()},
        2: {"severity": None, "wave": "rest", "waits_since": stores.clock.now() - HOUR},
        3: {"severity": None, "wave": "canary", "waits_since": stores.clock.now()},
        4: {"severity": Severity.HIGH.value, "wave": "rest", "waits_since": stores.clock.now()},
        5: {"severity": Severity.CRITICAL.value, "wave": "rest", "waits_since": stores.clock.now()},
    }
    async with stores.database.transaction() as connection:
        for number, values in ranks.items():
            await connection.execute(update(rebuilds).where(rebuilds.c.id == number).values(**values))
    stores.act._waves = ("canary", "rest")
    assert [job.rebuild.id for job in await stores.jobs()] == [5, 4, 3, 2, 1]
