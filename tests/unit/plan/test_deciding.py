from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.change import Cause, Move
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.repositories.repository import Affected, Workflow
from bot.domain.repositories.repository_config import Ignore
from bot.domain.repositories.sdk_pin import SdkPin
from bot.domain.repositories.usage import Role, Usage
from bot.domain.rollouts.policy import ActionPreference, Match, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.rollouts.terms import Pin, Step
from bot.domain.rollouts.timing.waves import Wave
from bot.domain.rollouts.timing.windows import ALWAYS, Window
from bot.plan.deciding import decide
from bot.plan.due import reconsidered
from tests.unit.plan.world import (
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
    planned,
    rebuild,
    usage,
)

AT_ONCE = Policy((PolicyRule(settle=timedelta(0)),))

# What is done


def test_a_digest_pin_gets_a_pull_request_with_the_new_digest() -> None:
    found = only(planned(move(), usage("aspnet:10.0@a"), member(WEEKLY)))
    assert (found.action, found.state) == (Action.PULL_REQUEST, RebuildState.PLANNED)
    assert edits(found) == [("10.0@a", "10.0@b", False)]
    assert found.reason == "aspnet:10.0 moved; 10.0 is pinned by digest"


def test_a_patch_pin_gets_a_pull_request_with_the_new_patch() -> None:
    found = only(planned(move(), usage("aspnet:10.0.4"), member(WEEKLY)))
    assert edits(found) == [("10.0.4", "10.0.5", False)]
    assert found.reason == "aspnet:10.0 moved; 10.0.4 is pinned to a patch"


def test_a_floating_tag_gets_its_workflow_dispatched() -> None:
    found = only(planned(move(), usage("aspnet:10.0"), member(WEEKLY)))
    assert (found.action, found.workflow, found.branch) == (Action.DISPATCH, "weekly-rebuild.yml", None)
    assert found.replacements == ()


def test_a_floating_tag_without_a_workflow_gets_a_marker_line() -> None:
    found = only(planned(move(), usage("aspnet:10.0")))
    assert found.action is Action.PULL_REQUEST
    assert edits(found) == [("10.0", "10.0@b", True)]
    assert "marker line" in found.reason


def test_a_floating_tag_gets_a_marker_line_where_the_policy_wants_pull_requests() -> None:
    policy = Policy((PolicyRule(action=ActionPreference.PULL_REQUEST),))
    found = only(planned(move(), usage("aspnet:10.0"), member(WEEKLY), policy=policy))
    assert edits(found) == [("10.0", "10.0@b", True)]


@pytest.mark.parametrize("unwritten", [{"span": None}, {"fixed_because": "it comes from a variable"}])
def test_a_floating_base_that_stands_nowhere_is_told_where_no_workflow_rebuilds_it(
    unwritten: dict[str, object],
) -> None:
    """A pull request would have nothing to carry."""
    found = only(planned(move(), usage("aspnet:10.0", **unwritten)))
    assert found.action is Action.NOTIFY
    assert found.reason == "aspnet:10.0 moved; there is no weekly-rebuild.yml to rebuild it"


def test_a_pin_that_cannot_be_written_is_told_and_not_rebuilt_in_vain() -> None:
    found = only(planned(move(), usage("aspnet:10.0@a", fixed_because="it is a variable"), member(WEEKLY)))
    assert found.action is Action.NOTIFY
    assert "must be edited by hand: it is a variable" in found.reason


def test_a_patch_pin_whose_next_patch_is_not_known_is_told_and_never_marked() -> None:
    """Its tag does not point to the new digest, so a marker would say what is not so."""
    found = only(planned(move(version=None), usage("aspnet:10.0.4"), member(WEEKLY)))
    assert (found.action, found.replacements) == (Action.NOTIFY, ())
    assert "not known yet" in found.reason


def test_pins_and_floating_tags_of_one_repository_get_one_rebuild_each() -> None:
    found = planned(
        [move(), move(SDK, id=2)], [usage("aspnet:10.0@a"), usage("sdk:10.0", Role.BUILD_STAGE)], member(WEEKLY)
    )
    assert [item.action for item in found] == [Action.DISPATCH, Action.PULL_REQUEST]


@given(files=st.integers(1, 12), bases=st.integers(1, 4))
def test_a_repository_gets_one_pull_request_whatever_the_number_of_its_files_and_bases(
    files: int, bases: int
) -> None:
    names = ["aspnet", "sdk", "runtime", "runtime-deps"][:bases]
    moves = [move(replace(ASPNET, repository=f"dotnet/{name}"), id=n) for n, name in enumerate(names, start=1)]
    usages = [usage(f"{name}:10.0@a", path=f"{n}/Dockerfile") for n in range(files) for name in names]
    found = only(planned(moves, usages))
    assert len(found.targets) == bases
    assert len(found.replacements) == bases


def test_the_branch_is_named_after_the_base_of_the_final_stage() -> None:
    found = only(
        planned([move(), move(SDK, id=2)], [usage("sdk:10.0@a", Role.BUILD_STAGE), usage("aspnet:10.0@a")])
    )
    assert found.branch == "freshness/dotnet-aspnet-10.0"


# What is wished for


@pytest.mark.parametrize("text", ["aspnet:10.0", "aspnet:10.0@a"])
@pytest.mark.parametrize(
    ("preference", "action"),
    [(ActionPreference.NOTIFY, Action.NOTIFY), (ActionPreference.DISPATCH, Action.DISPATCH)],
    ids=str,
)
def test_the_policy_decides_the_action(text: str, preference: ActionPreference, action: Action) -> None:
    found = only(planned(move(), usage(text), policy=Policy((PolicyRule(action=preference),))))
    assert found.action is action
    assert found.replacements == ()


def test_the_repositorys_own_wish_wins_over_the_policy() -> None:
    policy = Policy((PolicyRule(action=ActionPreference.DISPATCH),))
    found = only(planned(move(), usage("aspnet:10.0@a"), member(action=ActionPreference.NOTIFY), policy=policy))
    assert found.action is Action.NOTIFY
    assert found.reason == "aspnet:10.0 moved; the repository asks to be told only"


def test_a_policy_that_asks_for_notices_only_is_told_as_the_reason() -> None:
    found = only(
        planned(move(), usage("aspnet:10.0@a"), policy=Policy((PolicyRule(action=ActionPreference.NOTIFY),)))
    )
    assert found.reason == "aspnet:10.0 moved; the policy asks to notify only"


def test_where_nothing_else_can_help_the_policy_that_is_not_heard_is_not_the_reason() -> None:
    policy = Policy((PolicyRule(action=ActionPreference.NOTIFY),))
    home = member(action=ActionPreference.PULL_REQUEST)
    found = only(planned(move(), usage("aspnet:10.0@a", fixed_because="it is a variable"), home, policy=policy))
    assert found.action is Action.NOTIFY
    assert "must be edited by hand: it is a variable" in found.reason


def test_a_notice_names_no_workflow_and_has_no_steps() -> None:
    policy = Policy((PolicyRule(action=ActionPreference.NOTIFY, steps=(Step("deploy", "deploy.yml"),)),))
    found = only(planned(move(), usage("aspnet:10.0@a"), member(WEEKLY), policy=policy))
    assert (found.action, found.workflow, found.steps) == (Action.NOTIFY, None, ())


def test_a_pull_request_names_the_workflow_that_builds_it_once_it_is_merged() -> None:
    assert only(planned(move(), usage("aspnet:10.0@a"), member(WEEKLY))).workflow == "weekly-rebuild.yml"


def test_the_repositorys_own_workflow_is_dispatched() -> None:
    own = Workflow(".github/workflows/mine.yml")
    found = only(planned(move(), usage("aspnet:10.0"), member(own, workflow="mine.yml")))
    assert (found.action, found.workflow) == (Action.DISPATCH, "mine.yml")


def test_bases_whose_rules_name_different_workflows_get_a_run_of_each() -> None:
    policy = Policy(
        (PolicyRule(Match(bases=("*/sdk:*",)), workflow="tools.yml"), PolicyRule(workflow="images.yml"))
    )
    home = member(Workflow(".github/workflows/tools.yml"), Workflow(".github/workflows/images.yml"))
    usages = [usage("aspnet:10.0"), usage("sdk:10.0", Role.BUILD_STAGE)]
    found = planned([move(), move(SDK, id=2)], usages, home, policy=policy)
    assert [(item.workflow, [target.base for target in item.targets]) for item in found] == [
        ("images.yml", [ASPNET]),
        ("tools.yml", [SDK]),
    ]


def test_a_dispatch_that_the_policy_wants_for_a_pin_does_not_claim_that_it_needs_no_edit() -> None:
    found = only(
        planned(move(), usage("aspnet:10.0@a"), policy=Policy((PolicyRule(action=ActionPreference.DISPATCH),)))
    )
    assert found.reason == "aspnet:10.0 moved; the policy asks to dispatch weekly-rebuild.yml"


def test_a_repository_that_opted_out_is_skipped_with_that_reason() -> None:
    found = only(planned(move(), usage("aspnet:10.0@a"), member(enabled=False)))
    assert (found.state, found.reason) == (
        RebuildState.SKIPPED,
        "the repository opted out in .github/freshness.yaml",
    )


@pytest.mark.parametrize(
    ("ignore", "is_left"),
    [
        (Ignore(path="Dockerfile"), True),
        (Ignore(path="legacy/*"), False),
        (Ignore(base="mcr.microsoft.com/dotnet/aspnet:*"), True),
        (Ignore(path="Dockerfile", until=date(2026, 3, 10)), True),
        (Ignore(path="Dockerfile", until=date(2026, 3, 9)), False),
    ],
)
def test_what_a_repository_ignores_is_left_until_the_day(ignore: Ignore, is_left: bool) -> None:
    found = planned(move(), usage("aspnet:10.0@a"), member(ignored=(ignore,)))
    assert (found == ()) is is_left


# What is no news


@pytest.mark.parametrize(
    ("builds_for", "changed", "concerns"),
    [
        ((), ("linux/arm64",), True),
        (("linux/amd64",), ("linux/amd64", "linux/arm64"), True),
        (("linux/amd64",), ("linux/arm64",), False),
        (("linux/arm64/v8",), ("linux/arm64",), True),
        (("linux/arm",), ("linux/arm/v7",), True),
        (("linux/amd64",), ("windows/amd64",), False),
        (("linux/amd64",), (), True),
    ],
)
def test_platforms_that_did_not_change_are_no_news(
    builds_for: tuple[str, ...], changed: tuple[str, ...], concerns: bool
) -> None:
    found = planned(move(platforms=changed), usage("aspnet:10.0@a", platforms=builds_for))
    assert bool(found) is concerns


@pytest.mark.parametrize("cause", [cause for cause in Cause if not cause.needs_rebuild], ids=str)
def test_some_causes_ask_for_nothing(cause: Cause) -> None:
    to = None if cause is Cause.WITHDRAWN else "b"
    assert planned(move(cause=cause, to=to), usage("aspnet:10.0@a")) == ()


def test_a_change_that_nobody_follows_asks_for_nothing() -> None:
    assert decide([move()], {}, Policy(), [], NOON) == ()


# global.json


def sdk_pin(version: str) -> Usage:
    pin = SdkPin(version)
    return usage(f"sdk:{version}", Role.SDK_PIN, "global.json", sdk_pin=pin)


def test_an_sdk_pin_never_moves_by_itself() -> None:
    assert planned(move(), usage("aspnet:10.0@a"), member(sdk_pins=(sdk_pin("10.0.100"),)))[0].replacements == (
        planned(move(), usage("aspnet:10.0@a"))[0].replacements
    )
    assert planned(move(SDK, version="10.0.101"), [], member(sdk_pins=(sdk_pin("10.0.100"),))) == ()


def test_an_sdk_pin_moves_together_with_a_pinned_sdk_image() -> None:
    home = member(sdk_pins=(sdk_pin("10.0.100"),))
    found = only(planned(move(SDK, version="10.0.101"), usage("sdk:10.0.100@a", Role.BUILD_STAGE), home))
    assert edits(found) == [("10.0.100@a", "10.0.101@b", False), ("10.0.100", "10.0.101", False)]


@pytest.mark.parametrize(
    ("version", "moves"),
    [
        pytest.param("10.0.101", [], id="it builds with the pin as it is"),
        pytest.param("10.0.200", [("10.0.100", "10.0.200", False)], id="dotnet would refuse"),
    ],
)
def test_an_sdk_pin_moves_with_an_image_of_a_floating_tag_only_where_that_would_not_build(
    version: str, moves: list[tuple[str, str, bool]]
) -> None:
    home = member(sdk_pins=(sdk_pin("10.0.100"),))
    found = only(planned(move(SDK, version=version), usage("sdk:10.0@a", Role.BUILD_STAGE), home))
    assert edits(found) == [("10.0@a", "10.0@b", False), *moves]


# What is superseded


def test_a_newer_digest_supersedes_and_inherits_branch_and_pull_request() -> None:
    earlier = rebuild(4, state=RebuildState.OPEN, branch="freshness/by-hand", pull_request=12)
    found = only(planned(move(to="c"), usage("aspnet:10.0@a"), earlier=[earlier]))
    assert (found.supersedes, found.branch, found.pull_request) == ((4,), "freshness/by-hand", 12)


def test_bases_that_only_the_superseded_rebuild_names_are_carried_over() -> None:
    earlier = rebuild(4, (ASPNET, SDK))
    found = only(planned(move(to="c", id=9), usage("aspnet:10.0@a"), earlier=[earlier]))
    assert [(target.base, target.to_digest, target.changes) for target in found.targets] == [
        (ASPNET, digest("c"), (1, 9)),
        (SDK, digest("b"), (1,)),
    ]
    assert found.targets[0].from_digest == digest("a")


def test_two_open_pull_requests_both_go_on_where_one_publication_moves_the_bases_of_both() -> None:
    first = rebuild(4, (ASPNET,), state=RebuildState.OPEN, branch="freshness/dotnet-aspnet-10.0", pull_request=12)
    second = rebuild(5, (SDK,), state=RebuildState.OPEN, branch="freshness/dotnet-sdk-10.0", pull_request=13)
    moves = [move(to="c", id=8), move(SDK, to="c", id=9)]
    used = {
        8: [Affected(member(), usage("aspnet:10.0@a"))],
        9: [Affected(member(), usage("sdk:10.0@a", Role.BUILD_STAGE))],
    }
    found = decide(moves, used, Policy(), [first, second], NOON)
    assert sorted((item.branch, item.pull_request, item.supersedes) for item in found) == [
        ("freshness/dotnet-aspnet-10.0", 12, (4,)),
        ("freshness/dotnet-sdk-10.0", 13, (5,)),
    ]


@pytest.mark.parametrize("state", [RebuildState.PLANNED, RebuildState.WAITING, RebuildState.OPEN], ids=str)
def test_bases_of_one_publication_that_are_seen_one_after_the_other_share_a_pull_request(
    state: RebuildState,
) -> None:
    """Two that change one Dockerfile would be in conflict as soon as one is merged."""
    number = 12 if state is RebuildState.OPEN else None
    earlier = rebuild(4, (ASPNET,), state, rollout=3, pull_request=number)
    found = only(planned(move(SDK, id=9), usage("sdk:10.0@a", Role.BUILD_STAGE), earlier=[earlier], joins=3))
    assert (found.supersedes, found.branch, found.pull_request) == ((4,), earlier.branch, number)
    assert [target.base for target in found.targets] == [ASPNET, SDK]
    assert found.reason == "aspnet:10.0, sdk:10.0 moved; 10.0 is pinned by digest"


def test_bases_of_one_publication_share_a_run_that_has_not_started() -> None:
    known = {"action": Action.DISPATCH, "branch": None, "workflow": "weekly-rebuild.yml", "rollout": 3}
    floating = usage("sdk:10.0", Role.BUILD_STAGE)
    earlier = rebuild(4, (ASPNET,), **known)
    found = only(planned(move(SDK, id=9), floating, member(WEEKLY), earlier=[earlier], joins=3))
    assert (found.supersedes, [target.base for target in found.targets]) == ((4,), [ASPNET, SDK])
    for other in (
        replace(earlier, state=RebuildState.DISPATCHED),
        replace(earlier, attempted_at=NOON),
        replace(earlier, workflow="other.yml"),
        replace(earlier, rollout=2),
    ):
        assert only(planned(move(SDK, id=9), floating, member(WEEKLY), earlier=[other], joins=3)).supersedes == ()


def test_bases_of_one_publication_share_a_notice_that_is_still_to_come() -> None:
    earlier = rebuild(4, (ASPNET,), action=Action.NOTIFY, branch=None, rollout=3)
    found = only(
        planned(
            move(SDK, id=9), usage("sdk:10.0"), member(action=ActionPreference.NOTIFY), earlier=[earlier], joins=3
        )
    )
    assert (found.supersedes, found.reason) == (
        (4,),
        "aspnet:10.0, sdk:10.0 moved; the repository asks to be told only",
    )


def test_a_mirror_of_the_base_shares_its_branch_and_so_its_pull_request() -> None:
    mirrored = Base("mirror.example", ASPNET.repository, ASPNET.tag)
    earlier = rebuild(
        4, (mirrored,), state=RebuildState.OPEN, branch="freshness/dotnet-aspnet-10.0", pull_request=12
    )
    found = only(planned(move(to="c"), usage("aspnet:10.0@a"), earlier=[earlier]))
    assert (found.supersedes, found.pull_request) == ((4,), 12)
    assert {target.base for target in found.targets} == {ASPNET, mirrored}


@pytest.mark.parametrize(
    "other",
    [
        rebuild(4, (SDK,), branch="freshness/dotnet-sdk-10.0"),
        rebuild(4, action=Action.DISPATCH),
        rebuild(4, repository="contoso/desk"),
    ],
    ids=["another base", "another action", "another repository"],
)
def test_other_rebuilds_go_on(other: Rebuild) -> None:
    assert only(planned(move(to="c"), usage("aspnet:10.0@a"), earlier=[other])).supersedes == ()


# When


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


# Laws

FAMILIES = ("aspnet", "sdk", "runtime")
usages_of = st.lists(
    st.builds(
        usage,
        st.sampled_from([f"{name}:{tag}" for name in FAMILIES for tag in ("10.0", "10.0@a", "10.0.4", "10.0.4@a")]),
        st.sampled_from([Role.FINAL_STAGE, Role.BUILD_STAGE]),
        st.sampled_from(["Dockerfile", "src/Dockerfile"]),
    ),
    max_size=5,
)
moves_of = st.lists(
    st.builds(
        lambda name, cause, to, version: (name, cause, to, version),
        st.sampled_from(FAMILIES),
        st.sampled_from(Cause),
        st.sampled_from("bc"),
        st.sampled_from([None, "10.0.5"]),
    ),
    max_size=3,
    unique_by=lambda item: item[0],
).map(
    lambda items: [
        move(Base("mcr.microsoft.com", f"dotnet/{name}", "10.0"), cause, id=number, to=to, version=version)
        for number, (name, cause, to, version) in enumerate(items, start=10)
    ]
)
earlier_of = st.lists(
    st.builds(
        rebuild,
        st.integers(1, 9),
        st.sampled_from([(ASPNET,), (SDK,), (ASPNET, SDK)]),
        st.sampled_from([RebuildState.PLANNED, RebuildState.WAITING, RebuildState.OPEN]),
    ),
    max_size=2,
    unique_by=lambda item: item.id,
)


@given(usages=usages_of, moves=moves_of, earlier=earlier_of)
def test_the_same_input_gives_the_same_plan_in_any_order(
    usages: list[Usage], moves: list[Move], earlier: list[Rebuild]
) -> None:
    homes = [member(WEEKLY, id=2, name="contoso/b"), member(id=1, name="contoso/a")]
    affected = {
        each.id: [
            Affected(home, item)
            for home in homes
            for item in usages
            if item.reference.repository == each.change.base.repository
        ]
        for each in moves
    }
    turned = {id_: list(affected[id_]) for id_ in reversed(affected)}
    plan = decide(moves, affected, Policy(), earlier, NOON)
    assert decide(moves, turned, Policy(), earlier, NOON) == plan
    assert len({(item.repository, item.action) for item in plan}) == len(plan)


@given(usages=usages_of, moves=moves_of, earlier=earlier_of)
def test_nothing_that_was_to_be_brought_up_to_date_is_forgotten(
    usages: list[Usage], moves: list[Move], earlier: list[Rebuild]
) -> None:
    for item in planned(moves, usages, policy=AT_ONCE, earlier=earlier):
        replaced = [old for old in earlier if old.id in item.supersedes]
        wanted = {target.base for old in replaced for target in old.targets}
        assert wanted <= {target.base for target in item.targets}
        assert item.due_at >= NOON
        if item.action is Action.PULL_REQUEST and item.state is RebuildState.PLANNED:
            assert item.branch is not None
            assert item.replacements


@pytest.mark.parametrize(("text", "workflows"), [("aspnet:10.0@a", ()), ("aspnet:10.0", (WEEKLY,))])
def test_a_base_that_is_back_before_anything_was_rebuilt_starts_nothing(
    text: str, workflows: tuple[Workflow, ...]
) -> None:
    home = member(*workflows)
    first = move()
    waiting = replace(
        rebuild(due_at=NOON + 6 * HOUR), action=only(planned(first, usage(text), home)).action, workflow=None
    )
    back = replace(first.change, from_digest=digest("b"), to_digest=digest("a"), at=NOON + HOUR)
    found = only(planned([Move(2, back)], usage(text), home, earlier=[waiting], known=[first], now=NOON + HOUR))
    assert (found.state, found.supersedes) == (RebuildState.CANCELLED, (1,))
    assert "back at" in found.reason


def test_a_base_that_is_back_after_a_pull_request_was_opened_goes_on_there() -> None:
    first = move()
    back = replace(first.change, from_digest=digest("b"), to_digest=digest("a"), at=NOON + HOUR)
    opened = rebuild(state=RebuildState.OPEN, pull_request=7, attempted_at=NOON)
    found = only(planned([Move(2, back)], usage("aspnet:10.0@a"), earlier=[opened], known=[first], now=NOON + HOUR))
    assert (found.state, found.pull_request) == (RebuildState.PLANNED, 7)


def test_a_new_branch_begins_as_the_rule_says() -> None:
    policy = Policy((PolicyRule(branch_prefix="deps/base-"),))
    assert only(planned(move(), usage("aspnet:10.0@a"), policy=policy)).branch == "deps/base-dotnet-aspnet-10.0"


def test_what_is_open_goes_on_under_the_name_that_it_has() -> None:
    policy = Policy((PolicyRule(branch_prefix="deps/"),))
    earlier = rebuild(4, state=RebuildState.OPEN, branch="freshness/by-hand", pull_request=12)
    found = only(planned(move(), usage("aspnet:10.0@a"), policy=policy, earlier=[earlier]))
    assert found.branch == "freshness/by-hand"


def test_what_is_pinned_already_is_not_said_to_be_pinned_where_the_rule_wants_digests() -> None:
    policy = Policy((PolicyRule(pin=Pin.DIGEST),))
    found = only(planned(move(), usage("aspnet:10.0@a"), member(WEEKLY), policy=policy))
    assert found.reason == "aspnet:10.0 moved; 10.0 is pinned by digest"


def test_a_floating_tag_is_pinned_where_the_rule_wants_digests() -> None:
    policy = Policy((PolicyRule(pin=Pin.DIGEST),))
    found = only(planned(move(), usage("aspnet:10.0"), member(WEEKLY), policy=policy))
    assert (found.action, edits(found)) == (Action.PULL_REQUEST, [("10.0", "10.0@b", False)])
    assert found.reason == "aspnet:10.0 moved; 10.0 is to be pinned by digest"


@pytest.mark.parametrize("text", ["aspnet:10.0@a", "aspnet:10.0.4", "aspnet:10.0.4@a"])
def test_a_pin_becomes_the_floating_tag_where_the_rule_wants_that(text: str) -> None:
    found = only(planned(move(), usage(text), member(WEEKLY), policy=Policy((PolicyRule(pin=Pin.FLOATING),))))
    assert (found.action, edits(found)) == (Action.PULL_REQUEST, [(text.removeprefix("aspnet:"), "10.0", False)])
    assert found.reason.endswith(", and is to float")


def test_a_patch_pin_gets_patch_and_digest_where_the_rule_wants_digests() -> None:
    found = only(planned(move(), usage("aspnet:10.0.4"), policy=Policy((PolicyRule(pin=Pin.DIGEST),))))
    assert edits(found) == [("10.0.4", "10.0.5@b", False)]


def test_a_tag_that_floats_already_is_rebuilt_as_ever_where_pins_are_to_float() -> None:
    found = only(
        planned(move(), usage("aspnet:10.0"), member(WEEKLY), policy=Policy((PolicyRule(pin=Pin.FLOATING),)))
    )
    assert found.action is Action.DISPATCH
