"""Text in a date column that is no date, which only SQLite takes: its row fails alone, in each table and column."""

import asyncio
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert, text, update

from bot.domain.bases.change import Cause
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Release
from bot.domain.feeds.document import FeedKind, FeedSource
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.timing.pace import WriteLimits
from bot.domain.rollouts.timing.waiting import RolloutOptions, release_rules_at
from bot.reconcile.work import Claimed, Queue
from bot.store.engine.database import open_database
from bot.store.engine.queue.leases import give_all_back
from bot.store.rows.bases.tables import incidents, notices
from bot.store.rows.bases.told_ways import save_release
from bot.store.rows.rollouts.tables import rebuilds, rollout_waves
from bot.store.rows.schema import Moment, every_table
from bot.store.rows.tables import LISTING, tasks
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores
from tests.integration.store.statements import statements
from tests.migrated import new_sqlite

WORD = Word("ann", "to look at it")
DATES = {
    table: [column.name for column in table.columns if isinstance(column.type, Moment)] for table in every_table()
}
KINDS = frozenset({FeedKind.IMAGE_INFO})
BAD = "next Tuesday"


async def fill(stores: Stores) -> None:
    """Two rows at least in every table."""
    await stores.fill(repositories=2, bases=(ASPNET, SDK))
    await stores.plan_all()
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "c", SDK: "c"})
    await stores.assess_all(Cause.OS_UPDATE)
    await stores.plan_all()
    await stores.feeds.follow_feeds([FeedSource(FeedKind.IMAGE_INFO, f"https://feeds.example/{n}") for n in (1, 2)])
    now = stores.clock.now()
    for account in ("contoso/", "fabrikam/"):
        await stores.budgets.take(account, 1, WriteLimits())
    await stores.orders.pause(1, WORD)
    await stores.orders.pause(2, WORD)
    await stores.orders.quarantine("aspnet:10.0", WORD)
    await stores.orders.quarantine("sdk:10.0", WORD)
    async with stores.database.transaction() as connection:
        for version in ("10.0.1", "10.0.2"):
            await save_release(connection, Release("10.0", version, now))
        told = {
            "topic": "end-of-life",
            "since": now,
            "opened_at": now,
            "text": "ends",
            "toward": [],
            "told_with": 1,
        }
        await connection.execute(insert(notices), [{**told, "base_id": number} for number in (1, 2)])
        begun = {"subject": "watch:mcr", "opened_at": now, "detail": "no answer"}
        await connection.execute(insert(incidents), [begun, {**begun, "subject": "watch:docker"}])
        began = {"rollout_id": 1, "began_at": now, "done_since": now}
        await connection.execute(insert(rollout_waves), [{**began, "name": "rest"}, {**began, "name": "first"}])
        ended: dict[str, Any] = {"state": RebuildState.SUCCEEDED.value, "action": Action.DISPATCH.value, "run": 1}
        ended |= {"attempted_at": now, "ended_at": now}
        await connection.execute(update(rebuilds).where(rebuilds.c.id.in_([1, 2])).values(**ended))


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "store.db"
    new_sqlite(path)

    async def filling() -> None:
        database = await open_database(f"sqlite:///{path}")
        await fill(Stores.of_worker(database, ManualClock(NOON), "first"))
        await database.close()

    asyncio.run(filling())
    return path


@pytest.fixture
def url(filled: Path, tmp_path: Path) -> str:
    shutil.copy(filled, tmp_path / "store.db")
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON + 30 * HOUR)


async def spoil(stores: Stores, table: Table, column: str, bad: object = BAD) -> Any:
    """Puts it into the first row; what was there before."""
    key = ", ".join(each.name for each in table.primary_key)
    first = f"({key}) = (SELECT {key} FROM {table.name} ORDER BY {key} LIMIT 1)"
    async with stores.database.transaction() as connection:
        before = await connection.scalar(text(f"SELECT {column} FROM {table.name} WHERE {first}"))
        await connection.execute(text(f"UPDATE {table.name} SET {column} = :bad WHERE {first}"), {"bad": bad})
    return before


def of_many(stores: Stores) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Every read of many rows, by its name."""
    rules = release_rules_at(stores.clock.now(), RolloutOptions())
    ids = [1, 2, 3, 4]
    return {
        "known_fleet": stores.discover.known_fleet,
        "newest_releases": stores.watch.newest_releases,
        "open_incidents": lambda: stores.watch.open_incidents("watch:"),
        "feeds_checked_at": lambda: stores.feeds.feeds_checked_at(FeedKind.IMAGE_INFO),
        "known_releases": stores.feeds.known_releases,
        "unassessed": lambda: stores.assess.unassessed(10),
        "reassessable": lambda: stores.assess.reassessable(9),
        "claim_look": stores.notices.claim_look,
        "claim_forgetting": stores.retention.claim_forgetting,
        "unplanned": stores.plan.unplanned,
        "affected": lambda: stores.plan.affected(ids),
        "open_rebuilds": stores.plan.open_rebuilds,
        "open_rollouts": stores.plan.open_rollouts,
        "reconsiderable": stores.plan.reconsiderable,
        "ends": stores.quarantine.ends,
        "lift_published": stores.quarantine.lift_published,
        "standings": lambda: stores.advance.standings(rules),
        "due_for_dispatch": lambda: stores.act.due_for_dispatch(50),
        "entries": lambda: stores.orders.entries(10),
        "status": stores.fleet_views.status,
        "durations": stores.rollout_views.durations,
        "waits": lambda: stores.rollout_views.waits(rules),
        "progress": lambda: stores.rollout_views.progress(RolloutOptions(), stores.clock.now(), limit=5),
        "open_quarantines": stores.rollout_views.open_quarantines,
        "changes_of": lambda: stores.base_views.changes_of("aspnet:10.0"),
        "observations_of": lambda: stores.base_views.observations_of("aspnet:10.0"),
        "releases": stores.history.releases,
        "bases": stores.history.bases,
    }


def queues(stores: Stores) -> dict[str, Any]:
    return {
        "listings": stores.discover.listings(),
        "repositories": stores.discover.repositories,
        "bases": stores.watch.bases,
        "documents": stores.feeds.documents(KINDS),
        "jobs": stores.act.jobs,
        "followed": stores.follow.followed,
        "called off": stores.calling_off.called_off,
        "messages": stores.report.messages,
    }


async def refused(queue: Queue[Any], claimed: Claimed) -> str | None:
    """Why a row cannot be read; None where it can."""
    try:
        await queue.read(claimed)
    except Failure as failure:
        return failure.what
    return None


async def refusals(queue: Queue[Any], stores: Stores) -> list[tuple[int, str]]:
    """The rows of a queue that cannot be read, with why; all are claimed."""
    claims = await queue.claim(stores.clock.now(), 100)
    told = [(claimed.id, await refused(queue, claimed)) for claimed in claims]
    return [(number, why) for number, why in told if why is not None]


async def readers_of(stores: Stores) -> Mapping[str, set[str]]:
    """By the name of a table, the reads and queues whose statements name it. All are asked twice: the second time
    after what the first has left."""
    readers: dict[str, set[str]] = defaultdict(set)
    for _ in range(2):
        asked = of_many(stores) | {
            f"queue {name}": partial(refusals, each, stores) for name, each in queues(stores).items()
        }
        for name, ask in asked.items():
            with statements(stores.database.engine) as writing, statements(stores.database._readers) as reading:
                await ask()
            for word in re.findall(r"\w+", " ".join(writing + reading)):
                readers[word].add(name)
        await give_all_back(stores.database, stores.worker)
    return readers


@pytest.fixture(scope="session")
def readers(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[str]]:
    """Who may meet a bad row, by its table: nothing else asks for that."""
    path = shutil.copy(filled, tmp_path_factory.mktemp("readers") / "store.db")

    async def read() -> Mapping[str, set[str]]:
        database = await open_database(f"sqlite:///{path}")
        found = await readers_of(Stores.of_worker(database, ManualClock(NOON + 30 * HOUR), "first"))
        await database.close()
        return found

    return asyncio.run(read())


@pytest.mark.parametrize("table", [table for table, names in DATES.items() if names], ids=str)
async def test_it_keeps_no_other_row_from_being_read(
    stores: Stores, readers: Mapping[str, set[str]], table: Table
) -> None:
    for column in DATES[table]:
        before = await spoil(stores, table, column)
        for name, read in of_many(stores).items():
            if name in readers[table.name]:
                await read()
        for name, queue in queues(stores).items():
            if f"queue {name}" in readers[table.name]:
                told = await refusals(queue, stores)
                assert all(number == 1 and f"{column} holds no date" in why for number, why in told)
        await give_all_back(stores.database, stores.worker)
        await spoil(stores, table, column, before)


@pytest.mark.parametrize("column", ["due_at", "lease_until"])
@pytest.mark.parametrize("name", ["repositories", "bases", "documents", "messages"])
async def test_a_row_that_is_due_at_no_date_is_claimed_and_put_off_to_one(
    stores: Stores, name: str, column: str
) -> None:
    queue = queues(stores)[name]
    await spoil(stores, queue._table, column)
    found = []
    while claims := await queue.claim(stores.clock.now(), 1):
        found += claims
    assert 1 in [claimed.id for claimed in found]
    assert len(found) == 2 if name != "messages" else len(found) > 2
    bad = next(claimed for claimed in found if claimed.id == 1)
    if column == "due_at":
        with pytest.raises(Failure, match="due_at holds no date"):
            await queue.read(bad)
    await queue.put_off([bad], stores.clock.now() + timedelta(minutes=1), error="it holds no date")
    stores.clock.advance(timedelta(minutes=2))
    [again] = await queue.claim(stores.clock.now(), 100)
    await queue.read(again)


async def test_the_listing_that_is_due_at_no_date_is_made(stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        await connection.execute(
            text("UPDATE tasks SET due_at = :bad WHERE name = :name"), {"bad": BAD, "name": LISTING}
        )
    [claimed] = await stores.discover.listings().claim(stores.clock.now(), 1)
    await stores.discover.listings().put_off([claimed], stores.clock.now())
    assert BAD not in json.dumps([str(at) for at in await stores.column(tasks, "due_at")])


async def test_a_rollout_with_a_rebuild_that_ended_at_no_date_stands_still_alone(stores: Stores) -> None:
    await spoil(stores, rebuilds, "ended_at")
    rules = release_rules_at(stores.clock.now(), RolloutOptions())
    assert [standing.rollout for standing in (await stores.rollout_views.waits(rules)).standings] == [2]
