"""What people have made their own of onboarding's pull requests is left to them, and told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.repositories.onboarding import OnboardingState
from bot.fleet.act.onboarding.deciding import BRANCH
from tests.fakes.repository import CONFIG
from tests.unit.fleet.act.onboarding.world import World

WAITING, OPEN = OnboardingState.WAITING, OnboardingState.OPEN
SET_ASIDE, DECLINED = OnboardingState.SET_ASIDE, OnboardingState.DECLINED
PATH = "Dockerfile"


@pytest.fixture
async def opened(world: World) -> World:
    """Its pull request is open, there is a branch for releases, and what it changes would be others by now."""
    world.only("base-pinned", "dispatchable")
    await world.bring()
    world.home.branches["release"] = world.home.branches["main"]
    world.only("base-pinned")
    world.forge.calls.clear()
    return world


async def test_one_that_people_have_pointed_at_another_branch_is_left_to_them(opened: World) -> None:
    opened.home.edit(1, base="release", is_conflicted=True)
    after = await opened.bring()
    told = "pull request #1 goes to release and not to main, so it is left to people"
    assert (after.state, after.reason, opened.forge.calls) == (OPEN, told, [])


async def test_it_is_not_closed_there_when_nothing_is_left_to_do(opened: World) -> None:
    opened.home.edit(1, base="release")
    opened.home.commit_to("main", {PATH: b"FROM scratch\n"})
    assert (await opened.bring()).state is OPEN
    assert opened.request.is_open


async def test_pointed_back_it_is_brought_along(opened: World) -> None:
    opened.home.edit(1, base="release")
    await opened.bring()
    opened.home.edit(1, base="main")
    await opened.bring()
    assert "carry_out" in opened.forge.calls


async def test_merged_elsewhere_nothing_of_it_counts_as_brought_until_it_has_arrived(opened: World) -> None:
    opened.home.edit(1, base="release")
    opened.home.merge(1)
    for _ in range(2):
        after = await opened.bring()
        told = "pull request #1 was merged into release and not into main, where what it brings is missing"
        assert (after.state, after.reason, after.merged, after.brought) == (SET_ASIDE, told, 0, ())
        assert (opened.rest, opened.forge.calls) == (timedelta(days=1), [])
    opened.home.branches["main"] = opened.home.branches["release"]
    after = await opened.bring()
    assert (after.state, after.merged) == (WAITING, 1)


async def test_what_was_merged_before_the_default_branch_was_renamed_is_merged(opened: World) -> None:
    opened.home.merge(1)
    opened.home.rename_trunk("trunk")
    assert (await opened.bring()).merged == 1


async def test_a_default_branch_that_was_renamed_takes_its_pull_request_along(opened: World) -> None:
    opened.home.rename_trunk("trunk")
    assert (await opened.bring()).reason == "pull request #1 is open"


async def test_what_goes_to_the_default_branch_of_before_is_left_to_people(opened: World) -> None:
    opened.home.switch_trunk("next")
    after = await opened.bring()
    assert after.reason == "pull request #1 goes to main and not to next, so it is left to people"
    assert opened.forge.calls == []


def theirs(world: World, **values: object) -> None:
    """A person opens one from the bot's branch, with the bot's words."""
    known = {"number": 2, "node_id": "PR_1_2", "is_own": False, "is_open": True, "is_merged": False}
    world.home.requests[2] = replace(world.home.requests[1], **(known | values))  # type: ignore[arg-type]


async def test_a_persons_pull_request_from_the_bots_branch_is_not_taken_for_the_bots(opened: World) -> None:
    theirs(opened)
    del opened.home.requests[1]
    opened.onboarding = replace(opened.onboarding, state=WAITING, number=None)
    after = await opened.bring()
    told = "pull request #2 is somebody else's, from the bot's branch, so it is left to them"
    assert (after.state, after.reason, opened.forge.calls) == (SET_ASIDE, told, [])


@pytest.mark.parametrize(
    "values", [{"is_open": False}, {"labels": ("freshness:ignore",)}], ids=["closed", "labelled"]
)
async def test_what_becomes_of_a_persons_own_says_nothing_of_the_bots(
    opened: World, values: dict[str, object]
) -> None:
    theirs(opened, base="release", **values)
    after = await opened.bring()
    assert (after.state, after.number) == (OPEN, 1)
    assert "carry_out" in opened.forge.calls


async def test_a_word_against_it_while_the_proposal_is_made_is_heard(opened: World) -> None:
    """The next look shows it, right before the branch moves."""
    opened.forge.meanwhile["action_commits"] = lambda: opened.home.commit_to("main", {CONFIG: b"enabled: false"})
    opened.only("base-pinned", "dispatchable", "actions-pinned")
    opened.read = dict(opened.home.commits[opened.home.branches["main"]].files)
    after = await opened.bring()
    assert after.reason == "the repository opted out in .github/freshness.yaml"
    assert opened.forge.calls == []
    assert opened.home.branches[BRANCH] is not None


async def test_the_one_that_is_known_by_its_number_is_the_bots_whoever_the_forge_says_opened_it(
    opened: World,
) -> None:
    opened.home.edit(1, is_own=False)
    after = await opened.bring()
    assert (after.state, after.number) == (OPEN, 1)
    assert "carry_out" in opened.forge.calls


async def test_of_a_merge_elsewhere_without_a_commit_nothing_is_asked_and_it_has_not_arrived(opened: World) -> None:
    opened.home.edit(1, base="release")
    opened.home.merge(1)
    opened.home.edit(1, merge_commit=None)
    assert (await opened.bring()).state is SET_ASIDE
    assert "contains" not in [call for call, _ in opened.forge.asked]


async def test_after_its_merge_a_branch_that_people_have_deleted_is_made_anew(opened: World) -> None:
    opened.home.merge(1)
    await opened.bring()
    del opened.home.branches[BRANCH]
    opened.only("base-pinned", "no-privilege-escalation")
    after = await opened.bring()
    assert (after.state, after.number) == (OPEN, 2)


async def test_a_merge_that_was_counted_stays_so_where_another_branch_becomes_the_default_one(
    opened: World,
) -> None:
    opened.home.merge(1)
    assert (await opened.bring()).merged == 1
    opened.home.switch_trunk("next")
    after = await opened.bring()
    assert (after.state is SET_ASIDE, after.merged) == (False, 1)


async def test_one_that_a_label_declines_is_closed_with_that_as_the_reason(opened: World) -> None:
    opened.home.edit(1, labels=("freshness:ignore",))
    after = await opened.bring()
    told = "pull request #1 is labelled freshness:ignore"
    assert (after.state, after.reason, opened.rest) == (DECLINED, told, timedelta(days=1))
    assert f"**Closed by the bot:** {told}." in opened.request.body


async def test_one_that_a_label_holds_is_looked_at_again_soon(opened: World) -> None:
    opened.home.edit(1, labels=("freshness:hold",))
    after = await opened.bring()
    assert (after.state, after.number, opened.rest) == (OPEN, 1, opened.options.follow_every)


async def test_one_that_a_maintainer_has_closed_is_told_with_its_address(opened: World) -> None:
    opened.onboarding = replace(opened.onboarding, number=None, url=None)
    opened.home.close(1)
    after = await opened.bring()
    assert (after.number, after.url, opened.rest) == (1, opened.request.url, timedelta(days=1))


@pytest.mark.parametrize("word", ["archived", "opted out"])
async def test_what_is_open_stays_so_where_the_repository_takes_nothing_more(opened: World, word: str) -> None:
    opened.home.is_archived = word == "archived"
    if word == "opted out":
        opened.home.commit_to("main", {CONFIG: b"enabled: false\n"})
    after = await opened.bring()
    assert (after.state, opened.rest, opened.forge.calls) == (OPEN, timedelta(days=1), [])
    assert word in after.reason
    assert opened.request.is_open


async def test_where_nothing_is_left_to_bring_what_is_open_is_closed_with_that_as_the_reason(
    opened: World,
) -> None:
    opened.home.commit_to("main", dict.fromkeys(opened.home.commits[opened.home.branches["main"]].files))
    opened.home.commit_to("main", {PATH: b"FROM scratch\n"})
    after = await opened.bring()
    assert (after.reason, opened.rest) == ("every check that can be mended safely holds", timedelta(days=1))
    assert f"**Closed by the bot:** {after.reason}." in opened.request.body


async def test_after_its_merge_it_is_looked_at_again_soon_and_told_with_its_address(opened: World) -> None:
    opened.onboarding = replace(opened.onboarding, url=None)
    opened.home.merge(1)
    after = await opened.bring()
    assert (after.number, after.url, opened.rest) == (1, opened.request.url, opened.options.follow_every)


async def test_one_that_people_have_made_theirs_is_looked_at_again_soon(opened: World) -> None:
    opened.home.commit_to(BRANCH, {PATH: b"FROM ours\n"})
    after = await opened.bring()
    assert (after.state, opened.rest) == (OPEN, opened.options.follow_every)


async def test_one_that_a_label_declines_in_a_repository_that_can_only_be_read_is_closed_once_it_can_be_written(
    opened: World,
) -> None:
    opened.home.edit(1, labels=("freshness:ignore",))
    opened.home.is_archived = True
    after = await opened.bring()
    assert (after.state, opened.request.is_open, opened.rest) == (DECLINED, True, timedelta(days=1))
    opened.home.is_archived = False
    assert (await opened.bring()).state is DECLINED
    assert not opened.request.is_open
