"""Following many pull requests, runs and builds in few requests: several fields of 100 node ids in each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.clients.forges.github.graphql import Graph, in_parts
from bot.clients.forges.github.shapes import shaped
from bot.clients.forges.github.transport import Transport
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.forge import BuildRun, Followed, PullRequestState, RunState

MOST_IDS = 100
"""Of one `nodes` field; GitHub refuses more."""
MOST_FIELDS = 10
"""Of one request, where GitHub does not ask for less."""
_MOST_HISTORIES = 10
"""Commits of one field whose later commits are asked for: each of them counts as two dozen nodes and more."""

READY = frozenset({"CLEAN", "UNSTABLE", "HAS_HOOKS"})
"""GitHub's words for a pull request that it would merge; in the second, checks that it does not require are red."""

_PULL_REQUEST = """... on PullRequest {
  id number url state mergeable mergedAt mergeCommit { id oid } labels(first: 50) { nodes { name } }
  mergeStateStatus autoMergeRequest { mergeMethod } isInMergeQueue
}"""
_RUN = "... on CheckSuite { id status conclusion }"
_SUITES = """checkSuites(first: 20) {
  nodes { status conclusion branch { name } workflowRun { event url file { path } } }
}"""
_COMMIT = f"... on Commit {{ id {_SUITES} repository {{ defaultBranchRef {{ name }} }} }}"
_LATER = f"""... on Commit {{ id {_SUITES} repository {{ defaultBranchRef {{ name target {{
  ... on Commit {{ history(first: 25) {{ nodes {{ id {_SUITES} }} }} }} }} }} }} }}"""


@dataclass(slots=True)
class Following:
    """Halves its requests where one is too heavy for GitHub, and takes a field more again with each that is not."""

    transport: Transport
    fields: int = MOST_FIELDS

    async def look(self, pull_requests: Sequence[str], runs: Sequence[str]) -> Followed:
        found_requests: dict[str, PullRequestState] = {}
        found_runs: dict[str, RunState] = {}
        rows = await self._rows([*_parts(pull_requests, _PULL_REQUEST), *_parts(runs, _RUN)])
        with shaped("list of pull requests and runs"):
            for row in rows:
                if "number" in row:
                    found_requests[str(row["id"])] = _pull_request_of(row)
                elif "status" in row:
                    found_runs[str(row["id"])] = _run_of(row)
        return Followed(found_requests, found_runs)

    async def builds(self, commits: Sequence[str], *, later: bool) -> dict[str, Sequence[Sequence[BuildRun]]]:
        parts = _parts(commits, _LATER, _MOST_HISTORIES) if later else _parts(commits, _COMMIT)
        rows = await self._rows(parts)
        with shaped("list of builds"):
            return {str(row["id"]): _groups_of(row) for row in rows if "checkSuites" in row}

    async def _rows(self, parts: Sequence["_Part"]) -> list[Mapping[str, Any]]:
        """The nodes of all parts that there are."""
        found: list[Mapping[str, Any]] = []
        waiting = list(parts)
        while waiting:
            asked, rest = waiting[: self.fields], waiting[self.fields :]
            graph = await self._asked(asked)
            if graph is None:
                self.fields = max(len(asked) // 2, 1)
                waiting = [*(_halves(asked[0]) if len(asked) == 1 else asked), *rest]
                continue
            self.fields = min(self.fields + 1, MOST_FIELDS)
            with shaped("list of nodes"):
                found += _nodes(graph, len(asked))
            waiting = rest
        return found

    async def _asked(self, parts: Sequence["_Part"]) -> Graph | None:
        """None where it was more than GitHub answers at once."""
        kinds = ", ".join(f"$n{number}: [ID!]!" for number in range(len(parts)))
        fields = " ".join(
            f"n{number}: nodes(ids: $n{number}) {{ {part.selection} }}" for number, part in enumerate(parts)
        )
        variables = {f"n{number}": list(part.ids) for number, part in enumerate(parts)}
        try:
            graph = await self.transport.query(f"query follow({kinds}) {{ {fields} }}", variables)
        except Failure as failure:
            if failure.status in (502, 504) and (len(parts) > 1 or len(parts[0].ids) > 1):
                return None
            raise
        if graph.is_too_heavy:
            if len(parts) == 1 and len(parts[0].ids) == 1:
                raise Failure(Trouble.UNREACHABLE, graph.errors[0].message, where=graph.where)
            return None
        for error in graph.errors:
            if error.kind != "NOT_FOUND":
                raise error.failure(graph.where)
        return graph


@dataclass(frozen=True, slots=True)
class _Part:
    ids: tuple[str, ...]
    selection: str


def _parts(ids: Sequence[str], selection: str, most: int = MOST_IDS) -> list[_Part]:
    return [_Part(tuple(part), selection) for part in in_parts(list(dict.fromkeys(ids)), most)]


def _halves(part: _Part) -> list[_Part]:
    middle = (len(part.ids) + 1) // 2
    return [_Part(ids, part.selection) for ids in (part.ids[:middle], part.ids[middle:]) if ids]


def _nodes(graph: Graph, fields: int) -> list[Mapping[str, Any]]:
    rows = [row for number in range(fields) for row in graph.data.get(f"n{number}") or ()]
    return [row for row in rows if isinstance(row, Mapping) and "id" in row]


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
        _build_of(suite, suite["workflowRun"])
        for suite in suites
        if suite["workflowRun"] and (suite["branch"] and suite["branch"]["name"]) in branches
    )


def _build_of(suite: Mapping[str, Any], run: Mapping[str, Any]) -> BuildRun:
    file, state = run["file"], _run_of(suite)
    path = str(file["path"]) if file else ""
    return BuildRun(path, str(run["event"]), state.status, state.conclusion, str(run["url"]))
