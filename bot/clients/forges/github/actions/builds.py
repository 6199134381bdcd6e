"""How workflows have built: the latest runs of many in few requests, and the past of one by REST.

GraphQL shows the state of a run by its check suite only, and a fine-grained token of a user can have no right to
those.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.clients.forges.github.bulk import Bulk, nodes_fields, one_by_one
from bot.clients.forges.github.connection.shapes import rows, run_id_in, run_of, shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.builder.runs import BuildRun, Run
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.builds import MOST_SCHEDULED, LatestRuns, PastRun, WorkflowShown
from bot.domain.repositories.repository import Identity

_COMMIT = "... on Commit { id oid repository { nameWithOwner defaultBranchRef { name } } }"
_LATER = """... on Commit { id oid repository { nameWithOwner defaultBranchRef { name target {
  ... on Commit { history(first: 25) { nodes { oid } } } } } } }"""
_NAMED_WORKFLOW = "... on Workflow { id state resourcePath }"
_HIDDEN = frozenset({Trouble.DENIED, Trouble.MISSING})


async def builds_by_runs(
    bulk: Bulk, commits: Sequence[str], *, later: bool
) -> dict[str, Sequence[Sequence[BuildRun]] | Failure]:
    """The runs on commits of default branches, by the commits' node ids, or why they are not told at present; one
    request for each, with `later` those on the commits that came since as well, for one more. What is gone, or may
    not be read either, is not in it."""
    if not commits:
        return {}
    nodes = await bulk.ask("commits", nodes_fields(commits, _LATER if later else _COMMIT))
    groups_by_commit = await one_by_one(nodes.rows, lambda row: _groups(bulk, row))
    return {node_id: groups for node_id, groups in groups_by_commit.items() if not _is_hidden(groups)}


def _is_hidden(result: object) -> bool:
    return isinstance(result, Failure) and result.trouble in _HIDDEN


async def _groups(bulk: Bulk, row: Mapping[str, Any]) -> Sequence[Sequence[BuildRun]]:
    with shaped("commit"):
        path = f"/repos/{row['repository']['nameWithOwner']}/actions/runs"
        branch = row["repository"]["defaultBranchRef"] or {"name": ""}
        history = [commit["oid"] for commit in branch["target"]["history"]["nodes"]] if "target" in branch else []
        newer = history[: history.index(row["oid"])] if row["oid"] in history else []
        oid, name = str(row["oid"]), str(branch["name"])
    own = await _list_runs(bulk, path, {"head_sha": oid})
    others = await _list_runs(bulk, path, {"branch": name}) if newer else []
    return (
        tuple(build for run, build in own if run.branch in (name, None)),
        *(tuple(build for run, build in others if run.commit == each) for each in reversed(newer)),
    )


async def _list_runs(bulk: Bulk, path: str, filters: Mapping[str, str]) -> list[tuple[Run, BuildRun]]:
    data = await bulk.transport.read(path, {**filters, "per_page": 100})
    return [(run_of(row), _build_of(row)) for row in rows(data, "workflow_runs")]


def _build_of(row: Mapping[str, Any]) -> BuildRun:
    run = run_of(row)
    return BuildRun(
        str(row.get("path") or ""), run.event, run.status, run.conclusion, run.url, run.commit, run.number, run.id
    )


async def latest_by_runs(bulk: Bulk, workflows: Sequence[str], most: int) -> dict[str, LatestRuns]:
    """The latest runs of workflows, by their node ids, one request for each; those that cannot be told at present
    are not in it. Raises `Failure` where GitHub asks for a pause."""
    if not workflows:
        return {}
    nodes = await bulk.ask("workflows", nodes_fields(workflows, _NAMED_WORKFLOW))
    runs_by_workflow = await one_by_one(nodes.rows, lambda row: _latest_runs_of(bulk, row, most))
    for runs in runs_by_workflow.values():
        if isinstance(runs, Failure) and runs.pauses_host:
            raise runs
    return {node_id: runs for node_id, runs in runs_by_workflow.items() if not isinstance(runs, Failure)}


async def _latest_runs_of(bulk: Bulk, row: Mapping[str, Any], most: int) -> LatestRuns:
    with shaped("workflow"):
        owner, name, _, _, file = str(row["resourcePath"]).strip("/").split("/", 4)
        path = f"/repos/{owner}/{name}/actions/workflows/{quote(file, safe='')}/runs"
    data = await bulk.transport.read(path, {"per_page": most})
    with shaped("list of workflow runs"):
        runs = tuple(past_run_of(run_of(each)) for each in rows(data, "workflow_runs"))
        return LatestRuns(str(row["state"]).lower(), runs, int(data["total_count"]) <= len(runs))


def past_run_of(run: Run) -> PastRun:
    """Raises `ValueError` for one that does not tell when it was made."""
    if run.created_at is None:
        raise ValueError("no created_at")
    return PastRun(run.created_at, run.event, run.branch, run.conclusion, run.url, run.id, run.updated_at)


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
