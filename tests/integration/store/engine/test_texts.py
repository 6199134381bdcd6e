"""What no column takes fails alone and in one line, the same on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from bot.domain.failure import Failure, Trouble
from bot.domain.packages.package import Package
from bot.domain.repositories.repository import Repository
from bot.store.rows.inventories.read_inventories import package_ids
from bot.store.rows.rollouts.tables import pauses
from bot.store.rows.tables import tasks
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import Stores

SSL = Package("deb", "libssl3t64", "3.0.13-0ubuntu3.5", "amd64", "openssl", "3.0.13-0ubuntu3.5")


async def keep(stores: Stores, name: str, mark: str) -> None:
    async with stores.database.transaction() as connection:
        rows = [{"name": name, "mark": mark, "due_at": stores.clock.now()}]
        await connection.execute(insert(tasks), rows)


async def names(stores: Stores, mark: str) -> list[str]:
    async with stores.database.reading() as connection:
        return list((await connection.scalars(select(tasks.c.name).where(tasks.c.mark == mark))).all())


@ON_BOTH
async def test_a_text_that_is_as_long_as_its_column_is_kept(stores: Stores) -> None:
    await keep(stores, "long", "x" * 255)
    assert await names(stores, "x" * 255) == ["long"]


@ON_BOTH
@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("x" * 256, f"tasks.mark takes 255 characters, and '{'x' * 60}'… has 256; nothing of it is kept"),
        ("a\x00b", "tasks.mark takes no such characters as are in 'a\\x00b'; nothing of it is kept"),
        ("a\ud800", "tasks.mark takes no such characters as are in 'a\\ud800'; nothing of it is kept"),
    ],
    ids=["long", "zero", "half"],
)
async def test_a_text_that_no_column_takes_is_refused_in_one_line(stores: Stores, mark: str, told: str) -> None:
    with pytest.raises(Failure) as raised:
        await keep(stores, "bad", mark)
    assert (raised.value.trouble, raised.value.told) == (Trouble.MALFORMED, told)
    assert await names(stores, mark) == []


@ON_BOTH
async def test_a_sentence_loses_what_no_column_takes(stores: Stores) -> None:
    async with stores.database.transaction() as connection:
        values = {"since": stores.clock.now(), "who": "anna", "reason": f"{'x' * 5000}\x00 and \udcff"}
        await connection.execute(insert(pauses).values(**values))
    async with stores.database.reading() as connection:
        kept = await connection.scalar(select(pauses.c.reason))
    assert kept == f"{'x' * 5000}\ufffd and \ufffd"


@ON_BOTH
async def test_a_package_with_an_impossible_version_is_named(stores: Stores) -> None:
    with pytest.raises(Failure, match=r"packages\.version takes 256 characters"):
        async with stores.database.transaction() as connection:
            await package_ids(connection, [SSL, replace(SSL, version="9" * 257)], stores.clock.now())


@ON_BOTH
async def test_a_repository_with_an_impossible_branch_is_named(stores: Stores) -> None:
    with pytest.raises(Failure, match=r"repositories\.default_branch takes 255 characters"):
        await stores.listing(Repository("contoso/shop", "m" * 256))
