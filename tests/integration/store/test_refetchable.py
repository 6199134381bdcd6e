"""What of a store is kept apart since it can be fetched again, and what is done where it is not there."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bot.domain.bases.observation import Observation, PlatformImage, Sight
from bot.domain.clock import ManualClock
from bot.domain.feeds.document import FeedKind
from bot.domain.packages.package import Inventory
from bot.domain.repositories.repository import Reading, Repository
from bot.fleet.watch.registry.ports import Sighting
from bot.images.packages.layers.layer import LayerContents
from bot.store.engine.database import Database, open_database
from bot.store.refetchable import put_together, take_apart
from bot.store.rows.bases.tables import documents, manifests
from bot.store.rows.images.images import images
from bot.store.rows.repositories.tables import repositories
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of
from tests.migrated import new_sqlite

STORE = "store.db"
AMD64 = ["linux/amd64"]
CONTENTS = LayerContents({"var/lib/dpkg/status": b"any bytes"}, diff_id=digest("9"))


async def show(stores: Stores, letter: str, *layers: str) -> None:
    """The base shows an image of these layers."""
    now, shown = stores.clock.now(), PlatformImage(AMD64[0], digest(letter), layers=tuple(map(digest, layers)))
    [base] = await stores.bases()
    sight = Sight.MOVED if base.digest else Sight.FIRST
    seen = Observation(now, base.base, digest(letter.upper()), "10.0.5", platforms=(shown,))
    await stores.watch.record([Sighting(base.id, sight, seen, now + HOUR)], {})


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(new_sqlite(tmp_path / STORE))
    yield opened
    await opened.close()


async def filled(database: Database) -> None:
    """A layer that was read, a manifest, and copies of feeds, in one of which something is missed."""
    stores = Stores.of_worker(database, ManualClock(NOON), "worker")
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),)))
    await show(stores, "a", "b")
    [layer] = await stores.taken(stores.inventory.layers(AMD64), 9)
    await stores.inventory.save_layer(layer, CONTENTS, None)
    copies = {FeedKind.MSRC_BULLETIN: None, FeedKind.IMAGE_INFO: None, FeedKind.ANNOUNCEMENTS: ["a loss"]}
    async with database.transaction() as connection:
        await connection.execute(insert(manifests).values(digest="sha256:1", body=b"{}", fetched_at=NOON))
        for kind, doubts in copies.items():
            row = {"url": f"https://x/{kind}", "kind": kind, "etag": "1", "body": b"body", "doubts": doubts}
            await connection.execute(insert(documents).values(**row, due_at=NOON))


async def kept_copies(path: Path) -> set[str]:
    opened = await open_database(f"sqlite:///{path}")
    async with opened.reading() as connection:
        kinds = await connection.scalars(select(documents.c.kind).where(documents.c.body.is_not(None)))
        shown = set(kinds) | set(await connection.scalars(select(manifests.c.digest)))
    await opened.close()
    return shown


async def test_what_a_digest_names_and_plain_copies_of_feeds_lie_apart(database: Database, tmp_path: Path) -> None:
    await filled(database)
    put_together(tmp_path / "own.db", take_apart(tmp_path / STORE).own, None)
    assert await kept_copies(tmp_path / "own.db") == {FeedKind.IMAGE_INFO, FeedKind.ANNOUNCEMENTS}


async def test_put_together_it_is_what_it_was(database: Database, tmp_path: Path) -> None:
    await filled(database)
    parts = take_apart(tmp_path / STORE)
    put_together(tmp_path / "again.db", parts.own, parts.refetchable)
    assert take_apart(tmp_path / "again.db") == parts
    assert await kept_copies(tmp_path / "again.db") == {
        *(FeedKind.IMAGE_INFO, FeedKind.ANNOUNCEMENTS, FeedKind.MSRC_BULLETIN),
        "sha256:1",
    }


async def test_taking_it_apart_leaves_nothing_beside_it(database: Database, tmp_path: Path) -> None:
    await filled(database)
    before = sorted(tmp_path.iterdir())
    take_apart(tmp_path / STORE)
    assert sorted(tmp_path.iterdir()) == before


async def test_the_manifests_of_the_fleets_own_images_stay(database: Database, tmp_path: Path) -> None:
    await filled(database)
    shown = [{"digest": "sha256:1"}]
    async with database.transaction() as connection:
        home = await connection.scalar(select(repositories.c.id))
        own = {"registry": "ghcr.io", "repository": "contoso/shop", "repository_id": home, "platforms": shown}
        own |= {"tag": "latest", "source": "build", "path": "", "line": 1}
        await connection.execute(insert(images).values(**own, due_at=NOON))
    put_together(tmp_path / "own.db", take_apart(tmp_path / STORE).own, None)
    assert "sha256:1" in await kept_copies(tmp_path / "own.db")


async def without_the_other_part(tmp_path: Path) -> tuple[Database, Stores]:
    put_together(tmp_path / "own.db", take_apart(tmp_path / STORE).own, None)
    opened = await open_database(f"sqlite:///{tmp_path}/own.db")
    return opened, Stores.of_worker(opened, ManualClock(NOON), "worker")


async def test_a_layer_that_is_there_no_more_is_read_anew_for_an_image_that_was_not_told(
    database: Database, tmp_path: Path
) -> None:
    await filled(database)
    opened, stores = await without_the_other_part(tmp_path)
    assert [each.digest for each in await stores.taken(stores.inventory.layers(AMD64), 9)] == [digest("b")]
    await opened.close()


async def test_it_is_not_for_images_that_were_told(database: Database, tmp_path: Path) -> None:
    await filled(database)
    stores = Stores.of_worker(database, ManualClock(NOON), "worker")
    [told] = await stores.taken(stores.inventory.inventories(AMD64), 9)
    await stores.inventory.save_inventory(told, Inventory(()))
    opened, stores = await without_the_other_part(tmp_path)
    assert await stores.taken(stores.inventory.layers(AMD64), 9) == []
    stores.clock.advance(2 * HOUR)
    await show(stores, "d", "b", "c")
    assert len(await stores.taken(stores.inventory.layers(AMD64), 9)) == 2
    await opened.close()


def test_a_database_that_has_no_tables_yet_is_kept_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / STORE)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    parts = take_apart(tmp_path / STORE)
    put_together(tmp_path / "own.db", parts.own, parts.refetchable)
    assert take_apart(tmp_path / "own.db").own == parts.own
