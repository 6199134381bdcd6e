from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backtest.fleet import ReplayedFleet, ReplayedRepository, Use
from bot.backtest.planner import Deed, SettleWindow, default_policy, with_settle
from bot.domain.bases.change import Cause, Change
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Reference
from bot.domain.repositories.usage import Kind, Role, Usage
from bot.domain.rollouts.policy import ActionPreference, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action
from bot.domain.rollouts.timing.windows import Window
from tests.unit.fleet.assess.world import DAY, base

HOUR = timedelta(hours=1)
AT_ONCE = "weekly-rebuild.yml"


def use(name: str, tag: str, *, digest: bool = False, workflow: bool = True, platforms: str = "") -> Use:
    reference = Reference(base(tag).name, base(tag).tag, f"sha256:{'0' * 64}" if digest else None)
    workflows = frozenset({AT_ONCE}) if workflow else frozenset[str]()
    usage = Usage(
        "Dockerfile", Kind("dockerfile"), 1, reference, Role.FINAL_STAGE, platforms=tuple(platforms.split())
    )
    return Use(ReplayedRepository(name, workflows), usage)


def change(at: datetime = DAY, cause: Cause = Cause.OS_UPDATE, of: str = "aspnet:8.0") -> Change:
    return Change(base(of), at, "sha256:1", "sha256:2", cause, cause, platforms=("linux/amd64", "linux/arm64"))


def planner(*uses: Use, policy: Policy | None = None, unrated: Severity | None = Severity.HIGH) -> SettleWindow:
    return SettleWindow(ReplayedFleet.of(uses or [use("a", "aspnet:8.0")]), policy or default_policy(), unrated)


def carried_out(window: SettleWindow, *changes: Change) -> list[Deed]:
    done: list[Deed] = []
    for one in changes:
        done += window.due(one.at)
        window.offer(one, one.at)
    return done + list(window.due(DAY + timedelta(days=30)))


def test_moves_of_one_base_within_the_window_become_one_rebuild() -> None:
    (deed,) = carried_out(planner(), change(), change(DAY + 2 * HOUR), change(DAY + 5 * HOUR))
    assert (deed.at, len(deed.changes)) == (DAY + 6 * HOUR, 3)


def test_two_moves_of_one_base_in_one_moment_are_both_heeded() -> None:
    nothing = change(cause=Cause.INDEX_ONLY)
    (deed,) = carried_out(planner(), nothing, replace(change(), from_digest="sha256:2", to_digest="sha256:3"))
    assert [one.cause for one in deed.changes] == [Cause.OS_UPDATE]


def test_the_window_is_not_prolonged() -> None:
    deeds = carried_out(planner(), change(), change(DAY + 5 * HOUR), change(DAY + 7 * HOUR))
    assert [deed.at for deed in deeds] == [DAY + 6 * HOUR, DAY + 13 * HOUR]


def test_a_severe_fix_skips_the_window_and_takes_along_what_waits() -> None:
    fix = replace(change(DAY + HOUR, Cause.DOTNET_SECURITY), severity=Severity.CRITICAL)
    (deed,) = carried_out(planner(), change(), fix)
    assert (deed.at, len(deed.changes)) == (DAY + HOUR, 2)


@pytest.mark.parametrize(
    ("severity", "unrated", "delay"),
    [
        (Severity.MODERATE, Severity.HIGH, 6 * HOUR),
        (None, Severity.HIGH, timedelta()),
        (None, None, 6 * HOUR),
    ],
)
def test_a_fix_is_as_severe_as_it_is_rated(
    severity: Severity | None, unrated: Severity | None, delay: timedelta
) -> None:
    fix = replace(change(cause=Cause.DOTNET_SECURITY), severity=severity)
    (deed,) = carried_out(planner(unrated=unrated), fix)
    assert deed.at - DAY == delay


def test_what_turns_out_to_be_severe_while_it_waits_waits_no_longer() -> None:
    window = planner()
    unknown = change(cause=Cause.DOTNET_UNKNOWN)
    window.offer(unknown, DAY)
    window.offer(replace(unknown, cause=Cause.DOTNET_SECURITY), DAY + HOUR)
    (deed,) = window.due(DAY + HOUR)
    assert [one.cause for one in deed.changes] == [Cause.DOTNET_SECURITY]


def test_what_is_done_is_not_done_again_when_more_is_known() -> None:
    window = planner()
    unknown = change(cause=Cause.DOTNET_UNKNOWN)
    window.offer(unknown, DAY)
    assert len(list(window.due(DAY + 7 * HOUR))) == 1
    window.offer(replace(unknown, cause=Cause.DOTNET_SECURITY), DAY + 8 * HOUR)
    assert list(window.due(DAY + timedelta(days=9))) == []


def test_two_bases_that_come_due_together_are_one_rebuild() -> None:
    window = planner(use("a", "aspnet:8.0"), use("a", "sdk:8.0"))
    (deed,) = carried_out(window, change(), change(of="sdk:8.0"))
    assert {one.base.short for one in deed.changes} == {"aspnet:8.0", "sdk:8.0"}


@pytest.mark.parametrize(
    ("used", "action"),
    [
        (use("a", "aspnet:8.0"), Action.DISPATCH),
        (use("a", "aspnet:8.0", workflow=False), Action.PULL_REQUEST),
        (use("a", "aspnet:8.0", digest=True), Action.PULL_REQUEST),
        (use("a", "aspnet:8.0.11"), Action.PULL_REQUEST),
    ],
)
def test_a_pinned_usage_gets_a_pull_request_and_a_floating_one_its_workflow(used: Use, action: Action) -> None:
    (deed,) = carried_out(planner(used), change())
    assert deed.action is action


def test_the_policy_may_ask_to_notify_only() -> None:
    (deed,) = carried_out(planner(policy=Policy((PolicyRule(action=ActionPreference.NOTIFY),))), change())
    assert deed.action is Action.NOTIFY


def test_a_rebuild_waits_for_its_window_but_never_longer_than_its_age() -> None:
    mondays = (Window.parse("mon 08:00-17:00"),)
    late = planner(policy=Policy((PolicyRule(windows=mondays, max_age=timedelta(days=2)),)))
    (deed,) = carried_out(late, change())
    assert deed.at == DAY + timedelta(days=2)


@pytest.mark.parametrize("cause", [cause for cause in Cause if not cause.needs_rebuild])
def test_what_needs_no_rebuild_makes_none(cause: Cause) -> None:
    deeds = carried_out(planner(), change(cause=cause))
    assert {deed.action for deed in deeds} <= {Action.NOTIFY}


def test_nobody_is_taken_back() -> None:
    assert carried_out(planner(), change(cause=Cause.ROLLBACK)) == []


def test_the_users_of_a_withdrawn_base_are_told_at_once() -> None:
    (deed,) = carried_out(planner(), change(cause=Cause.WITHDRAWN))
    assert (deed.at, deed.action, deed.repository) == (DAY, Action.NOTIFY, "a")


def test_a_move_of_platforms_that_nobody_builds_for_is_passed_over() -> None:
    window = planner(
        use("a", "aspnet:8.0", platforms="linux/arm/v7"), use("b", "aspnet:8.0", platforms="linux/arm64/v8")
    )
    assert [deed.repository for deed in carried_out(window, change())] == ["b"]


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from(list(Cause))), max_size=30), st.integers(0, 72))
def test_every_move_that_needs_a_rebuild_gets_one_within_the_window(
    moves: list[tuple[int, Cause]], hours: int
) -> None:
    ordered = sorted(dict(moves).items())
    changes = [change(DAY + hour * HOUR, cause) for hour, cause in ordered]
    window = planner(policy=with_settle(default_policy(), hours * HOUR))
    deeds = [deed for deed in carried_out(window, *changes) if deed.action is not Action.NOTIFY]
    acted = [one for deed in deeds for one in deed.changes]
    wanted = [one.at for one in changes if one.cause.needs_rebuild and one.cause is not Cause.ROLLBACK]
    assert sorted(one.at for one in acted) == wanted
    assert all(timedelta() <= deed.at - one.at <= hours * HOUR for deed in deeds for one in deed.changes)
    assert [deed.at for deed in deeds] == sorted(deed.at for deed in deeds)
