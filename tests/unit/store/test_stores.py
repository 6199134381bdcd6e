"""The stores of one worker: each is made when it is first asked for, and what asks for one loads no other."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from bot.domain.clock import ManualClock
from bot.fleet.plan.rows.plan import PlanStore
from bot.fleet.report.rows import ReportStore
from bot.store.engine.database import Database
from bot.store.engine.engines import database_url, engine_for
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.ledger.cves_of_moves import CvesOfMoves
from bot.store.stores import Opened, Stores


@pytest.fixture
def stores() -> Stores:
    engine = engine_for(database_url("sqlite:///nowhere.db"))
    return Stores(Database(engine, engine), Worker("test"), ManualClock(datetime(2026, 11, 24, tzinfo=UTC)))


@pytest.mark.parametrize("kind", [PlanStore, ReportStore, CvesOfMoves])
def test_each_is_made_once(stores: Stores, kind: type[Opened]) -> None:
    assert type(stores[kind]) is kind
    assert stores[kind] is stores[kind]


def test_asking_for_stores_loads_none_of_a_stage() -> None:
    code = "import bot.store.stores, sys; print([name for name in sys.modules if name.startswith('bot.fleet')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
