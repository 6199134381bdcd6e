"""Azure Pipelines as a builder: what is asked, and what is made of the answers."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clients.forges.azure_devops.names import AzureNode
from bot.clients.forges.azure_devops.pipelines import Pipelines
from bot.clients.http.client import Http
from bot.domain.builder.definitions import Definition, definition_of
from bot.domain.builder.runs import MergedCommit
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Meaning, Trouble
from bot.domain.forge.refusals import SightLost
from bot.domain.repositories.repository import Identity
from sandbox.azure_devops.asked import Question, Reply
from sandbox.azure_devops.service import EDIT_QUEUE, PROJECT, QUEUE, Service
from tests.unit.clients.forges.azure_devops.playing import pipelines_of, played

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
PIPELINE = "azure-pipelines: contoso/team one/12"
SHOP = Identity("octo/shop", "R_1").for_builds(PIPELINE)
BUILD_7 = str(AzureNode("contoso", PROJECT["id"], "build", "7"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def service(shared: Path, clock: ManualClock) -> Service:
    service = Service(shared / "azure-devops", clock)
    service.define(12)
    return service


@pytest.fixture
async def http(service: Service, clock: ManualClock) -> AsyncIterator[Http]:
    async with Http(clock, transport=played(service)) as http:
        yield http
    assert service.mistakes == []


@pytest.fixture
def pipelines(service: Service, http: Http, clock: ManualClock) -> Pipelines:
    return pipelines_of(service, http, clock)


def test_a_pipeline_is_called_by_its_organisation_project_and_number() -> None:
    assert definition_of(PIPELINE) == Definition("contoso", "team one", 12)
    assert Definition("contoso", "team one", 12).workflow == PIPELINE
    for other in ("build.yml", "azure-pipelines: contoso/12", "azure-pipelines: contoso/team/x", "else: a/b/1"):
        assert definition_of(other) is None


async def test_a_run_is_started_at_the_branch_with_its_parameters_and_its_id_is_told(
    service: Service, pipelines: Pipelines
) -> None:
    number = await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs={"correlation": "c-1"})
    assert (number, service.asked) == (
        101,
        [
            ("GET", "/contoso/team one/_apis/build/definitions/12"),
            ("POST", "/contoso/team one/_apis/pipelines/12/runs"),
        ],
    )
    assert service.bodies == [
        None,
        {
            "resources": {"repositories": {"self": {"refName": "refs/heads/main"}}},
            "templateParameters": {"correlation": "c-1"},
        },
    ]
    assert (await pipelines.run(SHOP, 101)).status == "queued"


async def test_runs_of_a_pipeline_are_read_page_after_page(service: Service, pipelines: Pipelines) -> None:
    for number in range(1, 6):
        service.build(number, reason="manual" if number % 2 else "schedule")
    started = await pipelines.started_runs(SHOP, PIPELINE, branch="main", since=NOON - timedelta(days=2))
    assert [run.id for run in started] == [1, 2, 3, 4, 5]
    dispatched = await pipelines.dispatched_runs(SHOP, PIPELINE, branch=None, since=NOON - timedelta(days=2))
    assert [run.id for run in dispatched] == [1, 3, 5]
    assert len(service.asked) == 5


async def test_many_builds_are_followed_in_one_request(service: Service, pipelines: Pipelines) -> None:
    for number in range(60):
        service.build(number, status="completed", result="failed" if number == 7 else "succeeded")
    nodes = [str(AzureNode("contoso", PROJECT["id"], "build", str(number))) for number in range(60)]
    followed = await pipelines.follow_runs(nodes)
    assert (len(followed.states), len(service.asked)) == (60, 1)
    assert followed.states[BUILD_7].conclusion == "failure"


async def test_a_build_at_a_checkpoint_waits_for_people(service: Service, pipelines: Pipelines) -> None:
    service.build(7, status="inProgress", result=None)
    assert (await pipelines.follow_runs([BUILD_7])).states[BUILD_7].status == "in_progress"
    service.hold(7, "production", "Ada", "Grace")
    waiting = (await pipelines.follow_runs([BUILD_7])).states[BUILD_7]
    assert (waiting.status, waiting.waits_for) == ("waiting", "approval of stage production by Ada or Grace")
    service.approve(7)
    assert (await pipelines.follow_runs([BUILD_7])).states[BUILD_7].status == "in_progress"
    assert {method for method, _ in service.asked} == {"GET"}


async def test_who_is_to_approve_may_stay_hidden(service: Service, pipelines: Pipelines) -> None:
    service.build(7, status="inProgress", result=None)
    service.hold(7, "production", "Ada")
    service.approvals.clear()
    waiting = (await pipelines.follow_runs([BUILD_7])).states[BUILD_7]
    assert waiting.waits_for == "approval of stage production"


async def test_the_build_of_a_merge_waits_for_people_too(service: Service, pipelines: Pipelines) -> None:
    now = NOON.isoformat().replace("+00:00", "Z")
    service.build(7, status="inProgress", result=None, sourceVersion="aaa", queueTime=now)
    service.hold(7, "production")
    builds = await pipelines.builds([MergedCommit("C_1", "aaa", NOON, PIPELINE)])
    assert not isinstance(builds["C_1"], Failure)
    [[run]] = builds["C_1"]
    assert (run.status, run.waits_for) == ("waiting", "a check of stage production")


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
    service.build(7)
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
    gone = str(AzureNode("contoso", PROJECT["id"], "definition", "13"))
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


async def test_a_page_to_sign_in_at_is_no_answer_and_ends_nothing(
    service: Service, http: Http, clock: ManualClock
) -> None:
    with pytest.raises(Failure, match="a page to sign in at") as raised:
        await pipelines_of(service, http, clock, token="stale").run(SHOP, 7)
    assert (raised.value.trouble, raised.value.meaning) == (Trouble.DENIED, Meaning.TRANSIENT)


async def test_a_right_answer_that_asks_for_a_pause_gets_it(
    service: Service, pipelines: Pipelines, clock: ManualClock
) -> None:
    service.build(7)
    service.headers["retry-after"] = "17"
    await pipelines.run(SHOP, 7)
    before = clock.now()
    await pipelines.run(SHOP, 7)
    assert clock.now() - before == timedelta(seconds=17)


async def test_an_organisation_waits_for_its_own_pauses_alone(
    service: Service, pipelines: Pipelines, clock: ManualClock
) -> None:
    service.build(7)
    service.headers["retry-after"] = "17"
    await pipelines.run(SHOP, 7)
    before = clock.now()
    await pipelines.run(SHOP.for_builds("azure-pipelines: Fabrikam/team/3"), 7)
    assert clock.now() == before


async def test_what_may_be_set_as_it_is_started_is_a_variable(service: Service, pipelines: Pipelines) -> None:
    service.define(12, variables={"bases": {"allowOverride": True}, "reason": {"value": "none"}})
    inputs = {"correlation": "c-1", "bases": "b", "reason": "r"}
    await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs=inputs)
    assert service.bodies[-1]["variables"] == {"bases": {"value": "b"}}
    assert service.bodies[-1]["templateParameters"] == {"correlation": "c-1"}
    service.define(12, variables={"correlation": {"allowOverride": True}})
    await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs=inputs)
    assert service.bodies[-1]["variables"] == {"correlation": {"value": "c-1"}}


async def test_a_pipeline_that_takes_no_parameter_is_started_without_and_known_for_it(
    service: Service, pipelines: Pipelines
) -> None:
    service.takes_none = True
    for _ in range(2):
        assert await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs={"correlation": "c"}) is not None
    started = [method for method, _ in service.asked if method == "POST"]
    assert (len(started), len(service.builds)) == (3, 2)


async def test_who_may_set_nothing_starts_it_all_the_same(service: Service, pipelines: Pipelines) -> None:
    service.lacking.add(EDIT_QUEUE)
    assert await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs={"correlation": "c"}) is not None
    service.lacking.add(QUEUE)
    with pytest.raises(Failure, match="needs Queue builds permissions") as raised:
        await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs={"correlation": "c"})
    assert raised.value.lacks_a_right


async def test_what_decides_what_it_does_is_handed_over_or_it_is_not_started(
    service: Service, pipelines: Pipelines
) -> None:
    inputs = {"correlation": "c", "environment": "production"}
    await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs=inputs)
    assert service.bodies[-1]["templateParameters"] == inputs
    service.takes_none = True
    with pytest.raises(Failure, match="Unexpected parameter"):
        await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs=inputs)
    assert len(service.builds) == 1


async def test_a_pipeline_is_shown_with_its_file_and_what_it_takes_beside(
    service: Service, pipelines: Pipelines
) -> None:
    service.define(12, variables={"environment": {"allowOverride": True}, "reason": {}})
    shown = await pipelines.workflow(SHOP, PIPELINE)
    assert shown is not None
    assert (shown.path, shown.inputs) == ("azure-pipelines.yml", ("environment",))


async def test_a_pipeline_that_is_refused_for_something_else_has_started_nothing(
    service: Service, pipelines: Pipelines
) -> None:
    service.define(12)
    service.refusal = (400, {"message": "no such stage", "typeKey": "PipelineValidationException"})
    with pytest.raises(Failure, match="no such stage") as raised:
        await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs={"correlation": "c"})
    assert raised.value.trouble is Trouble.CONFLICT


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"repository": {"id": "octo/other", "type": "GitHub"}}, "it builds octo/other, not octo/shop"),
        ({"repository": {"id": "octo/shop", "type": "TfsGit"}}, "it builds octo/shop, not octo/shop"),
        ({"queueStatus": "disabled"}, "it is disabled"),
        ({"queueStatus": "paused"}, "it is paused"),
    ],
)
async def test_only_an_enabled_pipeline_of_the_repository_is_started(
    service: Service, pipelines: Pipelines, values: dict[str, Any], words: str
) -> None:
    service.define(12, **values)
    with pytest.raises(Failure, match=words):
        await pipelines.dispatch(SHOP, PIPELINE, ref="main", inputs={})
    assert [method for method, _ in service.asked] == ["GET"]


async def test_a_run_is_found_again_by_what_it_was_handed(service: Service, pipelines: Pipelines) -> None:
    service.build(7, templateParameters={"correlation": "c-1"})
    service.build(8, parameters='{"correlation": "c-2"}')
    service.build(9, parameters="{")
    titles = [(await pipelines.run(SHOP, number)).title for number in (7, 8, 9)]
    assert titles == ["20261130.7 c-1", "20261130.8 c-2", "20261130.9"]


async def test_builds_of_a_merge_are_told_by_its_commit_and_later_ones_by_theirs(
    service: Service, pipelines: Pipelines
) -> None:
    merged = MergedCommit("C_1", "aaa", datetime(2026, 11, 30, 10, tzinfo=UTC), PIPELINE)
    batched = MergedCommit("C_2", "bbb", merged.at, PIPELINE)
    service.build(7, sourceVersion="aaa", reason="individualCI", result="failed")
    service.build(8, sourceVersion="ccc", reason="individualCI")
    service.build(9, sourceVersion="ddd", sourceBranch="refs/heads/other")
    builds = await pipelines.builds([merged, batched])
    assert len(service.asked) == 2, "two pages"
    assert builds["C_2"] == [[]]
    [[found]] = builds["C_1"]  # type: ignore[misc]
    assert (found.file, found.event, found.conclusion, found.id) == (PIPELINE, "push", "failure", 7)
    later = await pipelines.builds([merged, batched], later=True)
    assert [[run.id for run in group] for group in later["C_1"]] == [[7], [8]]  # type: ignore[union-attr]
    assert [[run.id for run in group] for group in later["C_2"]] == [[], [7], [8]]  # type: ignore[union-attr]


async def test_only_who_is_shown_another_pipeline_of_the_project_knows_what_is_gone(
    service: Service, pipelines: Pipelines
) -> None:
    assert await pipelines.sees_others(SHOP)
    service.definitions.clear()
    assert not await pipelines.sees_others(SHOP)


@pytest.mark.parametrize("shown", [{}, {"value": None}, {"value": [{"id": 7}]}, [], {"value": [3]}])
async def test_an_answer_of_another_shape_is_told(
    pipelines: Pipelines, monkeypatch: pytest.MonkeyPatch, shown: Any
) -> None:
    async def answer(_1: Service, _2: Question) -> Reply:
        return Reply(200, shown)

    monkeypatch.setattr(Service, "answer", answer)
    node = str(AzureNode("contoso", PROJECT["id"], "definition", "12"))
    asked: list[Coroutine[Any, Any, object]] = [
        pipelines.past_runs(SHOP, PIPELINE, "main"),
        pipelines.latest_runs([node]),
        pipelines.started_runs(SHOP, PIPELINE, branch=None, since=NOON),
        pipelines.run(SHOP, 7),
    ]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert {getattr(each, "trouble", each) for each in told} == {Trouble.MALFORMED}
    builds = await pipelines.builds([MergedCommit("C_1", "aaa", NOON, PIPELINE)])
    assert isinstance(builds["C_1"], Failure)


async def test_an_organisation_that_is_not_set_up_any_more_has_lost_nothing(pipelines: Pipelines) -> None:
    with pytest.raises(SightLost, match="tailspin is not set up any more"):
        await pipelines.run(SHOP.for_builds("azure-pipelines: tailspin/team/3"), 7)


async def test_a_pipeline_is_shown_with_its_templates_put_in_and_nothing_is_started(
    service: Service, pipelines: Pipelines
) -> None:
    home = service.repos.create("billing", PROJECT)
    service.repos.push(home, "main", {"azure-pipelines.yml": b"extends: {template: build.yml@shared}\n"})
    service.define_there(14, home)
    service.builds.clear()
    service.templates["build.yml@shared"] = "steps:\n- script: make\n"
    pipeline = "azure-pipelines: contoso/team one/14"
    text = await pipelines.expanded(Identity("contoso/team one/billing").for_builds(pipeline), pipeline, "main")
    assert (text, service.builds) == ("steps:\n- script: make\n", {})
    assert service.asked == [("POST", "/contoso/team one/_apis/pipelines/14/preview")]


async def test_who_may_not_see_it_so_is_told_the_right_and_where_it_is_given(
    service: Service, pipelines: Pipelines
) -> None:
    service.lacking.add(QUEUE)
    with pytest.raises(Failure, match="needs Queue builds permissions") as raised:
        await pipelines.expanded(SHOP, PIPELINE, "main")
    assert raised.value.advice == "allow Queue builds: Pipelines, the pipeline, ⋮, Manage security"


async def test_a_template_that_the_service_does_not_find_either_is_its_refusal(
    service: Service, pipelines: Pipelines
) -> None:
    home = service.repos.create("billing", PROJECT)
    service.repos.push(home, "main", {"azure-pipelines.yml": b"extends: {template: gone.yml@shared}\n"})
    service.define_there(14, home)
    with pytest.raises(Failure, match=r"HTTP 400 /azure-pipelines\.yml: File gone\.yml@shared not found"):
        await pipelines.expanded(SHOP, "azure-pipelines: contoso/team one/14", "main")
