"""The life of a pull request: what it begins with, what people and other bots say of it, and how it ends."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest_asyncio
import yaml

from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.act.rows.act import ActStore
from bot.fleet.wiring.opening import open_bot
from bot.settings import load
from bot.store.orders.orders import OrdersStore
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD, SampleFleet
from sandbox.world import World
from tests.e2e.beginnings import Beginning, beginning
from tests.e2e.staging import Stage, settled

BASE = f"{ASPNET}:{RUNTIME_TAG}"
BRANCH = "freshness/dotnet-aspnet-10.0-noble-chiseled"
SHOP = "shop"
MERGES: dict[str, object] = {"auto_merge": {"method": "squash"}}
WITH_WORKFLOW = {".github/workflows/weekly-rebuild.yml": WEEKLY_REBUILD}


def freeze_in(after: timedelta, until: timedelta) -> dict[str, object]:
    """As in the settings, from now on."""
    since, over = (f"{datetime.now(UTC) + each:%Y-%m-%d %H:%M} UTC" for each in (after, until))
    return {"from": since, "until": over, "reason": "year-end"}


class OneRepository(SampleFleet):
    """A shop that pins its base by digest, with further files."""

    def __init__(self, world: World, more: Mapping[str, str] | None = None) -> None:
        super().__init__(world)
        self.more = dict(more or {})

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        pinned = f"FROM {self.registry}/{BASE}@{self.digests[BASE]}\nCOPY . /app\n"
        return {SHOP: {"Dockerfile": pinned, **self.more}}


@cache
def of_one_repository(*more: tuple[str, str]) -> Beginning:
    """The shop with more files."""

    async def make(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
        return await settled(world, folder, store_url, exits, fleet=OneRepository(world, dict(more)))

    return beginning(make)


def as_an_app(world: World, folder: Path) -> dict[str, object]:
    """How GitHub knows the bot, in place of its token."""
    key = folder / "app.pem"
    key.write_text(world.github.private_key)
    numbers = {"id": world.github.app_id, "installation": world.github.installation_id}
    return {"token_file": None, "app": {**numbers, "private_key_file": str(key)}}


class Stages:
    """Stages the shop for each test, under its own policy; the bot is an App or else a user."""

    def __init__(self, folder: Path, exits: AsyncExitStack) -> None:
        self._folder = folder
        self._exits = exits

    async def __call__(
        self,
        *rules: dict[str, object],
        more: Mapping[str, str] | None = None,
        as_app: bool = False,
        freezes: Sequence[dict[str, object]] = (),
    ) -> Stage:
        def sections(world: World, folder: Path) -> dict[str, object]:
            own = {"policy": [*rules, {"settle": "0s"}], "freezes": list(freezes)}
            return {**own, "github": as_an_app(world, folder)} if as_app else own

        begun = of_one_repository(*sorted((more or {}).items())).under(sections)
        return await self._exits.enter_async_context(begun.stage(self._folder))

    async def restarted(self, stage: Stage, *rules: dict[str, object]) -> Stage:
        """The bot started anew under other rules, with the same store."""
        config = self._folder / "freshness.yaml"
        known = yaml.safe_load(config.read_text())
        config.write_text(yaml.safe_dump(known | {"policy": [*rules, {"settle": "0s"}]}))
        bot = await self._exits.enter_async_context(open_bot(load(config), stage.clock))
        return Stage(stage.fleet, bot, stage.clock)


@pytest_asyncio.fixture
async def stages(tmp_path: Path) -> AsyncIterator[Stages]:
    async with AsyncExitStack() as exits:
        yield Stages(tmp_path, exits)


async def the_request(stage: Stage, state: str = "open") -> dict[str, Any]:
    [request] = await stage.world.github.pull_requests(SHOP, state)
    return request


def requests_for_it(stage: Stage) -> int:
    """How often GitHub was asked for the sake of the pull request in the last pass: discovery reads by GET."""
    asked = stage.world.traffic.requests("github", method="POST")
    return sum(not entry.graphql.startswith(("query blobs", "query follow")) for entry in asked)


# What it begins with


async def test_it_begins_with_all_that_the_rule_asks_for_in_three_requests(stages: Stages) -> None:
    rule = {
        "draft": True,
        "labels": ["dependencies"],
        "assignees": ["operator"],
        "branch_prefix": "deps/",
        "commit_message": "build: stand on {bases}",
    }
    stage = await stages(rule, more={".github/CODEOWNERS": "* @octocat\n/Dockerfile @contoso/platform @operator\n"})
    github = stage.world.github
    await github.create_team("platform")
    for label in ("dependencies", "freshness"):
        await github.ask("POST", f"/repos/contoso/{SHOP}/labels", {"name": label, "color": "ededed"})
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()

    request = await the_request(stage)
    assert request["draft"]
    assert sorted(label["name"] for label in request["labels"]) == ["dependencies", "freshness"]
    assert [who["login"] for who in request["assignees"]] == ["operator"]
    assert [who["login"] for who in request["requested_reviewers"]] == ["operator"]
    assert [team["slug"] for team in request["requested_teams"]] == ["platform"]
    assert request["head"]["ref"] == "deps/dotnet-aspnet-10.0-noble-chiseled"
    commit = await github.ask("GET", f"/repos/contoso/{SHOP}/git/commits/{request['head']['sha']}")
    assert commit["message"].startswith(f"build: stand on aspnet:{RUNTIME_TAG}\n")
    assert requests_for_it(stage) == 3


async def test_what_an_app_commits_is_verified(stages: Stages) -> None:
    stage = await stages(as_app=True)
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    first = await the_request(stage)
    await stage.fleet.publish_runtime("10.0.2")
    await stage.run_pass()
    second = await the_request(stage)

    for request in (first, second):
        path = f"/repos/contoso/{SHOP}/commits/{request['head']['sha']}"
        commit = await stage.world.github.ask("GET", path)
        assert (commit["commit"]["verification"]["verified"], commit["commit"]["verification"]["reason"]) == (
            True,
            "valid",
        )
    assert first["head"]["sha"] != second["head"]["sha"]
    assert (await stage.states())[SHOP] is RebuildState.OPEN


async def test_what_it_writes_is_pinned_in_the_style_of_the_rule(stages: Stages) -> None:
    floats: dict[str, object] = {"match": {"repositories": [f"contoso/{SHOP}"]}, "pin": "floating"}
    stage = await stages(floats, {"pin": "digest"})
    plain = f"FROM {stage.fleet.registry}/{BASE}\nCOPY . /app\n"
    await stage.world.github.create_repository("till", {"Dockerfile": plain, **WITH_WORKFLOW})
    await stage.run_pass()
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()

    github = stage.world.github
    assert await github.read(SHOP, "Dockerfile", BRANCH) == plain
    pinned = plain.replace(BASE, f"{BASE}@{stage.fleet.digests[BASE]}")
    assert await github.read("till", "Dockerfile", BRANCH) == pinned
    assert github.runs("till") == []
    assert "becomes the floating tag, as the operator's rules ask" in (await the_request(stage))["body"]
    await github.merge(SHOP, (await the_request(stage))["number"])
    await stage.run_pass()
    assert (await stage.states())[SHOP] is RebuildState.BUILDING


# What people say of it


async def label(stage: Stage, *names: str) -> None:
    """A person sets its labels."""
    number = (await the_request(stage, "all"))["number"]
    await stage.world.github.ask("PUT", f"/repos/contoso/{SHOP}/issues/{number}/labels", {"labels": list(names)})


async def test_what_a_person_holds_stays_as_it_is_until_the_label_is_gone(stages: Stages) -> None:
    stage = await stages()
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    first = await the_request(stage)
    await label(stage, "freshness:hold")
    await stage.fleet.publish_runtime("10.0.2")

    await stage.run_pass()
    await stage.run_pass()

    held = await the_request(stage)
    assert [held[key] for key in ("title", "body")] == [first[key] for key in ("title", "body")]
    assert held["head"]["sha"] == first["head"]["sha"]
    rebuild = (await stage.rebuilds())[SHOP]
    assert (rebuild.state, rebuild.reason) == (
        RebuildState.WAITING,
        f"pull request #{first['number']} is labelled freshness:hold",
    )
    await label(stage, "freshness")
    stage.clock.ahead += timedelta(minutes=10)
    await stage.run_pass()
    brought = await the_request(stage)
    assert (brought["number"], "10.0.2" in brought["title"]) == (first["number"], True)
    assert stage.fleet.digests[BASE] in await stage.world.github.read(SHOP, "Dockerfile", BRANCH)


async def test_what_a_person_wants_ignored_is_closed_and_not_asked_for_again(stages: Stages) -> None:
    stage = await stages()
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    await label(stage, "freshness:ignore")

    await stage.run_pass()
    await stage.run_pass()

    closed = await the_request(stage, "closed")
    assert "labelled freshness:ignore" in closed["body"]
    assert (await stage.states())[SHOP] is RebuildState.CANCELLED
    await stage.fleet.publish_runtime("10.0.2")
    await stage.run_pass()
    assert len(await stage.world.github.pull_requests(SHOP, "all")) == 1
    assert (await stage.rebuilds())[SHOP].reason == f"pull request #{closed['number']} is labelled freshness:ignore"
    await label(stage)
    await stage.fleet.publish_runtime("10.0.3")
    await stage.run_pass()
    assert len(await stage.world.github.pull_requests(SHOP)) == 1


async def test_it_is_closed_at_once_where_the_repository_asks_for_a_run_instead(stages: Stages) -> None:
    stage = await stages(more=WITH_WORKFLOW)
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    assert stage.world.github.runs(SHOP) == []
    await stage.world.github.push(SHOP, {".github/freshness.yaml": "action: dispatch\n"})

    await stage.run_pass()
    assert await stage.world.github.pull_requests(SHOP) == []
    await stage.run_pass()

    closed = await the_request(stage, "closed")
    assert "**Closed by the bot:** the repository is rebuilt by a workflow run instead" in closed["body"]
    [run] = stage.world.github.runs(SHOP)
    rebuild = (await stage.rebuilds())[SHOP]
    assert (rebuild.state, rebuild.run) == (RebuildState.DISPATCHED, run.id)
    await stage.run_pass()
    assert len(stage.world.github.runs(SHOP)) == 1


async def test_it_is_closed_at_once_where_the_rules_ask_for_a_run_instead(stages: Stages) -> None:
    stage = await stages(more=WITH_WORKFLOW)
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    assert len(await stage.world.github.pull_requests(SHOP)) == 1

    stage = await stages.restarted(stage, {"action": "dispatch"})
    await stage.run_pass()
    assert await stage.world.github.pull_requests(SHOP) == []
    await stage.run_pass()

    [run] = stage.world.github.runs(SHOP)
    assert (await stage.rebuilds())[SHOP].run == run.id


# Other bots

RENOVATE = "renovate/mcr.microsoft.com-dotnet-aspnet-10.x"


async def open_by_renovate(stage: Stage, dockerfile: str) -> int:
    github = stage.world.github
    await github.branch(SHOP, RENOVATE)
    await github.push(SHOP, {"Dockerfile": dockerfile}, branch=RENOVATE)
    body = {"title": "Update aspnet docker digest", "head": RENOVATE, "base": "main"}
    return int((await github.ask("POST", f"/repos/contoso/{SHOP}/pulls", body))["number"])


async def test_another_bots_pull_request_for_the_same_line_and_digest_is_followed(stages: Stages) -> None:
    stage = await stages()
    await stage.fleet.publish_runtime("10.0.1")
    number = await open_by_renovate(stage, stage.fleet.repositories("10.0.1")[SHOP]["Dockerfile"])

    await stage.run_pass()
    await stage.run_pass()

    [request] = await stage.world.github.pull_requests(SHOP)
    assert request["number"] == number
    assert [entry for entry in stage.world.traffic.writes() if entry.service == "github"] == []
    rebuild = (await stage.rebuilds())[SHOP]
    assert (rebuild.state, rebuild.pull_request) == (RebuildState.OPEN, number)
    assert rebuild.reason == (
        f"Renovate's pull request #{number} brings the same; it is followed instead of a second one"
    )
    assert await stage.bot.stores[ActStore].open_pull_requests(f"contoso/{SHOP}") == 1
    await stage.world.github.merge(SHOP, number)
    await stage.run_pass()
    assert (await stage.states())[SHOP] is RebuildState.BUILDING


async def test_another_bots_pull_request_for_another_digest_keeps_none_from_being_opened(stages: Stages) -> None:
    stage = await stages()
    before = stage.fleet.repositories("10.0.0")[SHOP]["Dockerfile"]
    number = await open_by_renovate(stage, before.replace(stage.fleet.digests[BASE], f"sha256:{'5' * 64}"))
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()

    opened = {request["number"]: request["head"]["ref"] for request in await stage.world.github.pull_requests(SHOP)}
    assert opened.keys() > {number}
    assert BRANCH in opened.values()


# A base that breaks others


async def test_an_open_one_is_marked_while_its_digest_is_quarantined(stages: Stages) -> None:
    stage = await stages(MERGES)
    stage.world.github.protect(SHOP, checks=("build",))
    stage.world.github.edge.overlays[f"contoso/{SHOP}"]["allow_auto_merge"] = True
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    await stage.bot.stores[OrdersStore].quarantine(
        f"{stage.fleet.registry}/{BASE}", Word("Ann", "it breaks logins")
    )

    await stage.run_pass()

    marked = await the_request(stage)
    assert "**Do not merge:**" in marked["body"]
    assert "is quarantined, since it breaks logins" in marked["body"]
    assert sorted(label["name"] for label in marked["labels"]) == ["freshness", "freshness:quarantined"]
    assert marked["auto_merge"] is None
    await stage.run_pass()
    assert stage.world.traffic.writes() == []
    await stage.bot.stores[OrdersStore].lift(f"{stage.fleet.registry}/{BASE}", Word("Ann", "it was us"))
    await stage.run_pass()
    unmarked = await the_request(stage)
    assert "quarantined" not in unmarked["body"]
    assert [label["name"] for label in unmarked["labels"]] == ["freshness"]
    assert unmarked["auto_merge"] is not None


async def test_a_freeze_keeps_an_open_one_from_merging_by_itself_until_it_is_over(stages: Stages) -> None:
    stage = await stages(MERGES, freezes=[freeze_in(timedelta(hours=2), timedelta(hours=4))])
    stage.world.github.protect(SHOP, checks=("build",))
    stage.world.github.edge.overlays[f"contoso/{SHOP}"]["allow_auto_merge"] = True
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    assert (await the_request(stage))["auto_merge"] is not None

    stage.clock.ahead += timedelta(hours=3)
    await stage.run_pass()
    frozen = await the_request(stage)
    assert frozen["auto_merge"] is None
    assert "merges by itself" not in frozen["body"]
    await stage.run_pass()
    assert stage.world.traffic.writes() == []
    stage.clock.ahead += timedelta(hours=2)
    await stage.run_pass()
    assert (await the_request(stage))["auto_merge"] is not None


async def test_one_of_an_archived_repository_keeps_no_rollout_open(stages: Stages) -> None:
    stage = await stages()
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    stage.world.github.edge.overlays[f"contoso/{SHOP}"]["archived"] = True

    stage.clock.ahead += timedelta(hours=1)
    await stage.run_pass()

    rebuild = (await stage.rebuilds())[SHOP]
    assert rebuild.state is RebuildState.SKIPPED
    assert rebuild.reason.startswith("the repository is archived; pull request #")
    stage.world.github.edge.overlays[f"contoso/{SHOP}"]["archived"] = False
    stage.clock.ahead += timedelta(hours=30)
    await stage.run_pass()
    stage.clock.ahead += timedelta(hours=1)
    await stage.run_pass()
    assert (await stage.rebuilds())[SHOP].state is RebuildState.OPEN
    assert len(await stage.world.github.pull_requests(SHOP)) == 1


# Repositories that take none


async def test_a_rule_against_its_branch_is_told_with_what_to_grant(stages: Stages) -> None:
    stage = await stages()
    stage.world.github.forbid(SHOP, "freshness/*", "creation")
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()

    rebuild = (await stage.rebuilds())[SHOP]
    assert rebuild.state is RebuildState.SKIPPED
    assert rebuild.reason == (
        f"a rule of the repository refuses {BRANCH}: new branches are restricted; "
        "let the bot bypass that rule, or set branch_prefix to a name that it allows"
    )
    assert (await stage.world.github.branches(SHOP)).keys() == {"main"}


async def test_a_branch_whose_commit_is_refused_is_not_left_behind(stages: Stages) -> None:
    stage = await stages()
    stage.world.github.forbid(
        SHOP, "freshness/*", "commit_message_pattern", operator="starts_with", pattern="build:", negate=False
    )
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()

    rebuild = (await stage.rebuilds())[SHOP]
    assert rebuild.state is RebuildState.SKIPPED
    assert "set commit_message to a line that the pattern takes" in rebuild.reason
    assert (await stage.world.github.branches(SHOP)).keys() == {"main"}


async def test_a_repository_that_the_app_may_only_read_waits_and_says_what_to_grant(stages: Stages) -> None:
    stage = await stages(as_app=True)
    stage.world.github.edge.installations.of("contoso").permissions["contents"] = "read"
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()

    rebuild = (await stage.rebuilds())[SHOP]
    assert rebuild.state is RebuildState.WAITING
    assert "grant contents, pull requests and actions: read and write" in rebuild.reason
    assert await stage.world.github.pull_requests(SHOP) == []


# Merging without a person


async def test_it_merges_by_itself_once_the_required_check_is_green(stages: Stages) -> None:
    stage = await stages(MERGES, as_app=True)
    github = stage.world.github
    await github.ask("POST", f"/repos/contoso/{SHOP}/labels", {"name": "freshness", "color": "ededed"})
    github.protect(SHOP, checks=("build",))
    github.edge.overlays[f"contoso/{SHOP}"]["allow_auto_merge"] = True
    await stage.run_pass()  # which takes the App's token
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()

    assert requests_for_it(stage) == 3
    request = await the_request(stage)
    assert request["auto_merge"]["merge_method"] == "squash"
    assert "It merges by itself once the required checks are green" in request["body"]
    await stage.run_pass()
    assert (await stage.states())[SHOP] is RebuildState.OPEN
    github.report_check(SHOP, request["head"]["sha"], "build", "success")
    await stage.run_pass()
    assert (await the_request(stage, "closed"))["merged_at"] is not None
    assert stage.fleet.digests[BASE] in await github.read(SHOP, "Dockerfile")
    assert (await stage.states())[SHOP] is RebuildState.BUILDING


async def test_it_enters_the_merge_queue_once_its_checks_are_green(stages: Stages) -> None:
    stage = await stages(MERGES)
    github = stage.world.github
    github.protect(SHOP, checks=("build",), queue="SQUASH")
    await stage.fleet.publish_runtime("10.0.1")
    await stage.run_pass()
    request = await the_request(stage)
    github.report_check(SHOP, request["head"]["sha"], "build", "success")

    await stage.run_pass()
    await stage.run_pass()

    assert len(github.merging.queues[request["base"]["repo"]["id"]]) == 1
    await github.land_queue(SHOP)
    await stage.run_pass()
    assert (await stage.states())[SHOP] is RebuildState.BUILDING


async def test_it_waits_for_a_person_where_no_check_is_required(stages: Stages) -> None:
    stage = await stages(MERGES)
    stage.world.github.edge.overlays[f"contoso/{SHOP}"]["allow_auto_merge"] = True
    await stage.fleet.publish_runtime("10.0.1")

    await stage.run_pass()
    await stage.run_pass()

    assert (await the_request(stage))["auto_merge"] is None
    told = (await stage.rebuilds())[SHOP].reason
    assert told.endswith("not set to merge by itself: no check is required on main; require one in a ruleset")
