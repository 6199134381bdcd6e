"""`exposure` as a person, a script and a spreadsheet meet it."""

import asyncio
import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.clock import ManualClock, SystemClock
from bot.store.engine.database import open_database
from tests.integration.cli.conftest import Command
from tests.integration.store.filling import Stores
from tests.integration.store.holding import SSL, publish, running
from tests.integration.store.running.snapshots import EUROPE, WEB, goes_on, runs_in
from tests.migrated import new_sqlite

DAY = timedelta(days=1)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings of a bot whose store knows of a place that has been exposed for two days."""
    asyncio.run(_fill(new_sqlite(tmp_path / "store.db")))
    path = tmp_path / "freshness.yaml"
    policy = "policy: [{match: {repositories: ['contoso/*']}, fix_within: {high: 1d, critical: 6h}}]"
    path.write_text(f"store: {{url: 'sqlite:///{tmp_path}/store.db'}}\n{policy}\n")
    return path


async def _fill(url: str) -> None:
    database = await open_database(url)
    clock = ManualClock(SystemClock().now() - 2 * DAY - timedelta(hours=6, minutes=2))
    stores = Stores.of_worker(database, clock, "first")
    await stores.running.follow([EUROPE])
    await running(stores, SSL)
    await goes_on(stores, timedelta(hours=1), *runs_in(WEB, "e"))
    await publish(stores)
    await goes_on(stores, 2 * DAY, *runs_in(WEB, "e"))
    await database.close()


def test_it_says_how_long_why_and_what_became_of_the_promise(bot: Command, config: Path) -> None:
    ran = bot("exposure", "-c", config)
    assert ran.code == 0
    assert ran.out.startswith("exposed in the last 7 days: 1 of 1 running place, for ")
    assert "1 promise missed, 0 kept" in " ".join(ran.out.split())
    assert "image" in ran.out
    in_tables = [line for line in ran.out.splitlines()[1:] if not line.startswith("not all is known")]
    assert max(map(len, in_tables)) <= 80


def test_a_spreadsheet_and_a_program_get_the_same_days(bot: Command, config: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(bot("exposure", "-f", "csv", "-c", config).out)))
    told = json.loads(bot("exposure", "-f", "json", "-c", config).out)
    of_rows = [float(row["days"]) for row in rows if row["row"] == "exposed"]
    assert sum(of_rows) == pytest.approx(told["days"], abs=0.02)
    assert told["promises"] == [
        {"team": "", "severity": "high", "kept": 0, "missed": 1, "in_time": 0, "not_known": 0}
    ]
    assert len(told["trend"]) == 13


def test_a_promise_goes_by_repositories_alone(bot: Command, config: Path) -> None:
    config.write_text("policy: [{match: {causes: [os-update]}, fix_within: {high: 1d}}]\n")
    ran = bot("exposure", "-c", config)
    assert ran.code == 2
    assert "fix_within goes by repositories alone" in ran.err


@pytest.mark.parametrize("is_set", [False, True])
def test_the_summary_for_a_chat_tells_of_it_where_a_source_is_set(bot: Command, config: Path, is_set: bool) -> None:
    if is_set:
        source = "{name: europe, kind: push, environment: production, token_file: token}"
        config.write_text(f"{config.read_text()}running: {{sources: [{source}]}}\n")
    ran = bot("summary", "-f", "slack", "-c", config)
    assert ran.code == 0, ran.err
    assert ("exposed in the last 7 days: 1 of 1 running place, for " in ran.out) is is_set
    assert ("promises missed: no team 1" in ran.out) is is_set
    assert ("exposure" in json.loads(bot("summary", "-f", "json", "-c", config).out)) is is_set
