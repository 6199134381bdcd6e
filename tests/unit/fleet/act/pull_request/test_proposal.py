"""A rebuild becomes one open pull request, from wherever that stands."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import NOTHING_WISHED, Wishes
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.policy import Policy, PolicyRule
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.terms import AutoMerge, MergeMethod
from tests.fakes.forge import FakeForge
from tests.unit.fleet.act.world import (
    BRANCH,
    NO_ANSWER,
    NOON,
    World,
    change,
    digest,
    rebuild,
    reference,
)

REFUSED = Failure(Trouble.CONFLICT, "validation failed", status=422)

WRITES = ["carry_out", "grant"]


async def test_a_planned_rebuild_becomes_an_open_pull_request(world: World) -> None:
    world.add(rebuild())
    tally = await world.tick()
    request = world.shop.requests[1]
    after = world.store[1]
    assert (tally.done, tally.problems) == (1, ())
    assert (after.state, after.pull_request, after.url) == (RebuildState.OPEN, 1, request.url)
    assert after.due_at == NOON + world.options.follow_every
    assert world.shop.content(BRANCH) == f"FROM {reference('b')}\n"
    assert world.shop.content(BRANCH, "README.md") == "shop\n"
    assert world.shop.content("main") == f"FROM {reference('a')}\n"
    assert request.labels == ("freshness",)
    assert world.forge.calls == WRITES


@pytest.mark.parametrize("call", WRITES)
@pytest.mark.parametrize("when", ["failing", "after"])
async def test_an_attempt_that_breaks_anywhere_is_finished_by_the_next(world: World, call: str, when: str) -> None:
    world.add(rebuild())
    getattr(world.forge, when)[call] = NO_ANSWER
    await world.tick()
    assert world.store[1].state is RebuildState.WAITING
    world.forge.failing.clear()
    await world.later()
    assert (world.store[1].state, world.store[1].pull_request) == (RebuildState.OPEN, 1)
    assert len(world.shop.requests) == 1
    assert world.shop.requests[1].labels == ("freshness",)
    assert world.shop.content(BRANCH) == f"FROM {reference('b')}\n"


async def test_what_is_there_already_is_not_written_again(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    written = list(world.forge.calls)
    world.add(rebuild(id=2))
    await world.tick()
    assert world.store[2].pull_request == 1
    assert world.forge.calls == written


async def test_a_newer_digest_moves_the_same_pull_request(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.add(rebuild(id=2, to="c", pull_request=1), None, change("c"))
    await world.tick()
    assert len(world.shop.requests) == 1
    assert world.shop.content(BRANCH) == f"FROM {reference('c')}\n"
    assert digest("c") in world.shop.requests[1].body
    head = world.shop.commits[world.shop.branches[BRANCH]]
    assert head.parents == (world.shop.branches["main"],)


async def test_the_branch_stays_where_it_is_when_the_default_branch_goes_on_elsewhere(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    head = world.shop.branches[BRANCH]
    world.shop.commit_to("main", {"README.md": b"new\n"})
    world.add(rebuild(id=2))
    await world.tick()
    assert world.shop.branches[BRANCH] == head


async def test_the_branch_stays_where_it_is_when_the_same_file_goes_on_elsewhere(world: World) -> None:
    """The merge joins both changes."""
    world.add(rebuild())
    await world.tick()
    head = world.shop.branches[BRANCH]
    world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('a')}\nUSER app\n".encode()})
    world.add(rebuild(id=2))
    await world.tick()
    assert world.shop.branches[BRANCH] == head


async def test_the_branch_takes_up_a_file_that_the_default_branch_has_got(world: World) -> None:
    paths = ("Dockerfile", "web/Dockerfile")
    world.add(rebuild(), paths=paths)
    await world.tick()
    world.shop.commit_to("main", {"web/Dockerfile": f"FROM {reference('a')}\n".encode()})
    world.add(rebuild(id=2), paths=paths)
    await world.tick()
    assert world.shop.content(BRANCH, "web/Dockerfile") == f"FROM {reference('b')}\n"


async def test_a_branch_in_conflict_is_put_on_the_default_branch_anew(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    trunk = world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('a')}\nUSER app\n".encode()})
    world.shop.edit(1, is_conflicted=True)
    world.add(rebuild(id=2))
    await world.tick()
    assert world.shop.commits[world.shop.branches[BRANCH]].parents == (trunk,)
    assert world.shop.content(BRANCH) == f"FROM {reference('b')}\nUSER app\n"


# Text, labels, reviewers


async def test_title_and_body_are_written_only_where_they_differ(world: World) -> None:
    world.add(rebuild(facts_version=1))
    await world.tick()
    known, head = world.store[1], world.shop.branches[BRANCH]
    world.clock.advance(world.options.follow_every)
    world.store.alter(1, rebuild=replace(known, facts_version=2), changes=(change(cves=("CVE-2026-1",)),))
    await world.tick()
    assert world.forge.calls[len(WRITES) :] == ["carry_out"]
    assert world.shop.branches[BRANCH] == head
    assert "CVE-2026-1" in world.shop.requests[1].body
    assert world.shop.requests[1].title.endswith("(1 CVE)")
    assert (world.store[1].state, world.store[1].text_version) == (RebuildState.OPEN, 2)
    assert world.store[1].reason == known.reason


@pytest.mark.parametrize("end", ["merge", "close"])
async def test_new_text_for_a_pull_request_that_has_ended_opens_no_other(world: World, end: str) -> None:
    world.add(rebuild())
    await world.tick()
    getattr(world.shop, end)(1)
    world.store.alter(1, rebuild=replace(world.store[1], facts_version=1))
    world.store.others_open = 9
    await world.later()
    assert world.store[1].state is RebuildState.OPEN
    assert len(world.shop.requests) == 1


async def test_text_that_cannot_be_brought_leaves_the_pull_request_open(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.store.alter(
        1,
        rebuild=replace(world.store[1], facts_version=1),
        changes=(change(cves=("CVE-2026-1",)),),
    )
    world.forge.failing["carry_out"] = REFUSED
    for _ in range(4):
        await world.later()
    assert (world.store[1].state, world.store[1].text_version) == (RebuildState.OPEN, 1)


async def test_labels_of_the_repository_are_added_to_the_bots_own(world: World) -> None:
    world.asks("labels: [deps, docker]")
    world.add(rebuild())
    await world.tick()
    assert sorted(world.shop.requests[1].labels) == ["deps", "docker", "freshness"]


async def test_reviewers_are_asked_once_when_the_pull_request_is_new(world: World) -> None:
    world.asks("owners: [octocat, contoso/platform]")
    world.add(rebuild())
    await world.tick()
    world.add(rebuild(id=2, to="c", pull_request=1), None, change("c"))
    await world.tick()
    assert world.shop.reviewers == [(("octocat",), ("platform",))]


async def test_reviewers_are_asked_again_for_the_pull_request_after_a_merged_one(world: World) -> None:
    world.asks("owners: [octocat]")
    world.add(rebuild())
    await world.tick()
    world.shop.merge(1)
    world.add(rebuild(id=2, to="c", pull_request=1), None, change("c"))
    await world.tick()
    assert world.store[2].pull_request == 2
    assert world.shop.reviewers == [(("octocat",), ()), (("octocat",), ())]


async def test_nobody_is_asked_where_nobody_is_named(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    assert world.shop.reviewers == []


async def test_one_unknown_reviewer_keeps_no_other_from_being_asked(world: World) -> None:
    world.forge.unknown = {"gone"}
    world.asks("owners: [octocat, contoso/gone, contoso/platform]")
    world.add(rebuild())
    await world.tick()
    assert world.shop.reviewers == [(("octocat",), ("platform",))]
    assert world.store[1].state is RebuildState.OPEN
    assert world.store[1].reason.endswith("no review asked of gone: not a collaborator")


@pytest.mark.parametrize("trouble", [Trouble.DENIED, Trouble.MISSING, Trouble.CONFLICT], ids=str)
async def test_a_pull_request_is_followed_though_the_forge_refuses_what_it_can_do_without(
    world: World, trouble: Trouble
) -> None:
    world.forge.failing["grant"] = Failure(trouble, "refused")
    world.asks("owners: [octocat]")
    world.add(rebuild())
    tally = await world.tick()
    assert (world.store[1].state, world.store[1].pull_request, tally.problems) == (RebuildState.OPEN, 1, ())
    assert world.store[1].reason.endswith("no labels, reviewers or assignees (freshness, octocat): refused")


async def test_what_is_asked_for_with_credentials_that_are_not_taken_at_present_is_asked_for_again(
    world: World,
) -> None:
    world.forge.failing["grant"] = Failure(Trouble.DENIED, "Bad credentials", status=401)
    world.asks("owners: [octocat]")
    world.add(rebuild())
    await world.tick()
    world.forge.failing.clear()
    await world.later()
    assert world.shop.reviewers == [(("octocat",), ())]
    assert (world.store[1].state, len(world.shop.requests)) == (RebuildState.OPEN, 1)


async def test_what_a_pull_request_waited_for_is_no_news_once_it_is_open(world: World) -> None:
    world.add(rebuild())
    world.forge.failing["carry_out"] = NO_ANSWER
    await world.tick()
    assert world.store[1].reason == "no answer"
    world.forge.failing.clear()
    await world.later()
    assert world.store[1].reason == "aspnet:10.0 moved; pull request #1 is open"


async def test_a_default_branch_with_a_new_name_is_found_again(world: World) -> None:
    world.shop.rename_trunk("trunk")
    world.add(rebuild())
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN
    assert world.shop.commits[world.shop.branches[BRANCH]].parents == (world.shop.branches["trunk"],)


async def test_all_that_was_refused_is_told_behind_the_reason(world: World) -> None:
    world.forge.unknown = {"ann", "bea"}
    world.asks("owners: [ann, bea]")
    world.add(rebuild())
    await world.tick()
    assert world.store[1].reason == (
        "aspnet:10.0 moved; 10.0 is pinned by digest; no review asked of ann: not a collaborator; "
        "no review asked of bea: not a collaborator"
    )


async def test_only_the_files_that_change_are_listed(world: World) -> None:
    world.add(rebuild(), paths=("Dockerfile", "README.md"))
    await world.tick()
    assert "Files: `Dockerfile`\n" in world.shop.requests[1].body


async def test_an_open_pull_request_is_followed_with_all_that_is_known_of_it(world: World) -> None:
    world.add(rebuild(facts_version=3, pointed_at="release"))
    await world.tick()
    request, after = world.shop.requests[1], world.store[1]
    assert (after.node_id, after.text_version, after.pointed_at) == (request.node_id, 3, None)
    assert after.node_id is not None


async def test_all_that_was_wished_and_refused_at_once_is_named_once(world: World) -> None:
    rule = PolicyRule(assignees=("bea", "ann"))
    world.options = replace(world.options, policy=Policy((rule,)))
    world.forge.failing["grant"] = Failure(Trouble.DENIED, "refused")
    world.asks("owners: [ann, contoso/platform]\nlabels: [deps]")
    world.add(rebuild())
    await world.tick()
    told = "no labels, reviewers or assignees (deps, freshness, ann, platform, bea): refused"
    assert world.store[1].reason.endswith(told)


async def test_that_it_is_about_to_be_written_is_stored_once_and_before_anything_is_tried(world: World) -> None:
    world.add(rebuild())
    world.forge.failing["carry_out"] = NO_ANSWER
    await world.tick()
    assert (world.store[1].state, world.store[1].attempted_at) == (RebuildState.WAITING, NOON)
    world.forge.failing.clear()
    await world.later()
    assert (world.store[1].state, world.store[1].attempted_at) == (RebuildState.OPEN, NOON)


async def test_one_that_is_written_at_once_knows_when_that_was(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    assert world.store[1].attempted_at == NOON


async def test_one_that_is_open_brings_a_digest_that_was_declined_in_another_before(world: World) -> None:
    """The base went back to it."""
    world.add(rebuild())
    await world.tick()
    world.shop.close(1)
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    world.add(rebuild(id=3, pull_request=2))
    await world.tick()
    assert (world.store[3].state, world.store[3].pull_request) == (RebuildState.OPEN, 2)


class AskedAhead(FakeForge):
    """A forge that keeps what was wished for as it was looked at."""

    wishes = NOTHING_WISHED

    async def look(
        self, repository: Identity, branch: str, paths: Sequence[str], wishes: Wishes = NOTHING_WISHED
    ) -> BranchLook:
        self.wishes = wishes
        return await super().look(repository, branch, paths, wishes)


async def test_what_will_be_wished_for_is_looked_up_with_the_branch(world: World) -> None:
    rule = PolicyRule(auto_merge=AutoMerge(MergeMethod.SQUASH))
    world.options = replace(world.options, policy=Policy((rule,)))
    forge = AskedAhead(world.clock, world.forge.homes)
    world.forge = forge
    world.add(rebuild())
    await world.tick()
    assert (forge.wishes.labels, forge.wishes.merge) == (("freshness",), MergeMethod.SQUASH)
