"""The long-running process: it acts by itself, shares the work with replicas, and stops in order."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.engine.database import open_database
from bot.store.engine.queue.leases import leased_tables
from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World

PATIENCE = 90


@asynccontextmanager
async def running(config: Path, count: int = 1) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """`freshness-bot run`, as often as asked; what still runs at the end is killed."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from bot.cli import main; main()",
            "run",
            "--config",
            str(config),
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(count)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.2)


async def stop(process: asyncio.subprocess.Process) -> str:
    """Asks it to stop; what it wrote to its log."""
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, errors.decode()
    return errors.decode()


async def leases(store_url: str) -> int:
    database = await open_database(store_url)
    try:
        async with database.transaction() as connection:
            counts = [
                await connection.scalar(
                    sa.select(sa.func.count()).select_from(table).where(table.c.lease_owner.is_not(None))
                )
                for table in leased_tables()
            ]
        return sum(int(count or 0) for count in counts)
    finally:
        await database.close()


async def bases_known(store_url: str, number: int) -> bool:
    database = await open_database(store_url)
    try:
        async with database.transaction() as connection:
            found = await connection.scalar(sa.text("SELECT count(*) FROM bases WHERE digest IS NOT NULL"))
        return found == number
    finally:
        await database.close()


async def told(world: World) -> bool:
    """Whether the one message about the rollout says that everything is under way.

    Where the first look at the fleet comes after the patch, another message says what is behind.
    """
    messages = [message["text"].partition("; ")[2] for message in await world.slack.messages()]
    return messages.count("5 repositories on 2 bases: 5 under way") == 1


async def watched_fast(world: World, folder: Path, store_url: str) -> Path:
    config = world.config(folder, store_url)
    text = config.read_text() + "schedule: {poll: 2s, feeds: 2s, follow: 2s, summary: null}\n"
    config.write_text(text)
    return config


@pytest.mark.long
async def test_the_service_acts_on_a_patch_and_stops_in_order(world: World, tmp_path: Path) -> None:
    store_url = f"sqlite:///{tmp_path}/freshness.db"
    fleet = SampleFleet(world)
    await fleet.build("10.0.0")
    async with running(await watched_fast(world, tmp_path, store_url)) as [process]:
        await until(lambda: bases_known(store_url, 2))
        fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
        await fleet.publish_sdk("10.0.1")
        await fleet.publish_runtime("10.0.1")
        await until(lambda: told(world))
        log = await stop(process)

    assert '"event": "stopped"' in log
    assert await leases(store_url) == 0
    assert "Traceback" not in log
    assert world.github.token not in log


@pytest.mark.long
async def test_a_replica_ends_with_one_line_once_a_newer_version_has_migrated(
    world: World, tmp_path: Path, postgres_url: str
) -> None:
    await SampleFleet(world).build("10.0.0")
    async with running(await watched_fast(world, tmp_path, postgres_url)) as [process]:
        await until(lambda: bases_known(postgres_url, 2))
        database = await open_database(postgres_url)
        async with database.transaction() as connection:
            await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        await database.close()
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)

    assert process.returncode == 2
    assert (
        errors.decode()
        .splitlines()[-1]
        .endswith("another version of the bot has changed the database's schema; run that version or a newer one")
    )
    assert "Traceback" not in errors.decode()


@pytest.mark.long
async def test_replicas_on_postgresql_share_the_work_and_do_nothing_twice(
    world: World, tmp_path: Path, postgres_url: str
) -> None:
    fleet = SampleFleet(world)
    await fleet.build("10.0.0")
    async with running(await watched_fast(world, tmp_path, postgres_url), 2) as processes:
        await until(lambda: bases_known(postgres_url, 2))
        fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
        await fleet.publish_sdk("10.0.1")
        await fleet.publish_runtime("10.0.1")
        await until(lambda: told(world))
        for process in processes:
            await stop(process)

    assert await leases(postgres_url) == 0
    assert len(world.github.runs()) == 2
    for name in ("payments-api", "orders-api", "search-worker"):
        assert len(await world.github.pull_requests(name, state="all")) == 1
