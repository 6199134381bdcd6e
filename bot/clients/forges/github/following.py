"""Following many pull requests, runs and builds in few requests."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.clients.forges.github.actions.builds import builds_by_runs
from bot.clients.forges.github.bulk import Bulk, NodesField, NodesShown, nodes_fields, one_by_one
from bot.clients.forges.github.connection.shapes import run_id_in, shaped
from bot.domain.builder.runs import BuildRun, FollowedRuns, RunState
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import FollowedRequests
from bot.domain.forge.pull_requests import PullRequestState

_MOST_HISTORIES = 10
"""Commits of one field whose later commits are asked for: each of them counts as two dozen nodes and more."""

READY = frozenset({"CLEAN", "UNSTABLE", "HAS_HOOKS"})
"""GitHub's words for a pull request that it would merge; in the second, checks that it does not require are red."""

_PULL_REQUEST = """... on PullRequest {
  id number url state mergeable mergedAt mergeCommit { id oid } labels(first: 50) { nodes { name } }
  mergeStateStatus autoMergeRequest { mergeMethod } isInMergeQueue baseRefName
  repository { isArchived defaultBranchRef { name } }
}"""
_RUN = "... on CheckSuite { id status conclusion commit { oid } workflowRun { runNumber } }"
_SUITE = "status conclusion branch { name } workflowRun { event url runNumber file { path } }"
_SUITES = f"checkSuites(first: 20) {{ nodes {{ {_SUITE} }} pageInfo {{ hasNextPage endCursor }} }}"
_FURTHER_SUITES = f"""query suites($id: ID!, $after: String) {{ found: node(id: $id) {{ ... on Commit {{
  checkSuites(first: 100, after: $after) {{ nodes {{ {_SUITE} }} pageInfo {{ hasNextPage endCursor }} }}
}} }} }}"""
_MOST_PAGES = 10
"""Of a commit's check suites: every App that is installed makes one."""
_COMMIT = f"... on Commit {{ id oid {_SUITES} repository {{ defaultBranchRef {{ name }} }} }}"
_LATER = f"""... on Commit {{ id oid {_SUITES} repository {{ defaultBranchRef {{ name target {{
  ... on Commit {{ history(first: 25) {{ nodes {{ id oid {_SUITES} }} }} }} }} }} }} }}"""


@dataclass(slots=True)
class Following:
    """How far pull requests, runs and builds are, asked for many at once by their node ids."""

    bulk: Bulk
    _parts: list[NodesField] = field(default_factory=list)
    _look: "asyncio.Task[NodesShown] | None" = None

    async def requests(self, node_ids: Sequence[str]) -> FollowedRequests:
        """Returns the states of those that are still there, and why others may not be seen."""
        nodes = await self._shown(nodes_fields(node_ids, _PULL_REQUEST))
        with shaped("list of pull requests"):
            rows = _rows_with("number", node_ids, nodes)
            states = {node_id: _pull_request_of(row) for node_id, row in rows.items()}
        return FollowedRequests(states, _denied_of(node_ids, nodes))

    async def runs(self, node_ids: Sequence[str]) -> FollowedRuns:
        """Returns the states of those that are still there, and why others may not be seen."""
        nodes = await self._shown(nodes_fields(node_ids, _RUN))
        with shaped("list of runs"):
            rows = _rows_with("status", node_ids, nodes)
            states = {node_id: _followed_run_of(row) for node_id, row in rows.items()}
        return FollowedRuns(states, _denied_of(node_ids, nodes))

    async def _shown(self, parts: Sequence[NodesField]) -> NodesShown:
        """What one look shows of these, and of all else that is followed at the same moment."""
        self._parts += parts
        if self._look is None:
            self._look = asyncio.create_task(self._look_at_all())
        return await asyncio.shield(self._look)

    async def _look_at_all(self) -> NodesShown:
        parts, self._parts, self._look = self._parts, [], None
        return await self.bulk.ask("follow", parts)

    async def builds(
        self, commits: Sequence[str], *, later: bool
    ) -> dict[str, Sequence[Sequence[BuildRun]] | Failure]:
        """The runs of each commit, by its node id, or why GitHub does not tell them at present.

        With `later` also those of commits that came after it.

        Where check suites may not be read, as with a fine-grained token, the runs themselves are asked for.
        """
        parts = nodes_fields(commits, _LATER, _MOST_HISTORIES) if later else nodes_fields(commits, _COMMIT)
        nodes = await self.bulk.ask("follow", parts)
        hidden = [node_id for node_id, failure in nodes.denied.items() if failure.trouble is Trouble.DENIED]
        builds: dict[str, Sequence[Sequence[BuildRun]] | Failure] = {
            node_id: failure for node_id, failure in nodes.denied.items() if node_id not in hidden
        }
        with_suites = {node_id: row for node_id, row in nodes.rows.items() if "checkSuites" in row}
        builds |= await one_by_one(with_suites, self._whole)
        return builds | await builds_by_runs(self.bulk, hidden, later=later)

    async def _whole(self, commit: Mapping[str, Any]) -> Sequence[Sequence[BuildRun]]:
        await self._complete(commit)
        with shaped("list of builds"):
            return _groups_of(commit)

    async def _complete(self, commit: Mapping[str, Any]) -> None:
        """Adds the check suites of a commit, and of those shown with it, that its first page does not hold."""
        with shaped("list of builds"):
            for each in (commit, *_history_of(commit)):
                suites = each["checkSuites"]
                for _ in range(_MOST_PAGES):
                    if suites is None or not suites["pageInfo"]["hasNextPage"]:
                        break
                    variables = {"id": each["id"], "after": suites["pageInfo"]["endCursor"]}
                    graph = await self.bulk.transport.query(_FURTHER_SUITES, variables)
                    graph.check()
                    further = graph.data["found"]["checkSuites"]
                    suites["nodes"] += further["nodes"]
                    suites["pageInfo"] = further["pageInfo"]


def _pull_request_of(row: Mapping[str, Any]) -> PullRequestState:
    merge_commit, home = row["mergeCommit"], row["repository"]
    return PullRequestState(
        int(row["number"]),
        str(row["url"]),
        row["state"] == "OPEN",
        row["state"] == "MERGED",
        row["mergeable"] == "CONFLICTING",
        str(merge_commit["oid"]) if merge_commit else None,
        str(merge_commit["id"]) if merge_commit else None,
        datetime.fromisoformat(row["mergedAt"]) if row["mergedAt"] else None,
        tuple(str(label["name"]) for label in row["labels"]["nodes"]),
        row["mergeStateStatus"] in READY,
        bool(row["autoMergeRequest"] or row["isInMergeQueue"]),
        bool(home["isArchived"]),
        str(row["baseRefName"]),
        str(home["defaultBranchRef"]["name"]) if home["defaultBranchRef"] else None,
    )


def _rows_with(key: str, node_ids: Sequence[str], nodes: NodesShown) -> dict[str, Mapping[str, Any]]:
    """What is shown of these; an id that is of something else shows none of its fields."""
    return {each: nodes.rows[each] for each in node_ids if key in nodes.rows.get(each, ())}


def _denied_of(node_ids: Sequence[str], nodes: NodesShown) -> dict[str, Failure]:
    return {each: nodes.denied[each] for each in node_ids if each in nodes.denied}


def _followed_run_of(row: Mapping[str, Any]) -> RunState:
    number = int(row["workflowRun"]["runNumber"]) if row["workflowRun"] else None
    return replace(_run_of(row), commit=row["commit"]["oid"], number=number)


def _run_of(row: Mapping[str, Any]) -> RunState:
    conclusion = row["conclusion"]
    return RunState(str(row["status"]).lower(), str(conclusion).lower() if conclusion else None)


def _groups_of(row: Mapping[str, Any]) -> Sequence[Sequence[BuildRun]]:
    """The runs on a commit, then those on each later one of the default branch, the oldest first."""
    branch = row["repository"]["defaultBranchRef"] or {"name": ""}
    history = _history_of(row)
    names = [commit["oid"] for commit in history]
    newer = history[: names.index(row["oid"])] if row["oid"] in names else []
    own = _builds_of(row, (branch["name"], None))
    return (own, *(_builds_of(commit, (branch["name"],)) for commit in reversed(newer)))


def _history_of(row: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The newest commits of the default branch, where they were asked for."""
    branch = row["repository"]["defaultBranchRef"]
    return branch["target"]["history"]["nodes"] if branch and branch.get("target") else ()


def _builds_of(commit: Mapping[str, Any], branches: Sequence[str | None]) -> tuple[BuildRun, ...]:
    """Its runs on one of these branches (None: a branch that is gone); other apps' check suites have no run."""
    suites = commit["checkSuites"]["nodes"] if commit["checkSuites"] else ()
    return tuple(
        _build_of(suite, suite["workflowRun"], str(commit["oid"]))
        for suite in suites
        if suite["workflowRun"] and (suite["branch"] and suite["branch"]["name"]) in branches
    )


def _build_of(suite: Mapping[str, Any], run: Mapping[str, Any], commit: str) -> BuildRun:
    file, state = run["file"], _run_of(suite)
    path = str(file["path"]) if file else ""
    number, url = int(run["runNumber"]), str(run["url"])
    event = str(run["event"])
    return BuildRun(path, event, state.status, state.conclusion, url, commit, number, run_id_in(url))
