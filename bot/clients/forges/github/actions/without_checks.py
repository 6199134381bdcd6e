"""Builds by their runs alone, which REST lists: for credentials that may read Actions, but no checks.

GraphQL shows the state of a run by its check suite only, and a fine-grained token of a user can have no right to
those.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bot.clients.forges.github.bulk import Bulk, nodes_fields, one_by_one
from bot.clients.forges.github.connection.shapes import rows, run_of, shaped
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.runs import BuildRun, Run
from bot.domain.repositories.builds import LatestRuns, PastRun

_COMMIT = "... on Commit { id oid repository { nameWithOwner defaultBranchRef { name } } }"
_LATER = """... on Commit { id oid repository { nameWithOwner defaultBranchRef { name target {
  ... on Commit { history(first: 25) { nodes { oid } } } } } } }"""
_WORKFLOW = "... on Workflow { id state resourcePath }"
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
    nodes = await bulk.ask("workflows", nodes_fields(workflows, _WORKFLOW))
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
