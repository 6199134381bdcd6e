"""What SQLite does to tell where images are run, however many tags and places a name has."""

from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest
from sqlalchemy import insert

from bot.store.engine.database import Database, open_database
from bot.store.pages.images.deployed import deployments_of
from bot.store.rows.images.images import deployments, images
from bot.store.rows.repositories.tables import repositories
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import digest
from tests.migrated import new_sqlite


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_database(new_sqlite(tmp_path / "store.db"))
    shop = {"id": 1, "name": "contoso/shop", "default_branch": "main", "listed": True, "config": {}}
    async with database.transaction() as connection:
        await connection.execute(insert(repositories), [{**shop, "workflows": [], "problems": [], "due_at": NOON}])
    yield database
    await database.close()


async def fill(database: Database, names: Collection[str], tags: int, places: int) -> list[int]:
    """Images of these names, so many tags of each, and so many places that name a digest which none shows."""
    told = {"source": "build", "path": "", "line": 0, "due_at": NOON}
    named = [{"repository_id": 1, "registry": "ghcr.io", "repository": name} for name in names]
    async with database.transaction() as connection:
        made = await connection.scalars(
            insert(images).returning(images.c.id),
            [{**name, **told, "tag": f"t{tag}", "digest": digest("e")} for name in named for tag in range(tags)],
        )
        run = [
            {**name, "digest": digest("9"), "path": f"{place}.yaml", "line": 1}
            for name in named
            for place in range(places)
        ]
        await connection.execute(insert(deployments), run)
        return list(made)


async def work(database: Database, some: Collection[int]) -> tuple[int, int]:
    """How many places are told for these images, and how many thousand steps that takes SQLite."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    async with database.reading() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.set_progress_handler(count, 1000)
        found = await deployments_of(connection, some)
        await raw.set_progress_handler(None, 1000)
    return sum(map(len, found.values())), steps


async def test_a_place_is_looked_up_once_however_many_tags_its_name_has(sqlite: Database) -> None:
    few = await fill(sqlite, ["few"], 20, 50)
    many = await fill(sqlite, ["many"], 40, 100)
    (of_few, steps), (of_many, more_steps) = await work(sqlite, few), await work(sqlite, many)
    assert (of_few, of_many) == (20 * 50, 40 * 100)
    assert more_steps < 6 * steps, "four times as many are told"


async def test_images_are_looked_up_once_however_many_places_there_are(sqlite: Database) -> None:
    few = await fill(sqlite, [f"few-{number}" for number in range(200)], 1, 1)
    many = await fill(sqlite, [f"many-{number}" for number in range(800)], 1, 1)
    (of_few, steps), (of_many, more_steps) = await work(sqlite, few), await work(sqlite, many)
    assert (of_few, of_many) == (200, 800)
    assert more_steps < 6 * steps, "four times as many are told"
