"""The bag of stores: each is made when it is first asked for, and what asks one loads no other."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from bot.domain.clock import ManualClock
from bot.store.engine.database import Database
from bot.store.engine.engines import database_url, engine_for
from bot.store.engine.queue.claiming import Worker
from bot.store.stores import Made, Stores

MADE = {name: kind for name, kind in Stores.__annotations__.items() if isinstance(vars(Stores)[name], Made)}


@pytest.fixture
def stores() -> Stores:
    engine = engine_for(database_url("sqlite:///nowhere.db"))
    return Stores(Database(engine, engine), Worker("test"), ManualClock(datetime(2026, 11, 24, tzinfo=UTC)))


@pytest.mark.parametrize("name", MADE)
def test_each_place_holds_the_store_that_it_is_said_to_be(stores: Stores, name: str) -> None:
    assert f"Made[{type(getattr(stores, name)).__name__}]" == MADE[name]


def test_each_is_made_once(stores: Stores) -> None:
    assert stores.plan is stores.plan
    assert stores.report is stores.report


def test_the_bag_loads_no_store_of_a_stage() -> None:
    code = "import bot.store.stores, sys; print([name for name in sys.modules if name.startswith('bot.fleet')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
