"""Own bases, in order: golden images first, then whoever stands on them."""

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.commands.look.explanation import read_explanation
from bot.domain.bases.change import Cause
from bot.domain.evidence import ImageVerdict
from bot.domain.rollouts.rebuild import RebuildState
from bot.store.views.bases import BaseViewsStore
from bot.store.views.rollouts import RolloutViewsStore
from sandbox.fleets.golden import DIAMOND, GOLDEN, GOLDEN_SDK, GoldenFleet
from sandbox.images import Pushed
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.publishing import move
from tests.e2e.staging import Stage, settled
from tests.migrated import new_sqlite


async def looked_at(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    """Two golden images and four services, after a pass in which their images became known, and one in which the
    golden ones were looked at."""
    stage = await settled(world, folder, store_url, exits, fleet=GoldenFleet(world, services=4))
    await stage.run_pass()
    return stage


GOLDEN_IMAGES = beginning(looked_at)
golden = GOLDEN_IMAGES.fixture()
moved = GOLDEN_IMAGES.then(move).fixture()
"""The same, after Microsoft's base below the golden image has moved."""


def fleet_of(stage: Stage) -> GoldenFleet:
    assert isinstance(stage.fleet, GoldenFleet)
    return stage.fleet


def begun(stage: Stage) -> list[str]:
    """The repositories whose workflows were started, in that order."""
    return [run.workflow.repository.partition("/")[2] for run in stage.world.github.runs()]


def finish(stage: Stage, *names: str, conclusion: str = "success") -> None:
    for run in stage.world.github.runs():
        name = run.workflow.repository.partition("/")[2]
        if run.status != "completed" and (not names or name in names):
            stage.world.github.finish_run(run.id, conclusion)


async def test_golden_images_are_known_as_bases_and_are_rebuilt_before_whoever_stands_on_them(
    moved: Stage,
) -> None:
    assert begun(moved) == [GOLDEN]
    finish(moved)
    await moved.run_pass()
    await moved.run_pass()
    assert sorted(begun(moved)[1:]) == fleet_of(moved).names
    finish(moved)
    await moved.run_pass()
    rebuilds = await moved.rebuilds()
    assert {name: rebuilds[name].proof for name in fleet_of(moved).names} == dict.fromkeys(
        fleet_of(moved).names, ImageVerdict.PROVED
    )
    assert len(begun(moved)) == 5


async def passes(stage: Stage, count: int = 3) -> None:
    for _ in range(count):
        await stage.run_pass()


@pytest.mark.long
async def test_a_diamond_waits_for_both_of_its_parents_and_is_rebuilt_once(
    world: World, tmp_path: Path, store_url: str
) -> None:
    async with AsyncExitStack() as exits:
        stage = await settled(world, tmp_path, store_url, exits, fleet=GoldenFleet(world, services=4))
        await stage.run_pass()
        await rebuilt_in_order(stage)


@pytest.mark.long
async def test_twenty_services_with_a_diamond_are_rebuilt_once_each(world: World, tmp_path: Path) -> None:
    async with AsyncExitStack() as exits:
        fleet = GoldenFleet(world, services=20)
        stage = await settled(world, tmp_path, new_sqlite(tmp_path / "freshness.db"), exits, fleet=fleet)
        await stage.run_pass()
        await rebuilt_in_order(stage)


async def rebuilt_in_order(golden: Stage) -> None:
    """Both roots move; the golden images are rebuilt, then whoever stands on one, then who stands on both."""
    await golden.fleet.publish_runtime("10.0.1")
    await golden.fleet.publish_sdk("10.0.1")
    await golden.run_pass()
    assert sorted(begun(golden)) == [GOLDEN, GOLDEN_SDK]
    finish(golden, GOLDEN)
    await passes(golden)
    assert sorted(begun(golden)[2:]) == fleet_of(golden).names[1:]
    assert await waits_of(golden, DIAMOND) == ["waits for golden-sdk, 1 of 2 parents ready"]
    finish(golden)
    await passes(golden)
    assert begun(golden).count(DIAMOND) == 1
    finish(golden)
    await golden.run_pass()
    assert (await golden.rebuilds())[DIAMOND].state is RebuildState.SUCCEEDED
    assert len(begun(golden)) == 2 + len(fleet_of(golden).names)


async def waits_of(stage: Stage, name: str) -> list[str]:
    """What the open rebuilds of a repository wait for, as `explain` shows it."""
    explained = await read_explanation(stage.bot.settings, f"contoso/{name}", stage.clock)
    mine = {rebuild.id for rebuild in explained.rebuilds}
    return [hold.reason for number, hold in explained.waits.items() if number in mine]


@pytest.mark.long
async def test_a_diamond_goes_after_two_hours_and_is_told_as_unproven(golden: Stage) -> None:
    await golden.fleet.publish_runtime("10.0.1")
    await golden.fleet.publish_sdk("10.0.1")
    await golden.run_pass()
    finish(golden, GOLDEN)
    await passes(golden)
    golden.clock.ahead += timedelta(hours=2, minutes=1)
    await golden.run_pass()
    assert begun(golden).count(DIAMOND) == 1
    told = "golden-sdk:latest is not proven to stand on the new base after 2 h"
    assert told in await reasons_of(golden, DIAMOND)


async def reasons_of(stage: Stage, name: str) -> str:
    explained = await read_explanation(stage.bot.settings, f"contoso/{name}", stage.clock)
    return " | ".join(transition.reason for transition in explained.transitions)


async def test_a_failed_golden_image_blocks_whoever_stands_on_it_and_is_told_once(moved: Stage) -> None:
    finish(moved, conclusion="failure")
    await passes(moved, 4)
    assert begun(moved) == [GOLDEN]
    texts = [message["text"] for message in await moved.world.slack.messages()]
    assert texts.count("contoso/golden-aspnet blocks whoever stands on its image") == 1
    assert not [text for text in texts if "service-" in text]


@pytest.mark.long
async def test_a_second_patch_midway_rebuilds_each_service_once(moved: Stage) -> None:
    await moved.fleet.publish_runtime("10.0.2")
    await moved.run_pass()
    runs = moved.world.github.runs()
    assert [run.workflow.repository for run in runs] == ["contoso/golden-aspnet"] * 2
    fleet_of(moved).cached.add(GOLDEN)
    moved.world.github.finish_run(runs[0].id)
    await passes(moved)
    assert begun(moved) == [GOLDEN, GOLDEN]
    fleet_of(moved).cached.clear()
    moved.world.github.finish_run(runs[1].id)
    await passes(moved)
    assert sorted(begun(moved)[2:]) == fleet_of(moved).names
    finish(moved)
    await moved.run_pass()
    rollouts = await moved.bot.stores[RolloutViewsStore].rollouts(10)
    ended = [
        rebuild for rollout in rollouts for rebuild in rollout.rebuilds if rebuild.proof is ImageVerdict.PROVED
    ]
    assert sorted(rebuild.repository for rebuild in ended)[1:] == [
        f"contoso/{name}" for name in fleet_of(moved).names
    ]


async def test_the_cause_and_the_cves_travel_down(golden: Stage) -> None:
    await golden.fleet.publish_runtime("10.0.1")
    golden.fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    await golden.run_pass()
    finish(golden)
    await passes(golden)
    [(change, _)] = await golden.bot.stores[BaseViewsStore].changes_of("golden-aspnet:latest")
    assert change.cause is Cause.BASE_UPDATE
    assert change.causes == (Cause.DOTNET_SECURITY,)
    assert change.cves == ("CVE-2026-21218",)
    assert change.detail.startswith("rebuilt on aspnet:10.0-noble-chiseled (.NET 10.0.0 → 10.0.1 fixes 1 CVE")
    rollouts = await golden.bot.stores[RolloutViewsStore].rollouts(5)
    assert len(rollouts) == 1


async def test_a_commit_of_a_golden_image_alone_sets_off_nothing_before_it_is_pushed(golden: Stage) -> None:
    await golden.world.github.push(GOLDEN, {"README.md": "More to read.\n"})
    await passes(golden)
    assert begun(golden) == []


async def test_a_rebuild_with_the_same_layers_settles_whoever_stands_on_it(golden: Stage) -> None:
    fleet = fleet_of(golden)
    image = fleet.images["contoso/golden-aspnet:latest"]
    fleet.world.registry.push_now("contoso/golden-aspnet", "latest", replace(image, labels={"built": "again"}))
    await passes(golden)
    assert begun(golden) == []
    [(change, _)] = await golden.bot.stores[BaseViewsStore].changes_of("golden-aspnet:latest")
    assert change.cause is Cause.INDEX_ONLY


BY_RELEASE, BY_DIGEST, BY_TAG = "service-01", "service-02", "service-03"


class ReleasedFleet(GoldenFleet):
    """The golden image gets a tag of its own with each build, beside `latest`; one service is pinned to that, one
    to a digest, and one takes whatever `latest` shows."""

    builds = 0

    async def build(self, version: str = "10.0.0") -> None:
        await GoldenFleet.build(self, version)
        golden, github = self.own(GOLDEN), self.world.github
        shown = await self.world.registry.push(f"{github.name}/{GOLDEN}", "latest", self.images[self._latest])
        await github.push(BY_RELEASE, {"Dockerfile": f"FROM {golden}:1.0.1\nCOPY . /app\n"})
        await github.push(BY_DIGEST, {"Dockerfile": f"FROM {golden}:latest@{shown.digest}\nCOPY . /app\n"})

    @property
    def _latest(self) -> str:
        return f"{self.world.github.name}/{GOLDEN}:latest"

    def push_image(self, name: str, content: str, tag: str = "latest") -> Pushed:
        pushed = GoldenFleet.push_image(self, name, content, tag)
        if name == GOLDEN:
            self.builds += 1
            place = f"{self.world.github.name}/{GOLDEN}"
            self.world.registry.push_now(place, f"1.0.{self.builds}", self.images[self._latest])
        return pushed


@pytest.mark.long
async def test_what_is_pinned_on_an_own_base_gets_a_pull_request_to_its_newest_release_or_digest(
    world: World, tmp_path: Path
) -> None:
    async with AsyncExitStack() as exits:
        fleet = ReleasedFleet(world, services=4)
        stage = await settled(world, tmp_path, new_sqlite(tmp_path / "freshness.db"), exits, fleet=fleet)
        await stage.run_pass()
        await fleet.publish_runtime("10.0.1")
        await stage.run_pass()
        assert begun(stage) == [GOLDEN]
        finish(stage)
        await passes(stage)
        assert sorted(begun(stage)[1:]) == [DIAMOND, BY_TAG]
        rebuilds = await stage.rebuilds()
        [release], [digest] = (rebuilds[name].replacements for name in (BY_RELEASE, BY_DIGEST))
        assert (release.old.tag, release.new.tag, release.new.digest) == ("1.0.1", "1.0.2", None)
        shown = await stage.bot.registry.head(digest.new.base)
        assert (digest.new.tag, digest.new.digest) == ("latest", shown.digest)
        assert {rebuilds[name].state for name in (BY_RELEASE, BY_DIGEST)} == {RebuildState.OPEN}
        [request] = await world.github.pull_requests(BY_RELEASE)
        await world.github.merge(BY_RELEASE, request["number"])
        assert f"FROM {fleet.own(GOLDEN)}:1.0.2\n" in await world.github.read(BY_RELEASE, "Dockerfile")
