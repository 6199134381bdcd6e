"""Following many pull requests, runs and builds in few requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.clients.forges.github.bulk import Bulk, nodes_fields
from bot.clients.forges.github.connection.shapes import run_id_in, shaped
from bot.domain.forge.looks import Followed
from bot.domain.forge.pull_requests import PullRequestState
from bot.domain.forge.runs import BuildRun, RunState

_MOST_HISTORIES = 10
"""Commits of one field whose later commits are asked for: each of them counts as two dozen nodes and more."""

READY = frozenset({"CLEAN", "UNSTABLE", "HAS_HOOKS"})
"""GitHub's words for a pull request that it would merge; in the second, checks that it does not require are red."""

_PULL_REQUEST = """... on PullRequest {
  id number url state mergeable mergedAt mergeCommit { id oid } labels(first: 50) { nodes { name } }
  mergeStateStatus autoMergeRequest { mergeMethod } isInMergeQueue repository { isArchived }
}"""
_RUN = "... on CheckSuite { id status conclusion commit { oid } workflowRun { runNumber } }"
_SUITES = """checkSuites(first: 20) {
  nodes { status conclusion branch { name } workflowRun { event url runNumber file { path } } }
}"""
_COMMIT = f"... on Commit {{ id oid {_SUITES} repository {{ defaultBranchRef {{ name }} }} }}"
_LATER = f"""... on Commit {{ id oid {_SUITES} repository {{ defaultBranchRef {{ name target {{
  ... on Commit {{ history(first: 25) {{ nodes {{ id oid {_SUITES} }} }} }} }} }} }} }}"""


@dataclass(frozen=True, slots=True)
class Following:
    """How far pull requests, runs and builds are, asked for many at once by their node ids."""

    bulk: Bulk

    async def look(self, pull_requests: Sequence[str], runs: Sequence[str]) -> Followed:
        """The states of those that are still there."""
        found_requests: dict[str, PullRequestState] = {}
        found_runs: dict[str, RunState] = {}
        parts = [*nodes_fields(pull_requests, _PULL_REQUEST), *nodes_fields(runs, _RUN)]
        rows = await self.bulk.rows("follow", parts)
        with shaped("list of pull requests and runs"):
            for row in rows:
                if "number" in row:
                    found_requests[str(row["id"])] = _pull_request_of(row)
                elif "status" in row:
                    run = row["workflowRun"]
                    number = int(run["runNumber"]) if run else None
                    found_runs[str(row["id"])] = replace(_run_of(row), commit=row["commit"]["oid"], number=number)
        return Followed(found_requests, found_runs)

    async def builds(self, commits: Sequence[str], *, later: bool) -> dict[str, Sequence[Sequence[BuildRun]]]:
        """The runs of each commit, by its node id; with `later` also those of commits that came after it."""
        parts = nodes_fields(commits, _LATER, _MOST_HISTORIES) if later else nodes_fields(commits, _COMMIT)
        rows = await self.bulk.rows("follow", parts)
        with shaped("list of builds"):
            return {str(row["id"]): _groups_of(row) for row in rows if "checkSuites" in row}


def _pull_request_of(row: Mapping[str, Any]) -> PullRequestState:
    merge_commit = row["mergeCommit"]
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
        bool(row["repository"]["isArchived"]),
    )


def _run_of(row: Mapping[str, Any]) -> RunState:
    conclusion = row["conclusion"]
    return RunState(str(row["status"]).lower(), str(conclusion).lower() if conclusion else None)


def _groups_of(row: Mapping[str, Any]) -> Sequence[Sequence[BuildRun]]:
    """The runs on a commit, then those on each later one of the default branch, the oldest first."""
    branch = row["repository"]["defaultBranchRef"] or {"name": ""}
    history = branch["target"]["history"]["nodes"] if branch.get("target") else []
    ids = [commit["id"] for commit in history]
    newer = history[: ids.index(row["id"])] if row["id"] in ids else []
    own = _builds_of(row, (branch["name"], None))
    return (own, *(_builds_of(commit, (branch["name"],)) for commit in reversed(newer)))


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
