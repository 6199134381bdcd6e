"""`policy test` and what `config check` says of a policy, as a person runs them."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.clock import ManualClock
from bot.domain.repositories.repository import Reading, Repository, Workflow
from bot.store.engine.database import open_database
from tests.integration.cli.conftest import Command
from tests.integration.cli.settings_files import with_token
from tests.integration.store.filling import Stores


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = with_token(tmp_path)
    with path.open("a") as file:
        file.write(
            "policy:\n- {wave: canary, workflow: mine.yml}\n- {wave: rest}\n"
            "rollout: {waves: [{name: canary}, {name: early}, {name: rest}]}\n"
            "limits: {writes_per_hour: 5}\n"
        )
    return path


def test_a_policy_is_tried_out_for_one_change(bot: Command, settings: Path) -> None:
    asked = ("-r", "contoso/shop", "-b", "mcr.microsoft.com/dotnet/aspnet:10.0", "--severity", "critical")
    ran = bot("policy", "test", "-c", str(settings), *asked)
    assert ran.code == 0
    assert "canary" in next(line for line in ran.out.splitlines() if line.startswith("wave"))
    told = json.loads(bot("policy", "test", "-c", str(settings), *asked, "-f", "json").out)
    assert told["terms"]["workflow"] == {"value": "mine.yml", "rule": 0, "why": "policy.0"}


def test_how_soon_fixes_are_to_run_is_shown_with_the_rule_that_says_so(bot: Command, settings: Path) -> None:
    first, second = "fix_within: {high: 3d}", "fix_within: {critical: 12h, high: 9d}"
    rules = f"- {{match: {{repositories: [contoso/*]}}, {first}}}\n- {{{second}}}\n"
    settings.write_text(settings.read_text().replace("rollout:", f"{rules}rollout:"))
    asked = ("policy", "test", "-c", str(settings), "-b", "aspnet:10.0", "-r")
    rows = [line.split() for line in bot(*asked, "contoso/shop").out.splitlines() if "fix_within" in line]
    assert rows == [["fix_within.critical", "12", "h", "policy.3"], ["fix_within.high", "3", "days", "policy.2"]]
    terms = json.loads(bot(*asked, "fabrikam/desk", "-f", "json").out)["terms"]
    assert terms["fix_within.high"] == {"value": 9 * 86400.0, "rule": 3, "why": "policy.3"}


@pytest.mark.parametrize("word", ["MEDIUM", "medium", "moderate"])
def test_a_severity_may_be_written_as_it_is_told_and_as_the_settings_have_it(
    bot: Command, settings: Path, word: str
) -> None:
    asked = ("policy", "test", "-c", str(settings), "-r", "contoso/shop", "-b", "aspnet:10.0", "--severity")
    assert "(dotnet-security, MEDIUM)" in bot(*asked, word).out
    ran = bot(*asked, "grave")
    assert (ran.code, "'grave' is none of LOW, MEDIUM, HIGH, CRITICAL" in ran.err) == (2, True)


def test_a_base_may_be_written_as_every_other_command_shows_it(bot: Command, settings: Path) -> None:
    asked = ("policy", "test", "-c", str(settings), "-r", "contoso/shop", "-f", "json", "-b")
    assert json.loads(bot(*asked, "aspnet:10.0").out)["base"] == "mcr.microsoft.com/dotnet/aspnet:10.0"
    assert json.loads(bot(*asked, "ghcr.io/contoso/base:1").out)["base"] == "ghcr.io/contoso/base:1"


def test_a_base_that_is_none_is_refused_in_one_line(bot: Command, settings: Path) -> None:
    ran = bot("policy", "test", "-c", str(settings), "-r", "contoso/shop", "-b", "Not A Base")
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1


def test_the_check_names_what_the_policy_says_in_vain(bot: Command, settings: Path) -> None:
    ran = bot("config", "check", "-c", str(settings))
    assert ran.code == 0
    assert f"{settings}: rollout.waves: no rule puts a repository into 'early'" in ran.out
    assert f"{settings}: policy.1: it never has a say" in ran.out
    assert f"{settings}: limits.writes_per_hour is now called limits.content_per_hour" in ran.out


def test_the_check_names_workflows_that_no_repository_has(bot: Command, settings: Path) -> None:
    asyncio.run(_with_one_workflow(f"sqlite:///{settings.parent}/freshness.db"))
    ran = bot("config", "check", "-c", str(settings))
    assert "policy.0.workflow: no repository has a workflow mine.yml that can be dispatched" in ran.out


async def _with_one_workflow(url: str) -> None:
    database = await open_database(url)
    stores = Stores.of_worker(database, ManualClock(datetime(2026, 11, 24, tzinfo=UTC)), "one")
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree-1", (), workflows=(Workflow(".github/workflows/other.yml"),)))
    await database.close()


@pytest.mark.parametrize("option", ["--build-takes", "--merge-takes"])
def test_a_length_of_time_that_is_none_is_refused_in_one_line(bot: Command, tmp_path: Path, option: str) -> None:
    ran = bot("backtest", "--releases", str(tmp_path / "releases.jsonl"), option, "soon")
    assert ran.code == 2
    assert ran.err.splitlines() == [f"{option}: 'soon' is no length of time; write for example 90s, 15m, 6h or 7d"]
