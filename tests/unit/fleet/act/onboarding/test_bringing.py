"""A repository's pull request is opened, kept, renewed, and left to people, from wherever it stands."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import BranchChange
from bot.domain.forge.looks import BranchLook
from bot.domain.forge.pull_requests import NOTHING_WISHED, MergeRequirements, Wishes
from bot.domain.forge.refusals import BranchQueued, BranchRefused, BranchRule
from bot.domain.repositories.onboarding import OnboardingState, Proposal
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.timing.windows import Freeze
from bot.fleet.act.onboarding import wording
from bot.fleet.act.onboarding.bringing import bring, commits_of
from bot.fleet.act.onboarding.deciding import BRANCH, OnboardingTools
from bot.fleet.act.onboarding.ports import DueOnboarding, ProposalSource
from bot.fleet.act.own_word import WordHeld
from bot.fleet.wiring.auditing import AuditProposer
from sandbox.fleets.bare_repository import BUILD, DEPLOYMENT, bare_files
from tests.fakes.forge import FakeForge
from tests.unit.fleet.act.onboarding.world import Always, World, new_world

WAITING, OPEN, DONE = OnboardingState.WAITING, OnboardingState.OPEN, OnboardingState.DONE
SET_ASIDE, DECLINED = OnboardingState.SET_ASIDE, OnboardingState.DECLINED
LOWERED = b"FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY app /app\n"


async def test_a_pull_request_has_a_commit_for_each_check(world: World) -> None:
    assert (await world.bring()).state is OPEN
    assert [message.rpartition("(")[2] for message in reversed(world.messages)] == [
        "base-pinned)",
        "dispatchable)",
        "weekly-rebuild)",
        "fresh-layers)",
        "scan-blocks)",
        "sbom)",
        "actions-pinned)",
        "no-privilege-escalation)",
        "seccomp-profile)",
    ]


async def test_the_branch_moves_once_and_all_is_one_pull_request(world: World) -> None:
    await world.bring()
    assert world.forge.calls == [*["prepare"] * 9, "carry_out", "grant"]
    assert world.request.title == "Bring 9 practices along: base-pinned, dispatchable and 7 more"
    assert world.request.labels == ("freshness",)


async def test_actions_are_pinned_to_what_the_forge_says_their_tags_are(world: World) -> None:
    await world.bring()
    text = world.home.content(BRANCH, BUILD)
    assert f"docker/login-action@{'a' * 40} # v3.6.0\n" in text
    assert f"docker/build-push-action@{'b' * 40} # v6.18.0   # pushes\n" in text
    assert f"aquasecurity/trivy-action@{'c' * 40} # 0.33.1\n" in text


async def test_actions_that_the_forge_does_not_know_are_left_with_advice(world: World) -> None:
    world.forge.failing["action_commits"] = Failure(Trouble.DENIED, "not here")
    await world.bring()
    assert "docker/login-action@v3\n" in world.home.content(BRANCH, BUILD)
    assert "the commit of docker/login" in world.request.body


async def test_what_stands_as_proposed_is_looked_at_in_one_request(world: World) -> None:
    await world.bring()
    world.forge.calls.clear()
    world.forge.asked.clear()
    assert (await world.bring()).state is OPEN
    assert [name for name, _ in world.forge.asked] == ["look"]


async def test_a_push_elsewhere_in_the_same_files_leaves_it_as_it_is(world: World) -> None:
    await world.bring()
    world.home.commit_to("main", {DEPLOYMENT: bare_files()[DEPLOYMENT] + b"# a word\n"})
    world.forge.calls.clear()
    assert (await world.bring()).state is OPEN
    assert world.forge.calls == []


async def test_other_findings_renew_the_branch_and_the_text(world: World) -> None:
    await world.bring()
    world.home.commit_to("main", {"Dockerfile": LOWERED})
    assert (await world.bring()).state is OPEN
    assert len(world.messages) == 8
    assert "base-pinned" not in world.request.title


async def test_a_conflict_has_the_branch_made_anew(world: World) -> None:
    world.only("base-pinned")
    await world.bring()
    world.home.commit_to("main", {"Dockerfile": b"FROM mcr.microsoft.com/dotnet/aspnet:8.0.12\n"})
    world.home.edit(1, is_conflicted=True)
    await world.bring()
    assert world.home.content(BRANCH) == "FROM mcr.microsoft.com/dotnet/aspnet:8.0\n"
    assert list(world.home.requests) == [1]


@pytest.mark.parametrize("how", ["a commit", "another last commit"])
async def test_a_branch_that_people_have_committed_to_is_left_to_them(world: World, how: str) -> None:
    await world.bring()
    if how == "a commit":
        world.home.commit_to(BRANCH, {"Dockerfile": b"FROM ours\n"})
    else:
        world.home.amend(BRANCH, {"Dockerfile": b"FROM ours\n"})
    world.home.commit_to("main", {BUILD: bare_files()[BUILD] + b"\n"})
    world.home.edit(1, is_conflicted=True)
    world.forge.calls.clear()
    found = await world.bring()
    assert (found.state, world.forge.calls) == (OPEN, [])
    assert found.reason == "somebody has committed to the branch of #1, so the bot leaves it to them"


async def test_one_that_is_closed_unmerged_is_declined_for_good(world: World) -> None:
    await world.bring()
    world.home.close(1)
    found = await world.bring()
    assert (found.state, found.reason) == (DECLINED, "pull request #1 was closed by a maintainer")


async def test_a_label_declines_too(world: World) -> None:
    await world.bring()
    world.home.edit(1, labels=("freshness:ignore",))
    assert (await world.bring()).state is DECLINED
    assert not world.request.is_open


async def test_a_label_holds_it_as_it_is(world: World) -> None:
    await world.bring()
    world.home.edit(1, labels=("freshness:hold",), is_conflicted=True)
    world.forge.calls.clear()
    assert (await world.bring()).reason == "pull request #1 is labelled freshness:hold"
    assert world.forge.calls == []


async def test_after_a_merge_the_next_waits_until_the_repository_is_read_again(world: World) -> None:
    world.only("base-pinned", "dispatchable")
    await world.bring()
    world.read = bare_files()
    world.home.merge(1)
    found = await world.bring()
    assert (found.state, found.merged, found.reason) == (WAITING, 1, "pull request #1 was merged")
    assert (await world.bring()).reason.endswith("has changed since it was read")
    world.read = None
    found = await world.bring()
    assert (found.state, found.merged, found.left > 0) == (DONE, 1, True)


async def test_where_all_holds_nothing_is_opened() -> None:
    world = new_world({"Dockerfile": LOWERED + b"USER $APP_UID\n"})
    found = await world.bring()
    assert (found.state, found.reason) == (DONE, "every check that can be mended safely holds")
    assert world.forge.calls == []


async def test_what_holds_by_other_hands_is_closed_with_the_reason(world: World) -> None:
    world.only("base-pinned")
    await world.bring()
    world.home.commit_to("main", {"Dockerfile": LOWERED})
    assert (await world.bring()).state is DONE
    assert "Closed by the bot" in world.request.body
    world.onboarding = replace(world.onboarding, state=WAITING)
    assert (await world.bring()).state is DONE


async def test_without_the_right_to_workflows_the_rest_comes_and_their_patches_are_told(world: World) -> None:
    world.forge.may_change_workflows = False
    await world.bring()
    assert world.home.content(BRANCH, BUILD) == bare_files()[BUILD].decode()
    assert len(world.messages) == 3
    assert "the bot lacks the right to change .github/workflows/" in world.request.body
    assert "+  workflow\\_dispatch:" not in world.request.body
    assert "  +  workflow_dispatch:" in world.request.body


async def test_where_only_that_right_lacks_it_is_the_reason() -> None:
    world = new_world({BUILD: bare_files()[BUILD]})
    world.forge.may_change_workflows = False
    found = await world.bring()
    assert found.state is DONE
    assert found.reason.endswith("since the bot lacks the right to change .github/workflows/")


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (b"enabled: false\n", "the repository opted out in .github/freshness.yaml"),
        (b"action: dispatch\n", "the repository asks for no pull requests in .github/freshness.yaml"),
    ],
)
async def test_the_repositorys_own_word_counts_at_the_last_moment(world: World, word: bytes, reason: str) -> None:
    world.home.commit_to("main", {".github/freshness.yaml": word})
    found = await world.bring()
    assert (found.state, found.reason, world.forge.calls) == (SET_ASIDE, reason, [])


async def test_an_archived_repository_is_set_aside(world: World) -> None:
    world.home.is_archived = True
    assert (await world.bring()).state is SET_ASIDE


async def test_a_freeze_holds_back_what_is_not_open_yet(world: World) -> None:
    now = world.clock.now()
    freeze = Freeze(now - timedelta(hours=1), now + timedelta(hours=5), "the fair")
    world.options = replace(world.options, freezes=(freeze,))
    found = await world.bring()
    assert (found.state, found.reason, world.rest) == (WAITING, "frozen: the fair", timedelta(hours=5))


async def test_it_waits_while_too_many_others_are_open(world: World) -> None:
    world.open_elsewhere = 2
    assert (await world.bring()).reason == "other pull requests of the bot are still open here"
    assert world.forge.calls == []


async def test_files_that_have_changed_since_they_were_read_are_not_written_over(world: World) -> None:
    world.read = bare_files()
    world.home.commit_to("main", {"Dockerfile": LOWERED})
    found = await world.bring()
    assert (found.state, found.reason) == (WAITING, "Dockerfile has changed since it was read")


async def test_executables_keep_their_mode_in_one_commit(world: World) -> None:
    world.home.commit_to("main", {"Dockerfile": bare_files()["Dockerfile"]}, mode="100755")
    await world.bring()
    commit = world.home.commits[world.home.branches[BRANCH]]
    assert commit.modes["Dockerfile"] == "100755"
    assert len(world.messages) == 1
    assert "(sbom)" in commit.message


async def test_a_crash_after_the_branch_moved_is_made_good(world: World) -> None:
    world.forge.failing["after the branch moved"] = Failure(Trouble.UNREACHABLE, "cut off")
    with pytest.raises(Failure):
        await world.bring()
    del world.forge.failing["after the branch moved"]
    assert (await world.bring()).state is OPEN
    assert list(world.home.requests) == [1]


async def test_a_title_that_a_person_gave_it_stays(world: World) -> None:
    await world.bring()
    world.home.edit(1, title="Practices", body=f"Ours.\n\n{world.request.body}")
    world.home.commit_to("main", {"Dockerfile": LOWERED})
    await world.bring()
    assert world.request.title == "Practices"
    assert world.request.body.startswith("Ours.\n\n")
    assert "base\\-pinned" not in world.request.body


@pytest.mark.parametrize("when", ["failing", "after"])
@pytest.mark.parametrize("call", ["look", "action_commits", "prepare", "carry_out", "grant"])
async def test_whatever_a_crash_has_left_the_next_attempt_ends_with_the_same(
    world: World, call: str, when: str
) -> None:
    crashes = getattr(world.forge, when)
    crashes[call] = Failure(Trouble.UNREACHABLE, "cut off")
    with suppress(Failure):
        await world.bring()
    crashes.pop(call, None)
    world.clock.advance(timedelta(minutes=5))
    assert (await world.bring()).state is OPEN
    assert len(world.messages) == 9
    assert list(world.home.requests) == [1]
    assert world.home.content(BRANCH).startswith("FROM mcr.microsoft.com/dotnet/aspnet:8.0\n")


async def test_many_commits_that_wait_for_their_turns_are_made_all_the_same(world: World) -> None:
    world.forge.takes = timedelta(seconds=20)
    assert (await world.bring()).state is OPEN
    assert "standings" in [name for name, _ in world.forge.asked]


async def test_a_word_against_it_between_two_commits_stops_it(world: World) -> None:
    world.forge.takes = timedelta(seconds=20)
    opted_out = {".github/freshness.yaml": b"enabled: false\n"}
    world.forge.meanwhile["standings"] = lambda: world.home.commit_to("main", opted_out)
    with pytest.raises(Failure, match="opted out"):
        await world.bring()
    assert BRANCH not in world.home.branches


async def merged(world: World, number: int) -> None:
    """Merged, seen, and read anew."""
    world.home.merge(number)
    assert (await world.bring()).state is WAITING


async def test_it_never_merges_by_the_bots_word_so_that_no_pause_has_to_take_that_back(world: World) -> None:
    world.home.requirements = MergeRequirements(requires_checks=True, can_wait=True)
    await world.bring()
    assert not world.request.is_to_merge


async def test_what_is_taken_back_after_a_merge_is_declined_for_that_check_alone(world: World) -> None:
    world.only("base-pinned", "no-privilege-escalation")
    await world.bring()
    await merged(world, 1)
    world.home.commit_to("main", {"Dockerfile": bare_files()["Dockerfile"]})
    found = await world.bring()
    assert (found.state, found.declined) == (DONE, ("base-pinned",))
    assert found.reason.endswith("; base-pinned: taken back after a merge, and so declined for good")
    assert list(world.home.requests) == [1]
    world.onboarding = replace(found, state=WAITING)
    world.home.commit_to("main", {DEPLOYMENT: bare_files()[DEPLOYMENT]})
    found = await world.bring()
    assert (found.state, found.declined) == (DONE, ("base-pinned", "no-privilege-escalation"))


async def test_the_next_pull_request_leaves_what_was_taken_back_with_the_reason(world: World) -> None:
    world.only("base-pinned", "no-privilege-escalation")
    await world.bring()
    await merged(world, 1)
    world.only("base-pinned", "no-privilege-escalation", "seccomp-profile")
    world.home.commit_to("main", {"Dockerfile": bare_files()["Dockerfile"]})
    assert (await world.bring()).state is OPEN
    assert "1 practice along: seccomp-profile" in world.request.title
    assert "it was taken back after a merge, which declines it here for good" in world.request.body


async def test_what_was_taken_back_keeps_nothing_else_where_a_right_is_missing(world: World) -> None:
    world.only("base-pinned", "no-privilege-escalation")
    await world.bring()
    await merged(world, 1)
    world.only("base-pinned", "no-privilege-escalation", "seccomp-profile", "dispatchable")
    world.home.commit_to("main", {"Dockerfile": bare_files()["Dockerfile"]})
    world.forge.may_change_workflows = False
    found = await world.bring()
    assert (found.state, found.declined) == (OPEN, ("base-pinned",))
    assert "1 practice along: seccomp-profile" in world.request.title


async def test_a_new_place_that_fails_like_one_that_was_mended_declines_nothing(world: World) -> None:
    world.only("actions-pinned")
    await world.bring()
    await merged(world, 1)
    text = world.home.content("main", BUILD).encode()
    step = b"      - uses: docker/login-action@v3\n"
    assert b"docker/login-action@" + b"a" * 40 in text
    head, _, rest = text.partition(b"    steps:\n")
    world.home.commit_to("main", {BUILD: head + b"    steps:\n" + step + rest})
    found = await world.bring()
    assert (found.state, found.declined) == (OPEN, ())


async def test_until_the_merge_was_read_nothing_counts_as_taken_back(world: World) -> None:
    world.only("base-pinned")
    await world.bring()
    world.read = bare_files()
    await merged(world, 1)
    assert (await world.bring()).declined == ()
    world.read = None
    assert (await world.bring()).state is DONE


async def test_a_branch_that_a_person_brought_up_to_date_keeps_nobody_waiting_once_merged(world: World) -> None:
    world.only("base-pinned")
    await world.bring()
    world.home.commit_to(BRANCH, {"NOTES.md": b"from main"}, "Merge branch 'main' into freshness/onboarding")
    await merged(world, 1)
    world.only("base-pinned", "no-privilege-escalation")
    found = await world.bring()
    assert (found.state, found.number) == (OPEN, 2)
    assert world.messages == ["Processes cannot gain rights (no-privilege-escalation)"]


async def test_a_commit_to_the_branch_after_the_merge_is_a_persons(world: World) -> None:
    world.only("base-pinned")
    await world.bring()
    await merged(world, 1)
    world.home.commit_to(BRANCH, {"NOTES.md": b"mine"})
    world.only("base-pinned", "no-privilege-escalation")
    assert (await world.bring()).state is SET_ASIDE


def test_where_nothing_is_left_nothing_is_told_of_it() -> None:
    assert "left to you" not in wording.body(Proposal((), (), {}), "contoso/shop", "https://forge", "main", BRANCH)


async def test_what_is_left_is_told_with_patches_as_long_as_there_is_room() -> None:
    deployments = {f"deploy/{number}.yaml": bare_files()[DEPLOYMENT] for number in range(60)}
    world = new_world({**bare_files(), **deployments})
    world.only("base-pinned")
    await world.bring()
    body = world.request.body
    assert "`````diff\n" in body
    assert "findings are left to you" in body
    assert "more: `freshness-bot audit` names them" in body


async def test_what_is_open_is_told_with_its_number_and_address(world: World) -> None:
    found = await world.bring()
    assert (found.number, found.url, found.reason) == (1, world.request.url, "pull request #1 is open")


async def test_what_still_fails_is_left_to_people_without_a_reason_that_is_none(world: World) -> None:
    world.only("base-pinned")
    world.home.commit_to("main", {"Dockerfile": LOWERED})
    found = await world.bring()
    assert (found.state, found.reason) == (DONE, "what still fails is left to people")
    assert found.left > 0


async def test_one_in_conflict_is_put_on_the_default_branch_anew_though_it_proposes_the_same(world: World) -> None:
    world.only("base-pinned")
    await world.bring()
    trunk = world.home.commit_to("main", {"NOTES.md": b"elsewhere\n"})
    world.home.edit(1, is_conflicted=True)
    await world.bring()
    assert world.home.commits[world.home.branches[BRANCH]].parents == (trunk,)


async def test_as_long_as_one_is_open_a_later_one_that_was_merged_says_nothing(world: World) -> None:
    await world.bring()
    world.home.requests[2] = replace(world.request, number=2, is_open=False, is_merged=True)
    found = await world.bring()
    assert (found.state, found.number, found.merged) == (OPEN, 1, 0)


async def test_its_text_begins_with_what_it_is(world: World) -> None:
    await world.bring()
    _, _, text = world.request.body.partition("\n")
    assert text.startswith(
        "Each commit makes one check hold, by an edit that keeps every other byte; the repository was judged again "
        "after each, and nothing else fails anew. Take them as they are, or only some of them.\n\n"
    )


class PushRuns(FakeForge):
    """A forge that shows one workflow, and keeps what is prepared."""

    text = "on: push\njobs: {}\n"
    prepared: list[BranchChange]

    async def look(
        self, repository: Identity, branch: str, paths: Sequence[str], wishes: Wishes = NOTHING_WISHED
    ) -> BranchLook:
        return replace(await super().look(repository, branch, paths, wishes), workflows=(self.text,))

    async def prepare(self, repository: Identity, change: BranchChange) -> str | None:
        self.prepared.append(change)
        return await super().prepare(repository, change)


@pytest.mark.parametrize(
    ("workflow", "is_whole"),
    [("on: push\njobs: {}\n", True), ("on: {push: {branches: [main]}}\njobs: {}\n", False)],
    ids=["every push", "pushes to the default branch"],
)
async def test_where_workflows_run_on_pushes_the_branch_comes_with_its_commit(
    world: World, workflow: str, is_whole: bool
) -> None:
    world.only("base-pinned")
    forge = PushRuns(world.clock, world.forge.homes)
    forge.text, forge.prepared = workflow, []
    world.forge = forge
    await world.bring()
    assert [each.is_pushed_whole for each in forge.prepared] == [is_whole]


async def test_a_repository_that_is_gone_between_two_commits_stops_it(world: World) -> None:
    world.forge.takes = timedelta(seconds=20)

    def vanish() -> None:
        world.home.is_gone = True

    world.forge.meanwhile["standings"] = vanish
    with pytest.raises(Failure, match="the repository is not there any more"):
        await world.bring()
    assert BRANCH not in world.home.branches


async def test_a_word_against_it_between_two_commits_is_a_conflict_that_is_tried_again(world: World) -> None:
    world.forge.takes = timedelta(seconds=20)
    opted_out = {".github/freshness.yaml": b"enabled: false\n"}
    world.forge.meanwhile["standings"] = lambda: world.home.commit_to("main", opted_out)
    with pytest.raises(Failure) as failed:
        await world.bring()
    assert failed.value.trouble is Trouble.CONFLICT
    assert str(failed.value) == (
        "contoso/shop: the repository opted out in .github/freshness.yaml; the next attempt looks again"
    )


async def test_a_forge_that_does_not_answer_where_actions_point_to_is_asked_again(world: World) -> None:
    world.forge.failing["action_commits"] = Failure(Trouble.UNREACHABLE, "no answer")
    with pytest.raises(Failure, match="no answer"):
        await world.bring()
    assert world.home.requests == {}


@pytest.mark.parametrize("trouble", [Trouble.CONFLICT, Trouble.DENIED, Trouble.MISSING], ids=str)
async def test_what_the_forge_refuses_of_labels_and_reviews_a_pull_request_can_do_without(
    world: World, trouble: Trouble
) -> None:
    world.forge.failing["grant"] = Failure(trouble, "refused")
    assert (await world.bring()).state is OPEN


async def test_a_forge_that_does_not_answer_to_labels_is_asked_again(world: World) -> None:
    world.forge.failing["grant"] = Failure(Trouble.UNREACHABLE, "no answer")
    with pytest.raises(Failure, match="no answer"):
        await world.bring()


async def test_labels_and_reviews_are_asked_for_as_the_repository_names_them_once(world: World) -> None:
    world.home.commit_to("main", {".github/freshness.yaml": b"labels: [deps]\nowners: [ann, contoso/platform]\n"})
    await world.bring()
    assert world.request.labels == ("deps", "freshness")
    assert world.home.reviewers == [(("ann",), ("platform",))]
    world.home.commit_to("main", {"Dockerfile": LOWERED})
    await world.bring()
    assert len(world.home.reviewers) == 1


async def test_where_a_rule_refuses_the_branch_it_is_set_aside_with_the_reason(world: World) -> None:
    world.forge.failing["carry_out"] = BranchRefused(BRANCH, BranchRule.CREATION)
    found = await world.bring()
    assert found.state is SET_ASIDE
    assert found.reason.startswith(f"a rule of the repository refuses {BRANCH}: new branches are restricted")
    assert world.rest == timedelta(days=1)


async def test_while_its_branch_is_in_a_merge_queue_it_waits(world: World) -> None:
    world.forge.failing["carry_out"] = BranchQueued(BRANCH)
    found = await world.bring()
    assert (found.state, world.rest) == (WAITING, world.options.follow_every)
    assert "is in a merge queue" in found.reason


async def test_a_label_that_ignores_a_closed_one_declines_too_and_says_so(world: World) -> None:
    await world.bring()
    world.home.close(1)
    world.home.edit(1, labels=("freshness:ignore",))
    world.forge.calls.clear()
    found = await world.bring()
    assert (found.state, found.reason) == (DECLINED, "pull request #1 is labelled freshness:ignore")
    assert (world.rest, world.forge.calls) == (timedelta(days=1), [])


async def test_a_branch_of_a_person_by_that_name_sets_it_aside(world: World) -> None:
    world.home.commit_to(BRANCH, {"NOTES.md": b"mine"})
    found = await world.bring()
    assert (found.state, found.reason) == (SET_ASIDE, f"the branch {BRANCH} has commits of somebody else")


async def test_a_repository_without_commits_is_set_aside(world: World) -> None:
    world.home.branches.clear()
    due = DueOnboarding(1, world.home.identity, {}, world.onboarding)
    proposer, held = AuditProposer(frozenset(world.options.checks)), WordHeld(Always(), world.clock)
    tools = OnboardingTools(world.forge, world.forge, proposer, world.options, world.clock, {}, held)
    found = (await bring(due, ProposalSource(world.home.name, bare_files()), tools)).onboarding
    assert (found.state, found.reason) == (SET_ASIDE, "the repository has no commits")


async def test_what_nobody_knows_of_an_action_is_asked_once_and_is_no_commit(world: World) -> None:
    known = ActionTag("docker/login-action", "v3")
    unknown = ActionTag("contoso/unknown", "v1")
    asked: dict[ActionTag, ActionCommit | None] = {}
    for _ in range(2):
        found = await commits_of(world.home.identity, [known, unknown], world.forge, asked)
        assert {tag: commit.sha for tag, commit in found.items()} == {known: "a" * 40}
    assert [call for call, _ in world.forge.asked] == ["action_commits"]
    assert asked[unknown] is None


async def test_all_that_was_taken_back_is_named_with_what_is_left(world: World) -> None:
    world.only("base-pinned")
    world.home.commit_to("main", {"Dockerfile": LOWERED})
    world.onboarding = replace(world.onboarding, declined=("sbom", "seccomp-profile"))
    assert (await world.bring()).reason == (
        "what still fails is left to people; "
        "sbom, seccomp-profile: taken back after a merge, and so declined for good"
    )


async def test_a_branch_that_a_person_takes_while_the_proposal_is_made_is_left_to_them(world: World) -> None:
    world.forge.meanwhile["action_commits"] = lambda: world.home.commit_to(BRANCH, {"NOTES.md": b"mine"})
    found = await world.bring()
    told = f"the branch {BRANCH} has commits of somebody else"
    assert (found.state, found.reason) == (OnboardingState.SET_ASIDE, told)
    assert world.forge.calls == []


async def test_what_is_open_is_renewed_however_many_others_are(world: World) -> None:
    await world.bring()
    world.home.commit_to("main", {"Dockerfile": LOWERED})
    world.open_elsewhere = 2
    assert (await world.bring()).state is OPEN
    assert len(world.messages) == 8


async def test_what_is_one_commit_says_of_each_check_what_each_commit_would(world: World) -> None:
    world.only("base-pinned", "dispatchable")
    await world.bring()
    tip = world.home.commits[world.home.branches[BRANCH]]
    apart = [world.home.commits[tip.parents[0]].message, tip.message]
    again = new_world()
    again.home.commit_to("main", {"Dockerfile": bare_files()["Dockerfile"]}, mode="100755")
    again.only("base-pinned", "dispatchable")
    await again.bring()
    assert again.home.commits[again.home.branches[BRANCH]].message == f"{apart[0]}\n{apart[1]}"
