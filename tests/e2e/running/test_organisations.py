"""One App in two organisations, and the one issue that a repository gets for what the bot has to say there."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.stages import one_pass
from bot.store.events import EventsStore
from bot.web.hooks.github import reach_of
from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.beginnings import beginning
from tests.e2e.staging import Stage, settled

OURS, THEIRS = "payments-api", "orders-api"


async def of_two(world: World, folder: Path, store_url: str, exits: AsyncExitStack) -> Stage:
    """The sample fleet, one repository of which belongs to another organisation with the App."""
    key = folder / "app.pem"
    key.write_text(world.github.private_key)
    app = {"id": world.github.app_id, "private_key_file": str(key), "installations": "all"}
    github = {
        "token_file": None,
        "app": app,
        "repositories": {"include": ["contoso/*", "fabrikam/*"]},
    }
    return await settled(world, folder, store_url, exits, fleet=Transferred(world), github=github)


pair = beginning(of_two, organisations=("contoso", "fabrikam")).fixture()


class Transferred(SampleFleet):
    async def build(self, version: str = "10.0.0") -> None:
        await SampleFleet.build(self, version)
        await self.world.github.transfer(THEIRS, "fabrikam")


async def requests(stage: Stage, name: str) -> list[Any]:
    return await stage.world.github.pull_requests(name)


async def test_each_organisation_is_served_by_its_own_installation(pair: Stage) -> None:
    await pair.fleet.publish_runtime("10.0.1")
    await pair.run_pass()

    assert len(await requests(pair, OURS)) == 1
    assert len(await requests(pair, f"fabrikam/{THEIRS}")) == 1
    accounts = {grant.account for grant in pair.world.github.edge.installations.grants.values()}
    assert accounts == {"contoso", "fabrikam"}


async def test_a_suspended_installation_keeps_the_other_from_nothing(pair: Stage) -> None:
    pair.world.github.suspend("fabrikam")
    await pair.fleet.publish_runtime("10.0.1")
    pair.clock.ahead += timedelta(minutes=15)

    outcomes = await pair.run_pass()

    assert len(await requests(pair, OURS)) == 1
    assert (await pair.states())[OURS] is RebuildState.OPEN
    told = [problem for outcome in outcomes.values() for problem in outcome.problems]
    assert any("installation at fabrikam is suspended" in problem for problem in told)
    assert not any("contoso/" in problem for problem in told)


async def test_a_repository_whose_rebuild_failed_gets_one_issue_which_closes_by_itself(pair: Stage) -> None:
    github = pair.world.github
    await pair.fleet.publish_runtime("10.0.1")
    await pair.run_pass()
    [run] = github.runs("catalog-web")
    github.finish_run(run.id, "failure")
    await pair.run_pass()
    await pair.run_pass()

    [issue] = await issues(pair, "catalog-web")
    assert "the run concluded with failure" in issue["body"]
    await pair.fleet.publish_runtime("10.0.2")
    await pair.run_pass()
    newer = next(run for run in github.runs("catalog-web") if run.conclusion is None)
    github.finish_run(newer.id, "success")
    for _ in range(3):
        await pair.run_pass()
    assert await issues(pair, "catalog-web") == []
    [closed] = await issues(pair, "catalog-web", "closed")
    assert closed["number"] == issue["number"]


async def issues(stage: Stage, name: str, state: str = "open") -> list[Any]:
    found = await stage.world.github.ask("GET", f"/repos/contoso/{name}/issues?state={state}")
    return [each for each in found if "pull_request" not in each]


async def test_what_was_refused_for_want_of_a_right_is_done_once_it_is_granted(pair: Stage) -> None:
    """The owner's acceptance comes as an event, which has the installations listed."""
    own = pair.world.github.edge.installations.of("contoso")
    before = dict(own.permissions)
    own.permissions = before | {"contents": "read"}
    await pair.run_pass()
    await pair.fleet.publish_runtime("10.0.1")
    for _ in range(8):
        pair.clock.ahead += timedelta(hours=1)
        await pair.run_pass()
    refused = (await pair.rebuilds())[OURS]
    assert (refused.state, await requests(pair, OURS)) == (RebuildState.WAITING, [])
    assert len(await requests(pair, f"fabrikam/{THEIRS}")) == 1

    own.permissions = before
    assert refused.due_at > pair.clock.now(), "not due by itself"
    await pair.bot.stores[EventsStore].take("github", "accepted", reach_of("installation", ACCEPTED))
    await one_pass(pair.bot)
    assert len(await requests(pair, OURS)) == 1


ACCEPTED = {"action": "new_permissions_accepted", "installation": {"id": 100}}
