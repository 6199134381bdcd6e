"""What a stage may expect of its store, asked of the shared fake and of both databases alike.

A test that fails for the fake alone tells that the unit tests of that stage lean on something that is not so.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Table, update

from bot.reconcile.work import Queue
from tests.fakes.queue import FakeQueue
from tests.integration.store.conftest import ENGINES
from tests.integration.store.filling import Stores

Steal = Callable[[Queue[Any], Table, int], Awaitable[None]]


@pytest.fixture(params=["fake", *ENGINES])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def real(engine: str, request: pytest.FixtureRequest) -> Stores | None:
    """The stores of a database, None where it is the fake's turn."""
    if engine == "fake":
        return None
    stores = request.getfixturevalue("stores")
    assert isinstance(stores, Stores)
    return stores


@pytest.fixture
def steal(real: Stores | None) -> Steal:
    """Lets another worker take over a claimed row."""

    async def taken_over(queue: Queue[Any], table: Table, row: int) -> None:
        if isinstance(queue, FakeQueue):
            queue.steal(row)
            return
        assert real is not None
        async with real.database.transaction() as connection:
            await connection.execute(update(table).where(table.c.id == row).values(lease_owner="another"))

    return taken_over
