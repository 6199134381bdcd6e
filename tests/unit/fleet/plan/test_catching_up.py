"""What has been left behind becomes rebuilds like any other, under the rules that hold for what it lacks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.bases.change import Cause, Move
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Severity
from bot.domain.repositories.repository import FleetRepository
from bot.domain.rollouts.pinning import BehindUsage, lacking
from bot.domain.rollouts.policy import Match, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action, Rebuild
from bot.domain.rollouts.rollout import PlannedRebuild
from bot.domain.rollouts.terms import Pin
from bot.domain.rollouts.timing.waves import Wave
from bot.fleet.plan.catching_up import catch_up
from tests.unit.fleet.plan.world import (
    ASPNET,
    HOUR,
    NOON,
    SDK,
    WEEKLY,
    digest,
    edits,
    member,
    move,
    only,
    rebuild,
    usage,
)

MONTHS = timedelta(days=200)
SHOWN = Observation(NOON, ASPNET, digest("z"), "10.0.9")
SECURITY = move(id=11, at=NOON - MONTHS, to="b", cause=Cause.DOTNET_SECURITY, severity=Severity.HIGH)
OS = move(id=12, at=NOON - MONTHS / 2, to="z", cause=Cause.OS_UPDATE)


def behind(
    text: str = "aspnet:10.0@a", home: FleetRepository | None = None, moves: tuple[Move, ...] = (SECURITY, OS)
) -> BehindUsage:
    return BehindUsage(home or member(WEEKLY), usage(text), ASPNET, SHOWN, NOON - MONTHS, moves)


def caught_up(
    *some: BehindUsage, policy: Policy | None = None, earlier: tuple[Rebuild, ...] = ()
) -> tuple[PlannedRebuild, ...]:
    return catch_up(some, policy or Policy(), earlier, {}, NOON)


# What is lacking


def test_several_changes_are_one_of_the_weightiest_cause() -> None:
    change = lacking(behind(), NOON)
    assert (change.cause, change.severity) == (Cause.DOTNET_SECURITY, Severity.HIGH)
    assert (change.from_digest, change.to_digest) == (digest("a"), digest("z"))
    assert (change.from_version, change.to_version) == ("10.0.4", "10.0.9")


def test_a_cve_concerns_where_one_change_says_so() -> None:
    first = replace(SECURITY, change=replace(SECURITY.change, cves=("CVE-1", "CVE-2"), not_relevant=("CVE-1",)))
    second = replace(OS, change=replace(OS.change, cves=("CVE-1",)))
    change = lacking(behind(moves=(first, second)), NOON)
    assert (change.cves, change.not_relevant) == (("CVE-1", "CVE-2"), ())


def test_what_nobody_has_seen_is_of_the_cause_age() -> None:
    change = lacking(behind(moves=()), NOON)
    assert (change.cause, change.severity, change.cves) == (Cause.AGE, None, ())


@pytest.mark.parametrize("cause", [each for each in Cause if each.needs_rebuild and each is not Cause.ROLLBACK])
def test_one_change_is_what_it_is(cause: Cause) -> None:
    assert lacking(behind(moves=(move(cause=cause),)), NOON).cause is cause


def test_what_a_rollback_opened_again_is_not_what_is_lacking() -> None:
    fixed = replace(SECURITY, change=replace(SECURITY.change, cves=("CVE-1",)))
    back = move(id=13, cause=Cause.ROLLBACK, to="y", version="10.0.4")
    back = replace(back, change=replace(back.change, reopens=("CVE-1",)))
    change = lacking(behind(moves=(fixed, back, OS)), NOON)
    assert (change.cause, change.severity, change.cves) == (Cause.OS_UPDATE, None, ())
    forward = replace(fixed, id=14)
    again = lacking(behind(moves=(fixed, back, forward)), NOON)
    assert (again.cause, again.severity, again.cves) == (Cause.DOTNET_SECURITY, Severity.HIGH, ("CVE-1",))


def test_a_pin_that_is_ahead_of_its_base_is_not_taken_back() -> None:
    assert caught_up(behind("aspnet:10.0.10", moves=())) == ()
    assert caught_up(behind("aspnet:10.0.10@a", moves=()), policy=Policy((PolicyRule(pin=Pin.DIGEST),))) == ()


# What is done


def test_a_pin_gets_a_pull_request_with_all_changes_on_the_way() -> None:
    found = only(caught_up(behind()))
    assert found.action is Action.PULL_REQUEST
    assert edits(found) == [("10.0@a", "10.0@z", False)]
    assert [target.changes for target in found.targets] == [(11, 12)]
    assert found.severity is Severity.HIGH


def test_an_old_build_of_what_floats_is_dispatched() -> None:
    found = only(caught_up(behind("aspnet:10.0")))
    assert (found.action, found.workflow) == (Action.DISPATCH, "weekly-rebuild.yml")


@pytest.mark.parametrize("is_first", [True, False])
def test_two_pins_of_one_base_go_by_the_one_that_is_furthest_behind(is_first: bool) -> None:
    both = behind(), replace(behind("aspnet:10.0@b"), moves=(OS,))
    found = only(caught_up(*(both if is_first else reversed(both))))
    assert sorted(edits(found)) == [("10.0@a", "10.0@z", False), ("10.0@b", "10.0@z", False)]
    assert [target.changes for target in found.targets] == [(11, 12)]


def test_two_bases_of_a_repository_are_one_pull_request() -> None:
    sdk = BehindUsage(member(WEEKLY), usage("sdk:10.0@a"), SDK, replace(SHOWN, base=SDK), NOON - MONTHS, ())
    found = only(caught_up(behind(), sdk))
    assert [target.base for target in found.targets] == [ASPNET, SDK]


def test_who_lacks_the_most_severe_fix_stands_first() -> None:
    def lacks(number: int, severity: Severity | None) -> BehindUsage:
        missed = move(id=20 + number, at=NOON - MONTHS, to="z", cause=Cause.DOTNET_SECURITY, severity=severity)
        return behind(home=member(WEEKLY, id=number), moves=(missed,))

    order = (None, Severity.LOW, Severity.CRITICAL, Severity.HIGH, Severity.CRITICAL)
    found = caught_up(*(lacks(number, severity) for number, severity in enumerate(order, start=1)))
    assert [plan.repository_id for plan in found] == [3, 5, 4, 2, 1]


def test_who_asks_to_be_left_alone_is_left_alone() -> None:
    assert caught_up(behind(home=member(WEEKLY, enabled=False))) == ()


def test_the_rules_apply_by_cause_and_settle_from_now() -> None:
    canary = PolicyRule(Match(causes=(Cause.DOTNET_SECURITY,)), wave="canary", settle=2 * HOUR)
    policy = Policy((canary,), waves=(Wave("canary"), Wave("rest")))
    found = only(caught_up(behind(), policy=policy))
    assert (found.wave, found.due_at) == ("canary", NOON + 2 * HOUR)
    assert only(caught_up(behind(moves=(OS,)), policy=policy)).wave == "rest"


def test_a_guaranteed_age_counts_from_now_so_that_no_wave_is_left_out() -> None:
    policy = Policy((PolicyRule(max_age=timedelta(days=7)),))
    assert only(caught_up(behind(), policy=policy)).overdue_at == NOON + timedelta(days=7)


def test_an_open_pull_request_for_an_earlier_digest_is_taken_over() -> None:
    earlier = rebuild(5, pull_request=3)
    found = only(caught_up(behind(), earlier=(earlier,)))
    assert (found.supersedes, found.branch) == ((5,), "freshness/dotnet-aspnet-10.0")
