"""Which pull requests merge without a person, and what keeps them from it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.bases.change import Cause
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Severity
from bot.domain.forge.pull_requests import MergeRequirements
from bot.domain.forge.refusals import BranchQueued
from bot.domain.rollouts.journal import HOLD, IGNORE
from bot.domain.rollouts.policy import Policy, PolicyRule
from bot.domain.rollouts.rebuild import Merging, RebuildState
from bot.domain.rollouts.terms import AutoMerge, MergeMethod
from bot.domain.rollouts.timing.windows import Freeze
from tests.unit.fleet.act.world import ASPNET, BRANCH, NOON, World, change, digest, member, rebuild, reference

HOUR = timedelta(hours=1)
CHECKED = MergeRequirements(requires_checks=True, can_wait=True)
QUEUED = MergeRequirements(requires_checks=True, has_queue=True)
BY_ITSELF = "It merges by itself once the required checks are green."


def under(world: World, requirements: MergeRequirements, **rule: Any) -> None:
    world.options = replace(
        world.options, policy=Policy((PolicyRule(auto_merge=AutoMerge(MergeMethod.SQUASH), **rule),))
    )
    world.shop.requirements = requirements


async def opened(world: World) -> None:
    world.add(rebuild())
    await world.tick()


async def newer(world: World, waits: timedelta = timedelta(0), **known: Any) -> None:
    """A newer digest came, and the next rebuild is to go on with the pull request once it has waited so long."""
    superseded = world.store[1].moved(RebuildState.SUPERSEDED, "a newer digest", at=NOON)
    begins = world.clock.now() + waits
    world.store.alter(1, rebuild=superseded, **known)
    world.store.outdate(1)
    world.add(rebuild(id=2, to="c", pull_request=1, due_at=begins), None, change("c"))
    await world.tick()


async def test_it_is_set_to_merge_by_itself_where_the_rule_says_so_and_checks_are_required(world: World) -> None:
    under(world, CHECKED)
    await opened(world)
    assert world.shop.requests[1].is_to_merge_by_us
    assert BY_ITSELF in world.shop.requests[1].body
    assert world.store[1].merging is Merging.SET
    assert world.forge.calls == ["carry_out", "grant"]


@pytest.mark.parametrize(
    ("requirements", "why"),
    [
        (MergeRequirements(can_wait=True), "no check is required on main; require one in a ruleset"),
        (
            MergeRequirements(requires_checks=True),
            "auto-merge is switched off in the repository's settings; allow it there",
        ),
    ],
)
async def test_it_waits_for_a_person_where_the_repository_lacks_something_and_says_what(
    world: World, requirements: MergeRequirements, why: str
) -> None:
    under(world, requirements)
    await opened(world)
    assert not world.shop.requests[1].is_to_merge
    assert BY_ITSELF not in world.shop.requests[1].body
    assert world.store[1].reason.endswith(f"not set to merge by itself: {why}")
    assert world.store[1].merging is None


async def test_it_waits_for_a_person_where_a_change_is_not_of_the_chosen_kind(world: World) -> None:
    rule = PolicyRule(auto_merge=AutoMerge(MergeMethod.SQUASH, (Cause.DOTNET_SECURITY,), Severity.HIGH))
    world.options = replace(world.options, policy=Policy((rule,)))
    world.shop.requirements = CHECKED
    world.add(rebuild(), None, change(severity=Severity.LOW))
    await world.tick()
    assert not world.shop.requests[1].is_to_merge
    world.store.alter(1, changes=(change(severity=Severity.HIGH),))
    world.store.outdate(1)
    await world.tick()
    assert world.shop.requests[1].is_to_merge


async def test_a_person_who_switches_it_off_has_decided_about_that_digest(world: World) -> None:
    under(world, CHECKED)
    await opened(world)
    world.shop.edit(1, is_to_merge=False, is_to_merge_by_us=False)
    world.store.outdate(1)
    await world.tick()
    assert not world.shop.requests[1].is_to_merge
    await newer(world)
    assert world.shop.requests[1].is_to_merge


async def test_it_is_not_to_merge_any_more_once_it_brings_what_the_rule_does_not_take(world: World) -> None:
    under(world, CHECKED)
    await opened(world)
    world.options = replace(world.options, policy=Policy())
    await newer(world)
    assert not world.shop.requests[1].is_to_merge
    assert BY_ITSELF not in world.shop.requests[1].body


async def test_what_a_person_has_set_to_merge_stays_so(world: World) -> None:
    await opened(world)
    world.shop.edit(1, is_to_merge=True)
    await newer(world)
    assert world.shop.requests[1].is_to_merge


async def test_what_is_green_already_is_merged(world: World) -> None:
    under(world, CHECKED)
    world.shop.is_green = True
    await opened(world)
    assert world.shop.requests[1].is_merged


async def test_a_draft_is_set_to_merge_once_a_person_has_made_it_ready(world: World) -> None:
    under(world, CHECKED, draft=True)
    await opened(world)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (False, Merging.WANTED)
    world.shop.edit(1, is_draft=False)
    world.store.outdate(1)
    await world.tick()
    assert world.shop.requests[1].is_to_merge


async def test_it_enters_the_queue_once_it_is_ready_where_it_cannot_wait_otherwise(world: World) -> None:
    under(world, QUEUED)
    await opened(world)
    assert world.store[1].merging is Merging.WANTED
    world.shop.is_green = True
    world.store.outdate(1)
    await world.tick()
    assert world.shop.requests[1].is_to_merge
    assert world.store[1].merging is Merging.SET


@pytest.mark.parametrize("is_all_paused", [False, True], ids=["its rollout", "as a whole"])
async def test_what_is_paused_merges_no_more_by_itself_until_the_pause_is_over(
    world: World, is_all_paused: bool
) -> None:
    under(world, CHECKED)
    await opened(world)
    before = world.shop.requests[1]
    world.store.alter(1, is_paused=True, is_all_paused=is_all_paused)
    world.store.outdate(1)
    world.forge.calls.clear()
    tally = await world.tick()
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (False, Merging.FROZEN)
    assert tally.problems == ()
    if is_all_paused:
        assert (world.forge.calls, world.shop.requests[1].body) == (["grant"], before.body)
    world.store.alter(1, is_paused=False, is_all_paused=False)
    world.store.outdate(1)
    await world.tick()
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (True, Merging.SET)


@pytest.mark.parametrize("is_all_paused", [False, True])
async def test_what_could_not_be_kept_from_merging_is_tried_again(world: World, is_all_paused: bool) -> None:
    under(world, CHECKED)
    await opened(world)
    world.store.alter(1, is_paused=True, is_all_paused=is_all_paused)
    world.store.outdate(1)
    world.forge.goes_on_merging = True
    problems = (await world.tick()).problems
    assert (len(problems), world.shop.requests[1].is_to_merge) == (1, True)
    assert "goes on to merge by itself" in problems[0]
    world.forge.goes_on_merging = False
    await world.later()
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (False, Merging.FROZEN)


@pytest.mark.parametrize("trouble", [Trouble.DENIED, Trouble.CONFLICT])
async def test_a_refusal_to_take_a_merge_back_is_never_the_end_of_trying(world: World, trouble: Trouble) -> None:
    under(world, CHECKED)
    await opened(world)
    world.shop.edit(1, labels=(HOLD,))
    world.store.outdate(1)
    world.forge.failing["grant"] = Failure(trouble, "not for you")
    await world.for_days(6)
    assert "goes on to merge by itself (not for you)" in (world.store[1].hindered_by or "")
    world.forge.failing.clear()
    await world.later(minutes=24 * 60)
    assert not world.shop.requests[1].is_to_merge


async def test_what_the_forge_does_not_let_the_bot_close_does_at_least_merge_no_more(world: World) -> None:
    under(world, CHECKED)
    await opened(world)
    world.shop.edit(1, labels=(IGNORE,))
    world.store.outdate(1)
    world.forge.failing["close_pull_request"] = Failure(Trouble.CONFLICT, "not for you")
    assert "not for you" in (await world.tick()).problems[0]
    assert (world.shop.requests[1].is_open, world.shop.requests[1].is_to_merge) == (True, False)
    assert world.store[1].merging is Merging.FROZEN


async def test_what_a_frozen_rebuild_is_to_go_on_with_merges_no_more_by_itself_either(world: World) -> None:
    """It holds the digest before; the rebuild that opened it was superseded, and is looked at no more."""
    under(world, CHECKED)
    await opened(world)
    frozen(world, hours=6)
    world.clock.advance(2 * HOUR)
    await newer(world)
    assert (world.store[2].state, world.store[2].reason) == (RebuildState.WAITING, "frozen: year-end closing")
    assert not world.shop.requests[1].is_to_merge
    world.clock.advance(5 * HOUR)
    await world.tick()
    assert world.store[2].state is RebuildState.OPEN
    assert world.shop.requests[1].is_to_merge


@pytest.mark.parametrize(
    "word",
    [
        {"is_later_kept": True},
        {"is_later_kept": True, "is_paused": True, "is_all_paused": True},
        {"is_later_kept": True, "is_listed": False},
        {"quarantined": {ASPNET: "it does not start (Ann)"}},
        {"member": member(enabled=False)},
    ],
    ids=["the next is kept", "all is paused", "it left the fleet", "its digest is quarantined", "the repository's"],
)
async def test_what_was_superseded_merges_no_more_where_a_word_keeps_it_or_the_next(
    world: World, word: dict[str, Any]
) -> None:
    under(world, CHECKED)
    await opened(world)
    before = world.shop.requests[1]
    world.forge.calls.clear()
    await newer(world, 6 * HOUR, **word)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (False, Merging.LEFT)
    assert (world.forge.calls, world.shop.requests[1].body) == (["grant"], before.body)
    assert (world.store[1].state, world.store[1].reason) == (RebuildState.SUPERSEDED, "a newer digest")
    assert (world.store[2].state, world.store[2].due_at) == (RebuildState.PLANNED, NOON + 6 * HOUR)
    world.store.alter(1, is_later_kept=False)
    await world.later(6 * 60)
    assert (world.shop.requests[1].is_to_merge, world.store[2].merging) == (True, Merging.SET)


async def test_so_it_is_where_the_rule_wants_no_merge_any_more(world: World) -> None:
    under(world, CHECKED)
    await opened(world)
    world.options = replace(world.options, policy=Policy())
    await newer(world, 6 * HOUR)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (False, Merging.LEFT)


async def test_what_was_superseded_merges_as_before_while_the_next_only_waits(world: World) -> None:
    under(world, CHECKED)
    await opened(world)
    world.forge.asked.clear()
    await newer(world, 6 * HOUR)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (True, Merging.SET)
    assert world.forge.asked == []


async def test_what_was_superseded_and_a_person_has_set_to_merge_merges_whatever_keeps_the_next(
    world: World,
) -> None:
    under(world, CHECKED)
    await opened(world)
    world.shop.edit(1, is_to_merge_by_us=False)
    await newer(world, 6 * HOUR, is_later_kept=True)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (True, Merging.LEFT)


@pytest.mark.parametrize("trouble", [Trouble.DENIED, Trouble.CONFLICT, Trouble.UNREACHABLE])
async def test_what_was_superseded_and_could_not_be_kept_from_merging_is_tried_again(
    world: World, trouble: Trouble
) -> None:
    under(world, CHECKED)
    await opened(world)
    world.forge.failing["grant"] = Failure(trouble, "not for you")
    await newer(world, 6 * 24 * HOUR, is_later_kept=True)
    for _ in range(4 * 12):
        await world.later()
    assert (world.shop.requests[1].is_to_merge, world.store[1].state) == (True, RebuildState.SUPERSEDED)
    assert (world.store[2].state, world.store[2].due_at) == (RebuildState.PLANNED, NOON + 6 * 24 * HOUR)
    world.forge.failing.clear()
    await world.later(minutes=24 * 60)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (False, Merging.LEFT)


async def test_what_was_superseded_in_a_repository_that_can_only_be_read_is_tried_again(world: World) -> None:
    under(world, CHECKED)
    await opened(world)
    world.shop.is_archived = True
    await newer(world, 48 * HOUR, is_later_kept=True)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (True, Merging.SET)
    world.shop.is_archived = False
    await world.later(24 * 60)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (False, Merging.LEFT)


async def test_a_person_who_has_switched_that_on_has_decided(world: World) -> None:
    under(world, CHECKED)
    await opened(world)
    world.shop.edit(1, is_to_merge_by_us=False)
    frozen(world, hours=6)
    world.clock.advance(2 * HOUR)
    await newer(world)
    assert world.shop.requests[1].is_to_merge


async def test_one_that_a_person_holds_does_not_merge_until_the_label_is_gone(world: World) -> None:
    under(world, CHECKED)
    await opened(world)
    world.shop.edit(1, labels=(HOLD,))
    world.store.outdate(1)
    await world.tick()
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (False, None)
    world.shop.edit(1, labels=())
    await world.later()
    assert world.shop.requests[1].is_to_merge


def frozen(world: World, *, hours: int = 6, except_severity: Severity | None = None) -> None:
    """A freeze begins in an hour."""
    freeze = Freeze(NOON + HOUR, NOON + hours * HOUR, "year-end closing", except_severity)
    world.options = replace(world.options, policy=replace(world.options.policy, freezes=(freeze,)))


async def test_it_does_not_merge_in_a_freeze_that_begins_after_it_was_set_and_does_again_after_it(
    world: World,
) -> None:
    under(world, CHECKED)
    frozen(world)
    await opened(world)
    assert world.shop.requests[1].is_to_merge
    await world.later(60)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (False, Merging.FROZEN)
    assert BY_ITSELF not in world.shop.requests[1].body
    asked = len(world.forge.asked)
    await world.later(60)
    assert len(world.forge.asked) == asked, "it is looked at once"
    await world.later(240)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (True, Merging.SET)
    assert BY_ITSELF in world.shop.requests[1].body


async def test_it_is_stopped_before_a_freeze_begins_so_that_nothing_merges_in_its_first_minutes(
    world: World,
) -> None:
    under(world, CHECKED)
    frozen(world)
    await opened(world)
    await world.later(44)
    assert world.shop.requests[1].is_to_merge
    await world.later(2)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (False, Merging.FROZEN)


async def test_it_is_stopped_before_a_freeze_that_is_short(world: World) -> None:
    under(world, CHECKED)
    freeze = Freeze(NOON + HOUR, NOON + HOUR + timedelta(minutes=5), "moving the registry")
    world.options = replace(world.options, policy=replace(world.options.policy, freezes=(freeze,)))
    await world.later(51)
    await opened(world)
    assert not world.shop.requests[1].is_to_merge
    await world.later(15)
    assert world.shop.requests[1].is_to_merge


async def test_what_a_person_switched_off_before_a_freeze_stays_so_after_it(world: World) -> None:
    under(world, CHECKED)
    frozen(world)
    await opened(world)
    world.shop.edit(1, is_to_merge=False, is_to_merge_by_us=False)
    await world.later(60)
    await world.later(300)
    assert not world.shop.requests[1].is_to_merge


async def test_what_a_person_has_set_to_merge_merges_in_a_freeze(world: World) -> None:
    under(world, CHECKED)
    frozen(world)
    await opened(world)
    world.shop.edit(1, is_to_merge_by_us=False)
    await world.later(60)
    assert world.shop.requests[1].is_to_merge


async def test_a_fix_that_is_severe_enough_merges_in_a_freeze(world: World) -> None:
    under(world, CHECKED)
    frozen(world, except_severity=Severity.HIGH)
    world.add(rebuild(), None, change(severity=Severity.CRITICAL))
    await world.tick()
    await world.later(60)
    assert world.shop.requests[1].is_to_merge


async def test_a_crash_before_it_is_set_is_made_up_for(world: World) -> None:
    under(world, CHECKED)
    world.forge.failing["grant"] = Failure(Trouble.UNREACHABLE, "no answer")
    world.add(rebuild())
    await world.tick()
    world.forge.failing.clear()
    await world.later()
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (True, Merging.SET)


async def test_a_crash_after_a_freeze_has_stopped_it_is_made_up_for_once_the_freeze_is_over(world: World) -> None:
    """What the bot itself has switched off is no person's word."""
    under(world, CHECKED)
    frozen(world)
    await opened(world)
    world.forge.failing["carry_out"] = Failure(Trouble.UNREACHABLE, "no answer")
    await world.later(60)
    assert not world.shop.requests[1].is_to_merge
    world.forge.failing.clear()
    await world.later(60)
    assert world.store[1].merging is Merging.FROZEN
    await world.later(240)
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (True, Merging.SET)


@pytest.mark.parametrize("before", [Merging.SET, Merging.FROZEN], ids=str)
async def test_once_its_repository_is_of_the_fleet_again_it_is_set_to_merge_again(
    world: World, before: Merging
) -> None:
    """What is left to people is looked at once the repository is read again."""
    under(world, CHECKED)
    await opened(world)
    is_set = before is Merging.SET
    world.shop.edit(1, is_to_merge=is_set, is_to_merge_by_us=is_set)
    world.store.alter(1, is_listed=False, rebuild=replace(world.store[1], merging=before))
    world.store.outdate(1)
    await world.tick()
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (False, Merging.LEFT)
    world.store.alter(1, is_listed=True)
    world.store.outdate(1)
    await world.tick()
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (True, Merging.SET)


async def test_what_the_bot_has_queued_leaves_the_queue_for_a_newer_digest(world: World) -> None:
    """A merge queue locks the branch; what was queued would merge without the newer digest."""
    under(world, CHECKED)
    await opened(world)
    world.shop.edit(1, is_queued=True)
    await newer(world)
    assert world.store[2].state is RebuildState.OPEN
    assert not world.shop.requests[1].is_queued
    assert digest("c") in world.shop.content(BRANCH)
    assert world.shop.requests[1].is_to_merge_by_us


async def test_what_a_person_has_queued_is_left_to_merge_and_the_newer_digest_comes_after_it(world: World) -> None:
    await opened(world)
    world.shop.edit(1, is_queued=True, is_to_merge=True)
    await newer(world)
    assert (world.store[2].state, world.store[2].reason) == (
        RebuildState.WAITING,
        f"the pull request of {BRANCH} is in a merge queue, which lets nobody change its branch; "
        "it is changed, or a new one opened, once it has left the queue",
    )
    assert "prepare" not in [call for call, _ in world.forge.asked]
    for _ in range(5):
        await world.later()
    assert world.store[2].state is RebuildState.WAITING
    world.shop.edit(1, is_queued=False, is_to_merge=False)
    world.shop.merge(1)
    await world.later()
    assert world.store[2].state is RebuildState.OPEN
    assert world.store[2].pull_request == 2


async def test_one_that_is_queued_between_look_and_write_is_waited_for_as_well(world: World) -> None:
    await opened(world)
    world.forge.failing["carry_out"] = BranchQueued(BRANCH)
    await newer(world)
    for _ in range(5):
        await world.later()
    assert world.store[2].state is RebuildState.WAITING
    del world.forge.failing["carry_out"]
    await world.later()
    assert world.store[2].state is RebuildState.OPEN


async def test_what_a_person_has_set_to_merge_before_is_not_set_again_where_the_rule_wants_it_too(
    world: World,
) -> None:
    await opened(world)
    world.shop.edit(1, is_to_merge=True)
    under(world, CHECKED)
    world.store.outdate(1)
    world.forge.calls.clear()
    await world.tick()
    assert ("grant" in world.forge.calls, world.store[1].merging) == (False, Merging.SET)


async def test_what_the_forge_has_switched_off_with_a_new_commit_is_set_again(world: World) -> None:
    under(world, CHECKED)
    await opened(world)
    world.shop.commit_to("main", {"Dockerfile": f"FROM {reference('a')}\nUSER app\n".encode()})
    world.shop.edit(1, is_conflicted=True, is_to_merge=False, is_to_merge_by_us=False)
    world.store.outdate(1)
    await world.tick()
    assert (world.shop.requests[1].is_to_merge, world.store[1].merging) == (True, Merging.SET)


async def test_while_the_bot_is_paused_nothing_is_written_to_what_is_read_only(world: World) -> None:
    under(world, CHECKED)
    await opened(world)
    world.shop.is_archived = True
    world.store.alter(1, is_paused=True, is_all_paused=True)
    world.store.outdate(1)
    world.forge.asked.clear()
    await world.tick()
    assert (world.store[1].state, world.store[1].merging) == (RebuildState.OPEN, Merging.SET)
    assert [call for call, _ in world.forge.asked] == ["look"]


async def test_while_the_bot_is_paused_what_a_person_has_set_to_merge_stays_so(world: World) -> None:
    await opened(world)
    world.shop.edit(1, is_to_merge=True)
    world.store.alter(1, is_paused=True, is_all_paused=True)
    world.store.outdate(1)
    world.forge.calls.clear()
    await world.tick()
    assert (world.shop.requests[1].is_to_merge, world.forge.calls) == (True, [])


async def test_what_a_person_has_queued_gets_its_text_where_its_branch_need_not_move(world: World) -> None:
    world.add(rebuild())
    await world.tick()
    world.shop.edit(1, is_to_merge=True, is_queued=True)
    world.store.alter(1, changes=(change(cves=("CVE-2026-1",)),))
    world.store.outdate(1)
    await world.tick()
    assert "CVE-2026-1" in world.shop.requests[1].body
    assert world.store[1].text_version == world.store[1].facts_version
