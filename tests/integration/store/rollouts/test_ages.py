"""The last builds of the fleet's workflows: looked at together, judged, and planned as one rollout."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self

import pytest
from sqlalchemy import text, update

from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.host import Host
from bot.domain.repositories.repository import Identity, Reading, Repository, Workflow
from bot.domain.rollouts.policy import Match, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.rollout import Occasion
from bot.domain.rollouts.terms import PathWorkflow
from bot.domain.rollouts.timing.age import AgeStanding, Judgement, Weekly
from bot.fleet.discover.builds import tick as builds
from bot.fleet.plan.age import tick as aging
from bot.fleet.plan.age.ports import AgePlan, JudgedAge
from bot.reconcile.loop import Loop
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from tests.fakes.forge import FakeForge
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, SDK, Stores, usage_of

DAY = timedelta(days=1)
FILE = "weekly-rebuild.yml"
PATH = f".github/workflows/{FILE}"
WEEKLY = Weekly()
GUARANTEED = Policy((PolicyRule(max_age=7 * DAY),))


@pytest.fixture
def forge(stores: Stores) -> FakeForge:
    return FakeForge(stores.clock)


class OneSilentOwner(FakeForge):
    """Nothing of fabrikam is answered."""

    async def serving(self, repository: Identity) -> Self:
        if repository.name.startswith("fabrikam/"):
            raise Failure(Trouble.UNREACHABLE, "HTTP 502", where="fabrikam")
        return self


async def fleet(
    stores: Stores,
    forge: FakeForge,
    count: int,
    built: timedelta | None = 30 * DAY,
    owners: Sequence[str] = ("contoso",),
) -> None:
    """Repositories with a workflow that last succeeded so long ago."""
    listed = []
    for number in range(count):
        home = forge.add(
            f"{owners[number % len(owners)]}/shop-{number:04}",
            {PATH: b"on: {workflow_dispatch: }\n", "Dockerfile": b"FROM a"},
        )
        if built is not None:
            home.ran(FILE, "push", stores.clock.now() - built)
        listed.append(Repository(home.name, home.trunk, id=home.id, node_id=home.node_id))
    await stores.listing(*listed)
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),), (Workflow(PATH),)))
    await stores.see({ASPNET: "a"})


async def look(
    stores: Stores, forge: FakeForge, policy: Policy = GUARANTEED, mark: str = "one"
) -> builds.BuildsTally:
    loop = Loop(stores.clock, sleep=_never)
    return await builds.tick(stores.builds, forge, policy, mark, Host(by_owner=True), loop)


async def plan(stores: Stores, policy: Policy = GUARANTEED) -> aging.AgeTally:
    return await aging.tick(stores.age, policy, WEEKLY, stores.clock)


async def _never(_: float) -> None:
    await asyncio.Event().wait()


async def test_a_fleet_is_looked_at_together_from_the_second_time_on(stores: Stores, forge: FakeForge) -> None:
    await fleet(stores, forge, 40)
    assert (await look(stores, forge)).problems == ()
    asked = [call for call, _ in forge.asked]
    assert (asked.count("workflow"), asked.count("latest_runs"), len(asked)) == (40, 1, 41)
    forge.asked.clear()
    stores.clock.advance(builds.EVERY)
    await look(stores, forge)
    assert [call for call, _ in forge.asked] == ["latest_runs"]
    ages = (await stores.fleet_views.status()).ages
    assert (ages.by_days, ages.guaranteed, ages.overdue) == ({90: 40}, 40, 40)


async def test_an_owner_who_is_not_answered_for_keeps_nobody_elses_builds_from_being_seen(stores: Stores) -> None:
    forge = OneSilentOwner(stores.clock)
    await fleet(stores, forge, 8, owners=("contoso", "fabrikam"))
    tally = await look(stores, forge)
    assert {line.partition("/")[0] for line in tally.problems} == {"fabrikam"}
    ages = (await stores.fleet_views.status()).ages
    assert ages.by_days == {30: 4}


async def test_without_max_age_ages_are_counted_and_nothing_is_planned(stores: Stores, forge: FakeForge) -> None:
    await fleet(stores, forge, 2)
    await look(stores, forge, Policy())
    assert (await plan(stores, Policy())).planned == 0
    ages = (await stores.fleet_views.status()).ages
    assert (ages.by_days, ages.guaranteed, ages.overdue, ages.troubles) == ({30: 2}, 0, 0, ())


@ON_BOTH
async def test_which_builds_count_is_said_anew_after_a_clock_that_was_ahead(stores: Stores) -> None:
    now = stores.clock.now()
    stores.clock.advance(timedelta(days=365))
    task = await stores.builds.claim_wanted("mark")
    assert task is not None
    await stores.builds.save_wanted(task, [], "mark", stores.clock.now() + HOUR)
    assert await stores.builds.claim_wanted("mark") is None
    stores.clock.at = now
    assert await stores.builds.claim_wanted("mark") is not None


async def test_a_guarantee_that_is_new_is_judged_at_once(stores: Stores, forge: FakeForge) -> None:
    await fleet(stores, forge, 2)
    await look(stores, forge, Policy())
    await plan(stores, Policy())
    await look(stores, forge, GUARANTEED, mark="two")
    assert (await plan(stores)).planned == 2


async def test_what_is_due_makes_one_rollout_spread_over_the_hours(stores: Stores, forge: FakeForge) -> None:
    await fleet(stores, forge, 5)
    await look(stores, forge)
    assert (await plan(stores)).planned == 5
    assert await stores.column(rollouts, "occasion") == [Occasion.AGE.value]
    assert await stores.column(rebuilds, "action") == [Action.DISPATCH.value] * 5
    turns = [at - stores.clock.now() for at in await stores.column(rebuilds, "due_at")]
    assert len(set(turns)) == 5
    assert all(timedelta(0) <= turn < 6 * HOUR for turn in turns)
    stores.clock.advance(builds.EVERY)
    await look(stores, forge)
    assert (await plan(stores)).planned == 0


async def test_what_is_found_later_in_the_week_joins_the_rollout(stores: Stores, forge: FakeForge) -> None:
    await fleet(stores, forge, 1)
    await look(stores, forge)
    await plan(stores)
    home = forge.add("contoso/late", {PATH: b"on: {workflow_dispatch: }\n"})
    first = forge.homes[0]
    stores.clock.advance(HOUR)
    await stores.listing(
        Repository(first.name, "main", id=first.id, node_id=first.node_id),
        Repository(home.name, "main", id=home.id, node_id=home.node_id),
    )
    await stores.read(Reading("tree-1", ((usage_of(ASPNET), ASPNET),), (Workflow(PATH),)))
    await look(stores, forge)
    assert (await plan(stores)).planned == 1
    assert await stores.count(rollouts) == 1
    assert set(await stores.column(rebuilds, "rollout_id")) == {1}


SHOP, CART = (PathWorkflow((f"{part}/*",), f"{part}.yml") for part in ("shop", "cart"))
IN_PARTS = Policy((PolicyRule(max_age=7 * DAY, workflows=(SHOP, CART)),))


async def monorepo(stores: Stores, forge: FakeForge, shop: timedelta, cart: timedelta) -> None:
    """A repository in two parts, whose workflows last succeeded so long ago."""
    paths = [f".github/workflows/{part.workflow}" for part in (SHOP, CART)]
    home = forge.add("contoso/mono", dict.fromkeys(paths, b"on: {workflow_dispatch: }\n"))
    home.ran(SHOP.workflow, "push", stores.clock.now() - shop)
    home.ran(CART.workflow, "push", stores.clock.now() - cart)
    await stores.listing(Repository(home.name, home.trunk, id=home.id, node_id=home.node_id))
    named = ((usage_of(ASPNET, "shop/Dockerfile"), ASPNET), (usage_of(SDK, "cart/Dockerfile"), SDK))
    await stores.read(Reading("tree-1", named, tuple(Workflow(path) for path in paths)))
    await stores.see({ASPNET: "a", SDK: "a"})


async def test_each_workflow_of_a_monorepo_is_started_for_what_it_builds(stores: Stores, forge: FakeForge) -> None:
    await monorepo(stores, forge, 30 * DAY, DAY)
    await look(stores, forge, IN_PARTS)
    assert (await plan(stores, IN_PARTS)).planned == 1
    [rebuild] = await stores.rollout_views.rebuilds_of(1)
    assert (rebuild.action, rebuild.workflow, rebuild.parts) == (
        Action.DISPATCH,
        "shop.yml",
        (replace(SHOP, others=(CART,)),),
    )
    assert [target.base for target in rebuild.targets] == [ASPNET]
    assert (await stores.fleet_views.status()).ages.troubles == ()


async def test_a_workflow_that_a_rule_names_for_one_base_is_started_for_that_alone(
    stores: Stores, forge: FakeForge
) -> None:
    by_base = Policy(
        (
            PolicyRule(Match(bases=("*/dotnet/sdk*",)), workflow="cart.yml"),
            PolicyRule(max_age=7 * DAY, workflow="shop.yml"),
        )
    )
    await monorepo(stores, forge, 30 * DAY, 30 * DAY)
    await look(stores, forge, by_base)
    assert (await plan(stores, by_base)).planned == 2
    found = {
        each.workflow: [target.base for target in each.targets]
        for each in await stores.rollout_views.rebuilds_of(1)
    }
    assert found == {"shop.yml": [ASPNET], "cart.yml": [SDK]}


async def test_the_failure_of_one_part_is_not_made_good_by_a_run_of_another(
    stores: Stores, forge: FakeForge
) -> None:
    policy = Policy((PolicyRule(max_age=2 * DAY, workflows=(SHOP, CART)),))
    await monorepo(stores, forge, 30 * DAY, DAY)
    await look(stores, forge, policy)
    await plan(stores, policy)
    async with stores.database.transaction() as connection:
        await connection.execute(update(rebuilds).values(state="failed", ended_at=stores.clock.now()))
    stores.clock.advance(25 * HOUR)
    await look(stores, forge, policy)
    await plan(stores, policy)
    workflows = dict(enumerate(await stores.column(rebuilds, "workflow"), start=1))
    assert sorted(workflows.values()) == ["cart.yml", "shop.yml", "shop.yml"]
    again = (await stores.column(rebuilds, "retried_as"))[0]
    assert (again != 1, workflows[again]) == (True, "shop.yml")


@ON_BOTH
async def test_two_workers_plan_a_week_once(stores: Stores, forge: FakeForge) -> None:
    await fleet(stores, forge, 2)
    await look(stores, forge)
    other = stores.other("second")
    known, some = await other.age.revisions(), await other.age.unjudged()
    assert (await plan(stores)).planned == 2
    stale = AgePlan({some[0].id: JudgedAge(Judgement(AgeStanding.DUE, ""), None)}, stores.clock.now(), known)
    with pytest.raises(LeaseLost):
        await other.age.save_ages(stale)


async def test_a_repository_that_cannot_be_read_says_so_and_stops_no_other(
    stores: Stores, forge: FakeForge
) -> None:
    await fleet(stores, forge, 2)
    forge.failing["workflow"] = Failure(Trouble.DENIED, "HTTP 403", advice="grant actions: read")
    tally = await look(stores, forge)
    assert len(tally.problems) == 2
    assert (await look(stores, forge)).problems == ()
    said = [trouble.text for trouble in (await stores.fleet_views.status()).ages.troubles]
    assert said == ["HTTP 403; grant actions: read"] * 2
    forge.failing.clear()
    stores.clock.advance(builds.EVERY)
    await look(stores, forge)
    assert (await stores.fleet_views.status()).ages.troubles == ()


async def test_a_workflow_that_comes_later_is_found_with_its_push(stores: Stores, forge: FakeForge) -> None:
    await fleet(stores, forge, 1)
    forge.homes[0].commit_to("main", {PATH: None})
    await look(stores, forge)
    await plan(stores)
    assert [trouble.standing for trouble in (await stores.fleet_views.status()).ages.troubles] == ["no workflow"]
    forge.homes[0].commit_to("main", {PATH: b"on: {workflow_dispatch: }\n"})
    stores.clock.advance(25 * HOUR)
    await stores.read(Reading("tree-2", ((usage_of(ASPNET), ASPNET),), (Workflow(PATH),)))
    await look(stores, forge)
    await plan(stores)
    assert (await stores.fleet_views.status()).ages.troubles == ()


async def test_a_change_takes_over_what_waits_for_its_age(stores: Stores, forge: FakeForge) -> None:
    await fleet(stores, forge, 1)
    await look(stores, forge)
    await plan(stores)
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "b"})
    await stores.assess_all()
    await stores.plan.save_plan(await stores.planned(supersedes=(1,)))
    assert await stores.states() == [RebuildState.SUPERSEDED, RebuildState.PLANNED]
    overdue: list[Any] = await stores.column(rebuilds, "overdue_at")
    assert overdue[1] == overdue[0]


async def test_what_waits_for_a_wave_is_hurried_once_its_image_would_be_too_old(
    stores: Stores, forge: FakeForge
) -> None:
    await fleet(stores, forge, 1, built=6 * DAY)
    stores.clock.advance(HOUR)
    await stores.see({ASPNET: "b"})
    await stores.assess_all()
    await stores.plan.save_plan(await stores.planned(action=Action.DISPATCH, workflow=FILE, branch=None))
    await look(stores, forge)
    await plan(stores)
    [overdue] = await stores.column(rebuilds, "overdue_at")
    assert overdue == forge.homes[0].history[FILE][0].at + 7 * DAY


async def test_a_usage_that_cannot_be_read_keeps_no_repository_from_its_rebuild(
    stores: Stores, forge: FakeForge
) -> None:
    await fleet(stores, forge, 2)
    columns = "repository_id, base_id, usage"
    broken = '{"half": ' if stores.database.engine.dialect.name == "sqlite" else "[7]"
    async with stores.database.transaction() as connection:
        await connection.execute(text(f"INSERT INTO usages ({columns}) SELECT {columns} FROM usages"))
        await connection.execute(text("UPDATE usages SET usage = :broken WHERE id = 1"), {"broken": broken})
    await stores.cascade.fleet()
    await look(stores, forge)
    assert (await plan(stores)).planned == 2
