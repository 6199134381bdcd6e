"""What a rebuild is to do about the changes of its repository's bases."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.change import Cause, Move
from bot.domain.reference import Base
from bot.domain.repositories.repository import Affected, Workflow
from bot.domain.repositories.repository_config import Ignore
from bot.domain.repositories.sdk_pin import SdkPin
from bot.domain.repositories.usage import Role, Usage
from bot.domain.rollouts.policy import ActionPreference, Match, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.rollouts.terms import Pin, Step
from bot.fleet.plan.deciding import decide
from tests.unit.fleet.plan.world import (
    ASPNET,
    NOON,
    SDK,
    WEEKLY,
    edits,
    member,
    move,
    only,
    planned,
    rebuild,
    usage,
)

AT_ONCE = Policy((PolicyRule(settle=timedelta(0)),))


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
    unwritten: dict[str, Any],
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


def test_what_floats_is_told_to_move_under_the_same_tag() -> None:
    found = only(planned(move(), usage("aspnet:10.0"), member(WEEKLY)))
    told = "aspnet:10.0 moved under the same tag; mcr.microsoft.com/dotnet/aspnet:10.0 needs no edit"
    assert found.reason == f"{told}, so the workflow rebuilds it"


def test_a_repository_that_opted_out_is_skipped_with_that_reason() -> None:
    found = only(planned(move(), usage("aspnet:10.0@a"), member(enabled=False)))
    assert (found.action, found.wave, found.due_at) == (Action.NOTIFY, "", NOON)
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


@pytest.mark.parametrize("version", ["10.0.101", "10.0.200"])
def test_an_sdk_pin_stays_where_the_pinned_image_can_only_be_edited_by_hand(version: str) -> None:
    """The image has no SDK but its own, and dotnet would refuse to build."""
    home = member(sdk_pins=(sdk_pin("10.0.100"),))
    image = usage("sdk:10.0.100@a", Role.BUILD_STAGE, fixed_because="it is a variable")
    found = only(planned(move(SDK, version=version), image, home))
    assert (found.action, edits(found)) == (Action.NOTIFY, [])


def test_what_is_only_told_has_no_steps_and_anything_else_has_those_of_the_rules() -> None:
    policy = Policy((PolicyRule(steps=(Step("canary", "deploy.yml"),)),))
    assert only(planned(move(), usage("aspnet:10.0@a"), policy=policy)).steps == policy.rules[0].steps
    told = usage("aspnet:10.0@a", fixed_because="it is a variable")
    assert only(planned(move(), told, policy=policy)).steps == ()


def test_an_sdk_pin_moves_with_a_floating_image_that_stands_nowhere() -> None:
    home = member(WEEKLY, sdk_pins=(sdk_pin("10.0.100"),))
    image = usage("sdk:10.0", Role.BUILD_STAGE, span=None)
    _, found = planned(move(SDK, version="10.0.200"), image, home)
    assert (found.action, edits(found)) == (Action.PULL_REQUEST, [("10.0.100", "10.0.200", False)])
    assert found.reason == "sdk:10.0 moved; global.json asks for SDK 10.0.100"


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


# What goes back


def _back(version: str = "10.0.3") -> Move:
    return move(cause=Cause.ROLLBACK, version=version)


@pytest.mark.parametrize(
    "text", ["aspnet:10.0@a", "aspnet:10.0", "aspnet:10.0.4", "aspnet:10.0.4@a", "aspnet:10.0.3"]
)
def test_nothing_goes_to_what_a_base_went_back_to(text: str) -> None:
    assert planned(_back(), usage(text), member(WEEKLY)) == ()


def test_what_is_older_still_comes_forward_to_it() -> None:
    assert edits(only(planned(_back(), usage("aspnet:10.0.2")))) == [("10.0.2", "10.0.3", False)]


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("aspnet:10.0@a", [("10.0@a", "10.0@b", False)]),
        ("aspnet:10.0.4@a", [("10.0.4@a", "10.0.3@b", False)]),
        ("aspnet:10.0.4", [("10.0.4", "10.0.3", False)]),
    ],
)
def test_a_rule_may_have_it_followed(text: str, edited: list[tuple[str, str, bool]]) -> None:
    policy = Policy((PolicyRule(follow_rollbacks=True),))
    assert edits(only(planned(_back(), usage(text), policy=policy))) == edited


def test_a_rule_that_follows_rollbacks_takes_nothing_back_otherwise() -> None:
    policy = Policy((PolicyRule(follow_rollbacks=True),))
    assert planned(move(), usage("aspnet:10.0.6"), policy=policy) == ()


@pytest.mark.parametrize("pin", Pin)
def test_a_reference_ahead_of_its_base_needs_nothing(pin: Pin) -> None:
    policy = Policy((PolicyRule(pin=pin),))
    assert planned(move(), usage("aspnet:10.0.6"), member(WEEKLY), policy=policy) == ()
    assert planned(move(), usage("aspnet:10.0.6@a"), member(WEEKLY), policy=policy) == ()


def test_no_release_of_monitor_is_read_out_of_the_dotnet_inside() -> None:
    monitor = Base("mcr.microsoft.com", "dotnet/monitor", "10.0.3")
    found = only(planned(move(monitor, version="10.0.11"), usage("monitor:10.0.3@a")))
    assert edits(found) == [("10.0.3@a", "10.0.3@b", False)]


def test_a_change_that_asks_for_nothing_does_not_hide_the_next() -> None:
    moves = [move(cause=Cause.INDEX_ONLY, id=1), move(SDK, id=2)]
    found = only(planned(moves, [usage("aspnet:10.0@a"), usage("sdk:10.0@a", Role.BUILD_STAGE)]))
    assert [target.base for target in found.targets] == [SDK]


def test_a_change_to_nothing_asks_for_nothing_whatever_its_cause() -> None:
    assert planned(move(to=None), usage("aspnet:10.0@a")) == ()


def test_an_sdk_pin_does_not_move_with_an_image_that_is_no_sdk() -> None:
    home = member(sdk_pins=(sdk_pin("10.0.100"),))
    found = only(planned(move(version="10.0.200"), usage("aspnet:10.0.100@a"), home))
    assert edits(found) == [("10.0.100@a", "10.0.200@b", False)]


def test_an_sdk_pin_stays_where_the_image_beside_it_lacks_a_platform() -> None:
    home = member(sdk_pins=(sdk_pin("10.0.100"),))
    lost = move(SDK, version="10.0.200", lacks=("linux/arm/v7",))
    image = usage("sdk:10.0.100@a", Role.BUILD_STAGE, platforms=("linux/arm/v7",))
    found = only(planned(lost, image, home))
    assert (found.action, found.replacements) == (Action.NOTIFY, ())


def test_a_patch_tag_whose_system_was_updated_under_the_same_version_is_rebuilt() -> None:
    found = only(planned(move(cause=Cause.OS_UPDATE, version="10.0.4"), usage("aspnet:10.0.4"), member(WEEKLY)))
    assert (found.action, found.workflow) == (Action.DISPATCH, "weekly-rebuild.yml")


def test_what_is_told_to_have_gone_back_names_the_tag_that_it_is_back_at() -> None:
    """Nothing is edited, and what was planned for its base is taken back."""
    waiting = rebuild(due_at=NOON, attempted_at=NOON, state=RebuildState.OPEN, pull_request=7)
    home = usage("aspnet:10.0.3")
    found = only(planned(_back(), home, earlier=[waiting], known=[move(id=1, version="10.0.5")]))
    assert found.reason == "aspnet:10.0 moved; the base is back at 10.0.3"


def test_an_sdk_pin_stays_where_the_image_tells_no_version() -> None:
    home = member(sdk_pins=(sdk_pin("10.0.100"),))
    found = only(planned(move(SDK, version=None), usage("sdk:10.0@a", Role.BUILD_STAGE), home))
    assert edits(found) == [("10.0@a", "10.0@b", False)]
