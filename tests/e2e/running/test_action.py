"""The bot as a step of a workflow: its state on a branch, its face the job summary."""

import asyncio
import signal
from pathlib import Path

import pytest
import yaml

from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.running.runner import Runner

BRANCH = "freshness-bot-state"


@pytest.fixture
async def fleet(world: World) -> SampleFleet:
    fleet = SampleFleet(world)
    await fleet.build()
    await world.github.create_repository("freshness", {"README.md": "# Freshness\n"}, private=True)
    return fleet


@pytest.fixture
def runner(fleet: SampleFleet, tmp_path: Path) -> Runner:
    github = fleet.world.github
    return Runner(tmp_path, github.url, f"{github.name}/freshness", github.token)


@pytest.fixture
def inputs(fleet: SampleFleet) -> dict[str, str]:
    """Of an App, and where registry and feeds are played; nothing settles."""
    world = fleet.world
    config = {
        "github": {"seconds_between_writes": 0},
        "registries": {world.registry.host: {"insecure": True}},
        "bases": [f"{world.registry.host}/dotnet/*"],
        "feeds": {name: {"url": url} for name, url in world.feeds.addresses.items()},
        "policy": [{"settle": "0s"}],
    }
    return {
        "app_id": str(world.github.app_id),
        "app_private_key": world.github.private_key,
        "config": yaml.safe_dump(config),
    }


async def patch(fleet: SampleFleet) -> None:
    fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    await fleet.publish_runtime("10.0.1")


async def test_the_first_run_looks_at_everything_and_the_next_one_acts_on_what_moved(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    first = await runner.run(**inputs)
    assert first.code == 0, first.log
    assert first.outputs["state"] == "kept"
    await patch(fleet)
    second = await runner.run(**inputs)
    assert second.code == 0, second.log
    assert second.outputs["moved"] == "1"
    assert int(second.outputs["pull-requests"]) > 0
    assert "- aspnet:10.0-noble-chiseled: .NET 10.0.0 → 10.0.1 fixes 1 CVE" in second.summary


async def test_the_summary_says_when_the_workflows_own_file_has_it_run_next(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    path = ".github/workflows/freshness.yml"
    await fleet.world.github.push("freshness", {path: 'on:\n  schedule: [{cron: "23 5 1 1 *"}]\n'})
    runner.environment["GITHUB_WORKFLOW_REF"] = f"{runner.repository}/{path}@refs/heads/main"
    ran = await runner.run(**inputs, dry_run="true")
    assert ran.code == 0, ran.log
    assert "01-01 05:23 UTC</sub>" in ran.summary


@pytest.mark.long
async def test_what_the_step_before_has_installed_by_its_hashes_runs(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    installed = await runner.install()
    assert installed.code == 0, installed.log
    ran = await runner.run(**inputs)
    assert (ran.code, ran.outputs["state"]) == (0, "kept"), ran.log


@pytest.mark.long
async def test_on_a_machine_that_is_kept_it_is_installed_once(runner: Runner, tmp_path: Path) -> None:
    program = tmp_path / "kept" / "freshness-bot-program" / "bin" / "freshness-bot"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    assert (await runner.install()).log == ""
    assert program.read_bytes() == b""


@pytest.mark.long
async def test_six_repositories_take_few_passes_and_few_requests(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    """A pass takes seconds, and what is asked for bounds it, so that six repositories are done in two minutes."""
    traffic = fleet.world.traffic
    traffic.forget()
    first = await runner.run(**inputs)
    assert first.passes <= 3
    assert len(traffic.requests("github")) <= 45
    await patch(fleet)
    traffic.forget()
    second = await runner.run(**inputs)
    assert second.passes <= 3
    assert len(traffic.requests("github")) <= 50
    assert int(second.outputs["pull-requests"]) == 3
    traffic.forget()
    third = await runner.run(**inputs)
    assert third.passes <= 2
    assert len(traffic.requests("github")) <= 40
    assert len(traffic.requests("registry")) <= 10


@pytest.mark.long
async def test_who_also_writes_the_lines_is_told_with_the_rule_that_stops_it(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    await fleet.world.github.push("orders-api", {"renovate.json": '{"extends": ["config:recommended"]}\n'})
    ran = await runner.run(**inputs)
    told = ran.summary.partition("### Written by another bot too\n")[2].strip().partition("\n")[0]
    assert told.startswith("- contoso/orders-api: Renovate writes the same lines: renovate.json:1. `write {")
    assert '"matchUpdateTypes": ["digest", "pinDigest"], "enabled": false} as the last of packageRules`' in told


@pytest.mark.long
async def test_feeds_are_read_anew_only_where_no_cache_has_them(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    traffic = fleet.world.traffic

    async def answers() -> set[int | None]:
        traffic.forget()
        assert (await runner.run(**inputs)).code == 0
        return {each.status for each in traffic.requests("feeds", path="releases")}

    assert await answers() == {200}
    assert await answers() == {304}
    runner.has_cache = False
    assert 304 not in await answers()


@pytest.mark.long
async def test_the_cache_keeps_what_goes_with_a_state_that_was_kept_and_nothing_else(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    await runner.run(**inputs, dry_run="true")
    assert list(runner.cached) == []
    assert (await runner.run(**inputs)).outputs["state"] == "kept"
    [key] = runner.cached
    assert key.startswith(f"{BRANCH}:")
    assert [path.name for path in runner.cached[key].iterdir()] == ["refetchable.db"]


async def state(fleet: SampleFleet) -> str | None:
    """The commit that the state's branch points to."""
    return (await fleet.world.github.branches("freshness")).get(BRANCH)


async def has_read_its_state(process: asyncio.subprocess.Process, folder: Path) -> None:
    """Waits until a run has opened its store, which it does with the state that it was given."""
    while not list(folder.glob("freshness-bot-*/freshness.db-wal")):
        assert process.returncode is None
        await asyncio.sleep(0.2)


@pytest.mark.long
async def test_two_runs_at_once_keep_one_state_and_propose_everything_once(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    assert (await runner.run(**inputs)).code == 0
    await patch(fleet)
    first = await runner.start(**inputs)
    await has_read_its_state(*first)
    first[0].send_signal(signal.SIGSTOP)
    second = await runner.start(**inputs)
    await has_read_its_state(*second)
    first[0].send_signal(signal.SIGCONT)
    both = [await runner.result(*begun) for begun in (first, second)]
    assert [ran.code for ran in both] == [0, 0]
    assert sorted(ran.outputs["state"] for ran in both) == ["kept", "overtaken"]
    [overtaken] = [ran for ran in both if ran.outputs["state"] == "overtaken"]
    assert "another run has kept its state meanwhile" in overtaken.annotations("notice")[0]
    for name in ("orders-api", "payments-api", "search-worker"):
        assert len(await fleet.world.github.pull_requests(name, state="all")) == 1


@pytest.mark.long
async def test_a_run_that_is_cancelled_keeps_what_it_has_come_to(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    process, folder = await runner.start(**inputs)
    await has_read_its_state(process, folder)
    process.send_signal(signal.SIGINT)
    ran = await runner.result(process, folder)
    assert ran.code == 130, ran.log
    assert await state(fleet) is not None
    assert list(folder.glob("freshness-bot-*")) == [folder / "freshness-bot-program"], "secrets and store are gone"
    assert (await runner.run(**inputs)).code == 0


@pytest.mark.long
async def test_a_state_that_is_gone_after_earlier_runs_is_told_loudly(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    await runner.run(**inputs)
    await fleet.world.github.delete_branch("freshness", BRANCH)
    again = await runner.run(**inputs)
    assert again.code == 0
    assert "The state of earlier runs is gone" in again.summary
    assert "pauses and holds too" in again.annotations("warning")[0]


@pytest.mark.long
async def test_a_state_that_cannot_be_kept_makes_the_job_red(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    fleet.world.github.restrict_token(contents="read")
    ran = await runner.run(**inputs)
    assert ran.code == 2
    assert "the state could not be kept on freshness-bot-state" in ran.annotations("error")[0]
    assert ran.outputs["state"] == "not-kept"
    assert "stand on what their bases show" in ran.summary


@pytest.mark.long
async def test_a_public_repository_keeps_no_state_unless_that_is_asked_for(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    runner.repository = await fleet.world.github.create_repository("open", {"README.md": ""})
    refused = await runner.run(**inputs)
    assert refused.code == 2
    assert "contoso/open is public" in refused.annotations("error")[0]
    assert await fleet.world.github.pull_requests("orders-api", state="all") == []
    assert (await runner.run(**inputs, public_state="true")).outputs["state"] == "kept"


@pytest.mark.long
async def test_a_dry_run_says_what_it_would_do_and_writes_nothing(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    await runner.run(**inputs)
    kept = await state(fleet)
    await patch(fleet)
    ran = await runner.run(**inputs, dry_run="true")
    assert ran.code == 0, ran.log
    assert "This was a dry run" in ran.summary
    assert "contoso/orders-api" in ran.summary
    assert await state(fleet) == kept
    assert await fleet.world.github.pull_requests("orders-api", state="all") == []


@pytest.mark.long
async def test_a_token_of_an_installation_needs_no_names_of_repositories(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    token, _ = fleet.world.github.edge.installations.issue(fleet.world.github.installation_id, None, None)
    ran = await runner.run(config=inputs["config"], token=token)
    assert ran.code == 0, ran.log
    assert "on 2 bases stand on what their bases show" in ran.summary


@pytest.mark.long
async def test_what_is_wrong_with_the_inputs_is_told_beside_the_run(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    ran = await runner.run(app_id="Iv23liAbCd", config="schedule:\n  poll: often\n")
    assert ran.code == 2
    assert [line.partition(":")[0] for line in ran.annotations("error")] == [
        "input app-id",
        "input app-private-key",
    ]
    settings = await runner.run(**inputs | {"config": "schedule:\n  poll: often\n"})
    assert settings.code == 2
    assert settings.annotations("error")[0].startswith("config:2: schedule.poll")


@pytest.mark.long
async def test_no_text_from_outside_reaches_the_runner_as_a_command(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    ran = await runner.run(**inputs)
    begins = ran.log.index("::stop-commands::")
    for line in ran.log[:begins].splitlines():
        assert line.startswith("::add-mask::")
    assert ran.annotations("notice") == []


@pytest.mark.long
async def test_what_a_killed_run_has_begun_the_next_one_goes_on_with(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str]
) -> None:
    await runner.run(**inputs)
    await patch(fleet)
    process, _ = await runner.start(**inputs)
    while not await fleet.world.github.pull_requests("orders-api"):
        assert process.returncode is None
        await asyncio.sleep(0.05)
    process.kill()
    await process.communicate()
    again = await runner.run(**inputs)
    assert (again.code, again.outputs["state"]) == (0, "kept")
    for name in ("orders-api", "payments-api", "search-worker"):
        assert len(await fleet.world.github.pull_requests(name, state="all")) == 1


@pytest.mark.long
@pytest.mark.parametrize("right", ["contents", "pull_requests", "actions"])
async def test_a_right_that_the_app_lacks_is_named_with_what_to_do(
    fleet: SampleFleet, runner: Runner, inputs: dict[str, str], right: str
) -> None:
    del fleet.world.github.edge.installations.of(fleet.world.github.name).permissions[right]
    ran = await runner.run(**inputs)
    assert ran.code == 0, ran.log
    missing = right.replace("_", "\\_")
    [line] = [line for line in ran.summary.splitlines() if f"contoso: {missing}: write: missing" in line]
    assert line.endswith("grant it to the App, and have the owner accept that")
