"""A step that failed by a refusal is tried again once the cause of that is gone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from bot.domain.repositories.repository import Reading, Repository, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.steps import StepState, too_late
from bot.fleet.discover.ports import Listing
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import HOUR, Stores
from tests.integration.store.stepping import STEPS, built

LESS, MORE = {"actions": "read"}, {"actions": "write"}
DEPLOY = Workflow(".github/workflows/deploy.yml", ("correlation",))
NEEDS_MORE = Workflow(".github/workflows/deploy.yml", ("correlation", "ring"), required=("ring",))
OTHER = Workflow(".github/workflows/test.yml")
DAY = 24 * HOUR
FAILED, STEPPING = RebuildState.FAILED.value, RebuildState.STEPPING.value


async def listed(stores: Stores, **grants: Mapping[str, str]) -> None:
    """The next listing, which shows what is known, and these grants."""
    stores.clock.advance(HOUR)
    [task] = await stores.listings()
    shown = tuple(Repository(name, "main") for name in await stores.column(repositories, "name"))
    await stores.discover.record_listing(task, Listing(shown, grants=grants), stores.clock.now() + HOUR)


async def read(stores: Stores, *workflows: Workflow) -> list[str]:
    """Whatever is due is read, and has these workflows; the names."""
    return [each.name for each in await stores.read(Reading("tree-1", workflows=workflows))]


async def refused(stores: Stores, repositories: int = 1, **values: Any) -> None:
    """The first step of a rebuild has failed by a refusal; `values` are what else its row holds."""
    await built(stores, repositories)
    await listed(stores, contoso=LESS, fabrikam=LESS)
    await fails(stores, **values)


async def fails(stores: Stores, **values: Any) -> None:
    job = (await stores.taken(stores.steps.to_start))[0]
    failed = job.step.begun(stores.clock.now()).moved(StepState.FAILED, "HTTP 403", at=stores.clock.now())
    await stores.steps.settle_step(job.step, replace(failed, refused=True))
    async with stores.database.transaction() as connection:
        await connection.execute(update(steps).where(steps.c.id == failed.id).values(**{"refused": True, **values}))


async def pushed(stores: Stores, *workflows: Workflow) -> None:
    """A day later the repository holds these workflows."""
    stores.clock.advance(DAY)
    assert await read(stores, *workflows) == ["contoso/shop-0000"]


async def test_it_is_tried_again_as_soon_as_the_right_is_granted(stores: Stores) -> None:
    await refused(stores)
    await listed(stores, contoso=MORE, fabrikam=LESS)
    assert await read(stores, DEPLOY) == ["contoso/shop-0000"]
    assert await stores.states() == [FAILED, STEPPING]
    [job] = await stores.taken(stores.steps.to_start)
    assert (job.step.rebuild, job.step.step, job.step.deadline) == (2, STEPS[0], None)


async def test_it_keeps_its_end_where_another_grants_more(stores: Stores) -> None:
    await refused(stores)
    await listed(stores, contoso=LESS, fabrikam=MORE)
    assert await read(stores, DEPLOY) == []


async def test_the_owner_of_its_workflow_may_be_another(stores: Stores) -> None:
    await refused(stores, elsewhere="fabrikam/rollouts")
    await listed(stores, contoso=LESS, fabrikam=MORE)
    assert await read(stores) == ["contoso/shop-0000"]
    assert await stores.states() == [FAILED, STEPPING]


async def test_what_waits_for_a_right_of_the_owner_of_its_workflow_is_due_at_once(stores: Stores) -> None:
    await built(stores)
    await listed(stores, contoso=LESS, fabrikam=LESS)
    async with stores.database.transaction() as connection:
        put_off = {"elsewhere": "fabrikam/rollouts", "attempts": 3, "due_at": stores.clock.now() + DAY}
        await connection.execute(update(steps).where(steps.c.place == 0).values(**put_off))
    await listed(stores, contoso=LESS, fabrikam=MORE)
    assert len(await stores.taken(stores.steps.to_start)) == 1


@pytest.mark.parametrize("before", [(), (NEEDS_MORE,)], ids=["it came", "it was mended"])
async def test_it_is_tried_again_once_the_file_of_its_workflow_is_another(
    stores: Stores, before: tuple[Workflow, ...]
) -> None:
    await built(stores)
    await pushed(stores, *before)
    await fails(stores)
    await pushed(stores, *before, OTHER)
    assert await stores.states() == [FAILED]
    await pushed(stores, DEPLOY)
    assert await stores.states() == [FAILED, STEPPING]


async def test_a_file_that_goes_or_stays_lets_nothing_be_tried_again(stores: Stores) -> None:
    await built(stores)
    await pushed(stores, DEPLOY)
    await fails(stores)
    await pushed(stores, DEPLOY, OTHER)
    await pushed(stores)
    assert await stores.states() == [FAILED]


async def test_one_that_waited_for_a_right_to_the_end_of_its_time_is_tried_again_within_a_day(
    stores: Stores,
) -> None:
    """Not every credential tells what is granted, and no push does."""
    await built(stores)
    await pushed(stores, DEPLOY)
    [job] = await stores.taken(stores.steps.to_start)
    step = replace(job.step.begun(stores.clock.now()), refused=True)
    stores.clock.advance(3 * HOUR)
    late = too_late(step, stores.clock.now())
    assert late is not None
    await stores.steps.settle_step(job.step, late)
    await pushed(stores, DEPLOY)
    assert await stores.states() == [FAILED, STEPPING]


async def test_nor_is_a_word_that_can_be_understood_again_missed(stores: Stores) -> None:
    await built(stores)
    stores.clock.advance(DAY)
    await stores.read(Reading("tree-2", config=RepositoryConfig.not_read("YAML")))
    await fails(stores)
    await pushed(stores)
    assert await stores.states() == [FAILED, STEPPING]


@pytest.mark.parametrize(
    "values",
    [{"refused": False}, {"run": 77}, {"attempted_at": NOON}],
    ids=["it was not refused", "it has run", "it may run"],
)
async def test_what_was_no_refusal_or_may_have_run_is_left_to_people(
    stores: Stores, values: dict[str, Any]
) -> None:
    await refused(stores, **values)
    await listed(stores, contoso=MORE, fabrikam=LESS)
    await pushed(stores, DEPLOY)
    assert await stores.states() == [FAILED]


async def test_what_a_person_has_tried_again_is_not_tried_once_more(stores: Stores) -> None:
    await refused(stores)
    assert await stores.orders.retry("contoso/shop-0000", Word("Ann", "granted")) == 1
    await listed(stores, contoso=MORE, fabrikam=LESS)
    await read(stores, DEPLOY)
    assert await stores.states() == [FAILED, STEPPING]


async def test_what_a_later_rollout_has_taken_up_is_left_to_that(stores: Stores) -> None:
    await refused(stores)
    async with stores.database.transaction() as connection:
        [row] = (await connection.execute(rebuilds.select())).mappings().all()
        later = {**row, "id": 2, "state": RebuildState.PLANNED.value, "rollout_id": await _rollout(connection)}
        await connection.execute(rebuilds.insert().values(**later))
    await pushed(stores, DEPLOY)
    assert len(await stores.states()) == 2


async def test_in_a_paused_rollout_it_waits_with_the_others(stores: Stores) -> None:
    await refused(stores, 2)
    stores.clock.advance(HOUR)
    await stores.orders.pause(1, Word("Ann", "we look first"))
    stores.clock.advance(DAY)
    await read(stores, DEPLOY)
    assert await stores.states() == [FAILED, STEPPING, STEPPING]
    assert await stores.taken(stores.steps.to_start) == []


async def _rollout(connection: Any) -> int:
    [row] = (await connection.execute(rollouts.select())).mappings().all()
    added = await connection.execute(rollouts.insert().values(**{**row, "id": 2}).returning(rollouts.c.id))
    return int(added.scalar_one())
