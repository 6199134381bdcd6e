"""Whether a pull request is set to merge by itself now, and what is remembered of that."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.forge.looks import BranchLook, OwnWord
from bot.domain.forge.pull_requests import MergeRequirements, PullRequest, Refusal
from bot.domain.rollouts.policy import Policy, PolicyRule
from bot.domain.rollouts.rebuild import Merging
from bot.domain.rollouts.terms import AutoMerge, MergeMethod
from bot.domain.rollouts.timing.windows import Freeze
from bot.fleet.act.ports import MERGES_END_BEFORE, Job
from bot.fleet.act.pull_request.merging import MergeSetting, is_to_be_stopped, merge_of, merges, wanted_merge
from tests.unit.fleet.act.world import ASPNET, NOON, change, member, rebuild

NEVER, SQUASH = MergeMethod.NEVER, MergeMethod.SQUASH
ALL_THERE = MergeRequirements(requires_checks=True, can_wait=True)
REQUEST = PullRequest(1, "https://forge/1", "branch", "sha", "title", "body", is_open=True, is_merged=False)
FROZEN = Freeze(NOON - timedelta(hours=1), NOON + timedelta(hours=1), "the fair")
SOON = Freeze(NOON + MERGES_END_BEFORE, NOON + timedelta(hours=1), "the fair")


def job(before: Merging | None = None, *freezes: Freeze, **values: Any) -> Job:
    """The operator's rule has it merge by itself."""
    policy = Policy((PolicyRule(auto_merge=AutoMerge(SQUASH)),), freezes=freezes)
    return Job(rebuild(merging=before), member(), "main", (change(),), (), policy=policy, **values)


def setting(
    of: Job,
    requirements: MergeRequirements = ALL_THERE,
    *,
    is_anew: bool = False,
    **request: Any,
) -> MergeSetting:
    look = BranchLook(OwnWord(member().identity, "main"), None, None, requirements=requirements)
    return merge_of(of, look, replace(REQUEST, **request), NOON, is_anew=is_anew)


def nothing(then: Merging | None, *refused: Refusal) -> MergeSetting:
    return MergeSetting(NEVER, refused, then)


def test_it_is_set_once_and_what_a_person_has_switched_off_stays_off() -> None:
    assert setting(job()) == MergeSetting(SQUASH, (), None)
    assert setting(job(Merging.WANTED)).method is SQUASH
    assert setting(job(Merging.SET)) == nothing(Merging.SET)
    assert setting(job(Merging.SET), is_anew=True).method is SQUASH


def test_what_merges_already_is_set_no_second_time() -> None:
    assert setting(job(), is_to_merge=True) == nothing(Merging.SET)


def test_a_draft_is_waited_for() -> None:
    assert setting(job(), is_draft=True) == nothing(Merging.WANTED)


def test_what_is_quarantined_or_under_no_rule_is_not_remembered() -> None:
    assert setting(job(Merging.SET, quarantined={ASPNET: "it fails"})) == nothing(None)
    assert setting(replace(job(Merging.SET), policy=Policy())) == nothing(None)


@pytest.mark.parametrize("freeze", [FROZEN, SOON], ids=["now", "soon"])
def test_in_a_freeze_only_a_persons_word_is_remembered_as_one(freeze: Freeze) -> None:
    assert setting(job(Merging.SET, freeze)) == nothing(Merging.SET)
    assert setting(job(Merging.SET, freeze), is_anew=True) == nothing(Merging.FROZEN)
    assert setting(job(Merging.SET, freeze), is_to_merge=True) == nothing(Merging.FROZEN)
    assert setting(job(Merging.WANTED, freeze)) == nothing(Merging.FROZEN)
    assert setting(job(None, freeze)) == nothing(Merging.FROZEN)


@pytest.mark.parametrize(
    ("requirements", "lacks"),
    [
        (MergeRequirements(can_wait=True), "no check is required on main; require one in a ruleset"),
        (
            MergeRequirements(requires_checks=True),
            "auto-merge is switched off in the repository's settings; allow it there",
        ),
    ],
    ids=["no checks", "no auto-merge"],
)
def test_what_the_repository_lacks_is_told(requirements: MergeRequirements, lacks: str) -> None:
    assert setting(job(Merging.SET), requirements) == nothing(None, Refusal("not set to merge by itself", lacks))
    assert not merges(job(), requirements, NOON)


def test_a_queue_is_as_good_as_a_merge_that_can_wait() -> None:
    queue = MergeRequirements(requires_checks=True, has_queue=True)
    assert setting(job(), queue).method is SQUASH
    assert merges(job(), queue, NOON)


def test_its_text_says_so_only_while_it_does() -> None:
    assert merges(job(), ALL_THERE, NOON)
    assert not merges(job(None, FROZEN), ALL_THERE, NOON)
    assert (wanted_merge(job(), NOON), wanted_merge(job(None, SOON), NOON)) == (SQUASH, NEVER)
    earlier = NOON - timedelta(seconds=1)
    assert wanted_merge(job(None, SOON), earlier) is SQUASH


def test_a_person_s_word_to_begin_has_nothing_merge_in_a_freeze() -> None:
    assert wanted_merge(job(None, FROZEN, at_request=True), NOON) is NEVER


def test_what_the_forge_has_done_is_remembered() -> None:
    assert [MergeSetting(SQUASH, (), None).after(done) for done in (True, False)] == [Merging.SET, Merging.WANTED]
    assert [nothing(Merging.FROZEN).after(done) for done in (True, False)] == [Merging.FROZEN] * 2


def test_only_what_the_bot_has_set_is_stopped() -> None:
    ours, theirs = replace(REQUEST, is_to_merge_by_us=True), replace(REQUEST, is_to_merge=True)
    queued = replace(ours, is_queued=True)
    assert is_to_be_stopped(ours, is_wanted=False)
    assert not is_to_be_stopped(theirs, is_wanted=False)
    assert not is_to_be_stopped(None, is_wanted=False)
    assert not is_to_be_stopped(ours, is_wanted=True, moves=True)
    assert is_to_be_stopped(queued, is_wanted=True, moves=True)
    assert not is_to_be_stopped(queued, is_wanted=True)
