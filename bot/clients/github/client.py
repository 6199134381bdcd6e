"""The requests that the bot makes of GitHub, each one call and one value."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.clients.github.transport import GitHubAccess, Transport
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.host import FileChange, PullRequest, Run
from bot.domain.repository import Repository, Tree, TreeEntry


class GitHub:
    """Every method raises `Failure`; none keeps state of its own."""

    def __init__(self, access: GitHubAccess, clock: Clock) -> None:
        self._transport = Transport(access, clock)
        self._as_app = not hasattr(access.credentials, "token")

    async def close(self) -> None:
        await self._transport.close()

    # Reading the fleet

    async def repositories(self, owners: Sequence[str]) -> list[Repository]:
        """All repositories of the installation, or of the named organisations (100 to a request)."""
        found: list[Repository] = []
        if self._as_app:
            async for page in self._transport.pages("/installation/repositories"):
                found += [_repository(row) for row in _rows(page, "repositories")]
            return found
        for owner in owners:
            async for page in self._transport.pages(f"/orgs/{quote(owner)}/repos", {"type": "all"}):
                found += [_repository(row) for row in _rows(page, None)]
        return found

    async def tree(self, repository: str, ref: str) -> Tree | None:
        """The whole tree of a branch or tree sha; None for a repository without commits."""
        try:
            data = await self._transport.read(
                f"/repos/{repository}/git/trees/{quote(ref, safe='')}", {"recursive": "1"}
            )
        except Failure as failure:
            if failure.status == 409:
                return None
            raise
        return _tree(data)

    async def subtree(self, repository: str, sha: str) -> Tree:
        """One folder of a tree, for trees that the host truncates."""
        return _tree(await self._transport.read(f"/repos/{repository}/git/trees/{sha}"))

    async def blob(self, repository: str, sha: str) -> bytes:
        data = await self._transport.read(f"/repos/{repository}/git/blobs/{sha}")
        if data.get("encoding") == "utf-8":
            return str(data["content"]).encode()
        return base64.b64decode(data["content"])

    # Changing one repository

    async def branch_head(self, repository: str, branch: str) -> str | None:
        """The commit at the tip of a branch, None where there is no such branch."""
        try:
            data = await self._transport.read(f"/repos/{repository}/git/ref/heads/{quote(branch)}")
        except Failure as failure:
            if failure.trouble is Trouble.MISSING or failure.status == 409:
                return None
            raise
        return str(data["object"]["sha"])

    async def commit(self, repository: str, sha: str) -> tuple[str, tuple[str, ...], str]:
        """Of a commit: its tree, its parents, its message."""
        data = await self._transport.read(f"/repos/{repository}/git/commits/{sha}")
        return (
            str(data["tree"]["sha"]),
            tuple(str(parent["sha"]) for parent in data["parents"]),
            str(data["message"]),
        )

    async def create_commit(
        self, repository: str, *, parent: str, tree: str, files: Sequence[FileChange], message: str
    ) -> str:
        """A commit on `parent` that changes only `files`; no branch moves."""
        entries = []
        for file in files:
            content = base64.b64encode(file.content).decode()
            blob = await self._transport.write(
                "POST", f"/repos/{repository}/git/blobs", {"content": content, "encoding": "base64"}
            )
            entries.append({"path": file.path, "mode": file.mode, "type": "blob", "sha": blob["sha"]})
        new_tree = await self._transport.write(
            "POST", f"/repos/{repository}/git/trees", {"base_tree": tree, "tree": entries}
        )
        commit = await self._transport.write(
            "POST",
            f"/repos/{repository}/git/commits",
            {"message": message, "tree": new_tree["sha"], "parents": [parent]},
        )
        return str(commit["sha"])

    async def create_branch(self, repository: str, branch: str, sha: str) -> None:
        await self._transport.write(
            "POST", f"/repos/{repository}/git/refs", {"ref": f"refs/heads/{branch}", "sha": sha}
        )

    async def move_branch(self, repository: str, branch: str, sha: str) -> None:
        """Forced: only ever called for the bot's own branches."""
        await self._transport.write(
            "PATCH", f"/repos/{repository}/git/refs/heads/{quote(branch)}", {"sha": sha, "force": True}
        )

    async def pull_requests(self, repository: str, branch: str) -> list[PullRequest]:
        """All pull requests from `branch`, open or not, newest first."""
        owner = repository.partition("/")[0]
        data = await self._transport.read(
            f"/repos/{repository}/pulls",
            {"head": f"{owner}:{branch}", "state": "all", "sort": "created", "direction": "desc"},
        )
        found = [_pull_request(row) for row in _rows(data, None)]
        return [request for request in found if request.branch == branch]

    async def pull_request(self, repository: str, number: int) -> PullRequest:
        return _pull_request(await self._transport.read(f"/repos/{repository}/pulls/{number}"))

    async def create_pull_request(
        self, repository: str, *, branch: str, onto: str, title: str, body: str
    ) -> PullRequest:
        data = await self._transport.write(
            "POST",
            f"/repos/{repository}/pulls",
            {"title": title, "body": body, "head": branch, "base": onto, "maintainer_can_modify": True},
        )
        return _pull_request(data)

    async def update_pull_request(self, repository: str, number: int, *, title: str, body: str) -> None:
        await self._transport.write("PATCH", f"/repos/{repository}/pulls/{number}", {"title": title, "body": body})

    async def close_pull_request(self, repository: str, number: int) -> None:
        await self._transport.write("PATCH", f"/repos/{repository}/pulls/{number}", {"state": "closed"})

    async def add_labels(self, repository: str, number: int, labels: Sequence[str]) -> None:
        await self._transport.write("POST", f"/repos/{repository}/issues/{number}/labels", {"labels": list(labels)})

    async def request_review(
        self, repository: str, number: int, *, people: Sequence[str], teams: Sequence[str]
    ) -> None:
        await self._transport.write(
            "POST",
            f"/repos/{repository}/pulls/{number}/requested_reviewers",
            {"reviewers": list(people), "team_reviewers": list(teams)},
        )

    # Workflows

    async def dispatch(self, repository: str, workflow: str, *, ref: str, inputs: Mapping[str, str]) -> int | None:
        """Starts a workflow; the run's id where the host tells it, else None."""
        data = await self._transport.write(
            "POST",
            f"/repos/{repository}/actions/workflows/{quote(workflow)}/dispatches",
            {"ref": ref, "inputs": dict(inputs), "return_run_details": True},
        )
        return int(data["workflow_run_id"]) if isinstance(data, dict) and "workflow_run_id" in data else None

    async def dispatched_runs(self, repository: str, workflow: str, *, branch: str | None, since: datetime) -> list[Run]:
        """Dispatched runs of a workflow created at or after `since`, oldest first."""
        data = await self._transport.read(
            f"/repos/{repository}/actions/workflows/{quote(workflow)}/runs",
            {
                "event": "workflow_dispatch",
                **({"branch": branch} if branch else {}),
                "created": f">={since:%Y-%m-%dT%H:%M:%SZ}",
                "per_page": 100,
            },
        )
        runs = [_run(row) for row in _rows(data, "workflow_runs")]
        return sorted(runs, key=lambda run: run.id)

    async def run(self, repository: str, run: int) -> Run:
        return _run(await self._transport.read(f"/repos/{repository}/actions/runs/{run}"))


def _rows(data: Any, key: str | None) -> list[dict[str, Any]]:
    rows = data.get(key) if key is not None and isinstance(data, dict) else data
    if not isinstance(rows, list):
        raise Failure(Trouble.MALFORMED, f"a list was expected{f' under {key!r}' if key else ''}")
    return [row for row in rows if isinstance(row, dict)]


def _repository(row: Mapping[str, Any]) -> Repository:
    return Repository(
        name=str(row["full_name"]),
        default_branch=str(row.get("default_branch") or "main"),
        pushed_at=_moment(row.get("pushed_at")),
        archived=bool(row.get("archived")),
        disabled=bool(row.get("disabled")),
        fork=bool(row.get("fork")),
        topics=tuple(str(topic) for topic in row.get("topics") or ()),
    )


def _tree(data: Mapping[str, Any]) -> Tree:
    entries = tuple(
        TreeEntry(
            path=str(row["path"]),
            sha=str(row.get("sha") or ""),
            mode=str(row.get("mode")),
            kind=str(row.get("type")),
            size=int(row.get("size") or 0),
        )
        for row in _rows(data, "tree")
    )
    return Tree(str(data["sha"]), entries, bool(data.get("truncated")))


def _pull_request(row: Mapping[str, Any]) -> PullRequest:
    return PullRequest(
        number=int(row["number"]),
        url=str(row.get("html_url") or ""),
        branch=str(row["head"]["ref"]),
        head=str(row["head"]["sha"]),
        title=str(row.get("title") or ""),
        body=str(row.get("body") or ""),
        is_open=row.get("state") == "open",
        is_merged=bool(row.get("merged") or row.get("merged_at")),
        merge_commit=row.get("merge_commit_sha"),
        labels=tuple(str(label["name"]) for label in row.get("labels") or ()),
    )


def _run(row: Mapping[str, Any]) -> Run:
    return Run(
        id=int(row["id"]),
        url=str(row.get("html_url") or ""),
        status=str(row.get("status") or ""),
        conclusion=row.get("conclusion"),
        created_at=_moment(row.get("created_at")),
        title=str(row.get("display_title") or ""),
    )


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None
