"""A row that cannot be read stops no stage: each table that is read in bulk, and each that is a queue."""

import pytest
from sqlalchemy import Table, update
from structlog.testing import capture_logs

from bot.domain.feeds.document import FeedKind, FeedSource
from bot.domain.rollouts.rebuild import RebuildState
from bot.reconcile.work import Queue
from bot.store.rows.bases.tables import changes, documents, observations
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.tables import outbox
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores, digest


async def spoil(stores: Stores, table: Table, row: int, **values: object) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(update(table).where(table.c.id == row).values(**values))


async def unreadable(queue: Queue[object], stores: Stores) -> tuple[int, list[str]]:
    """How many of the due rows can be read, and the names of those that cannot."""
    read, bad = 0, []
    for claimed in await queue.claim(stores.clock.now(), 100):
        try:
            await queue.read(claimed)
            read += 1
        except Exception:
            bad.append(claimed.name)
    return read, bad


async def test_a_change_that_cannot_be_read_is_left_out_of_the_plan(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET, SDK))
    await spoil(stores, changes, 1, change={"cause": "melted"})
    with capture_logs() as logs:
        assert [move.id for move in await stores.plan.unplanned()] == [2]
    assert [(entry["event"], entry["row"]) for entry in logs] == [("row cannot be read", "change 1")]


async def test_a_rebuild_that_cannot_be_read_is_left_out_of_the_plan(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await spoil(stores, rebuilds, 1, targets=[{"base": None}])
    assert [rebuild.id for rebuild in await stores.plan.open_rebuilds()] == [2]


async def test_an_observation_that_cannot_be_read_is_left_out_of_the_assessment(stores: Stores) -> None:
    await stores.fill(bases=(ASPNET, SDK))
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c", SDK: "c"})
    await spoil(stores, observations, 5, observation={"at": "yesterday"})
    assert [pair.after.digest for pair in await stores.assess.unassessed(10)] == [digest("c")]


@pytest.mark.parametrize(
    "values", [{"targets": "x"}, {"state": RebuildState.PLANNED.value, "replacements": [{"old": 1}]}]
)
async def test_a_rebuild_that_cannot_be_read_is_claimed_and_fails_alone(
    stores: Stores, values: dict[str, object]
) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await spoil(stores, rebuilds, 1, **values)
    assert await unreadable(stores.act.jobs, stores) == (1, ["rebuild 1"])


async def test_a_followed_rebuild_that_cannot_be_read_is_claimed_and_fails_alone(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    for row in (1, 2):
        await spoil(stores, rebuilds, row, state=RebuildState.OPEN.value)
    await spoil(stores, rebuilds, 1, targets="x")
    assert await unreadable(stores.follow.followed, stores) == (1, ["rebuild 1"])


async def test_a_repository_of_a_job_that_cannot_be_read_fails_that_job_alone(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await spoil(stores, repositories, 1, config={"enabled": "perhaps"})
    assert await unreadable(stores.act.jobs, stores) == (1, ["rebuild 1"])


async def test_a_document_that_cannot_be_read_is_claimed_and_fails_alone(stores: Stores) -> None:
    sources = [FeedSource(FeedKind.IMAGE_INFO, f"https://feeds.example/{number}") for number in (1, 2)]
    await stores.feeds.follow_feeds(sources)
    await spoil(stores, documents, 1, body=b"no zlib")
    found = await unreadable(stores.feeds.documents(frozenset({FeedKind.IMAGE_INFO})), stores)
    assert found == (1, ["https://feeds.example/1"])


async def test_a_message_about_what_cannot_be_read_keeps_no_other_from_being_read(stores: Stores) -> None:
    await stores.fill(repositories=1)
    await stores.plan_all()
    await spoil(stores, outbox, 1, remote="x")
    assert (await unreadable(stores.report.messages, stores))[0] == 1
