"""A merged pull request is followed to the build of its merge commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.domain.builder.runs import BuildRun, FailedJob, MergedCommit
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.terms import PathWorkflow
from bot.fleet.follow.tick import FollowOptions, tick
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.fakes.repository import FakeRepository
from tests.fakes.stores.rebuilds import FakeRebuildStore, following
from tests.unit.fleet.act.world import BRANCH, NOON, SHOP, rebuild
from tests.unit.fleet.follow.world import OPEN

OPTIONS = FollowOptions(timedelta(minutes=5), build_within=timedelta(hours=1))


@dataclass(slots=True)
class World:
    """A repository whose pull request was just merged, and the rebuild that opened it."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    forge: FakeForge = field(init=False)
    shop: FakeRepository = field(init=False)
    store: FakeRebuildStore = field(init=False)

    def __post_init__(self) -> None:
        self.forge = FakeForge(self.clock)
        self.shop = self.forge.add(SHOP, {"README.md": b""})
        self.shop.commit_to(BRANCH, {"Dockerfile": b"FROM new"})
        self.shop.requests[1] = replace(OPEN, branch=BRANCH)
        self.shop.merge(1)
        open_one = rebuild(state=RebuildState.OPEN, pull_request=1, node_id="PR_1", workflow="weekly-rebuild.yml")
        self.store = following(self.clock, open_one)

    @property
    def commit(self) -> str:
        return self.shop.branches["main"]

    async def looked(self, after: timedelta = timedelta(0)) -> Rebuild:
        self.clock.advance(after)
        await tick(self.store, self.forge, self.forge, OPTIONS, Loop(self.clock))
        return self.store[1]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_merged_pull_request_has_built_nothing_yet(world: World) -> None:
    after = await world.looked()
    assert (after.state, after.ended_at, after.built_at) == (RebuildState.BUILDING, None, None)
    assert after.merge is not None
    assert after.merge.commit == world.commit


async def test_it_is_merged_and_its_build_looked_for_in_one_pass(world: World) -> None:
    world.shop.build(world.commit)
    after = await world.looked()
    assert (after.state, after.built_at, after.url) == (RebuildState.PROVING, NOON, f"https://forge/{SHOP}/build")
    assert [call for call, _ in world.forge.asked] == ["follow_requests", "builds"]


async def test_a_build_under_way_is_told_with_its_run(world: World) -> None:
    world.shop.build(world.commit, "in_progress", None)
    after = await world.looked()
    assert (after.state, after.reason) == (RebuildState.BUILDING, "merged; build.yml is under way")
    assert after.due_at == NOON + OPTIONS.every


async def test_a_build_that_waits_for_a_person_says_so(world: World) -> None:
    world.shop.build(world.commit, "waiting", None)
    assert (await world.looked()).reason == "merged; build.yml waits for approval"


async def test_a_red_build_is_a_failure_with_the_run_that_failed(world: World) -> None:
    world.shop.build(world.commit)
    world.shop.build(world.commit, conclusion="failure", path=".github/workflows/test.yml", url="https://forge/red")
    after = await world.looked()
    assert (after.state, after.url) == (RebuildState.FAILED, "https://forge/red")
    assert after.reason == "merged, but its build failed: test.yml concluded with failure"


async def test_of_a_red_build_the_runs_that_have_ended_are_kept(world: World) -> None:
    world.shop.build(world.commit, conclusion="failure", id=3)
    world.shop.build(world.commit, "in_progress", None, path=".github/workflows/test.yml", id=4)
    world.shop.build(world.commit, path=".github/workflows/lint.yml", id=None)
    after = await world.looked()
    assert (after.state, after.built_by) == (RebuildState.FAILED, (3,))


async def test_the_runs_of_the_rebuild_workflow_count_alone_where_there_are_some(world: World) -> None:
    world.shop.build(world.commit, conclusion="failure")
    world.shop.build(world.commit, path=".github/workflows/weekly-rebuild.yml", event="schedule")
    assert (await world.looked()).state is RebuildState.PROVING


@pytest.mark.parametrize("event", ["pull_request", "merge_group", "issues"])
async def test_runs_that_judge_what_is_to_be_merged_or_did_not_come_of_the_push_are_no_build(
    world: World, event: str
) -> None:
    world.shop.build(world.commit, event=event)
    assert (await world.looked()).state is RebuildState.BUILDING


async def test_without_a_run_it_ends_after_an_hour_as_merged_and_not_seen(world: World) -> None:
    first = await world.looked()
    assert first.state is RebuildState.BUILDING
    still = await world.looked(timedelta(minutes=55))
    assert still.state is RebuildState.BUILDING
    after = await world.looked(timedelta(minutes=10))
    assert (after.state, after.ended_at) == (RebuildState.MERGED, world.clock.now())
    assert after.reason == f"merged, build not seen: no run on {world.commit[:7]} within 1 h"


async def test_the_run_on_the_last_commit_of_one_push_is_the_build_of_those_before_it(world: World) -> None:
    """A merge queue lands several pull requests with one push."""
    world.shop.commit_to("main", {"a.txt": b""})
    last = world.shop.commit_to("main", {"b.txt": b""})
    world.shop.build(last)
    assert (await world.looked()).state is RebuildState.PROVING


async def test_a_build_cancelled_by_a_later_push_gives_way_to_that_ones_build(world: World) -> None:
    world.shop.build(world.commit, conclusion="cancelled")
    assert (await world.looked()).state is RebuildState.BUILDING
    world.shop.build(world.shop.commit_to("main", {"a.txt": b""}))
    assert (await world.looked(timedelta(minutes=6))).state is RebuildState.PROVING


async def test_a_build_cancelled_by_a_later_one_of_the_same_commit_gives_way_to_that(world: World) -> None:
    world.shop.build(world.commit, conclusion="cancelled")
    world.shop.build(world.commit, event="workflow_dispatch")
    assert (await world.looked()).state is RebuildState.BUILDING
    world.shop.build(world.commit, conclusion="cancelled", path=".github/workflows/weekly-rebuild.yml")
    world.shop.build(world.commit, event="workflow_dispatch", path=".github/workflows/weekly-rebuild.yml")
    assert (await world.looked(timedelta(minutes=6))).state is RebuildState.PROVING


async def test_a_build_that_was_cancelled_and_not_repeated_is_cancelled(world: World) -> None:
    world.shop.build(world.commit, conclusion="cancelled")
    await world.looked()
    after = await world.looked(timedelta(hours=1, minutes=1))
    assert (after.state, after.reason) == (RebuildState.CANCELLED, "merged, but the build was cancelled")


async def test_a_run_that_was_skipped_has_built_nothing(world: World) -> None:
    world.shop.build(world.commit, conclusion="skipped")
    assert (await world.looked()).state is RebuildState.BUILDING
    after = await world.looked(timedelta(hours=1, minutes=1))
    told = f"merged, build not seen: no run on {world.commit[:7]} within 1 h that was not skipped"
    assert (after.state, after.reason) == (RebuildState.MERGED, told)


async def test_a_rebuild_workflow_that_was_skipped_is_not_stood_in_for_by_another(world: World) -> None:
    world.shop.build(world.commit, conclusion="skipped", path=".github/workflows/weekly-rebuild.yml")
    world.shop.build(world.commit)
    assert (await world.looked()).state is RebuildState.BUILDING


async def test_a_skipped_run_does_not_keep_another_from_being_the_build(world: World) -> None:
    world.shop.build(world.commit, conclusion="skipped", path=".github/workflows/docs.yml")
    world.shop.build(world.commit)
    after = await world.looked()
    assert (after.state, after.reason.partition(";")[0]) == (
        RebuildState.PROVING,
        "merged, and built: build.yml concluded with success",
    )


async def test_many_builds_are_looked_for_in_one_request(world: World) -> None:
    world.shop.build(world.commit)
    world.store = following(world.clock, *(replace(world.store[1], id=number) for number in range(1, 40)))
    await world.looked()
    assert [call for call, _ in world.forge.asked] == ["follow_requests", "builds"]
    assert {world.store[number].state for number in range(1, 40)} == {RebuildState.PROVING}


async def test_builds_that_cannot_be_asked_for_are_asked_for_again(world: World) -> None:
    await world.looked()
    world.forge.failing["builds"] = Failure(Trouble.UNREACHABLE, "no")
    assert (await world.looked(timedelta(minutes=10))).state is RebuildState.BUILDING
    world.forge.failing.clear()
    world.shop.build(world.commit)
    assert (await world.looked(timedelta(minutes=30))).state is RebuildState.PROVING


async def test_a_merge_commit_that_is_gone_cannot_be_built(world: World) -> None:
    await world.looked()
    world.shop.is_gone = True
    world.store.alter(1, rebuild=replace(world.store[1], looks_in_vain=11))
    after = await world.looked(timedelta(minutes=6))
    assert (after.state, after.reason) == (RebuildState.CANCELLED, "the merge commit is no longer there")


WEEKLY = ".github/workflows/weekly-rebuild.yml"


async def tried_again(world: World, path: str = ".github/workflows/build.yml") -> World:
    """Its build was red, and a person asks for it again, which the bot cannot start."""
    world.shop.build(world.commit, conclusion="failure", url="https://forge/runs/5", id=5, path=path)
    failed = await world.looked()
    assert (failed.state, failed.built_by) == (RebuildState.FAILED, (5,))
    assert failed.merge is not None
    merge = replace(failed.merge, at=world.clock.now())
    again = replace(failed, state=RebuildState.BUILDING, ended_at=None, merge=merge, due_at=world.clock.now())
    world.store = following(world.clock, again)
    return world


async def test_a_build_that_is_tried_again_is_not_judged_by_the_run_that_was_red_before(world: World) -> None:
    await tried_again(world)
    assert (await world.looked()).state is RebuildState.BUILDING
    [run] = world.shop.builds[world.commit]
    world.shop.builds[world.commit] = [replace(run, status="in_progress", conclusion=None)]
    assert (await world.looked(timedelta(minutes=6))).reason == "merged; build.yml is under way"
    world.shop.builds[world.commit] = [run]
    assert (await world.looked(timedelta(minutes=6))).state is RebuildState.FAILED, (
        "it was run again, and is red again"
    )


async def test_it_is_green_once_somebody_has_run_it_again(world: World) -> None:
    await tried_again(world)
    [run] = world.shop.builds[world.commit]
    world.shop.builds[world.commit] = [replace(run, conclusion="success")]
    assert (await world.looked()).state is RebuildState.PROVING


@pytest.mark.parametrize(
    ("conclusion", "state"), [("success", RebuildState.PROVING), ("failure", RebuildState.FAILED)]
)
async def test_it_is_judged_by_a_run_that_somebody_has_started_on_the_same_commit(
    world: World, conclusion: str, state: RebuildState
) -> None:
    await tried_again(world, WEEKLY)
    world.shop.build(world.commit, conclusion=conclusion, event="workflow_dispatch", path=WEEKLY, id=6)
    assert (await world.looked()).state is state


async def test_another_workflow_does_not_stand_in_for_the_one_that_is_to_be_run_again(world: World) -> None:
    await tried_again(world)
    world.shop.build(world.commit, path=".github/workflows/lint.yml", id=6)
    assert (await world.looked()).state is RebuildState.BUILDING


async def test_it_is_green_once_somebody_has_pushed(world: World) -> None:
    await tried_again(world)
    world.shop.build(world.shop.commit_to("main", {"a.txt": b""}))
    assert (await world.looked()).state is RebuildState.PROVING


async def test_what_nobody_has_run_again_was_not_tried_again(world: World) -> None:
    await tried_again(world)
    await world.looked()
    after = await world.looked(timedelta(hours=1, minutes=1))
    assert (after.state, after.url) == (RebuildState.SKIPPED, "https://forge/runs/5")
    assert after.reason == "not built again: nobody has run build.yml again within 1 h, or pushed since"


PARTS = (PathWorkflow(("shop/*",), "shop.yml"), PathWorkflow(("cart/*",), "cart.yml"))


@pytest.fixture
def monorepo(world: World) -> World:
    world.store.alter(1, rebuild=replace(world.store[1], workflow=None, parts=PARTS))
    return world


def built(world: World, part: str, status: str = "completed", conclusion: str | None = "success") -> None:
    world.shop.build(world.commit, status, conclusion, path=f".github/workflows/{part}.yml")


async def test_a_monorepo_is_done_when_each_part_is_and_each_is_told_alone(monorepo: World) -> None:
    built(monorepo, "shop")
    built(monorepo, "lint", conclusion="failure")
    after = await monorepo.looked()
    assert (after.state, after.reason) == (
        RebuildState.BUILDING,
        "merged; shop.yml concluded with success, cart.yml is looked for",
    )
    built(monorepo, "cart", "in_progress", None)
    after = await monorepo.looked(timedelta(minutes=6))
    assert after.reason == "merged; shop.yml concluded with success, cart.yml is under way"
    monorepo.shop.builds[monorepo.commit].pop()
    built(monorepo, "cart")
    assert (await monorepo.looked(timedelta(minutes=6))).state is RebuildState.PROVING


async def test_what_no_part_takes_is_built_by_what_a_push_starts_besides_the_workflows_of_parts(
    world: World,
) -> None:
    rest = PathWorkflow((), "weekly.yml", others=PARTS)
    world.store.alter(1, rebuild=replace(world.store[1], workflow=None, parts=(rest,)))
    built(world, "shop", conclusion="failure")
    assert (await world.looked()).state is RebuildState.BUILDING
    built(world, "ci")
    assert (await world.looked(timedelta(minutes=6))).state is RebuildState.PROVING


async def test_one_red_part_fails_the_rebuild_of_a_monorepo(monorepo: World) -> None:
    built(monorepo, "shop")
    built(monorepo, "cart", conclusion="failure")
    after = await monorepo.looked()
    assert after.state is RebuildState.FAILED
    assert after.reason.endswith("shop.yml concluded with success, cart.yml concluded with failure")


async def test_a_red_part_waits_for_the_others_and_names_what_is_to_be_run_again(monorepo: World) -> None:
    built(monorepo, "cart", conclusion="failure")
    built(monorepo, "shop", "in_progress", None)
    after = await monorepo.looked()
    assert (after.state, after.reason) == (
        RebuildState.BUILDING,
        "merged; shop.yml is under way, cart.yml concluded with failure",
    )
    monorepo.shop.builds[monorepo.commit].pop()
    built(monorepo, "shop")
    after = await monorepo.looked(timedelta(minutes=6))
    assert (after.state, after.workflow) == (RebuildState.FAILED, "cart.yml")


async def test_a_red_part_names_none_where_another_has_not_ended_in_time(monorepo: World) -> None:
    """Run again by itself it would count for the other one too."""
    built(monorepo, "cart", conclusion="failure")
    built(monorepo, "shop", "in_progress", None)
    await monorepo.looked()
    after = await monorepo.looked(timedelta(hours=1, minutes=1))
    assert (after.state, after.workflow) == (RebuildState.FAILED, None)


async def test_several_red_parts_name_none(monorepo: World) -> None:
    built(monorepo, "shop", conclusion="failure")
    built(monorepo, "cart", conclusion="failure")
    after = await monorepo.looked()
    assert (after.state, after.workflow) == (RebuildState.FAILED, None)


async def test_a_part_whose_build_is_not_seen_is_named(monorepo: World) -> None:
    built(monorepo, "shop")
    await monorepo.looked()
    after = await monorepo.looked(timedelta(hours=1, minutes=1))
    assert after.state is RebuildState.MERGED
    assert after.reason.startswith("merged, build not seen: no run of cart.yml on")


async def test_the_run_that_built_a_merge_names_its_image_without_a_request_more(world: World) -> None:
    world.shop.build("an earlier one")
    world.shop.build(world.commit)
    after = await world.looked()
    assert (after.built_commit, after.run_number) == (world.commit, 2)
    assert [call for call, _ in world.forge.asked] == ["follow_requests", "builds"]


async def test_of_several_runs_of_one_workflow_on_a_commit_the_last_one_names_it(world: World) -> None:
    world.shop.build(world.commit)
    world.shop.build(world.commit, event="schedule", path=".github/workflows/weekly-rebuild.yml")
    world.shop.build(world.commit, event="workflow_dispatch", path=".github/workflows/weekly-rebuild.yml")
    assert (await world.looked()).run_number == 2


async def test_runs_of_several_workflows_name_no_number_for_each_counts_its_own(world: World) -> None:
    world.shop.build(world.commit)
    world.shop.build(world.commit, path=".github/workflows/other.yml")
    after = await world.looked()
    assert (after.state, after.built_commit, after.run_number) == (RebuildState.PROVING, world.commit, None)


async def test_where_a_later_commit_was_built_that_one_names_the_image(world: World) -> None:
    await world.looked()
    merged = world.commit
    world.shop.commit_to("main", {"NEWS.md": b"more"})
    world.shop.build(world.commit)
    after = await world.looked(OPTIONS.every)
    assert (after.built_commit, after.run_number) == (world.commit, 1)
    assert after.merge is not None
    assert after.merge.commit == merged != world.commit


@pytest.mark.parametrize("others", [(), (3,)], ids=["it is the only one", "one that is told ran too"])
async def test_a_run_whose_number_is_not_told_names_the_image_by_its_commit(
    world: World, others: tuple[int, ...]
) -> None:
    world.shop.build(world.commit)
    [run] = world.shop.builds[world.commit]
    numbered = [replace(run, number=number) for number in others]
    world.shop.builds[world.commit] = [replace(run, number=None), *numbered]
    after = await world.looked()
    assert (after.state, after.built_commit) == (RebuildState.PROVING, world.commit)
    assert after.run_number == max(others, default=None)


async def test_of_runs_whose_order_is_not_told_none_takes_the_place_of_a_cancelled_one(world: World) -> None:
    world.shop.build(world.commit, conclusion="cancelled")
    world.shop.build(world.commit)
    world.shop.builds[world.commit] = [replace(run, number=None) for run in world.shop.builds[world.commit]]
    assert (await world.looked()).state is RebuildState.BUILDING


async def test_a_build_that_was_run_again_and_cancelled_is_cancelled(world: World) -> None:
    await tried_again(world)
    world.shop.build(world.commit, conclusion="cancelled", id=6)
    await world.looked()
    after = await world.looked(timedelta(hours=1, minutes=1))
    assert (after.state, after.reason) == (RebuildState.CANCELLED, "merged, but the build was cancelled")


async def test_what_nobody_has_run_again_leads_to_the_run_that_was_red(world: World) -> None:
    await tried_again(world)
    world.store.alter(1, rebuild=replace(world.store[1], url="https://forge/elsewhere"))
    await world.looked()
    assert (await world.looked(timedelta(hours=1, minutes=1))).url == "https://forge/runs/5"


async def test_it_was_merged_when_the_forge_says_so_or_else_when_that_was_seen(world: World) -> None:
    world.shop.edit(1, merged_at=NOON - timedelta(minutes=9))
    after = await world.looked()
    assert after.merge is not None
    assert (after.merge.at, after.merge.node_id) == (NOON - timedelta(minutes=9), world.shop.requests[1].merge_node)
    later = World()
    after = await later.looked()
    assert after.merge is not None
    assert after.merge.at == NOON


async def test_a_commit_without_a_build_is_looked_for_on_later_ones_and_one_with_a_build_is_not(
    world: World,
) -> None:
    await world.looked()
    assert [call for call, _ in world.forge.asked] == ["follow_requests", "builds", "builds"]
    world.forge.asked.clear()
    world.shop.build(world.commit, "in_progress", None)
    await world.looked(timedelta(minutes=6))
    assert [call for call, _ in world.forge.asked] == ["builds"]


async def test_a_red_build_is_told_with_the_job_that_failed_first(world: World) -> None:
    world.shop.build(world.commit, id=4)
    world.shop.build(
        world.commit, conclusion="failure", id=5, path=".github/workflows/test.yml", url="https://forge/red"
    )
    world.shop.failures = {4: FailedJob("other"), 5: FailedJob("image", "Build", "no space left")}
    after = await world.looked()
    assert after.reason == (
        "merged, but its build failed: test.yml concluded with failure; job image, step Build: no space left"
    )


async def test_a_red_build_whose_run_is_not_told_is_red_without_a_job(world: World) -> None:
    world.shop.build(world.commit, conclusion="failure", id=None)
    after = await world.looked()
    assert after.reason == "merged, but its build failed: build.yml concluded with failure"


async def test_builds_of_one_commit_that_cannot_be_told_keep_no_other_from_being_followed(world: World) -> None:
    class Partly(FakeForge):
        async def builds(
            self, commits: Sequence[MergedCommit], *, later: bool = False
        ) -> Mapping[str, Sequence[Sequence[BuildRun]]]:
            found = await super().builds(commits, later=later)
            nodes = [each.node_id for each in commits]
            silent = Failure(Trouble.UNREACHABLE, "too heavy")
            return {node: silent if node.endswith("other") else found[node] for node in nodes}  # type: ignore[misc]

    world.shop.build(world.commit)
    await world.looked()
    merged = world.store[1].merge
    assert merged is not None
    known = replace(world.store[1], state=RebuildState.BUILDING, due_at=world.clock.now())
    unread = replace(known, id=2, merge=replace(merged, node_id="C_other"))
    world.store = following(world.clock, known, unread)
    partly = Partly(world.clock, world.forge.homes)
    tally = await tick(world.store, partly, partly, OPTIONS, Loop(world.clock))
    assert [world.store[number].state for number in (1, 2)] == [RebuildState.PROVING, RebuildState.BUILDING]
    assert tally.problems == (f"{SHOP}: too heavy",)


async def test_all_parts_whose_builds_are_not_seen_are_named(monorepo: World) -> None:
    await monorepo.looked()
    after = await monorepo.looked(timedelta(hours=1, minutes=1))
    assert after.reason.startswith("merged, build not seen: no run of shop.yml and cart.yml on")


async def test_while_nothing_is_seen_yet_what_was_told_stays(world: World) -> None:
    first = await world.looked()
    assert first.reason == "pull request #1 was merged; its build is looked for"
    assert (await world.looked(timedelta(minutes=6))).reason == first.reason


async def test_of_a_build_under_way_the_address_is_that_of_its_run(world: World) -> None:
    world.shop.build(world.commit, url="https://forge/done", path=".github/workflows/lint.yml")
    world.shop.build(world.commit, "in_progress", None, url="https://forge/going")
    after = await world.looked()
    assert (after.url, after.reason) == ("https://forge/going", "merged; build.yml is under way")


async def test_once_it_is_built_its_runs_are_kept_and_told(world: World) -> None:
    world.shop.build(world.commit, id=9)
    world.shop.build(world.commit, id=3, path=".github/workflows/image.yml", conclusion="neutral")
    after = await world.looked()
    assert after.built_by == (3, 9)
    told = "merged, and built: build.yml and image.yml concluded with success; its image is looked at"
    assert after.reason == told


async def test_a_build_that_takes_longer_than_one_is_looked_for_is_followed_to_its_end(world: World) -> None:
    world.shop.build(world.commit, "in_progress", None)
    await world.looked()
    after = await world.looked(timedelta(hours=5))
    assert (after.state, after.reason) == (RebuildState.BUILDING, "merged; build.yml is under way")


async def test_a_skipped_run_is_told_though_later_commits_have_none_at_all(world: World) -> None:
    world.shop.build(world.commit, conclusion="skipped")
    world.shop.commit_to("main", {"a.txt": b""})
    await world.looked()
    after = await world.looked(timedelta(hours=1, minutes=1))
    assert after.reason.endswith("within 1 h that was not skipped")


async def test_a_part_that_is_to_be_run_again_is_told_beside_the_others(monorepo: World) -> None:
    built(monorepo, "cart", conclusion="failure")
    [red] = monorepo.shop.builds[monorepo.commit]
    monorepo.shop.builds[monorepo.commit] = [replace(red, id=5)]
    built(monorepo, "shop", "in_progress", None)
    await monorepo.looked()
    monorepo.store.alter(1, rebuild=replace(monorepo.store[1], built_by=(5,)))
    after = await monorepo.looked(timedelta(minutes=6))
    assert after.reason == "merged; shop.yml is under way, cart.yml is to be run again"


async def test_what_is_built_is_not_hurried_by_news_for_its_text(world: World) -> None:
    world.shop.build(world.commit, "in_progress", None)
    await world.looked()
    world.store.alter(1, rebuild=replace(world.store[1], facts_version=2, due_at=world.clock.now()))
    after = await world.looked()
    assert after.due_at == world.clock.now() + OPTIONS.every


async def test_a_merge_commit_that_is_not_shown_is_told_by_its_short_name_and_with_what_to_check(
    world: World,
) -> None:
    await world.looked()
    world.shop.is_gone = True
    world.clock.advance(timedelta(minutes=6))
    tally = await tick(world.store, world.forge, world.forge, OPTIONS, Loop(world.clock))
    assert tally.problems == (
        f"{SHOP}: {SHOP}: commit {world.commit[:7]} is not shown any more; "
        "check that the credentials may see the repository",
    )
