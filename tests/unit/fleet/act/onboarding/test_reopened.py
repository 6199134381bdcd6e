"""Onboarding's pull request that people have closed, and what they open again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.repositories.onboarding import OnboardingState
from tests.fakes.repository import CONFIG
from tests.unit.fleet.act.onboarding.world import World

WAITING, OPEN, DECLINED = OnboardingState.WAITING, OnboardingState.OPEN, OnboardingState.DECLINED


@pytest.fixture
async def declined(world: World) -> World:
    """A maintainer has closed its pull request."""
    world.only("base-pinned", "dispatchable")
    await world.bring()
    world.home.close(1)
    assert (await world.bring()).state is DECLINED
    world.forge.calls.clear()
    world.forge.asked.clear()
    return world


def asked(world: World) -> list[str]:
    return [call for call, _ in world.forge.asked]


async def test_as_long_as_it_is_closed_one_look_is_all_that_is_asked(declined: World) -> None:
    before = declined.onboarding
    assert await declined.bring() == before
    assert (asked(declined), declined.rest) == (["look"], timedelta(days=1))


async def test_open_again_it_is_followed_again(declined: World) -> None:
    declined.home.reopen(1)
    after = await declined.bring()
    assert (after.state, after.number, after.reason) == (OPEN, 1, "pull request #1 is open")
    assert (asked(declined), declined.forge.calls) == (["look"], [])
    assert declined.rest == declined.options.follow_every


async def test_open_again_it_is_brought_to_what_is_to_be_proposed_by_now(declined: World) -> None:
    declined.home.reopen(1)
    declined.only("base-pinned")
    assert (await declined.bring()).state is OPEN
    assert "carry_out" in declined.forge.calls
    assert len(declined.home.requests) == 1


async def test_opened_again_and_merged_between_two_looks_it_counts_as_merged(declined: World) -> None:
    declined.home.reopen(1)
    declined.home.merge(1)
    after = await declined.bring()
    assert (after.state, after.merged) == (WAITING, 1)


async def test_what_was_merged_before_opens_nothing_again(declined: World) -> None:
    first = declined.home.requests[1]
    declined.onboarding = replace(declined.onboarding, number=2, merged=1)
    for others in ({2: replace(first, number=2, node_id="PR_1_2")}, {}):
        declined.home.requests = {1: replace(first, is_merged=True), **others}
        assert (await declined.bring()).state is DECLINED


@pytest.mark.parametrize("how", ["its pull request is not shown", "archived", "opted out"])
async def test_nothing_else_takes_the_word_of_a_maintainer_back(declined: World, how: str) -> None:
    before = declined.onboarding
    declined.home.is_archived = how == "archived"
    if how == "opted out":
        declined.home.commit_to("main", {CONFIG: b"enabled: false\n"})
    if how == "its pull request is not shown":
        declined.home.requests.clear()
    assert await declined.bring() == before
    assert declined.forge.calls == []


async def test_opened_again_with_the_label_that_declines_it_is_closed_again(declined: World) -> None:
    declined.home.reopen(1)
    declined.home.edit(1, labels=("freshness:ignore",))
    after = await declined.bring()
    assert (after.state, after.reason) == (DECLINED, "pull request #1 is labelled freshness:ignore")
    assert not declined.request.is_open


async def test_where_the_repository_opts_out_what_is_open_again_stays_as_it_is(declined: World) -> None:
    declined.home.reopen(1)
    declined.only("base-pinned")
    declined.home.commit_to("main", {CONFIG: b"enabled: false\n"})
    after = await declined.bring()
    assert (after.state, after.reason) == (OPEN, "the repository opted out in .github/freshness.yaml")
    assert declined.forge.calls == []


async def test_a_persons_own_that_is_opened_from_the_bots_branch_opens_nothing_again(declined: World) -> None:
    declined.home.requests[2] = replace(
        declined.home.requests[1], number=2, node_id="PR_1_2", is_own=False, is_open=True
    )
    assert (await declined.bring()).state is DECLINED
