"""The weekly guarantee end to end: what the servers hold once builds have grown too old."""

from datetime import timedelta

import pytest

from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.store.orders.orders import OrdersStore
from bot.store.views.fleet import FleetViewsStore
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD
from tests.e2e.sample import SETTLED
from tests.e2e.staging import Stage

PATH = ".github/workflows/weekly-rebuild.yml"
ONLY_DISPATCHED = WEEKLY_REBUILD.replace('  schedule:\n    - cron: "0 2 * * 1"\n', "")
ONLY_SCHEDULED = 'on:\n  schedule:\n    - cron: "0 2 * * 1"\njobs: {}\n'
POLICY: tuple[dict[str, object], ...] = (
    {"match": {"repositories": ["contoso/aged-*"]}, "max_age": "7d"},
    {"match": {}, "settle": "0s"},
)
DAY = timedelta(days=1)
ANN = Word("Ann", "not this week")


staged = SETTLED.under(policy=POLICY).fixture()


async def add(
    stage: Stage, name: str, workflow: str | None = ONLY_DISPATCHED, *builds: tuple[int, str, str]
) -> None:
    """A repository on the floating tag; `builds` are days ago, event and conclusion of past runs."""
    files = {"Dockerfile": f"FROM {stage.fleet.registry}/{ASPNET}:{RUNTIME_TAG}\nCOPY . /app\n"}
    await stage.world.github.create_repository(name, files | ({PATH: workflow} if workflow else {}))
    for days, event, conclusion in builds:
        at = stage.clock.now() - days * DAY
        await stage.world.github.record_run(name, PATH, event, at, conclusion)


async def later(stage: Stage, ahead: timedelta = timedelta(hours=6, minutes=5)) -> None:
    stage.clock.ahead += ahead
    await stage.run_pass()


def running(stage: Stage, name: str) -> list[int]:
    return [run.id for run in stage.world.github.runs(name) if run.conclusion is None]


async def test_what_has_grown_too_old_is_built_and_who_builds_in_time_is_left_alone(staged: Stage) -> None:
    await add(staged, "aged-old", ONLY_DISPATCHED, (30, "push", "success"))
    await add(staged, "aged-young", ONLY_DISPATCHED, (0, "workflow_dispatch", "success"))
    weekly = tuple((days, "schedule", "success") for days in (22, 15, 8, 1))
    await add(staged, "aged-scheduled", WEEKLY_REBUILD, *weekly)
    await add(staged, "reported", ONLY_DISPATCHED, (90, "push", "success"))
    await staged.run_pass()

    rebuild = (await staged.rebuilds())["aged-old"]
    assert (rebuild.action, rebuild.state) == (Action.DISPATCH, RebuildState.PLANNED)
    assert rebuild.reason == "weekly-rebuild.yml last succeeded 30 days ago, and may become 7 days old"
    assert rebuild.due_at - staged.clock.now() < timedelta(hours=6)
    await later(staged)

    assert len(running(staged, "aged-old")) == 1
    assert [running(staged, name) for name in ("aged-young", "aged-scheduled", "reported")] == [[], [], []]
    ages = (await staged.bot.stores[FleetViewsStore].status()).ages
    assert (ages.guaranteed, ages.overdue, ages.troubles) == (3, 1, ())
    assert ages.by_days == {7: 2, 90: 1, None: 1}


async def test_a_build_that_succeeds_begins_the_week_anew_and_is_told_in_one_message(staged: Stage) -> None:
    for name in ("aged-one", "aged-two"):
        await add(staged, name, ONLY_DISPATCHED, (30, "push", "success"))
    await staged.run_pass()
    await later(staged)
    for name in ("aged-one", "aged-two"):
        [number] = running(staged, name)
        staged.world.github.finish_run(number)
    await staged.run_pass()
    await staged.run_pass()
    await later(staged, timedelta(hours=2))

    assert (running(staged, "aged-one"), running(staged, "aged-two")) == ([], [])
    texts = [message["text"] for message in await staged.world.slack.messages()]
    [told] = [text for text in texts if text.startswith("Weekly rebuild")]
    assert (
        told
        == "Weekly rebuild of what would grow too old; 2 repositories on 1 base: 2 need you (built but not proven)"
    )
    assert (await staged.bot.stores[FleetViewsStore].status()).ages.overdue == 0


@pytest.mark.long
async def test_what_somebody_builds_before_its_turn_is_not_built_again(staged: Stage) -> None:
    await add(staged, "aged-old", ONLY_DISPATCHED, (30, "push", "success"))
    await staged.run_pass()
    await staged.world.github.record_run("aged-old", PATH, "push", staged.clock.now(), "success")
    await staged.run_pass()

    rebuild = (await staged.rebuilds())["aged-old"]
    assert rebuild.state is RebuildState.CANCELLED
    assert rebuild.reason.startswith("it was built meanwhile: weekly-rebuild.yml last succeeded")
    await later(staged)
    assert running(staged, "aged-old") == []


async def test_who_cannot_be_rebuilt_is_told_with_the_way_out(staged: Stage) -> None:
    await add(staged, "aged-without", None)
    await add(staged, "aged-undispatchable", ONLY_SCHEDULED, (30, "schedule", "success"))
    await add(staged, "aged-disabled", ONLY_DISPATCHED, (30, "push", "success"))
    staged.world.github.disable_workflow("aged-disabled", PATH, "disabled_inactivity")
    weekly = tuple((days, "schedule", "success") for days in (51, 44, 37, 30))
    await add(staged, "aged-silent", WEEKLY_REBUILD, *weekly)
    await staged.run_pass()
    await later(staged)

    said = {
        trouble.repository: trouble.text
        for trouble in (await staged.bot.stores[FleetViewsStore].status()).ages.troubles
    }
    assert "there is no weekly-rebuild.yml on the default branch: add one" in said["contoso/aged-without"]
    assert "add `workflow_dispatch:` under its `on:`" in said["contoso/aged-undispatchable"]
    assert "GitHub has disabled it after 60 days" in said["contoso/aged-disabled"]
    assert "its schedule fired every 7 days and has not since" in said["contoso/aged-silent"]
    assert len(running(staged, "aged-silent")) == 1
    told = {name: rebuild for name, rebuild in (await staged.rebuilds()).items() if name in said or "aged-" in name}
    assert {name: rebuild.action for name, rebuild in told.items()} == {
        "aged-without": Action.NOTIFY,
        "aged-undispatchable": Action.NOTIFY,
        "aged-disabled": Action.NOTIFY,
        "aged-silent": Action.DISPATCH,
    }


@pytest.mark.long
async def test_three_failures_in_a_row_stop_it_and_a_push_lets_it_go_on(staged: Stage) -> None:
    await add(staged, "aged-broken", ONLY_DISPATCHED, (30, "push", "success"))
    await staged.run_pass()
    for attempt in range(1, 4):
        await later(staged, timedelta(hours=6 * attempt, minutes=10))
        await later(staged)
        [number] = running(staged, "aged-broken")
        staged.world.github.finish_run(number, "failure")
        await staged.run_pass()
        await staged.run_pass()
    for _ in range(6):
        await later(staged)

    assert running(staged, "aged-broken") == []
    [trouble] = (await staged.bot.stores[FleetViewsStore].status()).ages.troubles
    assert "its last 3 builds failed in a row (" in trouble.text
    await staged.world.github.push("aged-broken", {"README.md": "mended\n"})
    await staged.run_pass()
    await staged.run_pass()
    await later(staged)
    [number] = running(staged, "aged-broken")
    staged.world.github.finish_run(number)
    await staged.run_pass()
    await staged.run_pass()
    assert (await staged.bot.stores[FleetViewsStore].status()).ages.troubles == ()


async def test_it_is_held_by_a_quarantine_a_pause_and_a_persons_word(staged: Stage) -> None:
    await add(staged, "aged-old", ONLY_DISPATCHED, (30, "push", "success"))
    orders = staged.bot.stores[OrdersStore]
    await orders.quarantine(f"{ASPNET}:{RUNTIME_TAG}", ANN)
    await staged.run_pass()
    await later(staged)
    assert running(staged, "aged-old") == []
    await orders.pause(None, ANN)
    await orders.lift(f"{ASPNET}:{RUNTIME_TAG}", ANN)
    await staged.run_pass()
    assert running(staged, "aged-old") == []
    await orders.skip("contoso/aged-old", ANN)
    await orders.resume(None, ANN)
    await staged.run_pass()
    await later(staged)
    assert running(staged, "aged-old") == []
    print(
        "DBG",
        [
            (r.id, r.action, r.state, r.reason)
            for r in (await staged.rebuilds()).values()
            if r.repository.endswith("aged-old")
        ],
    )
    assert (await staged.states())["aged-old"] is RebuildState.SKIPPED


@pytest.mark.long
async def test_a_repository_that_opts_out_is_left_alone(staged: Stage) -> None:
    await add(staged, "aged-old", ONLY_DISPATCHED, (30, "push", "success"))
    await staged.run_pass()
    await staged.world.github.push("aged-old", {".github/freshness.yaml": "enabled: false\n"})
    await later(staged)

    assert running(staged, "aged-old") == []
    assert (await staged.rebuilds())["aged-old"].reason == "the repository opted out in .github/freshness.yaml"
