"""The store is lost in the middle of a patch day: what stands on the forge and in the chat is all that is left."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.marker import read_marker
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.witness import Witness, read_witness
from bot.fleet.report.witness.tick import UNKNOWN
from bot.fleet.stages import STAGES, one_pass
from bot.fleet.wiring.opening import open_bot
from bot.settings import load
from bot.store.engine.queue.leases import bring_forward
from bot.store.orders.orders import OrdersStore
from bot.store.views.fleet import FleetViewsStore
from tests.e2e.publishing import publish
from tests.e2e.sample import PATCHED, PUBLISHED
from tests.e2e.staging import Stage, write_sections
from tests.migrated import new_sqlite

REPOSITORIES = ("payments-api", "orders-api", "search-worker")
CATCHES_UP = {"rollout": {"first_run": "catch_up"}}
_numbers = count(1)


@dataclass(slots=True)
class Loser:
    """Loses stores: the bot goes on in an empty one."""

    folder: Path
    exits: AsyncExitStack

    async def __call__(self, stage: Stage, **sections: object) -> Stage:
        config = self.folder / "freshness.yaml"
        await stage.bot.database.close()
        url = new_sqlite(self.folder / f"anew-{next(_numbers)}.db")
        config.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), "store": {"url": url}}))
        write_sections(config, sections)
        bot = await self.exits.enter_async_context(open_bot(load(config), stage.clock))
        return Stage(stage.fleet, bot, stage.clock)


@pytest_asyncio.fixture
async def lost(tmp_path: Path) -> AsyncIterator[Loser]:
    async with AsyncExitStack() as exits:
        yield Loser(tmp_path, exits)


@dataclass(frozen=True, slots=True)
class Outside:
    """What people see: requests by repository and number, runs, and messages by where they stand."""

    requests: dict[tuple[str, int], tuple[str, ...]]
    runs: tuple[str, ...]
    messages: dict[str, str]


async def outside(stage: Stage) -> Outside:
    github = stage.world.github
    requests: dict[tuple[str, int], tuple[str, ...]] = {}
    for name in REPOSITORIES:
        for request in await github.pull_requests(name, "all"):
            told = (request["state"], request["title"], request["body"], request["head"]["sha"])
            requests[name, request["number"]] = told
    return Outside(
        requests,
        tuple(sorted(run.workflow.repository for run in github.runs())),
        {message["ts"]: message["text"] for message in await stage.world.slack.messages()},
    )


async def passed(stage: Stage, times: int = 2) -> None:
    for _ in range(times):
        outcomes = await stage.run_pass()
        assert [problem for outcome in outcomes.values() for problem in outcome.problems] == []


async def the_request(stage: Stage, name: str, state: str = "open") -> dict[str, Any]:
    [request] = await stage.world.github.pull_requests(name, state)
    return request


@pytest.mark.parametrize("sections", [{}, CATCHES_UP], ids=["tells", "catches up"])
async def test_nothing_outside_becomes_poorer_and_all_goes_on(
    patched: Stage, lost: Loser, sections: dict[str, object]
) -> None:
    before, rebuilds_before = await outside(patched), await patched.rebuilds()

    stage = await lost(patched, **sections)
    await passed(stage)

    assert await outside(stage) == before
    rebuilds = await stage.rebuilds()
    assert {name: rebuilds[name].pull_request for name in REPOSITORIES} == dict.fromkeys(REPOSITORIES, 1)
    for name in (*REPOSITORIES, "catalog-web"):
        old, new = rebuilds_before[name], rebuilds[name]
        assert (new.state, new.branch, new.run, new.url) == (old.state, old.branch, old.run, old.url)
        assert [each.to_digest for each in new.targets] == [each.to_digest for each in old.targets]
        assert new.targets[0].changes


@pytest.mark.long
async def test_the_message_is_found_again_and_edited_once_there_is_news(patched: Stage, lost: Loser) -> None:
    [(place, before)] = (await outside(patched)).messages.items()
    stage = await lost(patched)
    await passed(stage, 1)

    for name in REPOSITORIES:
        await stage.world.github.merge(name, 1)
    for _ in range(2):
        stage.clock.ahead += timedelta(hours=1)
        await stage.run_pass()

    [(where, text)] = (await outside(stage)).messages.items()
    assert where == place
    assert text.startswith(".NET 10.0.1 fixes 1 CVE")
    assert text != before


async def test_a_closed_request_keeps_its_no(patched: Stage, lost: Loser) -> None:
    request = await the_request(patched, "orders-api")
    await patched.world.github.ask(
        "PATCH", f"/repos/contoso/orders-api/pulls/{request['number']}", {"state": "closed"}
    )
    stage = await lost(patched, **CATCHES_UP)
    await passed(stage)
    assert await stage.world.github.pull_requests("orders-api") == []
    assert (await stage.rebuilds())["orders-api"].state is RebuildState.CANCELLED


async def test_what_was_built_meanwhile_is_not_built_again(patched: Stage, lost: Loser) -> None:
    github = patched.world.github
    for run in github.runs():
        github.finish_run(run.id)
    runs = (await outside(patched)).runs
    stage = await lost(patched, **CATCHES_UP)
    await passed(stage)
    assert (await outside(stage)).runs == runs
    assert (await stage.rebuilds())["catalog-web"].state in (RebuildState.BUILT, RebuildState.SUCCEEDED)


@pytest.mark.long
@pytest.mark.parametrize("sections", [{}, CATCHES_UP], ids=["tells", "catches up"])
@pytest.mark.parametrize("merged", [REPOSITORIES, REPOSITORIES[:1]], ids=["all", "one"])
async def test_what_was_merged_and_is_being_built_goes_on_and_gets_no_second_request(
    patched: Stage, lost: Loser, merged: tuple[str, ...], sections: dict[str, object]
) -> None:
    for name in merged:
        await patched.world.github.merge(name, 1)
    for _ in range(2):
        patched.clock.ahead += timedelta(minutes=5)
        await patched.run_pass()
    before, rebuilds_before = await outside(patched), await patched.rebuilds()

    stage = await lost(patched, **sections)
    await passed(stage)

    assert await outside(stage) == before
    rebuilds = await stage.rebuilds()
    for name in merged:
        old, new = rebuilds_before[name], rebuilds[name]
        assert old.state is RebuildState.BUILDING
        assert (new.state, new.pull_request, new.merge) == (old.state, 1, old.merge)
        assert [each.to_digest for each in new.targets] == [each.to_digest for each in old.targets]


async def test_no_webhook_tells_of_what_was_open(patched: Stage, lost: Loser, tmp_path: Path) -> None:
    address = tmp_path / "webhook"
    address.write_text(patched.world.slack.webhook)
    before = await outside(patched)
    stage = await lost(patched, slack={"webhook_file": str(address)})
    await passed(stage)
    assert await outside(stage) == before


async def test_where_the_registry_has_the_old_digest_no_more_the_texts_stay(patched: Stage, lost: Loser) -> None:
    before = await outside(patched)
    for name in REPOSITORIES:
        [target] = read_marker((await the_request(patched, name))["body"])
        assert target.from_digest is not None
        patched.world.registry.stored(target.from_digest).unlink(missing_ok=True)
    stage = await lost(patched, **CATCHES_UP)
    await passed(stage)
    assert (await outside(stage)).requests == before.requests


async def test_what_somebody_wrote_into_a_marker_is_not_told_to_the_fleet(patched: Stage, lost: Loser) -> None:
    request = await the_request(patched, "payments-api")
    forged = request["body"].replace("CVE-2026-21218", "CVE-2020-99999")
    path = f"/repos/contoso/payments-api/pulls/{request['number']}"
    await patched.world.github.ask("PATCH", path, {"body": forged})
    stage = await lost(patched)
    await passed(stage)
    assert "CVE-2020-99999" not in json.dumps(await stage.world.slack.messages())
    assert "CVE-2020-99999" not in (await the_request(stage, "payments-api"))["body"]


async def test_a_base_that_moved_on_while_the_store_was_lost_moves_the_same_request(
    patched: Stage, lost: Loser
) -> None:
    await publish(patched, "10.0.2")
    stage = await lost(patched, **CATCHES_UP)
    await passed(stage)
    request = await the_request(stage, "payments-api")
    assert request["number"] == 1
    assert request["title"].startswith("Refresh aspnet:10.0-noble-chiseled to .NET 10.0.2 (1 CVE")
    assert "CVE-2026-21218" in request["body"]


async def test_a_day_one_asks_once_and_takes_nothing_up(stage: Stage) -> None:
    asked = [each for each in stage.world.traffic.requests("github") if each.graphql.startswith("query own")]
    await stage.run_pass()
    assert len(asked) <= 1
    assert not [each for each in stage.world.traffic.requests("github") if each.graphql.startswith("query own")]


# What people had said


IN_HANDBOOK: dict[str, object] = {"fleet_issue": {"repository": "contoso/handbook"}}
ANN = Word("Ann", "the migration goes on")


async def witnessed(stage: Stage) -> Witness | None:
    [issue] = await stage.world.github.issues("handbook")
    return read_witness(issue["body"])


@pytest_asyncio.fixture
async def stopped(tmp_path: Path) -> AsyncIterator[Stage]:
    """A patch day on which somebody has paused everything."""
    async with PATCHED.under(lambda _1, _2: IN_HANDBOOK).stage(tmp_path) as stage:
        await stage.bot.stores[OrdersStore].pause(None, ANN)
        await stage.run_pass()
        yield stage


async def test_a_bot_that_was_here_before_waits_for_a_person_and_tells_what_was_said(
    stopped: Stage, lost: Loser
) -> None:
    before, said = await outside(stopped), await witnessed(stopped)
    assert said is not None
    assert said.said == ("everything paused by Ann: the migration goes on",)
    await publish(stopped, "10.0.2")

    stage = await lost(stopped, **CATCHES_UP)
    await passed(stage, 3)

    after = await outside(stage)
    assert (after.requests, after.runs) == (before.requests, before.runs)
    told = [text for place, text in after.messages.items() if place not in before.messages]
    assert len(told) == 1
    [pause] = [each for each in await stage.world.slack.messages() if each["text"] in told]
    assert "this store is new, and the bot was here before" in json.dumps(pause)
    assert "everything paused by Ann: the migration goes on" in json.dumps(pause)
    assert await witnessed(stage) == said

    await stage.bot.stores[OrdersStore].resume(None, ANN)
    await passed(stage)
    assert (await the_request(stage, "payments-api"))["title"].startswith(
        "Refresh aspnet:10.0-noble-chiseled to .NET 10.0.2"
    )
    now = await witnessed(stage)
    assert now is not None
    assert now.said == ()


async def test_what_was_held_is_held_again_once_a_person_lets_the_bot_go_on(tmp_path: Path, lost: Loser) -> None:
    async with PUBLISHED.under(lambda _1, _2: IN_HANDBOOK).stage(tmp_path) as stage:
        await stage.bot.stores[OrdersStore].pause(None, ANN)
        await stage.run_pass()
        await stage.bot.stores[OrdersStore].hold("contoso/orders-api", Word("Cem", "a release"))
        stage.clock.ahead += timedelta(minutes=5)
        await stage.run_pass()

        anew = await lost(stage, **CATCHES_UP)
        anew.clock.ahead = stage.clock.ahead
        await passed(anew)
        await anew.bot.stores[OrdersStore].resume(None, ANN)
        for _ in range(2):
            anew.clock.ahead += timedelta(hours=2)
            await anew.run_pass()

        [said, _] = await anew.bot.stores[OrdersStore].entries(2)
        assert (said.what, said.subject) == ("put back", "hold contoso/orders-api")
        requests = (await outside(anew)).requests
        assert ("payments-api", 1) in requests
        assert ("orders-api", 1) not in requests


async def test_as_long_as_the_issue_cannot_be_read_nothing_begins(stopped: Stage, lost: Loser) -> None:
    before = await outside(stopped)
    stage = await lost(stopped, **CATCHES_UP)
    stage.world.faults.add("GET", "/repos/contoso/handbook/issues", service="github", status=502, times=20)
    outcomes = await stage.run_pass()
    assert outcomes["witness"].problems
    assert (await outside(stage)).requests == before.requests
    pauses = (await stage.bot.stores[FleetViewsStore].status()).pauses
    assert [each.reason for each in pauses] == [UNKNOWN]


async def test_a_day_one_with_an_issue_to_come_is_not_paused(stage: Stage, lost: Loser) -> None:
    anew = await lost(stage, **IN_HANDBOOK)
    await passed(anew)
    assert (await anew.bot.stores[FleetViewsStore].status()).pauses == ()
    witness = await witnessed(anew)
    assert witness is not None
    assert witness.said == ()


@pytest.mark.long
@pytest.mark.parametrize("number", range(len(STAGES)), ids=[each.name for each in STAGES])
async def test_a_store_that_is_lost_at_any_tick_makes_nothing_poorer(
    number: int, tmp_path: Path, lost: Loser
) -> None:
    async with PUBLISHED.stage(tmp_path) as stage:
        await bring_forward(stage.bot.database, stage.clock.now())
        await one_pass(stage.bot, STAGES[: number + 1])
        before = await outside(stage)

        anew = await lost(stage)
        await passed(anew)

        after = await outside(anew)
        assert after.requests.keys() == before.requests.keys()
        for key, request in before.requests.items():
            assert after.requests[key] == request
        assert after.runs == before.runs
        assert before.messages.items() <= after.messages.items()
        told_anew = after.messages.keys() - before.messages.keys()
        assert len(told_anew) <= (0 if before.requests else 1)


@pytest.mark.long
@pytest.mark.parametrize("number", range(len(STAGES)), ids=[each.name for each in STAGES])
async def test_a_store_that_is_lost_at_any_tick_while_all_is_paused_changes_nothing(
    number: int, tmp_path: Path, lost: Loser
) -> None:
    async with PUBLISHED.under(lambda _1, _2: IN_HANDBOOK).stage(tmp_path) as stage:
        await stage.bot.stores[OrdersStore].pause(None, ANN)
        await stage.run_pass()
        await bring_forward(stage.bot.database, stage.clock.now())
        await one_pass(stage.bot, STAGES[: number + 1])
        before = await outside(stage)

        anew = await lost(stage, **CATCHES_UP)
        await passed(anew)

        after = await outside(anew)
        assert (after.requests, after.runs) == (before.requests, before.runs) == ({}, ())
        assert await witnessed(anew) is not None
