"""The latest runs of many workflows in few requests."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.clients.forges.github.actions.builds import BuildsLook
from bot.clients.forges.github.bulk import MOST_IDS, Bulk
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.builds import LatestRuns, PastRun

WORKFLOWS = [f"W_{number}" for number in range(1_000)]
SUITE = {"conclusion": "SUCCESS", "branch": {"name": "main"}}
PAGE = "https://github/contoso/shop/actions/runs/30000000001"
TIMES = {"createdAt": "2026-11-23T02:00:00Z", "updatedAt": "2026-11-23T02:09:00Z"}
RUN = {"event": "schedule", "url": PAGE, "checkSuite": SUITE, **TIMES}


def row_of(node: str, **values: Any) -> dict[str, Any]:
    return {"id": node, "state": "ACTIVE", "runs": {"totalCount": 3, "nodes": [RUN]}} | values


def answered(variables: Mapping[str, Any]) -> dict[str, Any]:
    assert all(len(ids) <= MOST_IDS for ids in variables.values())
    return {"data": {name: [row_of(node) for node in ids] for name, ids in variables.items()}}


async def test_a_thousand_workflows_take_two_requests(graphs: Callable[..., Any]) -> None:
    asked = graphs(answered)
    shown = await BuildsLook(Bulk(asked)).latest(WORKFLOWS)
    assert (len(shown), len(asked.asked)) == (1_000, 2)
    at = datetime(2026, 11, 23, 2, tzinfo=UTC)
    assert shown["W_7"] == LatestRuns(
        "active",
        (PastRun(at, "schedule", "main", "success", PAGE, 30_000_000_001, at + timedelta(minutes=9)),),
        are_all=False,
    )


async def test_a_run_that_goes_on_or_whose_branch_is_gone_is_shown_so(graphs: Callable[..., Any]) -> None:
    nodes = [RUN | {"checkSuite": {"conclusion": None, "branch": None}}, None]
    row = row_of("W_1", state="DISABLED_INACTIVITY", runs={"totalCount": 1, "nodes": nodes})
    shown = (await BuildsLook(Bulk(graphs({"data": {"n0": [row]}}))).latest(["W_1"]))["W_1"]
    assert (shown.state, shown.are_all) == ("disabled_inactivity", True)
    assert [(run.branch, run.conclusion) for run in shown.runs] == [(None, None)]


async def test_a_workflow_that_is_gone_is_not_shown(graphs: Callable[..., Any]) -> None:
    gone = {"type": "NOT_FOUND", "path": ["n0", 0], "message": "Could not resolve to a node"}
    answer = {"data": {"n0": [None, row_of("W_2")]}, "errors": [gone]}
    assert list(await BuildsLook(Bulk(graphs(answer))).latest(["W_1", "W_2"])) == ["W_2"]


@pytest.mark.parametrize("runs", [None, {}, {"totalCount": 1, "nodes": [{"event": "push"}]}])
async def test_an_answer_of_another_shape_is_a_failure(graphs: Callable[..., Any], runs: Any) -> None:
    with pytest.raises(Failure) as failed:
        await BuildsLook(Bulk(graphs({"data": {"n0": [row_of("W_1", runs=runs)]}}))).latest(["W_1"])
    assert failed.value.trouble is Trouble.MALFORMED
