"""Builds of Azure Pipelines as runs."""

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from bot.clients.forges.azure_devops.builds import checkpoint_of, first_failure, run_of
from bot.clients.forges.azure_devops.names import node_of
from bot.domain.builder.runs import CHECKS, FailedJob
from bot.domain.failure import Failure, Trouble

SWAGGER = Path(__file__).parents[6] / "shared" / "data" / "azure-devops" / "build-7.1.json.xz"


def build(status: str = "completed", result: str | None = "succeeded", **values: Any) -> dict[str, Any]:
    return {
        "_links": {"web": {"href": "https://dev.azure.com/contoso/shop/_build/results?buildId=42"}},
        "id": 42,
        "buildNumber": "20261130.1",
        "status": status,
        "reason": "manual",
        "queueTime": "2026-11-30T10:11:12.1234567Z",
        "sourceBranch": "refs/heads/main",
        "sourceVersion": "c0ffee",
        "project": {"id": "6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c", "name": "shop"},
        **({} if result is None else {"result": result}),
        **values,
    }


def test_a_build_is_a_run_of_its_branch_and_commit() -> None:
    run = run_of(build(), "contoso")
    assert (run.id, run.status, run.conclusion) == (42, "completed", "success")
    assert (run.branch, run.commit, run.event) == ("main", "c0ffee", "workflow_dispatch")
    assert run.created_at is not None
    assert run.created_at.utcoffset() is not None
    assert node_of(run.node_id or "").id == "42"


@pytest.mark.parametrize("status", ["notStarted", "postponed", "inProgress", "cancelling"])
def test_what_goes_on_has_no_conclusion(status: str) -> None:
    run = run_of(build(status, None), "contoso")
    assert (run.has_concluded, run.conclusion) == (False, None)


@pytest.mark.parametrize("result", ["partiallySucceeded", "failed", "canceled", "none", "somethingNew"])
def test_nothing_but_a_success_is_one(result: str) -> None:
    assert run_of(build(result=result), "contoso").conclusion not in ("success", "neutral", None)


def test_what_judges_a_pull_request_builds_nothing() -> None:
    assert run_of(build(reason="pullRequest", sourceBranch="refs/pull/3/merge"), "contoso").event in CHECKS


@pytest.mark.parametrize("row", [None, {}, {"id": "x"}, build(queueTime="soon")])
def test_what_is_no_build_is_told(row: Any) -> None:
    with pytest.raises(Failure) as failed:
        run_of(row, "contoso")
    assert failed.value.trouble is Trouble.MALFORMED


def record(kind: str, name: str, result: str | None = "failed", **values: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "name": name, "result": result, "state": "completed", **values}


def test_a_red_build_is_told_with_its_task_and_first_error() -> None:
    issues = [{"type": "warning", "message": "old"}, {"type": "error", "message": "no space\nleft on device"}]
    records = [
        record("Stage", "build"),
        record("Job", "image"),
        record("Task", "checkout", "succeeded", parentId="image"),
        record("Task", "Docker@2", parentId="image", issues=issues),
    ]
    assert first_failure(records) == FailedJob("image", "Docker@2", "no space left on device")
    assert first_failure([record("Job", "image", "succeeded")]) is None


@pytest.mark.parametrize(
    ("kind", "approvers", "words"),
    [
        ("Checkpoint.Approval", (), "approval of stage pro duction"),
        ("Checkpoint.Approval", ("Ada",), "approval of stage pro duction by Ada"),
        (
            "Checkpoint.Approval",
            ("Ada", "[shop]\\Ops", "Ada"),
            "approval of stage pro duction by Ada or [shop]\\Ops",
        ),
        ("Checkpoint.TaskCheck", (), "a check of stage pro duction"),
    ],
)
def test_a_build_at_a_checkpoint_waits_for_people_or_checks(
    kind: str, approvers: tuple[str, ...], words: str
) -> None:
    stage = {"id": "s", "type": "Stage", "name": "pro\nduction", "state": "pending"}
    point = {"id": "p", "type": "Checkpoint", "parentId": "s", "state": "inProgress"}
    asked = {"id": "a", "type": kind, "parentId": "p", "state": "inProgress"}
    checkpoint = checkpoint_of([asked, point, stage])
    assert checkpoint is not None
    assert checkpoint.waits_for(approvers) == words


def test_a_build_past_its_checkpoints_waits_for_nobody() -> None:
    assert checkpoint_of([record("Checkpoint", "Checkpoint", "succeeded"), record("Job", "image")]) is None


@pytest.mark.skipif(not SWAGGER.exists(), reason="the published descriptions are not there")
def test_every_published_status_and_result_is_known() -> None:
    described = json.loads(lzma.decompress(SWAGGER.read_bytes()))["definitions"]["Build"]["properties"]
    for status in {*described["status"]["enum"]} - {"none", "all"}:
        assert run_of(build(status, None), "contoso").status in {"queued", "in_progress", "completed"}
    for result in {*described["result"]["enum"]} - {"none"}:
        assert run_of(build(result=result), "contoso").conclusion != result
