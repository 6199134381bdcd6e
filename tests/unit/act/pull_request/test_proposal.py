from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import BranchRefused
from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.rebuild import RebuildState, Target
from tests.unit.act.world import (
    ASPNET,
    BRANCH,
    NOON,
    World,
    change,
    digest,
    rebuild,
    reference,
)

NO_ANSWER = Failure(Trouble.UNREACHABLE, "no answer")
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


# People


async def test_peoples_commits_on_the_branch_are_kept_and_built_upon(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    for letter in "cd":
        world.shop.commit_to(BRANCH, {f"fix-{letter}.md": b"by hand"})
        world.add(rebuild(id=ord(letter), to=letter), None, change(letter))
        await world.tick()
        assert world.shop.content(BRANCH) == f"FROM {reference(letter)}\n"
    assert world.shop.content(BRANCH, "fix-c.md") == "by hand"
    assert world.shop.content(BRANCH, "fix-d.md") == "by hand"


async def test_a_commit_of_the_bot_that_a_person_amended_is_kept_and_built_upon(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.amend(BRANCH, {"fix.md": b"by hand"})
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert world.shop.content(BRANCH) == f"FROM {reference('c')}\n"
    assert world.shop.content(BRANCH, "fix.md") == "by hand"


async def test_what_the_bot_built_on_peoples_commits_is_built_upon_again(world: World) -> None:
    """Its own commit on top must not make the branch look like its own."""
    world.shop.commit_to(BRANCH, {"fix.md": b"by hand"})
    world.add(rebuild())
    await world.tick()
    assert world.shop.content(BRANCH) == f"FROM {reference('b')}\n"
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert world.shop.content(BRANCH) == f"FROM {reference('c')}\n"
    assert world.shop.content(BRANCH, "fix.md") == "by hand"


async def test_peoples_own_update_of_the_branch_is_left(world: World) -> None:
    world.shop.commit_to(BRANCH, {"Dockerfile": f"FROM {reference('b')}\n".encode()})
    commits = len(world.shop.commits)
    world.add(rebuild())
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN
    assert world.shop.content(BRANCH, "README.md") == "shop\n"
    assert len(world.shop.commits) == commits


async def test_a_branch_that_a_merge_left_behind_is_used_anew(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    merged = world.shop.commit_to(BRANCH, {"fix.md": b"by hand"})
    world.shop.requests[1] = replace(world.shop.requests[1], head=merged, is_open=False, is_merged=True)
    trunk = world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('b')}\n".encode(), "fix.md": b"squashed"})
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert world.store[2].pull_request == 2
    assert world.shop.commits[world.shop.branches[BRANCH]].parents == (trunk,)


async def test_a_maintainer_who_closed_it_for_these_digests_has_decided(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.close(1)
    world.add(rebuild(id=2))
    await world.tick()
    assert world.store[2].state is RebuildState.CANCELLED
    assert world.store[2].reason == "pull request #1 for these digests was closed by a maintainer"
    assert len(world.shop.requests) == 1


SDK = Base(ASPNET.registry, "dotnet/sdk", "10.0")


def pin_both(world: World) -> None:
    pins = f"FROM {SDK}@{digest('d')}\nFROM {reference('a')}\n".encode()
    world.shop.commit_to("main", {"Dockerfile": pins})


def both(world: World, **values: Any) -> None:
    """A rebuild that takes aspnet from a to b and sdk from d to e."""
    targets = (Target(ASPNET, digest("a"), digest("b"), (1,)), Target(SDK, digest("d"), digest("e"), (2,)))
    sdk = replace(change("e"), base=SDK, from_version="10.0.103", to_version="10.0.104")
    moved = Reference(SDK.name, "10.0", digest("e"))
    replacements = (
        Replacement(reference("a"), reference("b")),
        Replacement(Reference(SDK.name, "10.0", digest("d")), moved),
    )
    world.add(rebuild(targets=targets, replacements=replacements, **values), None, change(), sdk)


async def test_what_was_declined_stays_out_of_a_pull_request_for_more(world: World) -> None:
    pin_both(world)
    world.add(rebuild())
    await world.tick()
    world.shop.close(1)
    both(world, id=2, pull_request=1)
    await world.tick()
    assert world.store[2].state is RebuildState.OPEN
    assert world.store[2].reason.endswith("aspnet:10.0 is left alone, since #1 was closed")
    assert world.shop.content(BRANCH) == f"FROM {SDK}@{digest('e')}\nFROM {reference('a')}\n"
    assert "aspnet" not in world.shop.requests[2].title + world.shop.requests[2].body


async def test_a_part_of_what_was_declined_is_declined_too(world: World) -> None:
    pin_both(world)
    both(world)
    await world.tick()
    world.shop.close(1)
    world.add(rebuild(id=2))
    await world.tick()
    assert world.store[2].state is RebuildState.CANCELLED
    assert world.store[2].reason == "pull request #1 for these digests was closed by a maintainer"


async def test_a_pull_request_that_joins_more_takes_what_is_left_once_it_was_merged(world: World) -> None:
    pin_both(world)
    world.add(rebuild())
    await world.tick()
    world.shop.merge(1)
    both(world, id=2, pull_request=1)
    await world.tick()
    assert (world.store[2].state, world.store[2].pull_request) == (RebuildState.OPEN, 2)
    assert world.shop.content(BRANCH) == f"FROM {SDK}@{digest('e')}\nFROM {reference('b')}\n"


async def test_what_the_bot_closed_by_itself_is_no_decision_of_a_maintainer(world: World) -> None:
    """The base goes to b, back to a, and to b again."""
    world.add(rebuild())
    await world.tick()
    world.add(rebuild(id=2, to="a", pull_request=1), None, change("a"))
    await world.tick()
    assert world.store[2].state is RebuildState.SUCCEEDED
    assert not world.shop.requests[1].is_open
    assert (
        "**Closed by the bot:** the default branch already stands on the new base." in world.shop.requests[1].body
    )
    world.add(rebuild(id=3))
    await world.tick()
    assert (world.store[3].state, world.store[3].pull_request) == (RebuildState.OPEN, 2)


async def test_a_closed_pull_request_decides_nothing_about_later_digests(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.close(1)
    world.add(rebuild(id=2, to="c"), None, change("c"))
    await world.tick()
    assert (world.store[2].state, world.store[2].pull_request) == (RebuildState.OPEN, 2)


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


async def test_what_a_pull_request_waited_for_is_no_news_once_it_is_open(world: World) -> None:
    world.add(rebuild())
    world.forge.failing["carry_out"] = NO_ANSWER
    await world.tick()
    assert world.store[1].reason == "no answer"
    world.forge.failing.clear()
    await world.later()
    assert world.store[1].reason == "aspnet:10.0 moved; pull request #1 is open"


# What cannot be done


async def test_no_more_pull_requests_are_opened_than_the_limit(world: World) -> None:
    world.store.others_open = 2
    world.add(rebuild())
    await world.tick()
    assert world.store[1].state is RebuildState.WAITING
    assert "still open" in world.store[1].reason
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


async def test_a_default_branch_with_a_new_name_is_found_again(world: World) -> None:
    world.shop.rename_trunk("trunk")
    world.add(rebuild())
    await world.tick()
    assert world.store[1].state is RebuildState.OPEN
    assert world.shop.commits[world.shop.branches[BRANCH]].parents == (world.shop.branches["trunk"],)


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
    conflicted = replace(world.store[1], text_version=-1, attempts=2, due_at=world.clock.now())
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
    moved = Replacement(reference("a").at("10.0.4", None), reference("a").at("10.0.5", None))
    world.add(replace(rebuild(), replacements=(moved,)))
    await world.tick()
    assert world.store[1].state is RebuildState.WAITING
    assert "not published yet" in world.store[1].reason
    assert world.forge.calls == []
    world.registry.absent.clear()
    await world.later()
    assert world.store[1].state is not RebuildState.WAITING


async def test_a_rule_against_the_branch_ends_it_at_once_with_what_to_grant(world: World) -> None:
    world.forge.failing["carry_out"] = BranchRefused(BRANCH, "new branches are restricted", "grant it")
    world.add(rebuild())
    await world.tick()
    assert (world.store[1].state, world.store[1].reason) == (
        RebuildState.SKIPPED,
        f"a rule of the repository refuses {BRANCH}: new branches are restricted; grant it",
    )


async def test_a_rule_that_comes_later_leaves_what_is_open(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.forge.failing["carry_out"] = BranchRefused(BRANCH, "updates are restricted", "grant it")
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
    world.forge.failing["prepare"] = world.forge.failing["carry_out"] = BranchRefused(BRANCH, "fixed", "grant it")
    world.add(rebuild(to="c", id=2, pull_request=1))
    await world.tick()
    assert (world.store[2].state, world.store[2].pull_request) == (RebuildState.OPEN, 1)
    assert world.store[2].reason.endswith(
        f"it stays as it is: a rule of the repository refuses {BRANCH}: fixed; grant it"
    )
