"""`docs/how-to/add-a-stage.md`, done: its files in a copy of `bot/` are a stage that runs."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.store.engine.older_stores import restore

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/how-to/add-a-stage.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?ms)^```(?:python|text) (bot/\S+)\n(.*?)^```", PAGE)
LINES = {
    "bot/fleet/stages.py": "    standing.STAGE,\n",
    "bot/settings/model.py": "    gate: GateSettings = GateSettings()\n",
}
"""Where a line is added to what is there: before which it stands."""
IMPORTS = {
    "bot/fleet/stages.py": "from bot.fleet.census import wired as census\n",
    "bot/settings/model.py": "from bot.settings.sections.census import CensusSettings\n",
}
RUN = """
import asyncio, json
from pathlib import Path
from sqlalchemy import select
from bot.domain.clock import SystemClock
from bot.fleet.census.rows import CensusStore, censuses
from bot.fleet.stages import STAGES, one_pass
from bot.fleet.wiring.opening import open_bot
from bot.settings import load
from bot.store.engine.queue.leases import leased_tables
from bot.store.pages.fleet.figures import queues
from bot.store.rows.repositories.tables import repositories

async def run():
    clock = SystemClock()
    async with open_bot(load(Path("freshness.yaml")), clock) as bot:
        async with bot.database.transaction() as connection:
            await connection.execute(
                repositories.insert().values(
                    forge_id="1", name="contoso/shop", default_branch="main", listed=True, due_at=clock.now(),
                    config={}, workflows=[], problems=[],
                )
            )
        outcomes = await one_pass(bot, [stage for stage in STAGES if stage.name == "census"])
        async with bot.database.reading() as connection:
            kept = (await connection.execute(select(censuses.c.usages, censuses.c.due_at))).one()
            figures = await queues(connection, clock.now())
        print(json.dumps({
            "outcomes": [[each.stage, each.figures, each.problems] for each in outcomes],
            "usages": kept.usages,
            "days": round((kept.due_at - clock.now()).total_seconds() / 86400),
            "is_leased": censuses in leased_tables(),
            "is_in_metrics": "censuses" in figures,
        }))

asyncio.run(run())
"""

MIGRATED = """
import asyncio, sys
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from bot.store.engine.database import open_database
from bot.store.rows.schema import every_table, metadata

async def run():
    every_table()
    database = await open_database(sys.argv[1])
    async with database.transaction() as connection:
        print(await connection.run_sync(lambda it: compare_metadata(MigrationContext.configure(it), metadata)))

asyncio.run(run())
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The product with what the page adds to it."""
    shutil.copytree(ROOT / "bot", tmp_path / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    last = sorted(path.name[:4] for path in (ROOT / "bot/store/migrations/versions").glob("[0-9]*.py"))[-1]
    for place, text in BLOCKS:
        path = tmp_path / place.replace("NEXT", f"{int(last) + 1:04}")
        if place in LINES:
            before, added = path.read_text(encoding="utf-8"), LINES[place]
            assert before.count(added) == 1
            text = before.replace("\nfrom bot.", f"\n{IMPORTS[place]}from bot.", 1).replace(added, text + added)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NEXT", f"{int(last) + 1:04}").replace("LAST", last), encoding="utf-8")
    return tmp_path


def test_a_stage_with_table_metric_lease_and_settings_is_eight_files() -> None:
    assert len(BLOCKS) == 8


def test_what_the_page_says_is_a_stage_that_runs(copy: Path) -> None:
    (copy / "token").write_text("ghp_x")
    (copy / "freshness.yaml").write_text(
        "github: {token_file: token, repositories: {include: [contoso/*]}}\n"
        ""
        "store: {url: 'sqlite:///freshness.db'}\ncensus: {every: 40d}\n"
    )
    ended = subprocess.run([sys.executable, "-c", RUN], cwd=copy, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == {
        "outcomes": [["census", {"counted": 1}, []]],
        "usages": 0,
        "days": 40,
        "is_leased": True,
        "is_in_metrics": True,
    }


@pytest.mark.long
def test_a_store_of_before_gets_the_table_by_the_migration_of_the_page(copy: Path) -> None:
    url = f"sqlite:///{copy}/freshness.db"
    restore("0066", url)
    ended = subprocess.run(
        [sys.executable, "-c", MIGRATED, url], cwd=copy, capture_output=True, text=True, check=False
    )
    assert (ended.stdout, ended.stderr) == ("[]\n", "")
