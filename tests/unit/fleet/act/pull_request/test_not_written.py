"""What is not written, or not any more, and why."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import BranchRefused, BranchRule
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.policy import ActionPreference, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.fleet.act.ports import Successor
from tests.unit.fleet.act.world import (
    BRANCH,
    NO_ANSWER,
    NOON,
    World,
    change,
    rebuild,
    reference,
)


async def test_no_more_pull_requests_are_opened_than_the_limit(world: World) -> None:
    world.store.others_open = 2
    world.add(rebuild())
    await world.tick()
    assert world.store[1].state is RebuildState.WAITING
    assert world.store[1].reason == "other pull requests of the bot are still open here"
    assert world.store[1].due_at == NOON + world.options.follow_every
    assert world.forge.calls == []
    world.store.others_open = 1
    await world.later()
    assert world.store[1].state is RebuildState.OPEN


async def test_the_limit_does_not_keep_an_open_pull_request_from_being_updated(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.store.others_open = 9
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert world.store[2].state is RebuildState.OPEN


async def test_a_default_branch_that_stands_on_the_new_base_needs_nothing(world: World) -> None:
    world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('b')}\n".encode()})
    world.add(rebuild())
    await world.tick()
    assert world.store[1].state is RebuildState.SUCCEEDED
    assert world.forge.calls == []


async def test_news_for_a_pull_request_that_somebody_forestalled_closes_it(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('b')}\n".encode()})
    world.store.alter(1, rebuild=replace(world.store[1], facts_version=1))
    await world.later()
    assert world.store[1].state is RebuildState.SUCCEEDED
    assert not world.shop.requests[1].is_open


async def test_a_pull_request_that_the_bot_closed_before_it_was_cut_off_ends_for_the_same_reason(
    world: World,
) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('b')}\n".encode()})
    world.store.alter(1, rebuild=replace(world.store[1], facts_version=1))
    world.forge.after["close_pull_request"] = NO_ANSWER
    await world.later()
    assert world.store[1].state is RebuildState.OPEN
    world.store.others_open = world.options.open_pull_requests  # itself among them
    await world.later()
    assert world.store[1].state is RebuildState.SUCCEEDED
    assert world.store[1].reason == "the default branch already stands on the new base"


@pytest.mark.parametrize("is_refused", [False, True])
async def test_a_conflict_that_only_people_can_solve_is_looked_at_less_and_less_often(
    world: World, is_refused: bool
) -> None:
    """Each look at one takes a dozen requests."""
    world.add(rebuild())
    await world.tick()
    world.shop.commit_to(BRANCH, {"fix.md": b"by hand"})
    if is_refused:
        world.forge.failing["look"] = Failure(Trouble.CONFLICT, "refused", status=422)
    world.clock.advance(timedelta(days=3))
    conflicted = replace(world.store[1], text_version=-1, attempts=2, refusals=2, due_at=world.clock.now())
    world.store.alter(1, rebuild=conflicted)
    await world.tick()
    assert (world.store[1].state, world.store[1].text_version) == (RebuildState.OPEN, 0)
    assert world.store[1].due_at == world.clock.now() + timedelta(hours=1)


async def test_a_pull_request_for_a_base_that_is_not_used_any_more_is_closed(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.commit_to("main", {"Dockerfile": b"FROM nginx\n"})
    world.store.alter(1, rebuild=replace(world.store[1], facts_version=1))
    await world.later()
    assert world.store[1].state is RebuildState.CANCELLED
    assert world.store[1].reason == "no file of the default branch names aspnet:10.0 any more"
    assert not world.shop.requests[1].is_open


async def test_a_pull_request_whose_files_cannot_be_edited_any_more_is_left_to_people(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.commit_to("main", {"Dockerfile": b"FROM $BASE\n"})
    world.store.alter(1, rebuild=replace(world.store[1], facts_version=1))
    await world.later()
    assert (world.store[1].state, world.store[1].text_version) == (RebuildState.OPEN, 1)
    assert world.shop.requests[1].is_open


async def test_files_that_cannot_be_edited_are_told(world: World) -> None:
    world.shop.commit_to("main", {"Dockerfile": b"FROM $BASE\n"})
    world.add(rebuild())
    await world.tick()
    assert world.store[1].state is RebuildState.SKIPPED
    assert world.store[1].reason == "nothing could be edited: Dockerfile:1: it comes from a variable"


async def test_a_pull_request_names_what_it_could_not_edit(world: World) -> None:
    world.shop.commit_to("main", {"other/Dockerfile": b"FROM $BASE\n"})
    world.add(rebuild(), paths=("Dockerfile", "other/Dockerfile"))
    await world.tick()
    assert "other/Dockerfile:1: it comes from a variable" in world.shop.requests[1].body


async def test_a_repository_without_commits_is_skipped(world: World) -> None:
    world.shop.branches.clear()
    world.add(rebuild())
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (RebuildState.SKIPPED, "the repository has no commits")


async def test_a_tag_that_is_not_published_yet_is_waited_for(world: World) -> None:
    world.registry.absent = {"10.0.5"}
    moved = Replacement(reference("a").with_tag("10.0.4", None), reference("a").with_tag("10.0.5", None))
    world.add(replace(rebuild(), replacements=(moved,)))
    await world.tick()
    assert world.store[1].state is RebuildState.WAITING
    assert "not published yet" in world.store[1].reason
    assert world.forge.calls == []
    world.registry.absent.clear()
    await world.later()
    assert world.store[1].state is not RebuildState.WAITING


async def test_a_rule_against_the_branch_ends_it_at_once_with_what_to_grant(world: World) -> None:
    world.forge.failing["carry_out"] = BranchRefused(BRANCH, BranchRule.CREATION)
    world.add(rebuild())
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (
        RebuildState.SKIPPED,
        f"a rule of the repository refuses {BRANCH}: new branches are restricted; let the bot bypass that rule, "
        "or set branch_prefix to a name that it allows",
    )
    assert world.store.to_read_within_a_day == {7}  # whoever changes the rule pushes nothing


async def test_a_rule_that_comes_later_leaves_what_is_open(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.forge.failing["carry_out"] = BranchRefused(BRANCH, BranchRule.UPDATE)
    world.store.jobs[1] = replace(world.store.jobs[1], changes=(change(cves=("CVE-2026-1",)),))
    world.store.outdate(1)
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN
    assert world.store[1].text_version == world.store[1].facts_version


async def test_a_rule_that_keeps_a_newer_digest_out_leaves_the_open_pull_request_to_be_followed(
    world: World,
) -> None:
    world.add(rebuild())
    await world.tick()
    world.store.alter(1, rebuild=world.store[1].moved(RebuildState.SUPERSEDED, "a newer digest", at=NOON))
    world.forge.failing["prepare"] = world.forge.failing["carry_out"] = BranchRefused(BRANCH, BranchRule.UPDATE)
    world.add(rebuild(to="c", id=2, pull_request=1))
    await world.tick()
    assert (world.store[2].state, world.store[2].pull_request) == (RebuildState.OPEN, 1)
    assert world.store[2].reason.endswith(
        f"it stays as it is: a rule of the repository refuses {BRANCH}: updates are restricted; "
        "let the bot bypass that rule"
    )


async def test_an_open_pull_request_of_a_repository_that_has_lost_its_commits_stays_as_it_is(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.branches.clear()
    world.store.outdate(1)
    await world.tick()
    after = world.store[1]
    assert (after.state, after.text_version) == (RebuildState.OPEN, after.facts_version)
    assert world.shop.requests[1].is_open


async def test_one_of_another_bot_is_looked_at_as_any_and_not_at_once_again(world: World) -> None:
    world.add(rebuild(state=RebuildState.OPEN, pull_request=9, facts_version=1))
    await world.tick()
    after = world.store[1]
    assert (after.text_version, after.due_at) == (1, NOON + world.options.follow_every)


async def test_what_has_ended_is_followed_to_its_end_at_once(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.merge(1)
    world.store.outdate(1)
    await world.tick()
    after = world.store[1]
    assert (after.text_version, after.due_at) == (after.facts_version, NOON)


async def test_several_files_that_cannot_be_edited_are_told_by_the_first_where_none_can(world: World) -> None:
    world.shop.commit_to("main", {"Dockerfile": b"FROM $BASE\n", "a/Dockerfile": b"FROM $BASE\n"})
    world.add(rebuild(), paths=("Dockerfile", "a/Dockerfile"))
    await world.tick()
    assert world.store[1].reason == "nothing could be edited: Dockerfile:1: it comes from a variable"


async def test_a_rebuild_for_a_base_that_no_file_names_any_more_is_skipped(world: World) -> None:
    world.shop.commit_to("main", {"Dockerfile": b"FROM nginx\n"})
    world.add(rebuild())
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (
        RebuildState.SKIPPED,
        "no file of the default branch names aspnet:10.0 any more",
    )


async def test_a_pull_request_ends_once_the_repository_is_only_to_be_told(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.asks("action: notify")
    world.store.outdate(1)
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (
        RebuildState.SKIPPED,
        "the repository is only told of new bases now",
    )
    assert not world.shop.requests[1].is_open


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (ActionPreference.DISPATCH, "the repository is rebuilt by a workflow run instead"),
        (ActionPreference.NOTIFY, "the repository is only told of new bases now"),
    ],
)
async def test_a_pull_request_ends_once_the_operators_rules_ask_for_something_else(
    world: World, action: ActionPreference, told: str
) -> None:
    world.add(rebuild())
    await world.tick()
    world.options = replace(world.options, policy=Policy((PolicyRule(action=action),)))
    world.store.outdate(1)
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (RebuildState.SKIPPED, told)
    assert not world.shop.requests[1].is_open


async def test_one_that_gives_way_to_a_run_without_an_address_is_closed_without_one(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.store.alter(1, replaced_by=Successor(Action.DISPATCH))
    world.store.outdate(1)
    await world.tick()
    assert "the repository is rebuilt by a workflow run instead.\n" in world.shop.requests[1].body


async def test_what_a_maintainer_has_declined_is_told_with_the_pull_request_that_they_closed(world: World) -> None:
    """Where they open it again, it is followed."""
    world.add(rebuild())
    await world.tick()
    world.shop.close(1)
    world.add(rebuild(id=2))
    await world.tick()
    request, after = world.shop.requests[1], world.store[2]
    assert (after.pull_request, after.node_id, after.url) == (1, request.node_id, request.url)


async def test_all_bases_that_no_file_names_any_more_are_told(world: World) -> None:
    world.shop.commit_to("main", {"Dockerfile": b"FROM nginx\n"})
    target = rebuild().targets[0]
    world.add(rebuild(targets=(target, replace(target, base=replace(target.base, repository="dotnet/sdk")))))
    await world.tick()
    assert world.store[1].reason == "no file of the default branch names aspnet:10.0, sdk:10.0 any more"


async def test_what_was_closed_in_a_repository_that_is_archived_since_is_followed_to_its_end(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.close(1)
    world.shop.is_archived = True
    world.store.outdate(1)
    await world.tick()
    after = world.store[1]
    assert (after.state, after.text_version) == (RebuildState.OPEN, after.facts_version)


async def test_one_that_may_not_be_opened_again_where_the_bot_closed_it_is_followed_and_not_ended(
    world: World,
) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('b')}\n".encode()})
    world.store.outdate(1)
    world.forge.after["close_pull_request"] = NO_ANSWER
    await world.tick()
    world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('a')}\n".encode()})
    world.forge.failing["carry_out"] = BranchRefused(BRANCH, BranchRule.UPDATE)
    await world.later()
    after = world.store[1]
    assert (after.state, after.text_version) == (RebuildState.OPEN, after.facts_version)
