"""The action's state from one run to the next: when it is kept, and what of the cache counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import insert, select

from bot.clients.forges.github.state_branch import KeptFiles, StateBranch, StateHome
from bot.commands.action.state import Keeping, Restored, StorePlaces, keep, restore
from bot.domain.repositories.repository import Identity
from bot.store.engine.database import open_database
from bot.store.rows.bases.tables import manifests
from tests.migrated import new_sqlite

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@dataclass
class FakeBranch:
    """A branch in memory, which nobody else writes."""

    kept: KeptFiles | None = None

    async def home(self) -> StateHome:
        return StateHome(Identity("contoso/freshness", "R_1"), is_public=False)

    async def read(self, home: StateHome) -> KeptFiles | None:
        return self.kept

    async def replace(self, home: StateHome, files: Mapping[str, bytes], message: str, before: str | None) -> str:
        self.kept = KeptFiles(message, files)
        return message


@dataclass
class Runs:
    """Runs of a workflow, each on a fresh machine with what a cache has kept."""

    folder: Path
    branch: FakeBranch
    number: int = 0

    async def begin(self) -> tuple[Restored, StorePlaces]:
        self.number += 1
        machine = self.folder / str(self.number)
        machine.mkdir()
        places = StorePlaces(machine / "store.db", self.folder / "cache")
        return await restore(cast(StateBranch, self.branch), places, may_be_public=False), places

    async def end(self, restored: Restored, places: StorePlaces) -> Keeping:
        return await keep(cast(StateBranch, self.branch), restored, places, NOW)

    async def first(self) -> None:
        """One that fetched a manifest."""
        restored, places = await self.begin()
        database = await open_database(new_sqlite(places.store))
        async with database.transaction() as connection:
            await connection.execute(insert(manifests).values(digest="sha256:1", body=b"{}", fetched_at=NOW))
        await database.close()
        assert await self.end(restored, places) is Keeping.KEPT


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path, FakeBranch())


async def fetched(places: StorePlaces) -> list[str]:
    database = await open_database(f"sqlite:///{places.store}")
    async with database.reading() as connection:
        digests = list(await connection.scalars(select(manifests.c.digest)))
    await database.close()
    return digests


async def test_a_state_in_which_nothing_has_changed_is_not_kept_again(runs: Runs) -> None:
    await runs.first()
    assert await runs.end(*await runs.begin()) is Keeping.UNCHANGED


async def test_what_can_be_fetched_again_comes_from_the_cache(runs: Runs) -> None:
    await runs.first()
    _, places = await runs.begin()
    assert await fetched(places) == ["sha256:1"]


async def test_where_there_is_none_it_is_not_known(runs: Runs) -> None:
    await runs.first()
    runs.folder.joinpath("cache/refetchable.db").unlink()
    _, places = await runs.begin()
    assert await fetched(places) == []


async def test_a_cache_that_the_state_does_not_name_counts_for_nothing(runs: Runs) -> None:
    await runs.first()
    cached = runs.folder / "cache/refetchable.db"
    cached.write_bytes(cached.read_bytes().replace(b"sha256:1", b"sha256:2"))
    _, places = await runs.begin()
    assert await fetched(places) == []


async def test_a_run_that_came_to_no_store_keeps_none(runs: Runs) -> None:
    assert await runs.end(*await runs.begin()) is Keeping.UNCHANGED
