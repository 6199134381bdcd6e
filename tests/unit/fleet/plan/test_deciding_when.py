"""When a rebuild is due and in which wave, and what passes that on to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.repositories.usage import Role
from bot.domain.rollouts.policy import Match, Policy, PolicyRule
from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.timing.waves import Wave
from bot.domain.rollouts.timing.windows import ALWAYS, Window
from bot.fleet.plan.due import reconsidered
from tests.unit.fleet.plan.world import (
    ASPNET,
    HOUR,
    NOON,
    SDK,
    move,
    only,
    planned,
    rebuild,
    usage,
)


def test_a_change_settles_for_six_hours_unless_told_otherwise() -> None:
    assert only(planned(move(), usage("aspnet:10.0@a"))).due_at == NOON + 6 * HOUR


def test_settling_begins_with_the_change_and_not_with_its_plan() -> None:
    assert only(planned(move(), usage("aspnet:10.0@a"), now=NOON + 5 * HOUR)).due_at == NOON + 6 * HOUR


def test_what_has_settled_already_is_due_now() -> None:
    assert only(planned(move(), usage("aspnet:10.0@a"), now=NOON + 9 * HOUR)).due_at == NOON + 9 * HOUR


@pytest.mark.parametrize("severity", [Severity.HIGH, Severity.CRITICAL], ids=str)
def test_a_severe_fix_does_not_wait(severity: Severity) -> None:
    severe = move(cause=Cause.DOTNET_SECURITY, severity=severity)
    assert only(planned(severe, usage("aspnet:10.0@a"))).due_at == NOON


def test_a_mild_fix_settles() -> None:
    mild = move(cause=Cause.DOTNET_SECURITY, severity=Severity.MODERATE)
    assert only(planned(mild, usage("aspnet:10.0@a"))).due_at == NOON + 6 * HOUR


def test_one_severe_fix_hastens_the_rebuild_that_carries_it() -> None:
    moves = [move(SDK, id=1), move(ASPNET, Cause.DOTNET_SECURITY, id=2, severity=Severity.CRITICAL)]
    found = only(planned(moves, [usage("aspnet:10.0@a"), usage("sdk:10.0@a", Role.BUILD_STAGE)]))
    assert found.due_at == NOON


def test_work_begins_in_a_window() -> None:
    policy = Policy((PolicyRule(windows=(Window.parse("wed 08:00-17:00"),)),))
    found = only(planned(move(), usage("aspnet:10.0@a"), policy=policy))
    assert found.due_at == NOON + 20 * HOUR


def test_nothing_waits_for_a_window_longer_than_max_age() -> None:
    policy = Policy((PolicyRule(windows=(Window.parse("mon 08:00-17:00"),), max_age=timedelta(days=2)),))
    assert only(planned(move(), usage("aspnet:10.0@a"), policy=policy)).due_at == NOON + 48 * HOUR


@pytest.mark.parametrize("state", [RebuildState.PLANNED, RebuildState.WAITING])
def test_a_waiting_rebuild_that_is_superseded_passes_on_its_due_time(state: RebuildState) -> None:
    """Else a base that moves every five hours would never be rebuilt."""
    earlier = rebuild(state=state, due_at=NOON + 6 * HOUR)
    later = move(to="c", at=NOON + 5 * HOUR)
    found = only(planned(later, usage("aspnet:10.0@a"), earlier=[earlier], now=NOON + 5 * HOUR))
    assert found.due_at == NOON + 6 * HOUR


def test_an_inherited_due_time_still_keeps_to_the_windows() -> None:
    policy = Policy((PolicyRule(windows=(Window.parse("tue 08:00-17:00"),)),))
    earlier = rebuild(due_at=NOON + 4 * HOUR)
    at = NOON + 6 * HOUR
    later = move(to="c", at=at, id=2)
    found = only(planned([later], usage("aspnet:10.0@a"), policy=policy, earlier=[earlier], known=[move()], now=at))
    assert found.due_at == NOON + 7 * 24 * HOUR - 4 * HOUR


FRIDAY_EVENING = datetime(2026, 3, 13, 20, 0, tzinfo=UTC)
BY_DAY = Policy(
    (
        PolicyRule(Match(min_severity=Severity.CRITICAL), windows=(ALWAYS,)),
        PolicyRule(windows=(Window.parse("mon-fri 08:00-17:00"),), settle=HOUR),
    )
)


@pytest.mark.parametrize("state", [RebuildState.PLANNED, RebuildState.WAITING])
def test_a_severe_fix_is_not_put_off_by_a_lesser_change_that_follows_it(state: RebuildState) -> None:
    severe = move(cause=Cause.DOTNET_SECURITY, severity=Severity.CRITICAL, at=FRIDAY_EVENING)
    lesser = move(cause=Cause.LAYERS_ONLY, to="c", id=2, at=FRIDAY_EVENING + 2 * HOUR)
    waiting = rebuild(state=state, due_at=FRIDAY_EVENING + 2 * HOUR + HOUR / 12)
    now = FRIDAY_EVENING + 2 * HOUR
    found = only(planned(lesser, usage("aspnet:10.0@a"), policy=BY_DAY, earlier=[waiting], known=[severe], now=now))
    assert found.due_at == now


def test_a_change_that_waits_is_kept_no_longer_than_its_own_max_age_by_one_that_follows_it() -> None:
    rules = (
        PolicyRule(Match(causes=(Cause.OS_UPDATE,)), settle=24 * HOUR, max_age=8 * HOUR),
        PolicyRule(settle=24 * HOUR, max_age=48 * HOUR),
    )
    first = move(cause=Cause.OS_UPDATE)
    second = move(cause=Cause.LAYERS_ONLY, to="c", id=2, at=NOON + HOUR)
    waiting = rebuild(due_at=NOON + 20 * HOUR)
    found = only(
        planned(
            second,
            usage("aspnet:10.0@a"),
            policy=Policy(rules),
            earlier=[waiting],
            known=[first],
            now=NOON + HOUR,
        )
    )
    assert found.due_at == NOON + 8 * HOUR


def test_an_open_pull_request_that_is_superseded_lets_the_new_digest_settle() -> None:
    earlier = rebuild(state=RebuildState.OPEN, due_at=NOON)
    assert only(planned(move(to="c"), usage("aspnet:10.0@a"), earlier=[earlier])).due_at == NOON + 6 * HOUR


def test_a_waiting_rebuild_is_hastened_when_its_change_turns_out_severe() -> None:
    severe = move(cause=Cause.DOTNET_SECURITY, severity=Severity.CRITICAL).change
    waiting = rebuild(due_at=NOON + 6 * HOUR)
    assert reconsidered(waiting, [severe], Policy(), NOON + HOUR).due_at == NOON + HOUR


BY_CAUSE = Policy(
    (
        PolicyRule(Match(causes=(Cause.DOTNET_SECURITY,)), wave="first", soak=HOUR, max_age=72 * HOUR),
        PolicyRule(wave="rest", soak=8 * HOUR),
    ),
    (Wave("first"), Wave("rest")),
)


@pytest.mark.parametrize("state", [RebuildState.PLANNED, RebuildState.OPEN])
def test_what_takes_a_change_over_keeps_its_wave_and_its_soak(state: RebuildState) -> None:
    first = move(cause=Cause.DOTNET_SECURITY, severity=Severity.MODERATE)
    lesser = move(cause=Cause.LAYERS_ONLY, to="c", id=2, at=NOON + HOUR)
    before = rebuild(state=state, wave="first")
    found = only(planned(lesser, usage("aspnet:10.0@a"), policy=BY_CAUSE, earlier=[before], known=[first]))
    assert (found.wave, found.soak) == ("first", HOUR)


def test_a_waiting_rebuild_comes_into_the_wave_of_what_its_change_turns_out_to_be() -> None:
    found = reconsidered(
        rebuild(wave="rest"),
        [move(cause=Cause.DOTNET_SECURITY, severity=Severity.MODERATE).change],
        BY_CAUSE,
        NOON + HOUR,
    )
    assert (found.wave, found.soak, found.overdue_at) == ("first", HOUR, NOON + 72 * HOUR)


def test_old_changes_that_a_catch_up_brings_have_their_time_from_its_plan_on() -> None:
    """Else all of it was overdue as soon as any change was assessed again, and waited for no wave."""
    lacked = move(cause=Cause.DOTNET_SECURITY, severity=Severity.MODERATE, at=NOON - 2000 * HOUR).change
    waiting = rebuild(due_at=NOON + 6 * HOUR, waits_since=NOON, wave="first")
    found = reconsidered(waiting, [lacked], BY_CAUSE, NOON + HOUR)
    assert (found.due_at, found.overdue_at) == (NOON + 6 * HOUR, NOON + 72 * HOUR)


def test_what_a_mirror_brought_late_has_its_time_from_the_publication_on() -> None:
    copied = move(cause=Cause.DOTNET_SECURITY, severity=Severity.MODERATE).change
    late = replace(copied, published_at=NOON - 5 * HOUR)
    found = reconsidered(rebuild(waits_since=NOON + HOUR), [late], BY_CAUSE, NOON + HOUR)
    assert found.overdue_at == NOON + 68 * HOUR


def test_what_takes_over_from_a_catch_up_is_not_hastened_by_how_old_that_is() -> None:
    lacked = move(at=NOON - 2000 * HOUR)
    waiting = rebuild(due_at=NOON + 6 * HOUR, waits_since=NOON)
    policy = Policy((PolicyRule(settle=6 * HOUR, max_age=72 * HOUR),))
    newer = move(to="c", id=2, at=NOON + HOUR)
    found = only(
        planned(newer, usage("aspnet:10.0@a"), policy=policy, earlier=[waiting], known=[lacked], now=NOON + HOUR)
    )
    assert found.due_at == NOON + 6 * HOUR


def test_a_waiting_rebuild_is_never_put_into_a_later_wave_by_what_is_learned() -> None:
    assert reconsidered(rebuild(wave="first"), [move().change], BY_CAUSE, NOON).wave == "first"


def test_a_waiting_rebuild_is_never_put_off_by_what_is_learned() -> None:
    mild = replace(move().change, severity=Severity.LOW)
    assert reconsidered(rebuild(due_at=NOON), [mild], Policy(), NOON).due_at == NOON


def test_the_wave_comes_from_the_policy() -> None:
    policy = Policy((PolicyRule(Match(repositories=("contoso/*",)), wave="canary"),))
    assert only(planned(move(), usage("aspnet:10.0@a"), policy=policy)).wave == "canary"
