"""How workflows have built: the latest runs of many in few requests, and the past of one by REST."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.clients.forges.github.actions.without_checks import latest_by_runs, past_run_of
from bot.clients.forges.github.bulk import Bulk, nodes_fields
from bot.clients.forges.github.connection.shapes import rows, run_id_in, run_of, shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.builds import MOST_SCHEDULED, LatestRuns, PastRun, WorkflowShown
from bot.domain.repositories.repository import Identity

_MOST_RUNS = 20
"""Of one workflow in one look: more than an hour brings to most."""
_TOGETHER = 50
"""Workflows of one field, each with its runs and their check suites."""
_WORKFLOW = f"""... on Workflow {{ id state runs(first: {_MOST_RUNS}) {{
  totalCount nodes {{ event createdAt updatedAt url checkSuite {{ conclusion branch {{ name }} }} }}
}} }}"""


@dataclass(frozen=True, slots=True)
class BuildsLook:
    """Asks for the newest runs of many workflows, by their node ids, in few requests."""

    bulk: Bulk

    async def latest(self, workflows: Sequence[str]) -> Mapping[str, LatestRuns]:
        """What may not be read of their check suites is asked for by their runs."""
        nodes = await self.bulk.ask("builds", nodes_fields(workflows, _WORKFLOW, _TOGETHER))
        with shaped("list of workflow runs"):
            by_workflow = {node_id: _latest_of(row) for node_id, row in nodes.rows.items() if "runs" in row}
        return by_workflow | await latest_by_runs(self.bulk, list(nodes.denied), _MOST_RUNS)


async def workflow(transport: Transport, repository: Identity, file: str) -> WorkflowShown | None:
    try:
        row = await transport.read(_path(repository, file))
    except Failure as failure:
        if failure.trouble is Trouble.MISSING:
            return None
        raise
    with shaped("workflow"):
        is_deleted = row["state"] == "deleted"
        return None if is_deleted else WorkflowShown(str(row["node_id"]), str(row["state"]))


async def past_runs(transport: Transport, repository: Identity, file: str, branch: str) -> tuple[PastRun, ...]:
    """Asks for the latest runs, the last success and the latest of the schedule; each run once, by listing."""
    runs: list[PastRun] = []
    for parameters in (
        {"branch": branch, "per_page": _MOST_RUNS},
        {"branch": branch, "status": "success", "per_page": 1},
        {"branch": branch, "event": "schedule", "per_page": MOST_SCHEDULED},
    ):
        data = await transport.read(f"{_path(repository, file)}/runs", parameters)
        runs += [_past_run(row) for row in rows(data, "workflow_runs")]
    return tuple(dict.fromkeys(runs))


def _path(repository: Identity, file: str) -> str:
    return f"/repos/{repository.name}/actions/workflows/{quote(file)}"


def _past_run(row: Mapping[str, Any]) -> PastRun:
    run = run_of(row)
    with shaped("run"):
        return past_run_of(run)


def _latest_of(row: Mapping[str, Any]) -> LatestRuns:
    runs_row = row["runs"]
    nodes = [node for node in runs_row["nodes"] if node is not None]
    return LatestRuns(
        str(row["state"]).lower(), tuple(map(_run, nodes)), int(runs_row["totalCount"]) <= len(runs_row["nodes"])
    )


def _run(node: Mapping[str, Any]) -> PastRun:
    suite = node["checkSuite"]
    branch, conclusion, url = suite["branch"], suite["conclusion"], str(node["url"])
    return PastRun(
        datetime.fromisoformat(str(node["createdAt"])),
        str(node["event"]),
        None if branch is None else str(branch["name"]),
        None if conclusion is None else str(conclusion).lower(),
        url,
        run_id_in(url),
        datetime.fromisoformat(str(node["updatedAt"])),
    )
