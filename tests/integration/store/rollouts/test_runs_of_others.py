"""A rebuild that follows a run of others, and what takes its place where that brings nothing."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.domain.builder.runs import Run
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.rollouts.after_build import join, leave_run
from bot.domain.rollouts.rebuild import Action, Joined, Rebuild, RebuildState
from bot.domain.rollouts.terms import PathWorkflow
from bot.fleet.act.ports import Job
from bot.store.engine.counters import RELEASES, raise_counter
from bot.store.rows.bases.tables import bases
from bot.store.rows.images.images import save_claims
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.quarantines import open_quarantine
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest
from tests.integration.store.moving import moves_again, someone_waits

DISPATCH: dict[str, Any] = {"action": Action.DISPATCH, "branch": None, "workflow": "weekly.yml"}


async def dispatching(stores: Stores) -> Job:
    await stores.fill()
    await stores.plan_all(**DISPATCH)
    [job] = await stores.jobs()
    return job


async def joined(stores: Stores) -> Rebuild:
    job = await dispatching(stores)
    now = stores.clock.now()
    run = Run(30_000_000_001, "https://host/run", "queued", None, now, node_id="CS_1", number=412)
    await stores.act.settle_rebuild(job.rebuild, replace(join(job.rebuild, run, now=now), due_at=now))
    [rebuild] = await stores.followed()
    return rebuild


async def test_a_dispatch_knows_since_when_its_bases_show_what_is_wanted(stores: Stores) -> None:
    job = await dispatching(stores)
    assert job.shown_since == {ASPNET: stores.clock.now()}


async def test_a_base_that_shows_something_else_by_now_is_not_among_them(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all(**DISPATCH)
    await moves_again(stores)
    [job] = await stores.jobs()
    assert job.shown_since == {}


async def producing(stores: Stores, *names: str, repository: str = "contoso/shop-0000") -> None:
    async with stores.database.transaction() as connection:
        found = await connection.execute(select(repositories.c.id).where(repositories.c.name == repository))
        claims = [Claim(name, TagRule("latest"), Source.BUILD) for name in names]
        await save_claims(connection, found.scalar_one(), claims, stores.clock.now())


@pytest.mark.parametrize(("names", "is_provable"), [([], False), (["ghcr.io/contoso/shop"], True)])
async def test_a_dispatch_knows_whether_an_image_shows_what_a_build_took(
    stores: Stores, names: list[str], is_provable: bool
) -> None:
    await stores.fill()
    await producing(stores, *names)
    await stores.plan_all(**DISPATCH)
    [job] = await stores.jobs()
    assert job.is_provable is is_provable


async def test_an_image_that_another_repository_claims_too_shows_nothing(stores: Stores) -> None:
    await stores.fill(2)
    for number in range(2):
        await producing(stores, "ghcr.io/contoso/tool", repository=f"contoso/shop-000{number}")
    await stores.plan_all(**DISPATCH)
    assert [job.is_provable for job in await stores.jobs()] == [False, False]


async def test_a_part_of_a_monorepo_needs_an_image_of_its_own(stores: Stores) -> None:
    await stores.fill()
    await producing(stores, "ghcr.io/contoso/cart")
    await stores.plan_all(**DISPATCH, parts=(PathWorkflow(("shop/*",), "weekly.yml", ("*/shop",)),))
    [job] = await stores.jobs()
    assert not job.is_provable


async def test_a_pull_request_needs_no_such_moment(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    [job] = await stores.jobs()
    assert job.shown_since == {}


async def test_it_is_read_as_it_was_stored_and_its_run_is_taken(stores: Stores) -> None:
    rebuild = await joined(stores)
    assert (rebuild.joined, rebuild.run, rebuild.run_number) == (Joined.FOLLOWED, 30_000_000_001, 412)
    assert await stores.act.runs_taken(rebuild.build_home) == {30_000_000_001}


@pytest.mark.parametrize(("how", "then"), [(Joined.IN_VAIN, Joined.IN_VAIN), (Joined.GONE, None)])
async def test_another_takes_its_place_at_once_and_alone_is_shown(
    stores: Stores, how: Joined, then: Joined | None
) -> None:
    rebuild = replace(await joined(stores), built_at=stores.clock.now(), built_commit="abc", built_by=(1,))
    await stores.follow.settle_rebuild(rebuild, leave_run(rebuild, "it concluded", how, now=stores.clock.now()))
    [job] = await stores.jobs()
    again = job.rebuild
    assert (again.state, again.joined, again.run, again.attempted_at) == (RebuildState.PLANNED, then, None, None)
    assert (again.built_at, again.built_commit, again.run_number, again.built_by) == (None, None, None, ())
    assert again.targets == rebuild.targets
    assert job.shown_since
    rollout = await stores.report.rollout(rebuild.rollout)
    assert [each.id for each in rollout.named_rebuilds] == [again.id]
    assert rollout.ended_at is None


async def test_a_freeze_holds_what_takes_its_place_as_it_would_have_held_it(stores: Stores) -> None:
    """Nobody has asked for it to begin now."""
    rebuild = await joined(stores)
    gone = leave_run(rebuild, "it was cancelled", Joined.GONE, now=stores.clock.now())
    await stores.follow.settle_rebuild(rebuild, gone)
    [job] = await stores.jobs()
    assert not job.at_request


async def test_what_a_person_has_called_off_stays_called_off(stores: Stores) -> None:
    rebuild = await joined(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(call_off="not now"))
    gone = leave_run(rebuild, "it was cancelled", Joined.GONE, now=stores.clock.now())
    await stores.follow.settle_rebuild(rebuild, gone)
    async with stores.database.reading() as connection:
        newest = select(rebuilds.c.call_off).order_by(rebuilds.c.id.desc()).limit(1)
        assert (await connection.execute(newest)).scalar_one() == "not now"


async def test_one_that_goes_on_has_nothing_in_its_place(stores: Stores) -> None:
    rebuild = await joined(stores)
    running = replace(
        rebuild.moved(RebuildState.RUNNING, "under way", at=stores.clock.now()), due_at=stores.clock.now()
    )
    await stores.follow.settle_rebuild(rebuild, replace(running, due_at=stores.clock.now() + HOUR))
    assert await stores.states() == ["running"]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_what_takes_its_place_in_the_moment_in_which_its_base_is_quarantined_is_kept(stores: Stores) -> None:
    rebuild = await joined(stores)
    vain = leave_run(rebuild, "it concluded with failure", Joined.IN_VAIN, now=stores.clock.now())
    async with stores.database.transaction() as connection:
        await raise_counter(connection, RELEASES)
        [base] = (await connection.execute(select(bases.c.id))).scalars()
        await open_quarantine(connection, base, digest("b"), "Ann", "it does not start", stores.clock.now())
        settling = asyncio.create_task(stores.follow.settle_rebuild(rebuild, vain))
        await someone_waits(stores)
    await settling
    assert await stores.column(rebuilds, "quarantine_id") == [None, 1]
