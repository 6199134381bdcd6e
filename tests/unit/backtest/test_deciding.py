"""The live planner behind the replay's port."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.backtest.deciding import Deciding
from bot.backtest.fleet import ReplayedFleet, Use
from bot.backtest.planner import Deed, default_policy
from bot.domain.bases.change import Cause, Change
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.policy import ActionPreference, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action
from tests.unit.backtest.world import HOUR, change, use
from tests.unit.fleet.assess.world import DAY


def carried_out(*changes: Change, uses: tuple[Use, ...] = (), policy: Policy | None = None) -> list[Deed]:
    deciding = Deciding(ReplayedFleet.of(uses or (use("a", "aspnet:8.0"),)), policy or default_policy())
    done: list[Deed] = []
    for one in changes:
        done += deciding.due(one.at - timedelta(seconds=1))
        deciding.offer(one, one.at)
    return done + list(deciding.due(DAY + timedelta(days=60)))


def test_moves_of_one_base_while_a_rebuild_waits_become_one_rebuild() -> None:
    (deed,) = carried_out(change(), change(2 * HOUR), change(5 * HOUR))
    assert [one.at - DAY for one in deed.changes] == [timedelta(), 2 * HOUR, 5 * HOUR]


def test_two_moves_of_one_base_in_one_moment_are_both_heeded() -> None:
    first = change()
    nothing = replace(first, cause=Cause.INDEX_ONLY, from_digest=first.to_digest, to_digest=f"sha256:{'3' * 64}")
    (deed,) = carried_out(first, nothing)
    assert first in deed.changes


def test_a_severe_fix_is_carried_out_at_once() -> None:
    (deed,) = carried_out(replace(change(cause=Cause.DOTNET_SECURITY), severity=Severity.HIGH))
    assert deed.at == DAY


def test_what_moved_in_one_moment_is_one_rebuild_of_a_repository() -> None:
    uses = (use("a", "aspnet:8.0"), use("a", "sdk:8.0"))
    (deed,) = carried_out(change(), change(of="sdk:8.0"), uses=uses)
    assert {one.base.short for one in deed.changes} == {"aspnet:8.0", "sdk:8.0"}


@pytest.mark.parametrize("pinned", [True, False], ids=["pull request", "dispatch"])
def test_one_publication_seen_piece_by_piece_is_one_rebuild_of_a_repository(pinned: bool) -> None:
    uses = (use("a", "aspnet:8.0", pinned=pinned), use("a", "sdk:8.0", pinned=pinned))
    (deed,) = carried_out(change(), change(HOUR / 2, of="sdk:8.0"), uses=uses)
    assert {one.base.short for one in deed.changes} == {"aspnet:8.0", "sdk:8.0"}


@pytest.mark.parametrize("pinned", [True, False], ids=["pull request", "dispatch"])
def test_what_moves_after_the_publication_is_over_is_a_rebuild_of_its_own(pinned: bool) -> None:
    uses = (use("a", "aspnet:8.0", pinned=pinned), use("a", "sdk:8.0", pinned=pinned))
    assert len(carried_out(change(), change(3 * HOUR, of="sdk:8.0"), uses=uses)) == 2


@pytest.mark.parametrize(
    ("used", "action"),
    [
        (use("a", "aspnet:8.0"), Action.DISPATCH),
        (use("a", "aspnet:8.0", workflow=False), Action.PULL_REQUEST),
        (use("a", "aspnet:8.0", pinned=True), Action.PULL_REQUEST),
        (use("a", "aspnet:8.0.11"), Action.PULL_REQUEST),
    ],
)
def test_usages_get_the_action_that_they_would_get_live(used: Use, action: Action) -> None:
    (deed,) = carried_out(change(), uses=(used,))
    assert deed.action is action


def test_the_policy_holds() -> None:
    (deed,) = carried_out(change(), policy=Policy((PolicyRule(action=ActionPreference.NOTIFY, settle=3 * HOUR),)))
    assert (deed.action, deed.at) == (Action.NOTIFY, DAY + 3 * HOUR)


def test_platforms_that_nobody_builds_for_make_no_rebuild() -> None:
    assert carried_out(change(), uses=(use("a", "aspnet:8.0", platforms="linux/arm64"),)) == []


def test_the_users_of_a_withdrawn_base_are_told_at_once() -> None:
    (deed,) = carried_out(replace(change(cause=Cause.WITHDRAWN), to_digest=None))
    assert (deed.at, deed.action) == (DAY, Action.NOTIFY)


def test_a_change_that_is_assessed_again_is_not_planned_twice() -> None:
    unknown = change(cause=Cause.DOTNET_UNKNOWN)
    deciding = Deciding(ReplayedFleet.of([use("a", "aspnet:8.0")]), default_policy())
    deciding.offer(unknown, DAY)
    first = list(deciding.due(DAY + 7 * HOUR))
    deciding.offer(replace(unknown, cause=Cause.DOTNET_SECURITY), DAY + 8 * HOUR)
    assert (len(first), list(deciding.due(DAY + timedelta(days=9)))) == (1, [])


def test_what_turns_out_to_be_severe_while_it_waits_waits_no_longer() -> None:
    unknown = change(cause=Cause.DOTNET_UNKNOWN)
    deciding = Deciding(ReplayedFleet.of((use("a", "aspnet:8.0"),)), default_policy())
    deciding.offer(unknown, DAY)
    assert list(deciding.due(DAY)) == []
    deciding.offer(replace(unknown, cause=Cause.DOTNET_SECURITY, severity=Severity.HIGH), DAY + HOUR)
    (deed,) = deciding.due(DAY + HOUR)
    assert deed.at == DAY + HOUR
    assert list(deciding.due(DAY + timedelta(days=60))) == []
