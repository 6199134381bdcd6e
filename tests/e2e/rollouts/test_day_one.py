"""The first day of a team whose repositories pin what was current months ago, and the day on which it leaves."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.commands.history import HistorySource, import_log
from bot.commands.rollouts.catch_up import Caught, catch_up
from bot.commands.service.leaving import retire_all
from bot.domain.bases.change import Cause
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.policy import Match
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.rollout import Occasion
from bot.fleet.act.retiring.retire import TraceOutcome
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.fleet.staleness import Left, Staleness, lacks_in_words
from sandbox.feeds.feeds import IMAGE_INFO
from sandbox.feeds.history import VersionsClone
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD, SampleFleet
from sandbox.images import Pushed, dotnet_image
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.staging import Stage, settled
from tests.migrated import new_sqlite

DAY = timedelta(days=1)
ANN = Word("Ann", "we start with the bot")
WAVES = {"waves": [{"name": "canary", "soak": "4h"}, {"name": "rest"}]}
POLICY: tuple[dict[str, object], ...] = (
    {"match": {"repositories": ["contoso/canary"]}, "wave": "canary", "settle": "0s"},
    {"match": {}, "wave": "rest", "settle": "0s"},
)
OLD = ("canary", "ledger-api", "mail-api")
"""Pinned to the digest of the first version."""
AGES = {"10.0.0": 200 * DAY, "10.0.1": 100 * DAY, "10.0.2": 10 * DAY}
BUILD = ".github/workflows/weekly-rebuild.yml"


@dataclass(slots=True)
class Months(SampleFleet):
    """Three versions were published, 200, 100 and 10 days ago; nobody has followed."""

    folder: Path = Path()

    async def publish_runtime(self, version: str, *, os: bytes = b"noble 1", upper: bytes = b"") -> Pushed:
        made_at = datetime.now(UTC) - AGES[version]
        image = dotnet_image("aspnet", version, os=os, upper=upper, created=made_at.isoformat())
        self.images[f"{ASPNET}:{RUNTIME_TAG}"] = image
        await self.world.registry.push(ASPNET, f"{version}-noble-chiseled", image)
        pushed = await self.world.registry.push(ASPNET, RUNTIME_TAG, image)
        return self._published(ASPNET, RUNTIME_TAG, pushed, version)

    async def build(self, version: str = "10.0.0") -> None:
        await SampleFleet.build(self, "10.0.0")
        clone, now = VersionsClone(self.folder), datetime.now(UTC)
        pinned = self.digests[f"{ASPNET}:{RUNTIME_TAG}"]
        clone.commit(self.world.feeds.document(IMAGE_INFO), now - AGES["10.0.0"])
        for name in OLD:
            text = f"FROM {self.registry}/{ASPNET}:{RUNTIME_TAG}@{pinned}\nCOPY . /app\n"
            await self.world.github.create_repository(name, {"Dockerfile": text})
        floating = {"Dockerfile": f"FROM {self.registry}/{ASPNET}:{RUNTIME_TAG}\n", BUILD: WEEKLY_REBUILD}
        await self.world.github.create_repository("float-api", floating)
        await self.world.github.record_run("float-api", BUILD, "push", now - 150 * DAY, "success")
        await self.world.github.create_repository(
            "left-alone",
            {
                "Dockerfile": f"FROM {self.registry}/{ASPNET}:{RUNTIME_TAG}@{pinned}\n",
                ".github/freshness.yaml": "enabled: false\n",
            },
        )
        for version in ("10.0.1", "10.0.2"):
            await self.publish_runtime(version)
            clone.commit(self.world.feeds.document(IMAGE_INFO), now - AGES[version])
        for version, cves in (("10.0.0", ()), ("10.0.1", ("CVE-2026-21218",)), ("10.0.2", ())):
            self.announce(version, security=bool(cves), cves=cves, on=(now - AGES[version]).date())


async def first_day(world: World, folder: Path, store_url: str, exits: AsyncExitStack, **rollout: object) -> Stage:
    """The team after its first pass."""
    fleet = Months(world, folder=folder / "versions")
    return await settled(world, folder, store_url, exits, fleet=fleet, policy=POLICY, rollout=WAVES | rollout)


stage = beginning(first_day).fixture()


async def imported(stage: Stage, folder: Path) -> None:
    await import_log(stage.bot.settings, HistorySource(clone=folder / "versions"), stage.clock)


async def caught_up(stage: Stage, repositories: str = "*", word: Word | None = ANN) -> Caught:
    return await catch_up(stage.bot.settings, Match(repositories=(repositories,)), word, stage.clock)


async def requests(stage: Stage) -> Mapping[str, int]:
    names = (*OLD, "orders-api", "payments-api", "left-alone")
    found = await asyncio.gather(*(stage.world.github.pull_requests(name) for name in names))
    return {name: len(some) for name, some in zip(names, found, strict=True) if some}


async def merge(stage: Stage, name: str) -> None:
    [request] = await stage.world.github.pull_requests(name)
    await stage.world.github.merge(name, request["number"])


async def test_the_first_pass_tells_how_stale_the_fleet_is_and_writes_nothing(stage: Stage) -> None:
    [told] = [message["text"] for message in await stage.world.slack.messages()]
    assert told.startswith("6 of 9 repositories are behind what their bases show")
    assert told.endswith("freshness-bot catch-up brings them along")
    assert await requests(stage) == {}
    for _ in range(2):
        await stage.run_pass()
    assert len(await stage.world.slack.messages()) == 1


async def test_the_first_pass_tells_from_releases_what_a_patch_tag_lacks(stage: Stage) -> None:
    found = (await caught_up(stage, word=None)).staleness
    [orders] = [each for each in found.left if each.repositories == ("contoso/orders-api",)]
    assert (orders.lacks.cause, orders.cves) == (Cause.DOTNET_SECURITY, ("CVE-2026-21218",))
    assert lacks_in_words(orders).startswith("10.0.0 → 10.0.2: 1 security release, 1 CVE")
    assert orders not in found.undated


def left_by(found: Staleness, repository: str) -> Left:
    [entry] = [each for each in found.left if f"contoso/{repository}" in each.repositories]
    return entry


@pytest.mark.parametrize("repository", ["ledger-api", "float-api"])
async def test_the_first_pass_tells_it_of_digests_by_their_images_and_of_what_floats_by_its_build(
    stage: Stage, repository: str
) -> None:
    entry = left_by((await caught_up(stage, word=None)).staleness, repository)
    assert (entry.lacks.cause, entry.cves) == (Cause.DOTNET_SECURITY, ("CVE-2026-21218",))
    assert lacks_in_words(entry).startswith("10.0.0 → 10.0.2: 1 security release, 1 CVE")
    assert entry.published_at is not None
    assert "oldest fix out for 10" in lacks_in_words(entry)


async def test_what_a_digest_holds_is_asked_once_in_the_life_of_the_store(stage: Stage) -> None:
    pins = {each.pinned for each in (await caught_up(stage, word=None)).staleness.left}
    digests = sorted(pin for pin in pins if pin is not None and ":" in pin)

    def asked() -> int:
        entries = (entry for digest in digests for entry in stage.world.traffic.requests("registry", path=digest))
        return sum(1 for _ in entries)

    counts = [asked()]
    for _ in range(2):
        await stage.run_pass()
        counts.append(asked())
    assert (len(digests), counts) == (1, [1, 0, 0])


async def test_history_tells_what_the_base_went_through_since(stage: Stage, tmp_path: Path) -> None:
    before = left_by((await caught_up(stage, word=None)).staleness, "ledger-api")
    assert (before.changes, before.published_at is not None) == (0, True)
    await imported(stage, tmp_path)

    found = (await caught_up(stage, word=None)).staleness

    assert found.undated == ()
    assert found.oldest is not None
    assert (stage.clock.now() - found.oldest).days == 200
    assert found.cves == ("CVE-2026-21218",)
    ages = {
        each.repositories: (stage.clock.now() - each.published_at).days for each in found.left if each.published_at
    }
    assert ages[("contoso/float-api",)] == 150
    assert ages[("contoso/canary", "contoso/ledger-api", "contoso/mail-api", "contoso/payments-api")] == 200
    assert await stage.run_pass()
    assert await requests(stage) == {}, "what is past sets off no rebuild"


@pytest.mark.long
async def test_a_catch_up_goes_in_waves_however_severe_it_is_and_a_second_one_has_nothing_to_do(
    stage: Stage, tmp_path: Path
) -> None:
    await imported(stage, tmp_path)
    found = await caught_up(stage)
    assert found.rollout == 1
    again = await caught_up(stage)
    assert (again.rollout, again.plan.rebuilds) == (None, ())
    assert len(again.plan.on_the_way) == 6

    await stage.run_pass()
    assert await requests(stage) == {"canary": 1}
    [request] = await stage.world.github.pull_requests("canary")
    assert "CVE-2026-21218" in request["body"]
    await merge(stage, "canary")
    for ahead in (2, 5):
        stage.clock.ahead += timedelta(hours=ahead)
        await stage.run_pass()
    await stage.run_pass()

    assert await requests(stage) == {"ledger-api": 1, "mail-api": 1, "orders-api": 1, "payments-api": 1}
    assert [run.workflow.repository for run in stage.world.github.runs() if run.conclusion is None] == [
        "contoso/float-api"
    ]
    for name in await requests(stage):
        await merge(stage, name)
    for run in stage.world.github.runs():
        stage.world.github.finish_run(run.id)
    for _ in range(3):
        stage.clock.ahead += timedelta(hours=2)
        await stage.run_pass()
    assert (await caught_up(stage, word=None)).staleness.left == ()
    [rollout] = await stage.bot.stores[RolloutViewsStore].rollouts(5)
    assert (rollout.occasion, rollout.ended_at is not None) == (Occasion.CATCH_UP, True)


async def test_only_the_repositories_that_are_named_catch_up(stage: Stage) -> None:
    found = await caught_up(stage, "contoso/*-api")
    assert "contoso/canary" not in {each.repository for each in found.plan.rebuilds}
    await stage.run_pass()
    assert set(await requests(stage)) == {"ledger-api", "mail-api", "orders-api", "payments-api"}


async def test_the_first_pass_catches_up_where_the_operator_wants_it(world: World, tmp_path: Path) -> None:
    async with AsyncExitStack() as exits:
        url = new_sqlite(tmp_path / "freshness.db")
        stage = await first_day(world, tmp_path, url, exits, first_run="catch_up")
        assert await requests(stage) == {"canary": 1}
        told = [message["text"] for message in await world.slack.messages()]
        assert [text for text in told if text.endswith("Rollout 1 brings them along, wave by wave")]
        [request] = await world.github.pull_requests("canary")
        assert request["title"] == "Refresh aspnet:10.0-noble-chiseled to .NET 10.0.2 (1 CVE)"
        assert "CVE-2026-21218" in request["body"]
        assert "10.0.0 → 10.0.2: 1 security release, 1 CVE, oldest fix out since " in request["body"]
        await stage.run_pass()
        rebuilds = await stage.rebuilds()
        assert {name: rebuild.action for name, rebuild in rebuilds.items() if name == "canary"} == {
            "canary": Action.PULL_REQUEST
        }
        assert {rebuild.state for rebuild in rebuilds.values()} <= {RebuildState.OPEN, RebuildState.PLANNED}


async def test_leaving_closes_what_is_open_deletes_its_own_branches_and_lists_what_stays(stage: Stage) -> None:
    await caught_up(stage, "contoso/*-api")
    await stage.run_pass()
    [request] = await stage.world.github.pull_requests("ledger-api")
    await stage.world.github.push("ledger-api", {"NOTES.md": "mine\n"}, branch=request["head"]["ref"])
    before = await requests(stage)

    seen = await retire_all(stage.bot.settings, None, stage.clock, lambda done, total: None)
    assert await requests(stage) == before
    done = await retire_all(stage.bot.settings, ANN, stage.clock, lambda done, total: None)

    assert done == seen
    assert await requests(stage) == {}
    kept = {each.repository: each.why for each in done if each.outcome is TraceOutcome.KEPT}
    assert kept == {"contoso/ledger-api": "somebody has committed to it"}
    branches = {name: set(await stage.world.github.branches(name)) for name in before}
    assert {name for name, some in branches.items() if some != {"main"}} == {"ledger-api"}
    [closed] = await stage.world.github.pull_requests("mail-api", "closed")
    assert "**Closed by the bot:** the bot retires" in closed["body"]
    for _ in range(2):
        await stage.run_pass()
    assert await requests(stage) == {}
    again = await retire_all(stage.bot.settings, ANN, stage.clock, lambda done, total: None)
    assert [(each.repository, each.outcome) for each in again] == [("contoso/ledger-api", TraceOutcome.KEPT)]
