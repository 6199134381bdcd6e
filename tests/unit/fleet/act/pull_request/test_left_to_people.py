"""Pull requests from the bot's branch that people have made their own."""

from dataclasses import replace

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.forge.pull_requests import MergeRequirements
from bot.domain.rollouts.policy import Policy, PolicyRule
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.terms import AutoMerge, MergeMethod
from tests.unit.fleet.act.world import NO_ANSWER, NOON, World, change, rebuild


async def opened(world: World) -> None:
    rule = PolicyRule(auto_merge=AutoMerge(MergeMethod.SQUASH))
    world.options = replace(world.options, policy=Policy((rule,)))
    world.shop.requirements = MergeRequirements(requires_checks=True, can_wait=True)
    world.add(rebuild())
    await world.tick()


async def test_one_that_people_have_pointed_at_another_branch_is_left_to_them(world: World) -> None:
    await opened(world)
    body = world.shop.requests[1].body
    world.shop.edit(1, base="release")
    world.store.alter(1, changes=(change(cves=("CVE-2026-1",)),))
    world.store.outdate(1)
    await world.tick()
    request = world.shop.requests[1]
    assert (request.is_open, request.body, request.is_to_merge) == (True, body, False)
    assert (world.store[1].state, world.store[1].pointed_at) == (RebuildState.OPEN, "release")
    assert world.store[1].reason == "pull request #1 goes to release and not to main, so it is left to people"


async def test_one_that_is_the_bots_again_no_longer_says_that_it_is_left_to_people(world: World) -> None:
    await opened(world)
    for left, back in (("release", "main"), ("main", "main")):
        world.shop.edit(1, base=left)
        world.asks("enabled: [" if left == back else "enabled: true")
        world.store.outdate(1)
        await world.tick()
        assert "#1" in world.store[1].reason
        world.shop.edit(1, base=back)
        world.asks("enabled: true")
        world.store.outdate(1)
        await world.tick()
        assert world.store[1].reason == "aspnet:10.0 moved; pull request #1 is open"
        assert world.shop.requests[1].is_to_merge


async def test_what_a_person_has_switched_off_stays_so_once_it_is_the_bots_again(world: World) -> None:
    await opened(world)
    world.shop.edit(1, is_to_merge=False, is_to_merge_by_us=False, base="release")
    world.store.outdate(1)
    await world.tick()
    world.shop.edit(1, base="main")
    world.store.outdate(1)
    await world.tick()
    assert not world.shop.requests[1].is_to_merge


async def test_what_goes_on_with_one_that_was_pointed_elsewhere_waits_with_it(world: World) -> None:
    await opened(world)
    world.shop.edit(1, base="release")
    world.store.alter(1, rebuild=world.store[1].moved(RebuildState.SUPERSEDED, "a newer digest", at=NOON))
    world.add(rebuild(id=2, to="c", pull_request=1), None, change("c"))
    before = world.shop.branches
    await world.tick()
    assert (world.store[2].state, world.shop.branches, list(world.shop.requests)) == (
        RebuildState.WAITING,
        before,
        [1],
    )


@pytest.mark.parametrize("is_own", [True, False])
async def test_one_that_a_person_has_opened_from_the_bots_branch_is_not_taken_for_the_bots(
    world: World, is_own: bool
) -> None:
    await opened(world)
    world.shop.edit(1, is_own=is_own, body="mine", title="mine")
    lost = rebuild(id=1)
    world.store.alter(1, rebuild=lost)
    world.forge.calls.clear()
    await world.tick()
    assert (world.shop.requests[1].body == "mine") is not is_own
    assert (world.store[1].state is RebuildState.OPEN) is is_own
    if not is_own:
        assert "carry_out" not in world.forge.calls
        assert world.store[1].reason.startswith("pull request #1 is somebody else's")


@pytest.mark.parametrize("said", ["", "enabled: false"])
async def test_a_persons_pull_request_from_the_bots_branch_does_not_hide_the_bots_own(
    world: World, said: str
) -> None:
    """It may go to another branch from there; what a person says of the bot's own one counts all the same."""
    await opened(world)
    world.shop.requests[2] = replace(
        world.shop.requests[1], number=2, node_id="PR_1_2", base="release", is_own=False, is_to_merge_by_us=False
    )
    world.asks(said)
    world.store.outdate(1)
    await world.tick()
    assert world.shop.requests[1].is_to_merge_by_us is not bool(said)
    assert not world.store[1].reason.startswith("pull request #2")


async def test_the_one_that_is_known_by_its_number_is_the_bots_beside_a_persons_whoever_opened_it(
    world: World,
) -> None:
    """The bot's account may be another by now."""
    await opened(world)
    first = world.shop.requests[1]
    world.shop.edit(1, is_own=False)
    world.shop.requests[2] = replace(first, number=2, node_id="PR_1_2", base="release", is_own=False)
    world.asks("enabled: false")
    world.store.outdate(1)
    await world.tick()
    assert not world.shop.requests[1].is_to_merge_by_us
    assert "#1" in world.store[1].reason


@pytest.mark.parametrize("is_own", [True, False])
async def test_a_closed_one_of_a_person_declines_and_never_becomes_the_bots(world: World, is_own: bool) -> None:
    """It bears the bot's words; known by its number it would be followed, and written, once it is open again."""
    await opened(world)
    world.shop.close(1)
    world.shop.edit(1, is_own=is_own)
    world.store.alter(1, rebuild=rebuild(id=1))
    await world.tick()
    assert world.store[1].state is RebuildState.CANCELLED
    assert world.store[1].pull_request == (1 if is_own else None)


async def out_of_the_fleet(world: World) -> None:
    await opened(world)
    world.store.alter(1, is_listed=False)
    world.store.outdate(1)


async def test_whether_one_that_has_left_the_fleet_merges_still_is_asked_until_the_forge_answers(
    world: World,
) -> None:
    await out_of_the_fleet(world)
    world.forge.failing["look"] = NO_ANSWER
    await world.tick()
    assert world.shop.requests[1].is_to_merge_by_us
    world.forge.failing.clear()
    await world.later()
    assert not world.shop.requests[1].is_to_merge_by_us


async def test_of_one_that_has_left_the_fleet_and_is_not_shown_nothing_is_asked_for(world: World) -> None:
    await out_of_the_fleet(world)
    world.forge.failing["look"] = Failure(Trouble.MISSING, "not found")
    tally = await world.tick()
    after = world.store[1]
    assert (tally.problems, after.state, after.text_version) == ((), RebuildState.OPEN, after.facts_version)


@pytest.mark.parametrize("is_to_merge", [False, True], ids=["no merge is set", "a person has set it to merge"])
async def test_what_is_the_bots_again_says_so_whether_or_not_it_was_to_merge_by_itself(
    world: World, is_to_merge: bool
) -> None:
    if is_to_merge:
        await opened(world)
        world.shop.edit(1, is_to_merge_by_us=False)
    else:
        world.add(rebuild())
        await world.tick()
    for base in ("release", "main"):
        world.shop.edit(1, base=base)
        world.store.outdate(1)
        await world.tick()
    assert world.store[1].reason == "aspnet:10.0 moved; pull request #1 is open"
    assert world.shop.requests[1].is_to_merge is is_to_merge


async def test_one_that_a_person_has_opened_and_that_is_followed_gets_what_becomes_known(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.edit(1, is_own=False)
    world.store.alter(1, changes=(change(cves=("CVE-2026-1",)),))
    world.store.outdate(1)
    await world.tick()
    assert "CVE-2026-1" in world.shop.requests[1].body
