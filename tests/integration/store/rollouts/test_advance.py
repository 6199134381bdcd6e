"""Waves are counted by the database, released once, and a person's word is kept in the journal."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from bot.domain.bases.observation import Observation
from bot.domain.failure import Failure, LeaseLost
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.pinning import FleetBehind
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.rollout import Occasion
from bot.domain.rollouts.timing.waiting import RolloutOptions, holds_of, release_rules_at
from bot.domain.rollouts.timing.waves import Wave
from bot.fleet.act.ports import Job
from bot.fleet.plan.catching_up import CatchUp
from bot.fleet.plan.quarantine import tick as quarantine
from bot.fleet.plan.waves import tick as advance
from bot.fleet.plan.waves.tick import next_step
from bot.store.history import Logged
from bot.store.rows.rollouts.tables import rebuilds, rollout_waves, rollouts
from bot.store.rows.tables import outbox
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest

WAVES = (Wave("canary", soak=4 * HOUR, batch=2), Wave("rest"))
OPTIONS = RolloutOptions(WAVES)
ANN = Word("Ann", "not before we looked")


async def planned(stores: Stores, repositories: int = 3, **values: object) -> None:
    await stores.fill(repositories=repositories)
    await stores.plan.save_plan(await stores.planned(**values))  # type: ignore[arg-type]


async def tick(stores: Stores, options: RolloutOptions = OPTIONS) -> int:
    return (await advance.tick(stores.advance, options, stores.clock)).released


async def begun_with_canaries(stores: Stores, number: int) -> None:
    """One rollout with so many canaries, which may begin, and one rebuild after them."""
    await planned(stores, number, wave="canary")
    await planned(stores, 1, wave="rest")
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(rollout_id=1))
    await tick(stores)


async def test_nothing_begins_before_its_wave_does(stores: Stores) -> None:
    await planned(stores, wave="canary")
    assert await stores.jobs() == []
    assert await tick(stores) == 2
    assert len(await stores.jobs()) == 2
    assert await tick(stores) == 0


@pytest.mark.parametrize(("occasion", "begun"), [(Occasion.CHANGE, 3), (Occasion.CATCH_UP, 0)])
async def test_a_severe_fix_waits_for_no_wave_but_in_a_catch_up(
    stores: Stores, occasion: Occasion, begun: int
) -> None:
    await planned(stores, repositories=1, wave="canary")
    await tick(stores)
    await planned(stores, wave="rest", severity=Severity.HIGH)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rollouts).values(occasion=occasion.value))
        await connection.execute(update(rebuilds).values(rollout_id=1))
    assert await tick(stores) == begun
    rules = release_rules_at(stores.clock.now(), OPTIONS)
    held = holds_of(await stores.rollout_views.waits(rules), OPTIONS, stores.clock.now())
    assert len(held) == 3 - begun


async def test_of_a_catch_up_what_stands_first_begins_first(stores: Stores) -> None:
    await stores.fill(repositories=3)
    plan = await stores.planned(wave="canary")
    worst_first = tuple(plan.rebuilds[place] for place in (2, 0, 1))
    caught = CatchUp(FleetBehind((), 3), worst_first, (), plan.revisions)
    assert await stores.catch_up.save(caught, ANN) is not None
    assert await tick(stores) == 2
    begun = [job.rebuild.repository for job in await stores.jobs()]
    assert begun == [each.repository for each in worst_first[:2]]


async def test_waves_order_what_is_equally_far_from_the_root_and_nothing_else(stores: Stores) -> None:
    await planned(stores, 4, wave="canary")
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id.in_([2, 4])).values(wave="rest"))
        await connection.execute(update(rebuilds).where(rebuilds.c.id.in_([3, 4])).values(distance=1))
    await tick(stores)
    assert await begun(stores) == [1, 3]
    first = next(job.rebuild for job in await stores.jobs() if job.rebuild.id == 1)
    await stores.act.settle_rebuild(
        first, first.moved(RebuildState.SUCCEEDED, "there already", at=stores.clock.now())
    )
    for _ in range(2):
        await tick(stores)
        stores.clock.advance(4 * HOUR)
    await tick(stores)
    assert await begun(stores) == [1, 2, 3]


async def test_a_wave_and_what_is_not_due_in_it_yet_begin_at_one_time(stores: Stores) -> None:
    await planned(stores, 2, wave="canary")
    stores.clock.advance(HOUR)
    now = stores.clock.now()
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id == 2).values(wave="rest", due_at=now + HOUR))
    await tick(stores)
    held = holds_of(await stores.rollout_views.waits(release_rules_at(now, OPTIONS)), OPTIONS, now)
    [found] = await stores.rollout_views.progress(OPTIONS, now)
    assert held[2].until == now - HOUR + 28 * HOUR
    assert {wave.name: wave.held for wave in found.waves} == {"canary": None, "rest": held[2]}


async def begun(stores: Stores) -> list[int]:
    """The ids of the rebuilds that were let begin."""
    released = zip(await stores.column(rebuilds, "id"), await stores.column(rebuilds, "released_at"), strict=True)
    return [number for number, at in released if at is not None]


async def test_without_waves_everything_begins_at_once(stores: Stores) -> None:
    await planned(stores)
    assert await tick(stores, RolloutOptions()) == 3


async def test_what_is_not_due_is_not_released(stores: Stores) -> None:
    await planned(stores, wave="canary", due_in=HOUR)
    assert await tick(stores) == 0
    stores.clock.advance(HOUR)
    assert await tick(stores) == 2


@ON_BOTH
async def test_two_replicas_release_no_more_than_one_batch(stores: Stores) -> None:
    await planned(stores, 6, wave="canary")
    rules = release_rules_at(stores.clock.now(), OPTIONS)
    found = await stores.advance.standings(rules)
    step = next_step(found.rollouts[0], OPTIONS, rules.at)
    replicas = [stores.other(f"replica {number}") for number in range(3)]
    outcomes = await asyncio.gather(
        *(replica.advance.take(step, rules, found.releases) for replica in replicas), return_exceptions=True
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, int)] == [2]
    assert sum(isinstance(outcome, LeaseLost) for outcome in outcomes) == 2
    assert sum(moment is not None for moment in await stores.column(rebuilds, "released_at")) == 2


async def test_failures_pause_the_rollout_until_a_person_goes_on(stores: Stores) -> None:
    await planned(stores, 3, wave="canary")
    await tick(stores)
    for job in await stores.jobs():
        failed = job.rebuild.moved(RebuildState.FAILED, "the run concluded with failure", at=stores.clock.now())
        await stores.act.settle_rebuild(job.rebuild, failed)
    before = await stores.column(outbox, "wanted")
    tally = await advance.tick(stores.advance, OPTIONS, stores.clock)
    assert (await stores.column(outbox, "wanted"))[0] == before[0] + 1, "the rollout's own message says so too"
    assert tally.paused == ("rollout 1 is paused: 2 of 2 ended rebuilds failed, more than 20%",)
    stores.clock.advance(timedelta(minutes=1))
    assert await tick(stores) == 0
    assert [message.key for message in await stores.messages()] == ["rollout:1", "wave:1:canary", "pause:1"]
    told = await stores.report.pause(1)
    assert [failure.repository for failure in told.failures] == ["contoso/shop-0000", "contoso/shop-0001"]

    assert await stores.orders.resume(1, ANN)
    assert await tick(stores) == 1
    assert [(entry.what, entry.subject) for entry in await stores.orders.entries(5)] == [("resume", "rollout 1")]


async def test_a_canary_that_was_red_holds_its_rollout_until_a_person_says_so(stores: Stores) -> None:
    await begun_with_canaries(stores, 1)
    [job] = await stores.jobs()
    started = replace(job.rebuild.moved(RebuildState.DISPATCHED, "started", at=stores.clock.now()), run=7)
    red = started.moved(RebuildState.FAILED, "the run concluded with failure", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, red)
    stores.clock.advance(24 * 30 * HOUR)
    assert await tick(stores) == 0
    assert (await stores.report.wave(1, "canary")).is_waited_for
    assert await stores.orders.resume(1, ANN)
    assert await tick(stores) == 1


async def test_a_canary_that_was_red_by_a_clock_that_was_ahead_lets_go_on_once_a_person_says_so(
    stores: Stores,
) -> None:
    await planned(stores, 1, wave="canary")
    await planned(stores, 1, wave="rest")
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(rollout_id=1))
    await tick(stores)
    [job] = await stores.jobs()
    ahead = stores.clock.now() + 24 * 365 * HOUR
    started = replace(job.rebuild.moved(RebuildState.DISPATCHED, "started", at=ahead), run=7)
    red = started.moved(RebuildState.FAILED, "the run concluded with failure", at=ahead)
    await stores.act.settle_rebuild(job.rebuild, red)
    assert await tick(stores) == 0
    assert await stores.orders.resume(1, ANN)
    stores.clock.advance(4 * HOUR)
    assert await tick(stores) == 1


async def test_a_wave_that_a_clock_which_was_ahead_has_let_begin_is_waited_for_no_longer_than_any(
    stores: Stores,
) -> None:
    await planned(stores, 1, wave="canary")
    stores.clock.advance(365 * 24 * HOUR)
    await tick(stores)
    stores.clock.advance(-365 * 24 * HOUR)
    await planned(stores, 1, wave="rest")
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(rollout_id=1))
    [job] = await stores.jobs()
    proposed = replace(job.rebuild, pull_request=1).moved(RebuildState.OPEN, "open", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, proposed)
    done: list[datetime | None] = []
    for _ in range(2):
        await tick(stores)
        async with stores.database.reading() as connection:
            done.append(await connection.scalar(select(rollout_waves.c.done_since)))
        stores.clock.advance(24 * HOUR)
    assert done == [None, stores.clock.now() - 24 * HOUR]


async def test_a_canary_that_was_refused_holds_nobody_where_another_was_built(stores: Stores) -> None:
    await begun_with_canaries(stores, 2)
    refused, built = await stores.jobs()
    now = stores.clock.now()
    await stores.act.settle_rebuild(refused.rebuild, refused.rebuild.moved(RebuildState.FAILED, "refused", at=now))
    await stores.act.settle_rebuild(built.rebuild, built.rebuild.moved(RebuildState.SUCCEEDED, "done", at=now))
    stores.clock.advance(24 * HOUR)
    assert await tick(stores, RolloutOptions(WAVES, pause_when_failed=0.6)) == 1


async def test_a_hold_outlives_what_it_was_given_to(stores: Stores) -> None:
    await planned(stores, 1, wave="canary")
    assert await stores.orders.hold("contoso/shop-0000", ANN) == 1
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c"})
    await stores.assess_all()
    await stores.plan.save_plan(await stores.planned(supersedes=(1,), wave="canary"))
    assert await tick(stores) == 0
    assert await stores.orders.retry("contoso/shop-0000", ANN) == 1
    assert len(await stores.jobs()) == 1


async def test_what_supersedes_keeps_its_place_in_time(stores: Stores) -> None:
    await planned(stores, 1, wave="rest")
    began = stores.clock.now()
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c"})
    await stores.assess_all()
    await stores.plan.save_plan(await stores.planned(supersedes=(1,), wave="rest"))
    assert await stores.column(rebuilds, "waits_since") == [began, began]


@pytest.mark.parametrize("soak", [None, 72 * HOUR], ids=["of the wave", "of a rule"])
async def test_nobody_waits_longer_than_the_soaks_and_one_wait_and_no_shorter(
    stores: Stores, soak: timedelta | None
) -> None:
    await planned(stores, 2, wave="canary", soak=soak)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id == 2).values(wave="rest"))
    await tick(stores)
    latest = (soak or 4 * HOUR) + timedelta(days=1)
    stores.clock.advance(latest - HOUR)
    assert await tick(stores) == 0
    stores.clock.advance(HOUR)
    assert await tick(stores) == 1


async def test_a_failed_rebuild_is_tried_again_as_another_one(stores: Stores) -> None:
    job = await let_go(stores)
    await stores.act.settle_rebuild(
        job.rebuild, job.rebuild.moved(RebuildState.FAILED, "no", at=stores.clock.now())
    )
    assert await stores.orders.retry("contoso/shop-0000", ANN) == 1
    assert await stores.states() == ["failed", "planned"]
    [again] = await stores.jobs()
    assert again.rebuild.reason == "tried again, asked by Ann: not before we looked"
    assert [rebuild.id for rebuild in await stores.rollout_views.rebuilds_of(1)] == [2]
    assert (await stores.fleet_views.status()).tried_again == {1}


@ON_BOTH
async def test_a_quarantine_keeps_what_has_not_begun_and_what_is_planned_for_the_next_digest_is_free(
    stores: Stores,
) -> None:
    await planned(stores, 2, wave="canary")
    await tick(stores)
    await stores.orders.quarantine("aspnet:10.0", ANN)
    assert await stores.jobs() == []
    assert (await quarantine.tick(stores.quarantine)).lifted == 0
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c"})
    assert (await quarantine.tick(stores.quarantine)).lifted == 0
    await stores.assess_all()
    await stores.plan_all(wave="canary", supersedes=(1, 2))
    assert len(await stores.jobs()) == 2
    assert (await quarantine.tick(stores.quarantine)).lifted == 1


@ON_BOTH
async def test_of_bases_with_one_name_the_one_that_the_fleet_uses_is_meant(stores: Stores) -> None:
    await stores.fill()
    elsewhere = Base("mirror.contoso.com", "dotnet/aspnet", "10.0")
    await stores.history.add([Logged(Observation(stores.clock.now(), elsewhere, digest("c")))])
    assert await stores.orders.quarantine("aspnet:10.0", ANN) == digest("b")


@ON_BOTH
async def test_a_name_that_may_be_one_of_several_is_asked_back_with_all_of_them(stores: Stores) -> None:
    elsewhere = Base("mirror.contoso.com", "dotnet/aspnet", "10.0")
    for base in (ASPNET, elsewhere):
        await stores.history.add([Logged(Observation(stores.clock.now(), base, digest("c")))])
    with pytest.raises(Failure) as raised:
        await stores.orders.quarantine("aspnet:10.0", ANN)
    assert str(raised.value) == (
        "'aspnet:10.0' may be one of 2 bases; "
        "write mcr.microsoft.com/dotnet/aspnet:10.0 or mirror.contoso.com/dotnet/aspnet:10.0"
    )


@ON_BOTH
async def test_a_base_that_nobody_knows_cannot_be_quarantined(stores: Stores) -> None:
    await planned(stores, 1)
    with pytest.raises(Failure, match="no base 'aspnet:9\\.9' is known"):
        await stores.orders.quarantine("aspnet:9.9", ANN)


async def let_go(stores: Stores, wave: str = "canary") -> Job:
    """The only rebuild of a rollout, which its wave has let go and which is claimed."""
    await planned(stores, 1, wave=wave)
    await tick(stores)
    [job] = await stores.jobs()
    return job


async def gave_way(stores: Stores, wave: str = "canary") -> Job:
    """The same, after a fault has held it up for as long as gives its place to others."""
    job = await let_go(stores, wave)
    await fail(stores, job)
    await tick(stores)
    return job


async def fail(stores: Stores, job: Job, attempts: int = 4) -> None:
    """No answer so often in a row; the rebuild rests for an hour."""
    waiting = job.rebuild.moved(RebuildState.WAITING, "no answer", at=stores.clock.now())
    waiting = replace(waiting, due_at=stores.clock.now() + HOUR)
    await stores.act.settle_rebuild(job.rebuild, waiting, succeeded=False)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id == job.rebuild.id).values(attempts=attempts))


async def test_what_a_fault_holds_up_gives_its_place_to_others_and_takes_one_again(stores: Stores) -> None:
    await planned(stores, 3, wave="canary")
    assert await tick(stores) == 2
    first, second = await stores.jobs()
    await fail(stores, first)
    await fail(stores, second, attempts=3)
    assert await tick(stores) == 1, "what has failed less often keeps its place"
    [third] = await stores.jobs()
    assert third.rebuild.id not in (first.rebuild.id, second.rebuild.id)
    stores.clock.advance(HOUR)
    assert await tick(stores) == 0, "there is no room"
    under_way = {job.rebuild.id: job for job in await stores.jobs()}
    assert under_way.keys() == {second.rebuild.id, third.rebuild.id}
    done = third.rebuild.moved(RebuildState.SUCCEEDED, "done", at=stores.clock.now())
    await stores.act.settle_rebuild(third.rebuild, done)
    assert await tick(stores) == 1
    [again] = await stores.jobs()
    assert (again.rebuild.id, again.rebuild.attempts) == (first.rebuild.id, 5)


async def test_what_gave_way_was_let_go_when_it_first_was(stores: Stores) -> None:
    """Who waits for its build counts from then."""
    job = await let_go(stores)
    released = await stores.column(rebuilds, "released_at")
    await fail(stores, job)
    await tick(stores)
    stores.clock.advance(HOUR)
    assert await tick(stores) == 1
    assert await stores.column(rebuilds, "released_at") == released


async def test_what_a_person_asked_for_gives_way_to_nobody(stores: Stores) -> None:
    job = await let_go(stores)
    await stores.orders.retry("contoso/shop-0000", ANN)
    await fail(stores, job)
    await tick(stores)
    stores.clock.advance(HOUR)
    assert len(await stores.jobs()) == 1


async def test_a_person_has_what_gave_way_tried_at_once(stores: Stores) -> None:
    await gave_way(stores)
    await stores.orders.retry("contoso/shop-0000", ANN)
    assert len(await stores.jobs()) == 1


async def test_where_no_batch_bounds_a_wave_nothing_gives_way(stores: Stores) -> None:
    await gave_way(stores, wave="rest")
    stores.clock.advance(HOUR)
    assert len(await stores.jobs()) == 1


async def test_a_canary_that_a_fault_holds_up_lets_nobody_begin_without_a_success(stores: Stores) -> None:
    await begun_with_canaries(stores, 1)
    [job] = await stores.jobs()
    await fail(stores, job)
    stores.clock.advance(HOUR / 2)
    for _ in range(30):
        stores.clock.advance(24 * HOUR)
        await tick(stores)
        for held in await stores.jobs():
            assert held.rebuild.wave == "canary"
            await fail(stores, held, attempts=50)


async def test_what_gave_way_is_due_again_soon_as_well_once_something_goes_through(stores: Stores) -> None:
    job = await gave_way(stores)
    resting = await stores.act.jobs.resting(stores.clock.now(), 10)
    assert [claimed.id for claimed in resting] == [job.rebuild.id]
    assert (await stores.act.jobs.read(resting[0])).rebuild.repository == job.rebuild.repository
