"""Azure Pipelines as a builder: what is asked, and what is made of the answers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bot.clients.forges.azure_devops.names import Place
from bot.clients.forges.azure_devops.pipelines import Definition, Pipelines, definition_of
from bot.clients.http.client import Http
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.refusals import SightLost
from bot.domain.repositories.repository import Identity
from tests.unit.clients.forges.azure_devops.service import PROJECT, Service

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
PIPELINE = "azure-pipelines: contoso/team one/12"
SHOP = Identity("octo/shop", "R_1").for_builds(PIPELINE)
BUILD_7 = str(Place("contoso", PROJECT["id"], "build", "7"))


@pytest.fixture
def service(shared: Path) -> Service:
    service = Service(shared / "azure-devops", ManualClock(NOON))
    service.define(12)
    return service


@pytest.fixture
async def http(service: Service) -> AsyncIterator[Http]:
    async with Http(service.clock, transport=httpx.MockTransport(service.answer)) as http:
        yield http
    assert service.mistakes == []


@pytest.fixture
def pipelines(service: Service, http: Http) -> Pipelines:
    return service.pipelines(http)


def test_a_pipeline_is_called_by_its_organisation_project_and_number() -> None:
    assert definition_of(PIPELINE) == Definition("contoso", "team one", 12)
    assert definition_of(PIPELINE).workflow == PIPELINE
    for other in ("build.yml", "azure-pipelines: contoso/12", "azure-pipelines: contoso/team/x", "else: a/b/1"):
        with pytest.raises(Failure, match="is no pipeline"):
            definition_of(other)


async def test_a_run_is_started_at_the_branch_with_its_parameters_and_its_id_is_told(
    service: Service, pipelines: Pipelines
) -> None:
    number = await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs={"correlation": "c-1"})
    assert (number, service.asked) == (
        100,
        [("POST", "/contoso/team one/_apis/pipelines/12/runs")],
    )
    assert service.bodies == [
        {
            "resources": {"repositories": {"self": {"refName": "refs/heads/main"}}},
            "templateParameters": {"correlation": "c-1"},
        }
    ]
    assert (await pipelines.run(SHOP, 100)).status == "queued"


async def test_runs_of_a_pipeline_are_read_page_after_page(service: Service, pipelines: Pipelines) -> None:
    for number in range(1, 6):
        service.build(number, reason="manual" if number % 2 else "schedule")
    started = await pipelines.started_runs(SHOP, PIPELINE, branch="main", since=NOON - timedelta(hours=1))
    assert [run.id for run in started] == [1, 2, 3, 4, 5]
    dispatched = await pipelines.dispatched_runs(SHOP, PIPELINE, branch=None, since=NOON)
    assert [run.id for run in dispatched] == [1, 3, 5]
    assert len(service.asked) == 5


async def test_many_builds_are_followed_in_one_request(service: Service, pipelines: Pipelines) -> None:
    for number in range(60):
        service.build(number, status="completed", result="failed" if number == 7 else "succeeded")
    nodes = [str(Place("contoso", PROJECT["id"], "build", str(number))) for number in range(60)]
    followed = await pipelines.follow_runs(nodes)
    assert (len(followed.states), len(service.asked)) == (60, 1)
    assert followed.states[BUILD_7].conclusion == "failure"


async def test_a_build_at_a_checkpoint_waits_for_people(service: Service, pipelines: Pipelines) -> None:
    service.build(7, status="inProgress", result=None)
    assert (await pipelines.follow_runs([BUILD_7])).states[BUILD_7].status == "in_progress"
    service.timelines[7] = [{"type": "Checkpoint", "state": "inProgress"}]
    assert (await pipelines.follow_runs([BUILD_7])).states[BUILD_7].status == "waiting"


async def test_a_red_build_is_told_with_its_first_failed_task(service: Service, pipelines: Pipelines) -> None:
    service.timelines[7] = [
        {"id": "j", "type": "Job", "name": "Build", "result": "failed", "finishTime": "2"},
        {
            "id": "t",
            "parentId": "j",
            "type": "Task",
            "name": "Docker",
            "result": "failed",
            "finishTime": "1",
            "issues": [{"type": "error", "message": "no space left"}],
        },
    ]
    assert str(await pipelines.first_failure(SHOP, 7)) == "job Build, step Docker: no space left"


@pytest.mark.parametrize(
    ("status", "state"), [("enabled", "active"), ("paused", "paused"), ("disabled", "disabled")]
)
async def test_a_paused_or_disabled_pipeline_is_not_active(
    service: Service, pipelines: Pipelines, status: str, state: str
) -> None:
    service.define(12, queueStatus=status)
    shown = await pipelines.workflow(SHOP, PIPELINE)
    assert shown is not None
    assert shown.state == state
    service.build(7)
    latest = (await pipelines.latest_runs([shown.node_id]))[shown.node_id]
    assert (latest.state, [run.id for run in latest.runs], latest.are_all) == (state, [7], True)


async def test_a_pipeline_that_is_not_shown_is_none(pipelines: Pipelines) -> None:
    assert await pipelines.workflow(SHOP, "azure-pipelines: contoso/team one/13") is None
    gone = str(Place("contoso", PROJECT["id"], "definition", "13"))
    assert await pipelines.latest_runs([gone]) == {}


async def test_runs_further_back_tell_the_last_success_and_the_last_of_the_schedule(
    service: Service, pipelines: Pipelines
) -> None:
    service.build(1, reason="schedule")
    service.build(2, result="failed", queueTime="2026-11-30T11:00:00Z")
    past = await pipelines.past_runs(SHOP, PIPELINE, "main")
    assert [(run.id, run.event, run.conclusion) for run in past] == [
        (2, "workflow_dispatch", "failure"),
        (1, "schedule", "success"),
    ]
    assert len(service.asked) == 3


async def test_pipelines_that_build_what_github_holds_are_found(service: Service, pipelines: Pipelines) -> None:
    service.define(13, process={"type": 1})
    found = await pipelines.definitions_of("octo/shop", Place("contoso", "team one", "project", "-"))
    assert found == [Definition("contoso", "team one", 12)]


async def test_a_page_to_sign_in_at_is_no_answer_and_ends_nothing(service: Service, http: Http) -> None:
    with pytest.raises(Failure, match="a page to sign in at") as raised:
        await service.pipelines(http, token="stale").run(SHOP, 7)
    assert (raised.value.trouble, raised.value.meaning) == (Trouble.DENIED, Meaning.TRANSIENT)


async def test_a_right_answer_that_asks_for_a_pause_gets_it(service: Service, pipelines: Pipelines) -> None:
    service.build(7)
    service.headers["retry-after"] = "17"
    await pipelines.run(SHOP, 7)
    before = service.clock.now()
    await pipelines.run(SHOP, 7)
    assert service.clock.now() - before == timedelta(seconds=17)


async def test_an_organisation_waits_for_its_own_pauses_alone(service: Service, pipelines: Pipelines) -> None:
    service.build(7)
    service.headers["retry-after"] = "17"
    await pipelines.run(SHOP, 7)
    before = service.clock.now()
    await pipelines.run(SHOP.for_builds("azure-pipelines: Fabrikam/team/3"), 7)
    assert service.clock.now() == before


async def test_a_pipeline_that_takes_no_such_parameter_has_started_nothing(
    service: Service, pipelines: Pipelines
) -> None:
    message = "Unexpected parameter 'correlation'"
    service.refusal = (400, {"message": message, "typeKey": "PipelineValidationException"})
    with pytest.raises(Failure, match=message) as raised:
        await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs={"correlation": "c"})
    assert (raised.value.trouble, len(service.asked)) == (Trouble.CONFLICT, 1)


async def test_an_organisation_that_is_not_set_up_any_more_has_lost_nothing(pipelines: Pipelines) -> None:
    with pytest.raises(SightLost, match="tailspin is not set up any more"):
        await pipelines.run(SHOP.for_builds("azure-pipelines: tailspin/team/3"), 7)
