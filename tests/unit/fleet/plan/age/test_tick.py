"""What is planned by the ages of workflows: many are judged in one pass, and none on what was seen long ago."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import LeaseLost
from bot.domain.reference import Base
from bot.domain.repositories.builds import BranchBuilds, PastRun
from bot.domain.repositories.repository import FleetRepository, Workflow
from bot.domain.repositories.repository_config import Ignore, RepositoryConfig
from bot.domain.rollouts.policy import ActionPreference, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.rollout import Revisions
from bot.domain.rollouts.terms import PathWorkflow, Step
from bot.domain.rollouts.timing.age import AgeStanding, Weekly, guarantees
from bot.fleet.plan.age import tick as stage
from bot.fleet.plan.age.ports import AgePlan, Attempt, FollowedUsage, KnownBuilds
from bot.fleet.plan.age.tick import AgeTally, tick
from tests.unit.fleet.plan.world import digest, usage

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
SHOP = FleetRepository(7, "contoso/shop", (), RepositoryConfig(), node_id="R_7")


class Judged:
    """A store in which some workflows await their judgement once."""

    def __init__(self, *waiting: KnownBuilds, follows: Sequence[FollowedUsage] = ()) -> None:
        self.waiting = waiting
        self.follows = follows
        self.plans: list[AgePlan] = []

    async def revisions(self) -> Revisions:
        return Revisions(1, 1)

    async def unjudged(self) -> Sequence[KnownBuilds]:
        return () if self.plans else self.waiting

    async def standings_of(self, repositories: Sequence[int]) -> Mapping[int, Sequence[FollowedUsage]]:
        return dict.fromkeys(repositories, self.follows)

    async def save_ages(self, plan: AgePlan) -> None:
        self.plans.append(plan)


async def test_what_is_promised_to_a_repository_is_found_once_for_all_of_its_workflows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A monorepo has hundreds of workflows and places: once for each would be their product."""
    asked: list[str] = []

    def counted(repository: str, *rest: Any) -> Any:
        asked.append(repository)
        return guarantees(repository, *rest)

    monkeypatch.setattr(stage, "guarantees", counted)
    places = tuple((ASPNET, f"part-{number}/Dockerfile") for number in range(40))
    builds = KnownBuilds(1, SHOP, "weekly.yml", True, BranchBuilds(), places, NOON)
    other = replace(SHOP, id=8, name="contoso/cart")
    some = [replace(builds, id=number, workflow=f"part-{number}.yml") for number in range(1, 40)]
    store = Judged(*some, replace(builds, id=99, member=other))
    tally = await tick(store, Policy(), Weekly(), ManualClock(NOON))
    assert tally.judged == 40
    assert sorted(asked) == ["contoso/cart", "contoso/shop"]


DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""A time of the weekly rebuild."""
FILE = "weekly-rebuild.yml"
WITH_WORKFLOW = replace(SHOP, workflows=(Workflow(f".github/workflows/{FILE}"),))
GUARANTEED = Policy((PolicyRule(max_age=7 * DAY, wave="canary", soak=HOUR),))


def built(before: timedelta, **values: Any) -> KnownBuilds:
    """Builds of the shop that were read just now, the last one so long before the weekly rebuild."""
    run = PastRun(MONDAY - before, "push", "main", "success")
    known = KnownBuilds(
        *(1, WITH_WORKFLOW, FILE, True, BranchBuilds(last_success=run), ((ASPNET, "Dockerfile"),), MONDAY)
    )
    return replace(known, **values)


def attempt(state: RebuildState = RebuildState.PLANNED, **values: Any) -> Attempt:
    """A weekly rebuild that was planned a day ago and that the bot has not begun."""
    return replace(Attempt(4, state, "called off by Ann", MONDAY - DAY, None, True, False), **values)


async def planned(
    known: KnownBuilds, follows: Sequence[FollowedUsage] = (), after: timedelta = timedelta(0)
) -> AgePlan:
    """What is planned so long after the time of the weekly rebuild."""
    store = Judged(known, follows=follows)
    await tick(store, GUARANTEED, Weekly(), ManualClock(MONDAY + after))
    [plan] = store.plans
    return plan


async def test_whose_turn_has_come_is_dispatched() -> None:
    plan = await planned(built(3 * DAY))
    [rebuild] = plan.rebuilds
    assert not plan.judged[1].is_told
    assert (rebuild.action, rebuild.workflow, rebuild.overdue_at) == (Action.DISPATCH, FILE, MONDAY + 4 * DAY)
    assert (rebuild.wave, rebuild.soak) == ("canary", HOUR)
    assert rebuild.reason == f"{FILE} last succeeded 3 days ago, and may become 7 days old"


async def test_whose_turn_comes_later_is_judged_again_then_without_a_look_before() -> None:
    plan = await planned(built(-HOUR, read_at=MONDAY - DAY), after=2 * HOUR)
    assert plan.rebuilds == ()
    assert (plan.judged[1].plan_at, plan.judged[1].look_again) == (MONDAY + 7 * DAY, False)


async def test_only_of_what_is_due_the_store_is_asked_what_it_stands_on() -> None:
    asked: list[Sequence[int]] = []

    class Asked(Judged):
        async def standings_of(self, repositories: Sequence[int]) -> Mapping[int, Sequence[FollowedUsage]]:
            asked.append(repositories)
            return {}

    later = built(3 * DAY, id=2, member=replace(WITH_WORKFLOW, id=8))
    await tick(Asked(built(3 * DAY), later), GUARANTEED, Weekly(), ManualClock(MONDAY - DAY))
    await tick(Asked(built(3 * DAY)), GUARANTEED, Weekly(), ManualClock(MONDAY))
    assert asked == [[], [7]]


async def test_what_was_seen_long_ago_is_looked_at_again_before_anything_is_begun() -> None:
    plan = await planned(built(3 * DAY, read_at=MONDAY - 4 * HOUR))
    assert (plan.rebuilds, plan.judged[1].look_again) == ((), True)


async def test_what_was_seen_three_hours_ago_is_begun_on() -> None:
    plan = await planned(built(3 * DAY, read_at=MONDAY - 3 * HOUR))
    assert (len(plan.rebuilds), plan.judged[1].look_again) == (1, False)


@pytest.mark.parametrize("since", [HOUR, timedelta(0)], ids=str)
async def test_what_ended_since_its_builds_were_read_is_looked_at_again(since: timedelta) -> None:
    ended = attempt(RebuildState.FAILED, ended_at=MONDAY + since)
    plan = await planned(built(3 * DAY, attempt=ended), after=HOUR)
    assert (plan.rebuilds, plan.judged[1].look_again) == ((), True)


async def test_builds_that_a_clock_which_was_ahead_has_read_are_read_anew() -> None:
    plan = await planned(built(3 * DAY, read_at=MONDAY + 365 * DAY))
    assert (plan.rebuilds, plan.judged[1].look_again) == ((), True)


async def test_one_that_a_clock_which_was_ahead_has_ended_keeps_no_other_from_its_turn() -> None:
    """By that its builds were never read since."""
    ended = attempt(RebuildState.SUCCEEDED, planned_at=MONDAY - 7 * DAY, ended_at=MONDAY + 365 * DAY)
    plan = await planned(built(7 * DAY, attempt=ended))
    assert (len(plan.rebuilds), plan.judged[1].look_again) == (1, False)


async def test_one_that_a_clock_which_was_ahead_has_planned_is_withdrawn_and_planned_anew() -> None:
    ahead = attempt(planned_at=MONDAY + 365 * DAY)
    plan = await planned(built(3 * DAY, attempt=ahead))
    assert plan.withdrawn == {4: "a clock that was ahead has planned it"}
    withdrawn = replace(ahead, state=RebuildState.CANCELLED, ended_at=MONDAY)
    plan = await planned(built(3 * DAY, attempt=withdrawn, read_at=MONDAY + HOUR), after=HOUR)
    assert len(plan.rebuilds) == 1


@pytest.mark.parametrize("values", [{"has_begun": True}, {"is_weekly": False}], ids=str)
async def test_one_that_has_begun_or_is_for_another_reason_is_not_withdrawn_for_a_clock_that_was_ahead(
    values: dict[str, Any],
) -> None:
    ahead = attempt(planned_at=MONDAY + 365 * DAY, **values)
    assert (await planned(built(3 * DAY, attempt=ahead))).withdrawn == {}


async def test_what_was_called_off_and_has_never_succeeded_is_told() -> None:
    called_off = attempt(RebuildState.CANCELLED, planned_at=MONDAY, ended_at=MONDAY - HOUR)
    never = built(3 * DAY, builds=BranchBuilds(), attempt=called_off)
    assert (await planned(never)).judged[1].judgement.standing is AgeStanding.CALLED_OFF


async def test_one_that_is_on_its_way_is_not_planned_again_but_hurried_before_it_is_overdue() -> None:
    plan = await planned(built(3 * DAY, attempt=attempt()))
    assert (plan.rebuilds, plan.withdrawn, plan.hurried) == ((), {}, {4: MONDAY + 4 * DAY})
    begun = attempt(RebuildState.DISPATCHED, has_begun=True)
    assert (await planned(built(3 * DAY, attempt=begun))).hurried == {}


@pytest.mark.parametrize(
    ("values", "withdrawn"),
    [
        pytest.param(
            {},
            {4: "it was built meanwhile: weekly-rebuild.yml last succeeded 1 h ago, and may become 7 days old"},
            id="waiting",
        ),
        pytest.param({"has_begun": True}, {}, id="begun"),
        pytest.param({"is_weekly": False}, {}, id="for another reason"),
        pytest.param({"state": RebuildState.FAILED, "ended_at": MONDAY}, {}, id="ended"),
    ],
)
async def test_a_weekly_rebuild_that_waits_is_withdrawn_once_somebody_has_built(
    values: dict[str, Any], withdrawn: dict[int, str]
) -> None:
    plan = await planned(built(-HOUR, attempt=attempt(**values)), after=2 * HOUR)
    assert plan.withdrawn == withdrawn


async def test_what_a_person_has_called_off_since_the_last_weekly_rebuild_is_left_until_the_next() -> None:
    called_off = attempt(RebuildState.CANCELLED, planned_at=MONDAY, ended_at=MONDAY - HOUR)
    plan = await planned(built(3 * DAY, attempt=called_off))
    assert plan.rebuilds == ()
    assert plan.judged[1].judgement.standing is AgeStanding.LEFT_ALONE
    assert "called off by Ann" in plan.judged[1].judgement.text
    earlier = replace(called_off, planned_at=MONDAY - DAY)
    assert len((await planned(built(3 * DAY, attempt=earlier))).rebuilds) == 1


@pytest.mark.parametrize(
    ("text", "shown", "takes"),
    [
        ("aspnet:10.0", "a", True),
        ("aspnet:10.0@a", "a", True),
        ("aspnet:10.0@b", "a", False),
        ("aspnet:10.0.4", "a", False),
        ("aspnet:10.0", None, False),
    ],
)
async def test_a_build_is_for_the_bases_that_it_takes_as_they_are_now(
    text: str, shown: str | None, takes: bool
) -> None:
    follows = [FollowedUsage(usage(text), ASPNET, digest(shown) if shown else None)]
    [rebuild] = (await planned(built(3 * DAY), follows)).rebuilds
    assert [(each.base, each.to_digest) for each in rebuild.targets] == [(ASPNET, digest("a"))] * takes


@pytest.mark.parametrize(
    "since",
    [attempt(RebuildState.FAILED), attempt(RebuildState.CANCELLED, is_weekly=False), None],
    ids=["it failed", "for another reason", "there was none"],
)
async def test_only_a_weekly_rebuild_that_was_called_off_by_a_word_is_left(since: Attempt | None) -> None:
    if since is not None:
        since = replace(since, planned_at=MONDAY, ended_at=MONDAY - HOUR)
    assert len((await planned(built(3 * DAY, attempt=since))).rebuilds) == 1


async def test_what_was_called_off_is_told_to_people_once_it_is_too_old() -> None:
    cancelled = attempt(
        RebuildState.CANCELLED, planned_at=MONDAY, ended_at=MONDAY - HOUR, reason="the run was cancelled"
    )
    plan = await planned(built(8 * DAY, attempt=cancelled))
    judgement = plan.judged[1].judgement
    assert (judgement.standing, judgement.standing.needs_person) == (AgeStanding.CALLED_OFF, True)
    assert "the run was cancelled: start it" in judgement.text
    assert [each.action for each in plan.rebuilds] == [Action.NOTIFY]
    assert plan.judged[1].plan_at == MONDAY + 7 * DAY


async def test_a_rebuild_that_waits_for_an_approval_says_so_and_needs_a_person_once_it_is_too_old() -> None:
    waits = attempt(RebuildState.DISPATCHED, has_begun=True, reason="the run waits for approval")
    young = (await planned(built(3 * DAY, attempt=waits))).judged[1].judgement
    assert young.text.endswith("may become 7 days old; its rebuild has not ended: the run waits for approval")
    assert not young.standing.needs_person
    old = (await planned(built(8 * DAY, attempt=waits))).judged[1].judgement
    assert (old.standing, old.standing.needs_person) == (AgeStanding.UNFINISHED, True)
    assert old.text.endswith("its rebuild has not ended: the run waits for approval")


async def test_a_rebuild_that_does_not_begin_needs_a_person_once_it_is_too_old() -> None:
    never = built(0 * DAY, builds=BranchBuilds(), attempt=attempt(planned_at=MONDAY - 8 * DAY))
    plan = await planned(never)
    assert plan.rebuilds == ()
    assert plan.judged[1].judgement.standing is AgeStanding.UNFINISHED
    assert plan.judged[1].judgement.text.endswith("old; its rebuild has not begun")
    assert plan.hurried == {}, "nobody knows by when"


async def test_who_cannot_be_rebuilt_is_told_once_a_week() -> None:
    stuck = built(3 * DAY, is_there=False)
    follows = [FollowedUsage(usage("aspnet:10.0"), ASPNET, digest("a"))]
    plan = await planned(stuck, follows)
    [told] = plan.rebuilds
    assert (told.targets, told.due_at, told.overdue_at) == ((), MONDAY, MONDAY)
    assert [(each.action, each.workflow) for each in plan.rebuilds] == [(Action.NOTIFY, None)]
    assert (plan.judged[1].is_told, plan.judged[1].plan_at) == (True, MONDAY + 7 * DAY)
    assert (await planned(replace(stuck, told_at=MONDAY))).rebuilds == ()
    assert len((await planned(replace(stuck, told_at=MONDAY - HOUR))).rebuilds) == 1


@pytest.mark.parametrize(
    ("ignored", "standing"),
    [
        pytest.param(("mcr.microsoft.com/dotnet/*",), AgeStanding.LEFT_ALONE, id="all of its bases"),
        pytest.param(("*/dotnet/aspnet:*",), AgeStanding.DUE, id="one of two"),
    ],
)
async def test_a_repository_that_wants_all_of_its_bases_left_alone_is_left_alone(
    ignored: tuple[str, ...], standing: AgeStanding
) -> None:
    config = RepositoryConfig(ignored=tuple(Ignore(base=base) for base in ignored))
    known = built(3 * DAY, member=replace(WITH_WORKFLOW, config=config))
    follows = [
        FollowedUsage(usage(f"{name}:10.0"), Base("mcr.microsoft.com", f"dotnet/{name}", "10.0"), digest("a"))
        for name in ("aspnet", "sdk")
    ]
    plan = await planned(known, follows)
    assert plan.judged[1].judgement.standing is standing
    assert len(plan.rebuilds) == (standing is AgeStanding.DUE)


async def test_the_tally_tells_how_many_were_judged_and_planned() -> None:
    store = Judged(built(3 * DAY), built(3 * DAY, id=2), built(-HOUR, id=3))
    assert await tick(store, GUARANTEED, Weekly(), ManualClock(MONDAY)) == AgeTally(3, 2)


async def test_where_another_plan_was_saved_since_the_rest_is_left_to_the_next_tick() -> None:
    class Late(Judged):
        async def unjudged(self) -> Sequence[KnownBuilds]:
            return self.waiting

        async def save_ages(self, plan: AgePlan) -> None:
            if self.plans:
                raise LeaseLost("another plan was saved")
            await super().save_ages(plan)

    store = Late(built(3 * DAY))
    assert await tick(store, GUARANTEED, Weekly(), ManualClock(MONDAY)) == AgeTally(1, 1)


async def test_whose_turn_has_come_begins_then() -> None:
    [rebuild] = (await planned(built(3 * DAY))).rebuilds
    assert rebuild.due_at == MONDAY + Weekly().offset("contoso/shop")


@pytest.mark.parametrize(("is_scheduled", "standing"), [(True, AgeStanding.OWN_SCHEDULE), (False, AgeStanding.DUE)])
async def test_only_a_schedule_that_the_workflow_has_is_trusted(is_scheduled: bool, standing: AgeStanding) -> None:
    fired = tuple(PastRun(MONDAY - days * DAY, "schedule", "main", "success") for days in (3, 10, 17))
    home = replace(SHOP, workflows=(Workflow(f".github/workflows/{FILE}", is_scheduled=is_scheduled),))
    known = built(3 * DAY, member=home, builds=BranchBuilds(last_success=fired[0], scheduled=fired))
    assert (await planned(known)).judged[1].judgement.standing is standing


async def test_a_workflow_that_cannot_be_dispatched_is_told() -> None:
    plan = await planned(built(3 * DAY, member=SHOP))
    assert plan.judged[1].judgement.standing is AgeStanding.NO_DISPATCH


async def test_a_weekly_rebuild_that_waits_is_withdrawn_once_a_schedule_of_its_own_will_do() -> None:
    fired = tuple(PastRun(MONDAY - days * DAY, "schedule", "main", "success") for days in (3, 10, 17))
    home = replace(SHOP, workflows=(Workflow(f".github/workflows/{FILE}", is_scheduled=True),))
    builds = BranchBuilds(last_success=fired[0], scheduled=fired)
    plan = await planned(built(3 * DAY, member=home, builds=builds, attempt=attempt()))
    assert list(plan.withdrawn) == [4]


async def test_a_weekly_rebuild_that_waits_is_not_withdrawn_because_it_cannot_be_started_at_present() -> None:
    plan = await planned(built(-HOUR, is_there=False, attempt=attempt()), after=2 * HOUR)
    assert (plan.withdrawn, plan.rebuilds) == ({}, ())


async def test_what_a_person_has_skipped_is_left_alone_until_the_next_weekly_rebuild_however_old_it_is() -> None:
    skipped = attempt(RebuildState.SKIPPED, planned_at=MONDAY, ended_at=MONDAY - HOUR, reason="skipped by Ann")
    skipped = replace(skipped, is_by_person=True)
    judgement = (await planned(built(8 * DAY, attempt=skipped))).judged[1].judgement
    assert (judgement.standing, judgement.text.endswith("; skipped by Ann")) == (AgeStanding.LEFT_ALONE, True)


async def test_what_was_skipped_by_nobodys_word_is_begun_again() -> None:
    """As after two days without a right: nobody knows that it has ended."""
    refused = attempt(RebuildState.SKIPPED, planned_at=MONDAY, ended_at=MONDAY - HOUR, reason="HTTP 403")
    plan = await planned(built(8 * DAY, attempt=refused))
    assert [each.action for each in plan.rebuilds] == [Action.DISPATCH]


async def test_who_asks_to_be_told_only_is_left_alone_with_that_reason() -> None:
    home = replace(WITH_WORKFLOW, config=RepositoryConfig(action=ActionPreference.NOTIFY))
    judgement = (await planned(built(8 * DAY, member=home))).judged[1].judgement
    assert judgement.standing is AgeStanding.LEFT_ALONE
    assert judgement.text.endswith("; the repository asks to be told only")


async def test_who_is_left_alone_is_not_looked_at_again_for_what_is_not_begun() -> None:
    home = replace(WITH_WORKFLOW, config=RepositoryConfig(action=ActionPreference.NOTIFY))
    plan = await planned(built(8 * DAY, member=home, read_at=MONDAY - 4 * HOUR))
    assert not plan.judged[1].look_again


async def test_a_repository_that_is_left_alone_by_its_own_word_says_which() -> None:
    config = RepositoryConfig(ignored=(Ignore(base="*/dotnet/*"),))
    follows = [FollowedUsage(usage("aspnet:10.0"), ASPNET, digest("a"))]
    plan = await planned(built(3 * DAY, member=replace(WITH_WORKFLOW, config=config)), follows)
    told = f"the repository asks to leave this alone: {config.ignored[0]}"
    assert plan.judged[1].judgement.text == told


PART = PathWorkflow(("api/*",), FILE)
STEPPED = Policy((PolicyRule(max_age=7 * DAY, workflows=(PART,), steps=(Step("deploy", "deploy.yml"),)),))


async def test_a_part_of_a_monorepo_is_rebuilt_with_its_steps_and_one_that_cannot_be_has_neither() -> None:
    known = built(3 * DAY, places=((ASPNET, "api/Dockerfile"),))
    store, stuck = Judged(known), Judged(replace(known, is_there=False))
    for each in (store, stuck):
        await tick(each, STEPPED, Weekly(), ManualClock(MONDAY))
    [[rebuild], [told]] = [each.plans[0].rebuilds for each in (store, stuck)]
    assert (rebuild.parts, rebuild.steps) == ((PART,), (Step("deploy", "deploy.yml"),))
    assert (told.parts, told.steps) == ((), ())


async def test_a_part_of_a_monorepo_is_built_for_its_own_bases_alone() -> None:
    other = PathWorkflow(("web/*",), "web.yml")
    policy = Policy((PolicyRule(max_age=7 * DAY, workflows=(PART, other)),))
    runtime = replace(ASPNET, repository="dotnet/runtime")
    follows = [
        FollowedUsage(usage("aspnet:10.0", path="api/Dockerfile"), ASPNET, digest("a")),
        FollowedUsage(usage("runtime:10.0", path="web/Dockerfile"), runtime, digest("b")),
    ]
    store = Judged(built(3 * DAY, places=((ASPNET, "api/Dockerfile"),)), follows=follows)
    await tick(store, policy, Weekly(), ManualClock(MONDAY))
    [rebuild] = store.plans[0].rebuilds
    assert [each.base for each in rebuild.targets] == [ASPNET]


async def test_who_was_told_before_and_can_be_rebuilt_again_is() -> None:
    assert len((await planned(built(3 * DAY, told_at=MONDAY))).rebuilds) == 1


@pytest.mark.parametrize("policy", [Policy(), GUARANTEED], ids=["nothing is guaranteed", "it cannot be started"])
async def test_of_what_is_under_way_nothing_is_said_where_nothing_follows_from_it(policy: Policy) -> None:
    waits = attempt(RebuildState.DISPATCHED, has_begun=True, reason="the run waits for approval")
    store = Judged(built(30 * DAY, is_there=policy is not GUARANTEED, attempt=waits))
    await tick(store, policy, Weekly(), ManualClock(MONDAY))
    judgement = store.plans[0].judged[1].judgement
    assert "waits for approval" not in judgement.text
    assert judgement.standing in (AgeStanding.REPORTED, AgeStanding.NO_WORKFLOW)


async def test_what_was_planned_has_a_day_to_come_to_its_end_before_anybody_is_called() -> None:
    waits = attempt(RebuildState.DISPATCHED, has_begun=True, reason="it runs", planned_at=MONDAY)
    late = built(8 * DAY, attempt=waits)
    assert not (await planned(late, after=DAY - HOUR)).judged[1].judgement.standing.needs_person
    assert (await planned(late, after=DAY)).judged[1].judgement.standing is AgeStanding.UNFINISHED


async def test_what_another_workflow_counts_for_is_only_told() -> None:
    plan = await planned(built(30 * DAY, workflow="other.yml"))
    judgement = plan.judged[1].judgement
    assert (judgement.standing, judgement.text) == (AgeStanding.REPORTED, "another workflow counts")
    assert plan.rebuilds == ()


async def test_a_plan_rests_on_what_was_known_before_it() -> None:
    assert (await planned(built(3 * DAY))).revisions == Revisions(1, 1)


async def test_an_attempt_that_has_ended_says_nothing_of_how_far_it_is() -> None:
    ended = attempt(RebuildState.FAILED, planned_at=MONDAY - 9 * DAY, ended_at=MONDAY - DAY, has_begun=True)
    judgement = (await planned(built(8 * DAY, attempt=ended))).judged[1].judgement
    assert judgement.standing is AgeStanding.DUE
    assert "has not ended" not in judgement.text


async def test_what_is_told_already_this_week_is_not_kept_as_told_now() -> None:
    plan = await planned(built(3 * DAY, is_there=False, told_at=MONDAY))
    assert (plan.rebuilds, plan.judged[1].is_told) == ((), False)


async def test_what_several_looks_have_planned_is_counted_together() -> None:
    class Twice(Judged):
        async def unjudged(self) -> Sequence[KnownBuilds]:
            return self.waiting if len(self.plans) < 2 else ()

    assert await tick(Twice(built(3 * DAY)), GUARANTEED, Weekly(), ManualClock(MONDAY)) == AgeTally(2, 2)


async def test_what_was_called_off_and_built_all_the_same_is_fresh() -> None:
    called_off = attempt(RebuildState.CANCELLED, planned_at=MONDAY, ended_at=MONDAY + HOUR / 2)
    plan = await planned(built(-HOUR, attempt=called_off), after=2 * HOUR)
    assert plan.judged[1].judgement.standing is AgeStanding.FRESH


async def test_what_has_never_succeeded_is_overdue_from_now_on() -> None:
    [rebuild] = (await planned(built(0 * DAY, builds=BranchBuilds()))).rebuilds
    assert rebuild.overdue_at == MONDAY


async def test_what_was_called_off_and_built_in_the_same_moment_is_fresh() -> None:
    called_off = attempt(RebuildState.CANCELLED, planned_at=MONDAY + HOUR, ended_at=MONDAY + HOUR)
    plan = await planned(built(-HOUR, attempt=called_off), after=2 * HOUR)
    assert plan.judged[1].judgement.standing is AgeStanding.FRESH


async def test_whose_turn_has_come_and_is_dispatched_is_not_judged_again_without_a_new_look() -> None:
    assert (await planned(built(3 * DAY))).judged[1].plan_at is None
