"""A base that lost a platform: who builds for it is told, and no build is begun that must fail."""

import pytest

from bot.domain.bases.change import Cause, Move
from bot.domain.repositories.repository import Affected
from bot.domain.rollouts.policy import ActionPreference, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.fleet.plan.deciding import decide
from tests.unit.fleet.plan.world import NOON, WEEKLY, edits, member, move, only, planned, usage

BOTH = ("linux/amd64", "linux/arm/v7")
DROPPED = move(cause=Cause.PLATFORM_DROPPED, platforms=(), lacks=("linux/arm/v7",))
SECURITY = move(cause=Cause.DOTNET_SECURITY, lacks=("linux/arm/v7",))
TOLD = "it no longer has linux/arm/v7, which Dockerfile builds for: build without it, or on another base"


@pytest.mark.parametrize("text", ["aspnet:10.0@a", "aspnet:10.0"])
@pytest.mark.parametrize("change", [DROPPED, SECURITY])
@pytest.mark.parametrize("platforms", [BOTH, ("linux/arm",), ("linux/arm/v7",)])
def test_who_builds_for_it_is_told_and_gets_no_build(change: Move, text: str, platforms: tuple[str, ...]) -> None:
    found = only(planned(change, usage(text, platforms=platforms), member(WEEKLY)))
    assert (found.action, found.state, found.replacements) == (Action.NOTIFY, RebuildState.PLANNED, ())
    assert found.reason == f"aspnet:10.0 moved; {TOLD}"


@pytest.mark.parametrize("platforms", [(), ("linux/amd64",), ("linux/arm64",)])
def test_a_platform_that_is_gone_is_no_news_for_who_does_not_build_for_it(platforms: tuple[str, ...]) -> None:
    assert planned(DROPPED, usage("aspnet:10.0@a", platforms=platforms), member(WEEKLY)) == ()


def test_what_does_not_build_for_it_goes_on() -> None:
    found = only(planned(SECURITY, usage("aspnet:10.0@a", platforms=("linux/amd64",)), member(WEEKLY)))
    assert (found.action, edits(found)) == (Action.PULL_REQUEST, [("10.0@a", "10.0@b", False)])


def test_a_reference_that_two_stages_share_is_not_moved_under_the_one_that_is_stuck() -> None:
    stages = [
        Affected(member(WEEKLY), usage("aspnet:10.0@a", platforms=platforms)) for platforms in (BOTH, BOTH[:1])
    ]
    found = only(decide([SECURITY], {1: stages}, Policy(), (), NOON))
    assert (found.action, found.replacements) == (Action.NOTIFY, ())


def test_a_repository_that_opted_out_hears_nothing_of_a_platform_that_it_does_not_build_for() -> None:
    assert planned(DROPPED, usage("aspnet:10.0@a"), member(enabled=False)) == ()


def test_several_platforms_that_are_gone_are_told_together() -> None:
    gone = move(cause=Cause.PLATFORM_DROPPED, platforms=(), lacks=("linux/arm/v7", "linux/s390x"))
    found = only(planned(gone, usage("aspnet:10.0@a", platforms=("linux/arm/v7", "linux/s390x"))))
    assert "it no longer has linux/arm/v7 and linux/s390x, which Dockerfile builds for" in found.reason


@pytest.mark.parametrize("action", [ActionPreference.DISPATCH, ActionPreference.PULL_REQUEST])
def test_no_rule_has_a_build_begun_that_must_fail(action: ActionPreference) -> None:
    policy = Policy((PolicyRule(action=action),))
    found = only(planned(DROPPED, usage("aspnet:10.0", platforms=BOTH), member(WEEKLY), policy=policy))
    assert found.action is Action.NOTIFY


def test_one_that_builds_for_it_does_not_hide_another_that_does_and_comes_after_one_that_does_not() -> None:
    stages = [
        Affected(member(WEEKLY), usage("aspnet:10.0@a", platforms=platforms, path=path))
        for platforms, path in ((BOTH[:1], "a/Dockerfile"), (BOTH, "b/Dockerfile"))
    ]
    found = only(decide([DROPPED], {1: stages}, Policy(), (), NOON))
    assert "which b/Dockerfile builds for" in found.reason
