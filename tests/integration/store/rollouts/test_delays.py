"""What people hear of rebuilds that a fault keeps from going on, and of those that were refused."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update

from bot.domain.repositories.repository import Reading, Repository
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.steps import StepState
from bot.domain.rollouts.terms import Step
from bot.fleet.report.messages.news import incident_message
from bot.store.rows.bases.tables import incidents
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.steps import add_steps, steps
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.filling import ASPNET, HOUR, Stores, usage_of
from tests.integration.store.moving import open_incidents

SHOP = "contoso/shop-0000"
PUSHED = Reading("tree-2", ((usage_of(ASPNET), ASPNET),))


async def planned_again(stores: Stores) -> list[str]:
    """The repositories for which changes are to be planned, once the shop has been pushed to and read again."""
    stores.clock.advance(48 * HOUR)
    await stores.listing(Repository(SHOP, "main"))
    await stores.read(PUSHED)
    found = await stores.plan.affected([move.id for move in await stores.plan.unplanned()])
    return [item.member.name for items in found.values() for item in items]


async def failing(stores: Stores, attempts: int) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(attempts=attempts, reason="no answer"))
    await stores.act.notice_delays()


async def planned(stores: Stores, count: int = 2) -> None:
    await stores.fill(repositories=count)
    await stores.plan_all()


async def test_many_rebuilds_that_fail_again_and_again_are_one_incident_of_their_owner(stores: Stores) -> None:
    await planned(stores)
    await failing(stores, 3)
    assert await open_incidents(stores) == {}
    await failing(stores, 4)
    told = {"delayed:contoso": "2 rebuilds cannot go on; contoso/shop-0000: no answer"}
    assert await open_incidents(stores) == told
    await failing(stores, 9)
    assert await open_incidents(stores) == told


async def test_of_an_open_one_it_is_told_what_keeps_it_from_going_on(stores: Stores) -> None:
    await planned(stores, 1)
    async with stores.database.transaction() as connection:
        open_one = {"state": RebuildState.OPEN.value, "attempts": 4, "reason": "pull request #1 is open"}
        await connection.execute(update(rebuilds).values(**open_one, hindered_by="not for you"))
    await stores.act.notice_delays()
    told = "1 rebuild cannot go on; contoso/shop-0000: not for you"
    assert await open_incidents(stores) == {"delayed:contoso": told}


async def test_after_a_day_a_person_is_called_once_and_all_is_over_once_they_go_on(stores: Stores) -> None:
    await planned(stores)
    await failing(stores, 4)
    stores.clock.advance(timedelta(hours=23))
    await failing(stores, 20)
    assert set(await open_incidents(stores)) == {"delayed:contoso"}
    stores.clock.advance(HOUR)
    await failing(stores, 21)
    assert set(await open_incidents(stores)) == {"delayed:contoso", "stuck:contoso"}
    async with stores.database.reading() as connection:
        ids = list(await connection.scalars(select(incidents.c.id).order_by(incidents.c.id)))
    calls = [incident_message(await stores.report.incident(number)).needs_person for number in ids]
    assert calls == [False, True]
    await failing(stores, 0)
    assert await open_incidents(stores) == {}


async def test_a_person_is_called_a_day_after_a_clock_that_was_ahead_is_right_again(stores: Stores) -> None:
    await planned(stores)
    year = timedelta(days=365)
    stores.clock.advance(year)
    await failing(stores, 4)
    stores.clock.advance(-year)
    await failing(stores, 5)
    stores.clock.advance(timedelta(hours=23))
    await failing(stores, 20)
    assert set(await open_incidents(stores)) == {"delayed:contoso"}
    stores.clock.advance(HOUR)
    await failing(stores, 21)
    assert set(await open_incidents(stores)) == {"delayed:contoso", "stuck:contoso"}


async def test_a_step_that_fails_again_and_again_is_told_too(stores: Stores) -> None:
    await planned(stores, 1)
    async with stores.database.transaction() as connection:
        stepping = {"state": RebuildState.STEPPING.value, "steps": 1}
        await connection.execute(update(rebuilds).values(**stepping))
        await add_steps(connection, [(1, [Step("canary", "deploy.yml")])], stores.clock.now())
        failing_step = {"state": StepState.STARTED.value, "attempts": 4, "reason": "HTTP 503"}
        await connection.execute(update(steps).values(**failing_step))
    await stores.act.notice_delays()
    assert await open_incidents(stores) == {
        "delayed:contoso": "1 rebuild cannot go on; contoso/shop-0000: HTTP 503"
    }
    async with stores.database.transaction() as connection:
        await connection.execute(update(steps).values(state=StepState.SUCCEEDED.value))
    await stores.act.notice_delays()
    assert await open_incidents(stores) == {}


async def refused(stores: Stores, state: RebuildState) -> None:
    [job] = await stores.jobs()
    ended = job.rebuild.moved(state, "refused (tried 3 times)", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, ended, succeeded=False)


async def test_what_failed_by_a_refusal_is_planned_again_once_its_repository_holds_something_else(
    stores: Stores,
) -> None:
    await planned(stores, 1)
    await refused(stores, RebuildState.FAILED)
    assert await planned_again(stores) == [SHOP]


async def test_so_is_a_pull_request_that_was_refused_though_it_was_intended(stores: Stores) -> None:
    await planned(stores, 1)
    [job] = await stores.jobs()
    assert job.rebuild.action is Action.PULL_REQUEST
    await stores.act.save_progress(replace(job.rebuild, attempted_at=stores.clock.now()))
    ended = job.rebuild.moved(RebuildState.FAILED, "refused (tried 3 times)", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, ended, succeeded=False)
    assert await planned_again(stores) == [SHOP]


async def test_what_failed_in_a_run_of_its_own_is_not_planned_again(stores: Stores) -> None:
    await planned(stores, 1)
    [job] = await stores.jobs()
    begun = replace(job.rebuild, attempted_at=stores.clock.now(), run=7)
    red = begun.moved(RebuildState.FAILED, "the run concluded with failure", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, red)
    assert await planned_again(stores) == []


async def test_what_was_refused_is_read_again_within_a_day_though_nothing_was_pushed(
    stores: Stores,
) -> None:
    await planned(stores, 1)
    [job] = await stores.jobs()
    await stores.act.read_within_a_day(job.member.id)
    async with stores.database.reading() as connection:
        row = (await connection.execute(select(repositories.c.tree, repositories.c.due_at))).one()
    assert row.tree is None
    assert row.due_at <= stores.clock.now() + timedelta(days=1)


async def test_a_person_has_what_was_refused_tried_again(stores: Stores) -> None:
    await planned(stores, 1)
    await refused(stores, RebuildState.SKIPPED)
    assert await stores.orders.retry(SHOP, Word("Ann", "the right is granted")) == 1
    assert await stores.states() == [RebuildState.SKIPPED, RebuildState.PLANNED]


async def test_what_was_skipped_for_a_word_is_not_tried_again(stores: Stores) -> None:
    await planned(stores, 1)
    [job] = await stores.jobs()
    skipped = job.rebuild.moved(RebuildState.SKIPPED, "the repository opted out", at=stores.clock.now())
    await stores.act.settle_rebuild(job.rebuild, skipped)
    assert await stores.orders.retry(SHOP, Word("Ann", "please")) == 0
