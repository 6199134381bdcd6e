"""What stages would have written between two looks at the store: bases that move, pull requests that open."""

import asyncio
from dataclasses import replace

from sqlalchemy import select, text

from bot.domain.rollouts.rebuild import RebuildState
from bot.store.rows.bases.tables import incidents
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores


async def opened(stores: Stores, number: int = 7) -> None:
    """Every planned rebuild becomes an open pull request."""
    for job in await stores.jobs(100):
        after = job.rebuild.moved(RebuildState.OPEN, job.rebuild.reason, at=stores.clock.now())
        after = replace(
            after, pull_request=number, url=f"https://host/pull/{number}", text_version=job.rebuild.facts_version
        )
        await stores.act.settle_rebuild(job.rebuild, replace(after, due_at=stores.clock.now() + HOUR))


async def ended(stores: Stores, *ends: RebuildState) -> None:
    """The planned rebuilds are built, and end so in turn; those that end `merged` were not seen to build."""
    now = stores.clock.now()
    for job, end in zip(await stores.jobs(10), ends, strict=False):
        ways = (
            [RebuildState.BUILDING]
            if end is RebuildState.MERGED
            else [RebuildState.DISPATCHED, RebuildState.PROVING]
        )
        after = job.rebuild
        for state in [*ways, end]:
            after = after.moved(state, "so far", at=now)
        await stores.act.settle_rebuild(job.rebuild, after)


async def moves_again(stores: Stores, letter: str = "c") -> None:
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: letter, SDK: letter})
    await stores.assess_all()


async def open_incidents(stores: Stores) -> dict[str, str]:
    """What people are told is going on, by its subject."""
    async with stores.database.reading() as connection:
        rows = await connection.execute(select(incidents).where(incidents.c.cleared_at.is_(None)))
        return {row.subject: row.detail for row in rows}


async def someone_waits(stores: Stores, transactions: int = 1) -> None:
    """Until PostgreSQL shows so many transactions that wait for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(3000):
        async with stores.database.engine.connect() as connection:
            if (await connection.execute(waiting)).scalar_one() >= transactions:
                return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for a lock")
