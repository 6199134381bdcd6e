"""What holds for a job as its changes are known by now: freezes, terms and pins."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.bases.change import Cause, Change
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.policy import Match, Policy, PolicyRule, Terms
from bot.domain.rollouts.terms import Pin
from bot.domain.rollouts.timing.windows import Freeze
from bot.fleet.act.ports import ActOptions, Job
from tests.unit.fleet.act.world import ASPNET, NOON, change, member, rebuild

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FREEZE = Freeze(NOON, NOON + 6 * HOUR, "year end", Severity.HIGH)
FROZEN = Policy(freezes=(FREEZE,))


def job(*changes: Change, **values: Any) -> Job:
    return replace(Job(rebuild(), member(), "main", changes or (change(),), ()), **values)


@pytest.mark.parametrize(
    ("severities", "at", "holds"),
    [
        ((None,), NOON, True),
        ((None,), NOON - MINUTE, False),
        ((Severity.LOW,), NOON, True),
        ((Severity.LOW, Severity.CRITICAL), NOON, False),
    ],
)
def test_a_freeze_holds_what_is_not_severe_enough_by_the_worst_of_its_changes(
    severities: tuple[Severity | None, ...], at: Any, holds: bool
) -> None:
    found = job(*(change(severity=severity) for severity in severities), policy=FROZEN)
    assert (found.frozen(at) == FREEZE) is holds
    assert replace(found, at_request=True).frozen(at) is None


@pytest.mark.parametrize(
    ("values", "minutes", "frozen"),
    [
        ({}, 0, True),
        ({}, -15, True),
        ({}, -16, False),
        ({"at_request": True}, 0, True),
        ({"is_paused": True}, -900, True),
        ({}, 6 * 60, False),
    ],
)
def test_nothing_merges_by_itself_from_shortly_before_a_freeze_on_and_while_it_is_paused(
    values: dict[str, Any], minutes: int, frozen: bool
) -> None:
    assert job(policy=FROZEN, **values).merge_frozen(NOON + minutes * MINUTE) is frozen


def test_what_is_severe_enough_for_the_freeze_that_begins_merges() -> None:
    assert not job(change(severity=Severity.HIGH), policy=FROZEN).merge_frozen(NOON - MINUTE)


BY_CAUSE = Policy(
    (
        PolicyRule(Match(causes=(Cause.AGE,)), wave="aged", pin=Pin.FLOATING),
        PolicyRule(Match(causes=(Cause.ROLLBACK,)), wave="back", follow_rollbacks=True),
        PolicyRule(Match(causes=(Cause.OS_UPDATE,)), wave="system", pin=Pin.DIGEST),
    )
)


def test_the_terms_are_those_of_its_changes_or_of_its_age_or_the_defaults() -> None:
    assert job(change(cause=Cause.OS_UPDATE), policy=BY_CAUSE).terms.wave == "system"
    aged = replace(job(policy=BY_CAUSE), changes=())
    assert aged.terms.wave == "aged"
    assert replace(aged, rebuild=rebuild(targets=())).terms == Terms()


def test_pins_are_written_as_the_rules_for_each_change_want_it() -> None:
    other = replace(change(), base=replace(ASPNET, tag="9.0"))
    found = job(change(cause=Cause.OS_UPDATE), other, policy=BY_CAUSE)
    assert found.pins == {ASPNET: Pin.DIGEST, other.base: Pin.KEEP}


@pytest.mark.parametrize(
    ("cause", "policy", "followed"),
    [
        (Cause.ROLLBACK, BY_CAUSE, {ASPNET}),
        (Cause.ROLLBACK, Policy(), set()),
        (Cause.OS_UPDATE, Policy((PolicyRule(follow_rollbacks=True),)), set()),
    ],
)
def test_a_base_is_followed_back_only_where_it_went_back_and_a_rule_says_so(
    cause: Cause, policy: Policy, followed: set[object]
) -> None:
    assert job(change(cause=cause), policy=policy).followed_back == followed


def test_what_holds_of_acting_where_the_operator_says_nothing() -> None:
    options = ActOptions()
    assert (options.follow_every, options.open_pull_requests) == (5 * MINUTE, 2)
    assert (options.visible_after, options.label) == (HOUR, "freshness")
    plain = Job(rebuild(), member(), "main", (), ())
    assert (plain.is_listed, plain.at_request, plain.is_provable) == (True, False, False)
    assert (plain.is_paused, plain.is_all_paused, plain.condemned, plain.replaced_by) == (False, False, None, None)
