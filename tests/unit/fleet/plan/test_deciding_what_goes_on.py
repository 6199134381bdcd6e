"""What is open already and goes on with a new plan, and what a new one takes over."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.reference import Base
from bot.domain.repositories.repository import Affected, Workflow
from bot.domain.repositories.usage import Role
from bot.domain.rollouts.policy import ActionPreference, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState, Target
from bot.fleet.plan.deciding import decide
from tests.unit.fleet.plan.world import (
    ASPNET,
    HOUR,
    NOON,
    SDK,
    WEEKLY,
    digest,
    member,
    move,
    only,
    planned,
    rebuild,
    usage,
)


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


def test_what_waits_on_the_branch_of_an_open_pull_request_goes_on_there_with_it() -> None:
    waiting = rebuild(4, (ASPNET,), RebuildState.WAITING)
    opened = rebuild(5, (SDK,), RebuildState.OPEN, pull_request=13)
    used = {8: [Affected(member(), usage("aspnet:10.0@a"))]}
    found = only(decide([move(to="c", id=8)], used, Policy(), [waiting, opened], NOON))
    assert (found.pull_request, found.supersedes) == (13, (4, 5))


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
    known: dict[str, Any] = {
        "action": Action.DISPATCH,
        "branch": None,
        "workflow": "weekly-rebuild.yml",
        "rollout": 3,
    }
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


def _taken_back(change: Change, version: str | None = "10.0.4") -> Change:
    """From digest b to a, with the version that it had before."""
    went: dict[str, Any] = {"from_version": change.to_version, "to_version": version, "cause": Cause.ROLLBACK}
    return replace(change, from_digest=digest("b"), to_digest=digest("a"), at=NOON + HOUR, **went)


@pytest.mark.parametrize("text", ["aspnet:10.0@a", "aspnet:10.0.4", "aspnet:10.0"])
def test_a_release_that_is_taken_back_before_anything_was_rebuilt_starts_nothing(text: str) -> None:
    first, home = move(), member(WEEKLY)
    waiting = replace(
        rebuild(due_at=NOON + 6 * HOUR), action=only(planned(first, usage(text), home)).action, workflow=None
    )
    back = Move(2, _taken_back(first.change))
    found = only(planned([back], usage(text), home, earlier=[waiting], known=[first], now=NOON + HOUR))
    assert (found.state, found.supersedes) == (RebuildState.CANCELLED, (1,))


def test_a_release_that_is_taken_back_is_taken_out_of_its_open_pull_request() -> None:
    first = move()
    opened = rebuild(state=RebuildState.OPEN, pull_request=7, attempted_at=NOON)
    back = Move(2, _taken_back(first.change))
    found = only(planned([back], usage("aspnet:10.0@a"), earlier=[opened], known=[first], now=NOON + HOUR))
    assert (found.pull_request, [target.to_digest for target in found.targets]) == (7, [digest("a")])


def test_a_run_that_has_begun_is_not_repeated_for_what_its_base_went_back_to() -> None:
    first = move()
    going = rebuild(action=Action.DISPATCH, state=RebuildState.DISPATCHED, workflow="weekly-rebuild.yml")
    back = Move(2, _taken_back(first.change))
    assert planned([back], usage("aspnet:10.0"), member(WEEKLY), earlier=[going], known=[first]) == ()


def test_an_open_pull_request_is_not_taken_back_behind_where_it_began() -> None:
    first = move()
    opened = rebuild(state=RebuildState.OPEN, pull_request=7, attempted_at=NOON)
    back = Move(2, replace(_taken_back(first.change, "10.0.3"), to_digest=digest("c")))
    assert planned([back], usage("aspnet:10.0@a"), earlier=[opened], known=[first], now=NOON + HOUR) == ()


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
    taken_over = rebuild(pull_request=7)
    for earlier in (opened, taken_over):
        found = only(
            planned([Move(2, back)], usage("aspnet:10.0@a"), earlier=[earlier], known=[first], now=NOON + HOUR)
        )
        assert (found.state, found.pull_request) == (RebuildState.PLANNED, 7)


def test_a_new_branch_begins_as_the_rule_says() -> None:
    policy = Policy((PolicyRule(branch_prefix="deps/base-"),))
    assert only(planned(move(), usage("aspnet:10.0@a"), policy=policy)).branch == "deps/base-dotnet-aspnet-10.0"


def test_what_is_open_goes_on_under_the_name_that_it_has() -> None:
    policy = Policy((PolicyRule(branch_prefix="deps/"),))
    earlier = rebuild(4, state=RebuildState.OPEN, branch="freshness/by-hand", pull_request=12)
    found = only(planned(move(), usage("aspnet:10.0@a"), policy=policy, earlier=[earlier]))
    assert found.branch == "freshness/by-hand"


def test_what_goes_back_is_taken_out_of_what_is_open_where_nobody_knows_how_that_began() -> None:
    first = move()
    opened = rebuild(state=RebuildState.OPEN, pull_request=7, attempted_at=NOON)
    back = Move(2, _taken_back(first.change))
    found = only(planned([back], usage("aspnet:10.0@a"), earlier=[opened], now=NOON + HOUR))
    assert (found.pull_request, [target.to_digest for target in found.targets]) == (7, [digest("a")])


def test_where_an_open_pull_request_began_is_told_by_the_base_that_went_back_and_by_no_other() -> None:
    first = move()
    other = replace(move(SDK, id=5), change=replace(move(SDK, id=5).change, from_version="10.0.2"))
    targets = (Target(SDK, digest("a"), digest("b"), (5,)), Target(ASPNET, digest("a"), digest("b"), (1,)))
    opened = rebuild(state=RebuildState.OPEN, pull_request=7, attempted_at=NOON, targets=targets)
    back = Move(2, replace(_taken_back(first.change, "10.0.3"), to_digest=digest("c")))
    found = planned([back], usage("aspnet:10.0@a"), earlier=[opened], known=[first, other], now=NOON + HOUR)
    assert found == ()
