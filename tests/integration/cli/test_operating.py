"""What an operator asks of a bot in the middle of a rollout."""

import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
import yaml

from bot.fleet.stages import STAGES
from tests.integration.cli.conftest import Command, Filled


def contents(database: Path) -> str:
    """Everything in the store, as one digest."""
    with closing(sqlite3.connect(database)) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


class TestStatus:
    def test_shows_bases_and_rebuilds(self, bot: Command, filled: Filled) -> None:
        ran = bot("status", "-c", filled.config)
        assert (ran.code, ran.err) == (0, "")
        assert "; 5 under way; 0 of 5 repositories on 2 bases current\n" in ran.out
        everything = bot("status", "--all", "-c", filled.config).out
        assert "10.0.1" in everything
        assert "contoso/payments-api" in everything

    def test_answers_scripts(self, bot: Command, filled: Filled) -> None:
        status = json.loads(bot("status", "-c", filled.config, "-f", "json").out)
        assert {item["base"]: item["repositories"] for item in status["bases"]} == {
            filled.aspnet: 4,
            f"{filled.fleet.registry}/dotnet/sdk:10.0-noble": 1,
        }
        assert sorted(rebuild["state"] for rebuild in status["rebuilds"]) == ["dispatched"] * 2 + ["open"] * 3
        assert status["incidents"] == status["feed_errors"] == status["unreadable"] == []

    def test_asks_nobody_but_the_store(self, bot: Command, filled: Filled) -> None:
        filled.world.traffic.forget()
        bot("status", "-c", filled.config)
        assert filled.world.traffic.requests() == []


class TestPlan:
    def test_is_empty_when_everything_is_under_way(self, bot: Command, filled: Filled) -> None:
        assert bot("plan", "-c", filled.config).out == "Nothing is planned.\n"
        assert json.loads(bot("plan", "-c", filled.config, "-f", "json").out) == []


class TestExplain:
    def test_tells_usages_and_every_transition(self, bot: Command, filled: Filled) -> None:
        ran = bot("explain", "contoso/payments-api", "-c", filled.config)
        assert ran.code == 0
        assert "Dockerfile" in ran.out
        assert "planned" in ran.out
        assert "open" in ran.out

    def test_answers_scripts(self, bot: Command, filled: Filled) -> None:
        found = json.loads(bot("explain", "contoso/catalog-web", "-c", filled.config, "-f", "json").out)
        assert [(usage["file"], usage["base"]) for usage in found["usages"]] == [("Dockerfile", filled.aspnet)]
        assert found["rebuilds"][0]["workflow"] == "weekly-rebuild.yml"
        assert all(transition["reason"] for transition in found["transitions"])

    def test_does_not_know_every_repository(self, bot: Command, filled: Filled) -> None:
        ran = bot("explain", "contoso/absent", "-c", filled.config)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == (
            "no repository 'contoso/absent' is known; write owner/name; see github.repositories in the settings\n"
        )


class TestHistory:
    def test_knows_a_base_by_its_short_and_its_full_name(self, bot: Command, filled: Filled) -> None:
        for name in ("aspnet:10.0-noble-chiseled", filled.aspnet):
            [change] = json.loads(bot("history", name, "-c", filled.config, "-f", "json").out)["changes"]
            assert (change["cause"], change["cves"]) == ("dotnet-security", ["CVE-2026-21218"])
            assert change["to"] == filled.fleet.digests["dotnet/aspnet:10.0-noble-chiseled"]

    def test_tells_how_late_upstream_was(self, bot: Command, filled: Filled) -> None:
        [lag] = json.loads(bot("history", filled.aspnet, "-c", filled.config, "-f", "json").out)["upstream"]
        assert (lag["topic"], lag["base"]) == ("release-lag", filled.aspnet)
        assert lag["text"] in bot("history", filled.aspnet, "-c", filled.config).out

    def test_does_not_know_every_base(self, bot: Command, filled: Filled) -> None:
        ran = bot("history", "aspnet:1.0", "-c", filled.config)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == (
            "no base 'aspnet:1.0' is known; write it as `freshness-bot status` shows it, such as aspnet:10.0\n"
        )


class TestOnce:
    def test_says_what_each_stage_did(self, bot: Command, filled: Filled) -> None:
        filled.world.traffic.forget()
        ran = bot("once", "-c", filled.config, "-f", "json")
        stages = json.loads(ran.out)
        assert ran.code == 0
        assert [stage["stage"] for stage in stages] == [stage.name for stage in STAGES]
        [watch] = [stage for stage in stages if stage["stage"] == "watch"]
        assert watch["asked"] == 2
        assert filled.world.traffic.writes() == [], "nothing moved, so nothing is written"

    def test_with_a_problem_ends_with_code_1(self, bot: Command, filled: Filled) -> None:
        filled.world.faults.add("GET", "releases-index", service="feeds", status=500, times=20)
        ran = bot("once", "-c", filled.config, "-f", "json")
        filled.world.faults.clear()
        [feeds] = [stage for stage in json.loads(ran.out) if stage["stage"] == "feeds"]
        assert ran.code == 1
        assert "releases-index" in feeds["problems"][0]

    @pytest_asyncio.fixture(loop_scope="module")
    async def moved(self, filled: Filled) -> AsyncIterator[Filled]:
        await filled.fleet.publish_runtime("10.0.2")
        filled.fleet.announce("10.0.2", security=False)
        filled.world.traffic.forget()
        yield filled

    def test_dry_plans_what_a_pass_would_do_and_changes_nothing(self, bot: Command, moved: Filled) -> None:
        before = contents(moved.database)
        ran = bot("once", "--dry-run", "-c", moved.config, "-f", "json")
        planned = json.loads(ran.out)
        assert ran.code == 0
        assert {rebuild["repository"] for rebuild in planned} == {
            *("contoso/payments-api", "contoso/orders-api", "contoso/catalog-web", "contoso/search-worker")
        }
        digest = moved.fleet.digests["dotnet/aspnet:10.0-noble-chiseled"]
        assert {base["to"] for rebuild in planned for base in rebuild["bases"]} == {digest}
        assert moved.world.traffic.writes() == []
        assert contents(moved.database) == before
        assert moved.world.traffic.requests(service="registry", method="HEAD"), "it did look"

    def test_dry_tells_by_its_exit_code_that_it_could_not_look(self, bot: Command, moved: Filled) -> None:
        moved.world.faults.add("GET", "/orgs/.*", status=502, times=20)
        ran = bot("once", "--dry-run", "-c", moved.config)
        moved.world.faults.clear()
        assert ran.code == 1
        assert "listing repositories" in ran.err

    def test_dry_speaks_to_people_too(self, bot: Command, moved: Filled) -> None:
        out = bot("once", "--dry-run", "-c", moved.config).out
        assert "contoso/payments-api" in out


def test_what_was_seen_can_be_taken_out_and_replayed(bot: Command, filled: Filled, tmp_path: Path) -> None:
    log = ("--observations", tmp_path / "observations.jsonl", "--releases", tmp_path / "releases.jsonl")
    assert bot("export", *log, "-c", filled.config).code == 0
    replayed = bot("backtest", *log, "--changes", tmp_path / "changes.jsonl", "--format", "json")
    assert (replayed.code, replayed.err) == (0, "")
    assert json.loads(replayed.out)
    concluded = [json.loads(line) for line in (tmp_path / "changes.jsonl").read_text().splitlines()]
    assert {(change["tag"], change["cause"]) for change in concluded} >= {
        ("10.0-noble-chiseled", "dotnet-security"),
        ("10.0-noble", "dotnet-security"),
    }


class TestThePage:
    @pytest.mark.parametrize(
        ("words", "path"),
        [
            (["status"], "/"),
            (["explain", "contoso/payments-api"], "/repositories/contoso/payments-api"),
            (["rollout", "show", "1"], "/rollouts/1"),
            (["tree", "BASE"], "/bases/BASE"),
            (["history", "BASE"], "/bases/BASE"),
        ],
    )
    def test_is_named_where_people_reach_it(
        self, bot: Command, filled: Filled, tmp_path: Path, words: list[str], path: str
    ) -> None:
        known = yaml.safe_load(filled.config.read_text())
        config = tmp_path / "with-page.yaml"
        config.write_text(yaml.safe_dump(known | {"web": {"url": "https://freshness.example.com"}}))
        asked = [filled.aspnet if word == "BASE" else word for word in words]
        wanted = f"On the page: https://freshness.example.com{path.replace('BASE', quote(filled.aspnet))}\n"
        assert wanted in bot(*asked, "-c", config).out
        assert "On the page" not in bot(*asked, "-c", filled.config).out
        assert "On the page" not in bot(*asked, "-c", config, "-f", "json").out


@pytest.mark.parametrize(
    ("words", "code"), [(("cve", "CVE-2026-21218"), 3), (("packages", "find", "--cve", "CVE-2026-21218"), 2)]
)
def test_a_cve_that_a_release_alone_lists_is_told_so(
    bot: Command, filled: Filled, words: tuple[str, ...], code: int
) -> None:
    ran = bot(*words, "-c", filled.config)
    assert ran.code == code
    assert ": .NET 10.0.1 fixes it, and no advisory that was read says yet what it affects" in ran.err
