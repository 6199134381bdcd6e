"""The README's examples run as they are written, over a fleet in the middle of a rollout and a checkout."""

import asyncio
import io
import re
import shutil
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Command, Filled
from tests.integration.cli.stored_fleet import settings_of, write_fleet
from tests.migrated import new_sqlite

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
NOT_HERE = {
    "init": "asks questions: tests/integration/cli/test_init.py answers them",
    "run -c freshness.yaml": "lasts until it is stopped: tests/integration/service starts it",
}
EXAMPLES = sorted(
    set(re.findall(r"(?:uvx |`|^ *)freshness-bot ([^`\n]*[^`\n ])", README, re.MULTILINE)) - NOT_HERE.keys()
)


@pytest.fixture
def checkout(tmp_path: Path, filled: Filled, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a Dockerfile and settings, in which somebody calls the bot."""
    (tmp_path / "Dockerfile").write_text(f"FROM {filled.aspnet}\nCOPY app /app\n")
    shutil.copy(filled.config, tmp_path / "freshness.yaml")
    monkeypatch.setenv("FRESHNESS_BOT_CONFIG", str(tmp_path / "freshness.yaml"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n" * 9))  # whoever is asked takes what is offered
    return tmp_path


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of a bot whose store knows what is inside of images, and which CVEs that has."""
    folder = tmp_path_factory.mktemp("ledger")
    asyncio.run(write_fleet(new_sqlite(folder / "fleet.db")))
    return settings_of(folder)


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs_as_it_is_written(
    bot: Command, ledger: Path, monkeypatch: pytest.MonkeyPatch, example: str
) -> None:
    if example.startswith("cve "):
        monkeypatch.setenv("FRESHNESS_BOT_CONFIG", str(ledger))
    ran = bot(*example.split())
    assert ran.code in (0, 1, 3), ran.err
    assert ran.out or ran.err


def test_what_is_not_run_here_stands_in_the_readme() -> None:
    assert [example for example in NOT_HERE if f"freshness-bot {example}" not in README] == []
