"""`exposed` as a person, a script and a spreadsheet meet it."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.clock import ManualClock, SystemClock
from bot.store.engine.database import open_database
from tests.integration.cli.conftest import Command
from tests.integration.store.filling import Stores
from tests.integration.store.holding import CVE, SSL, publish, running
from tests.integration.store.running.snapshots import EUROPE, WEB, runs_in, tells
from tests.migrated import new_sqlite


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings of a bot whose store knows of a place that is exposed now."""
    asyncio.run(_fill(new_sqlite(tmp_path / "store.db")))
    path = tmp_path / "freshness.yaml"
    path.write_text(f"store: {{url: 'sqlite:///{tmp_path}/store.db'}}\n")
    return path


async def _fill(url: str) -> None:
    database = await open_database(url)
    clock = ManualClock(SystemClock().now() - timedelta(hours=6, minutes=15))
    stores = Stores.of_worker(database, clock, "first")
    await stores.running.follow([EUROPE])
    await running(stores, SSL)
    await tells(stores, *runs_in(WEB, "e"))
    await publish(stores)
    await tells(stores, *runs_in(WEB, "e"))
    await database.close()


def test_the_first_line_is_the_verdict_and_the_exit_code_says_it(bot: Command, config: Path) -> None:
    ran = bot("exposed", CVE, "-c", config)
    assert ran.code == 1
    assert ran.out.splitlines()[0].startswith(f"{CVE}: exposed in 1 of 1 running place since ")
    assert "shop/web/web" in ran.out
    assert "contoso/shop can move it" in ran.out


def test_a_name_may_be_shortened(bot: Command, config: Path) -> None:
    assert bot("exposed", CVE.removeprefix("CVE-"), "-c", config).code == 1


@pytest.mark.parametrize(
    ("output", "begins"), [("csv", "environment,source,"), ("openvex", '{\n  "@context"'), ("json", '{\n  "cve"')]
)
def test_programs_read_it_in_their_form(bot: Command, config: Path, output: str, begins: str) -> None:
    ran = bot("exposed", CVE, "-f", output, "-c", config)
    assert (ran.code, ran.out[: len(begins)]) == (1, begins)


def test_what_runs_is_listed_with_who_builds_it(bot: Command, config: Path) -> None:
    ran = bot("running", "list", "-c", config)
    assert ran.out.splitlines()[0] == "1 running place in 1 source"
    assert "contoso/shop" in ran.out
    [row] = json.loads(bot("running", "list", "--source", "production", "-f", "json", "-c", config).out)["running"]
    assert (row["source"], row["workload"], row["built_by"]) == ("europe", "web", "contoso/shop")


def test_a_source_that_does_not_tell_what_runs_now_is_not_known(bot: Command, config: Path) -> None:
    ran = bot("running", "list", "--source", "nowhere", "-c", config)
    assert ran.code == 3
    assert ran.out.startswith("No source tells what runs")


def test_a_time_that_no_list_covers_is_not_known(bot: Command, config: Path) -> None:
    ran = bot("exposed", CVE, "--at", "2026-03-10", "-f", "json", "-c", config)
    assert ran.code == 3
    assert json.loads(ran.out)["verdict"].startswith("not known: ")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--at", "yesterday"], "'yesterday' is no date"),
        (["--at", "2099-01-01"], "yet to come"),
        (["--since", "2099-01-01"], "yet to come"),
        (["--at", "2026-03-10", "--since", "2026-03-10"], "two questions"),
    ],
)
def test_a_time_that_cannot_be_asked_of_is_told_in_one_line(
    bot: Command, config: Path, options: list[str], told: str
) -> None:
    ran = bot("exposed", CVE, *options, "-c", config)
    assert ran.code == 2
    assert told in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["openssl", "CVE-2026-1" + "0" * 80])
def test_what_is_no_name_of_a_cve_is_bad_input(bot: Command, config: Path, name: str) -> None:
    ran = bot("exposed", name, "-c", config)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith("and nothing that was read tells of it; write it as in CVE-2026-21518\n")


def test_a_repository_that_nothing_is_known_of_is_not_said_to_be_fine(bot: Command, config: Path) -> None:
    ran = bot("exposed", CVE, "--repository", "contoso/shopp", "-c", config)
    assert ran.code == 3
    assert ran.out.splitlines()[0] == f"{CVE}: not known: no repository of the fleet is called contoso/shopp"
