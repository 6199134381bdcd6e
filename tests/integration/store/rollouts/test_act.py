"""Plans are saved once, rebuilds move with their trace, and nothing that happens meanwhile is lost."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.domain.repositories.repository import Identity, Repository
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import Merging, RebuildState
from bot.domain.rollouts.rollout import PlannedRollout
from bot.store.engine.database import Database, open_database
from bot.store.rows.rollouts.rebuild_store import open_pause
from bot.store.rows.rollouts.rebuilds import after_transitions
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from bot.store.rows.tables import outbox
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, LEASE, SDK, Stores, digest
from tests.integration.store.moving import moves_again, opened, someone_waits
from tests.integration.store.statements import statements

ANN = Word("Ann", "not before we looked")
AWAITING = (RebuildState.PLANNED, RebuildState.WAITING)
FOLLOWED = (RebuildState.OPEN, RebuildState.DISPATCHED, RebuildState.RUNNING)


async def test_a_plan_makes_a_rollout_its_rebuilds_and_a_message(stores: Stores) -> None:
    await stores.fill(repositories=3)
    await stores.plan_all()
    rollout = await stores.report.rollout(1)
    assert [rebuild.repository for rebuild in rollout.named_rebuilds] == [f"contoso/shop-000{n}" for n in range(3)]
    assert [change.base for change in rollout.changes] == [ASPNET]
    assert rollout.ended_at is None
    assert [message.key for message in await stores.messages(10)] == ["rollout:1"]
    assert await stores.plan.unplanned() == []


async def test_changes_that_concern_nobody_are_planned_without_a_rollout(stores: Stores) -> None:
    await stores.fill()
    await stores.plan.save_plan(PlannedRollout(None, (1,), (), await stores.plan.revisions()))
    assert await stores.plan.unplanned() == []
    assert (await stores.count(rollouts), await stores.count(outbox)) == (0, 0)


@ON_BOTH
async def test_two_replicas_planning_the_same_changes_save_one_plan(stores: Stores) -> None:
    await stores.fill(repositories=2)
    plan = await stores.planned()
    replicas = [stores.other(f"replica {number}") for number in range(4)]
    outcomes = await asyncio.gather(*(replica.plan.save_plan(plan) for replica in replicas), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [LeaseLost] * 3
    assert await stores.states() == ["planned", "planned"]
    assert await stores.count(rollouts) == 1


@ON_BOTH
async def test_a_plan_that_shares_one_change_with_a_saved_one_saves_nothing(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET, SDK))
    both = await stores.planned()
    await stores.plan.save_plan(replace(both, changes=both.changes[:1], rebuilds=()))
    with pytest.raises(LeaseLost):
        await stores.plan.save_plan(both)
    assert [move.id for move in await stores.plan.unplanned()] == [both.changes[1]]
    assert await stores.count(rebuilds) == 0


async def test_a_plan_joins_an_open_rollout(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await moves_again(stores)
    plan = await stores.planned()
    await stores.plan.save_plan(replace(plan, joins=1))
    assert await stores.count(rollouts) == 1
    assert len((await stores.report.rollout(1)).changes) == 2


async def test_planning_a_fleet_takes_few_statements(stores: Stores) -> None:
    """A large plan must not hold SQLite's write lock for seconds."""
    await stores.fill(repositories=150)
    await stores.plan_all()
    await moves_again(stores)
    plan = await stores.planned()
    replaced = replace(
        plan,
        rebuilds=tuple(replace(item, supersedes=(number,)) for number, item in enumerate(plan.rebuilds, start=1)),
    )
    statements = await _counted(stores.database, stores.plan.save_plan(replaced))
    assert statements < 25
    assert await stores.states() == ["superseded"] * 150 + ["planned"] * 150


async def test_a_superseded_rebuild_ends_and_its_rollout_with_it(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await moves_again(stores)
    await stores.plan_all(supersedes=(1,))
    [superseded] = await stores.rollout_views.rebuilds_of(1)
    assert superseded.state is RebuildState.SUPERSEDED
    assert "rollout 2" in superseded.reason
    assert (await stores.report.rollout(1)).ended_at == stores.clock.now()
    assert {message.key for message in await stores.messages(10)} == {"rollout:1", "rollout:2"}


async def test_a_rebuild_that_goes_on_in_its_own_rollout_says_why(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await moves_again(stores)
    await stores.plan.save_plan(replace(await stores.planned(supersedes=(1,)), joins=1))
    first, second = await stores.rollout_views.rebuilds_of(1)
    assert first.reason == "more bases of the same publication arrived; rollout 1 goes on with them"
    assert second.state is RebuildState.PLANNED


async def test_what_goes_on_in_a_later_rollout_is_not_planned_once_more_in_its_own(stores: Stores) -> None:
    """Else the two would take the pull request from each other with every push."""
    await stores.fill(bases=(ASPNET, SDK))
    first = await stores.plan_all()
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c", SDK: "b"})
    await stores.assess_all()
    [sdk] = (target for target in first.rebuilds[0].targets if target.base == SDK)
    moved = await stores.planned(supersedes=(1,))
    [aspnet] = (target for target in moved.rebuilds[0].targets if target.base == ASPNET)
    goes_on = replace(moved.rebuilds[0], targets=(aspnet, sdk))
    await stores.plan.save_plan(replace(moved, rebuilds=(goes_on,)))
    assert not any((await stores.plan.affected(sdk.changes)).values())


@ON_BOTH
async def test_superseding_takes_the_lease_from_whoever_is_busy_with_it(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    job = (await stores.jobs(1))[0]
    await moves_again(stores)
    await stores.other("planner").plan_all(supersedes=(1,))
    after = job.rebuild.moved(RebuildState.OPEN, "opened", at=stores.clock.now())
    with pytest.raises(LeaseLost):
        await stores.act.save_progress(after)
    with pytest.raises(LeaseLost):
        await stores.act.settle_rebuild(job.rebuild, after)
    assert await stores.states() == ["superseded", "planned"]


async def test_a_rebuild_that_has_ended_meanwhile_is_not_superseded(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    job = (await stores.jobs(1))[0]
    ended = job.rebuild.moved(RebuildState.SUCCEEDED, "merged", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, ended)
    await moves_again(stores)
    await stores.plan_all(supersedes=(1,))
    assert await stores.states() == ["succeeded", "planned"]


async def test_a_job_brings_its_changes_and_the_files_to_edit(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET, SDK))
    await stores.plan_all()
    job = (await stores.jobs(1))[0]
    assert job.default_branch == "main"
    assert [change.base for change in job.changes] == [ASPNET, SDK]
    assert job.paths == ("Dockerfile",)
    assert [target.to_digest for target in job.rebuild.targets] == [digest("b")] * 2


async def test_a_job_knows_whether_its_repository_has_left_the_fleet(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    stores.clock.advance(HOUR)
    await stores.listing(Repository("contoso/shop-0000", "main"))
    jobs = await stores.jobs(10)
    assert {job.member.name: job.is_listed for job in jobs} == {
        "contoso/shop-0000": True,
        "contoso/shop-0001": False,
    }


async def test_a_rebuild_whose_time_has_not_come_is_not_claimed(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all(due_in=HOUR)
    assert await stores.jobs(1) == []
    stores.clock.advance(HOUR)
    assert len(await stores.jobs(1)) == 1


async def test_a_transition_leaves_a_trace_and_a_message(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await stores.messages(10)
    await opened(stores)
    explained = await stores.repository_views.explain("contoso/shop-0000")
    assert [(step.before, step.after) for step in explained.transitions] == [(None, "planned"), ("planned", "open")]
    assert await stores.column(outbox, "wanted") == [2]


async def test_the_last_rebuild_that_ends_ends_the_rollout(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await opened(stores)
    stores.clock.advance(HOUR)
    first, second = await stores.followed(10)
    await stores.act.settle_rebuild(first, first.moved(RebuildState.SUCCEEDED, "merged", at=stores.clock.now()))
    assert (await stores.report.rollout(1)).ended_at is None
    await stores.act.settle_rebuild(second, second.moved(RebuildState.CANCELLED, "closed", at=stores.clock.now()))
    assert (await stores.report.rollout(1)).ended_at == stores.clock.now()
    assert await stores.plan.open_rollouts() == []


@ON_BOTH
async def test_the_last_two_rebuilds_that_end_at_once_end_the_rollout(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await opened(stores)
    stores.clock.advance(HOUR)
    first, second = await stores.followed(10)
    async with stores.database.transaction() as connection:
        await _ended(connection, first.id)
        await after_transitions(connection, {1}, stores.clock.now())
        if stores.database.engine.dialect.name == "postgresql":  # SQLite has one writer at a time
            other = asyncio.create_task(_end(stores, second.id))
            await someone_waits(stores)
    await (other if stores.database.engine.dialect.name == "postgresql" else _end(stores, second.id))
    assert (await stores.report.rollout(1)).ended_at == stores.clock.now()


async def _ended(connection: AsyncConnection, rebuild: int) -> None:
    await connection.execute(
        update(rebuilds).where(rebuilds.c.id == rebuild).values(state=RebuildState.CANCELLED.value)
    )


async def _end(stores: Stores, rebuild: int) -> None:
    async with stores.database.transaction() as connection:
        await _ended(connection, rebuild)
        await after_transitions(connection, {1}, stores.clock.now())


@ON_BOTH
async def test_progress_without_a_lease_is_refused(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    job = (await stores.jobs(1))[0]
    stores.clock.advance(LEASE)
    await stores.other("second").jobs(1)
    with pytest.raises(LeaseLost):
        await stores.act.save_progress(replace(job.rebuild, branch="late"))
    assert await stores.column(rebuilds, "branch") == ["freshness/dotnet-aspnet-10.0"]


async def test_open_pull_requests_are_counted_by_branch(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    assert await stores.act.open_pull_requests("contoso/shop-0000") == 0
    await opened(stores)
    assert await stores.act.open_pull_requests("contoso/shop-0000") == 1
    assert await stores.act.open_pull_requests("contoso/other") == 0


async def test_what_merges_by_itself_is_looked_at_once_when_other_freezes_hold(stores: Stores) -> None:
    await stores.fill(repositories=3)
    await stores.plan_all()
    await opened(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id == 2).values(merging=Merging.SET.value))
    for freezes, due in ((0, []), (7, [2]), (7, []), (0, [2])):
        await stores.act.notice_freezes(freezes)
        jobs = await stores.jobs()
        assert [job.rebuild.id for job in jobs] == due
        for job in jobs:
            done = replace(job.rebuild, text_version=job.rebuild.facts_version)
            await stores.act.settle_rebuild(job.rebuild, done)


@ON_BOTH
@pytest.mark.parametrize("rollout", [1, None])
async def test_a_pause_stops_what_is_being_written_before_its_next_write(
    stores: Stores, rollout: int | None
) -> None:
    await stores.fill()
    await stores.plan_all()
    [job, *_] = await stores.jobs()
    await stores.orders.pause(rollout, ANN)
    with pytest.raises(LeaseLost):
        await stores.act.save_progress(job.rebuild)
    assert await stores.jobs() == []


@ON_BOTH
@pytest.mark.parametrize("rollout", [1, None])
async def test_what_another_replica_begins_with_while_a_pause_is_stored_is_stopped_too(
    stores: Stores, rollout: int | None
) -> None:
    await stores.fill()
    await stores.plan_all()
    other = stores.other("another")
    async with stores.database.transaction() as connection:
        await open_pause(connection, rollout, "ann", "we look first", stores.clock.now())
        claiming = asyncio.ensure_future(other.jobs())
        await asyncio.wait({claiming}, timeout=1)
    for job in await claiming:
        with pytest.raises(LeaseLost):
            await other.act.save_progress(job.rebuild)


@pytest.mark.parametrize("rollout", [1, None])
async def test_what_merges_by_itself_is_looked_at_when_a_pause_begins_and_when_it_ends(
    stores: Stores, rollout: int | None
) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await opened(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).where(rebuilds.c.id == 2).values(merging=Merging.SET.value))
    await stores.orders.pause(rollout, ANN)
    [job] = await stores.jobs()
    assert (job.rebuild.id, job.is_paused, job.is_all_paused) == (2, True, rollout is None)
    frozen = replace(job.rebuild, merging=Merging.FROZEN)
    await stores.act.save_progress(frozen)  # an attempt that could not keep it from merging
    await stores.act.settle_rebuild(job.rebuild, job.rebuild, succeeded=False)
    [job] = await stores.jobs()
    frozen = replace(job.rebuild, text_version=job.rebuild.facts_version)
    await stores.act.settle_rebuild(job.rebuild, frozen)
    assert await stores.jobs() == []
    await stores.orders.resume(rollout, ANN)
    [job] = await stores.jobs()
    assert (job.rebuild.id, job.is_paused, job.is_all_paused) == (2, False, False)


async def test_what_merges_by_itself_is_looked_at_once_its_repository_leaves_the_fleet(stores: Stores) -> None:
    await stores.fill(repositories=3)
    await stores.plan_all()
    await opened(stores)
    async with stores.database.transaction() as connection:
        mine = rebuilds.c.id.in_((1, 2))
        await connection.execute(update(rebuilds).where(mine).values(merging=Merging.SET.value))
    stores.clock.advance(HOUR)
    await stores.listing(Repository("contoso/shop-0000", "main"), Repository("contoso/shop-0002", "main"))
    [job] = await stores.jobs()
    assert (job.rebuild.id, job.is_listed) == (2, False)


@pytest.mark.parametrize("merging", [None, Merging.WANTED], ids=str)
async def test_what_does_not_merge_by_itself_is_followed_while_the_bot_is_paused(
    stores: Stores, merging: Merging | None
) -> None:
    await stores.fill()
    await stores.plan_all()
    await opened(stores)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(merging=merging and merging.value))
    await stores.orders.pause(None, ANN)
    stores.clock.advance(HOUR)
    [rebuild] = await stores.followed()
    outdated = replace(rebuild, facts_version=rebuild.facts_version + 1)
    await stores.follow.settle_rebuild(rebuild, outdated)
    stores.clock.advance(HOUR)
    assert (len(await stores.followed()), await stores.jobs()) == (1, [])


async def test_runs_that_belong_to_a_rebuild_are_known(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    job = (await stores.jobs(1))[0]
    started = job.rebuild.moved(RebuildState.DISPATCHED, "started", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, replace(started, run=2**40))
    assert await stores.act.runs_taken(Identity("contoso/shop-0000")) == {2**40}
    assert await stores.act.runs_taken(Identity("contoso/other")) == set()


async def test_runs_of_another_builder_are_not_taken_for_those_of_the_forge(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    job = (await stores.jobs(1))[0]
    started = job.rebuild.moved(RebuildState.DISPATCHED, "started", at=stores.clock.now())
    pipeline = "azure-pipelines: Fabrikam/team/12"
    await stores.act.settle_rebuild(job.rebuild, replace(started, run=7, workflow=pipeline))
    home = Identity("contoso/shop-0000")
    assert await stores.act.runs_taken(home) == set()
    assert await stores.act.runs_taken(home.for_builds("azure-pipelines: fabrikam/other/3")) == {7}
    assert await stores.act.runs_taken(home.for_builds("azure-pipelines: contoso/team/12")) == set()


async def test_the_latest_rollouts_come_newest_first(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await moves_again(stores)
    await stores.plan_all()
    assert [rollout.id for rollout in await stores.rollout_views.rollouts(1)] == [2]


async def test_several_rollouts_are_read_in_as_many_statements_as_one(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all()
    await moves_again(stores)
    await stores.plan_all()
    with statements(stores.database._readers) as of_one:
        await stores.rollout_views.rollouts(1)
    with statements(stores.database._readers) as of_two:
        found = await stores.rollout_views.rollouts(2)
    assert [len(rollout.rebuilds) > 0 for rollout in found] == [True, True]
    assert len(of_two) == len(of_one)


async def test_repositories_that_are_no_longer_listed_are_not_affected(stores: Stores) -> None:
    await stores.fill()
    stores.clock.advance(HOUR)
    await stores.listing()
    assert await stores.plan.affected([1]) == {}


async def test_moments_keep_their_instant_in_any_zone(url: str) -> None:
    database = await open_database(url)
    berlin = datetime(2026, 7, 1, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    stores = Stores.of_worker(database, ManualClock(berlin), "abroad")
    await stores.fill()
    moves = await stores.plan.unplanned()
    assert moves[0].change.at == berlin + HOUR
    await stores.plan_all()
    due = (await stores.column(rebuilds, "due_at"))[0]
    assert (due, due.tzinfo) == (berlin + HOUR, UTC)
    await database.close()


async def _counted(database: Database, work: Awaitable[None]) -> int:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        await work
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    return len(seen)


async def test_a_lease_that_ran_out_is_no_reason_to_lose_the_outcome(stores: Stores) -> None:
    """Slow work that nobody else has taken over still counts."""
    await stores.fill()
    await stores.plan_all()
    job = (await stores.jobs(1))[0]
    stores.clock.advance(LEASE + timedelta(minutes=1))
    after = job.rebuild.moved(RebuildState.OPEN, "opened", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, after)
    assert await stores.states() == ["open"]
