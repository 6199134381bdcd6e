"""The requests that the bot makes of GitHub, each one call and one value."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.clients.forges.github.shapes import pull_request_of, repository_of, rows, run_of, shaped, tree_of
from bot.clients.forges.github.transport import GitHubAccess, Transport
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge import FileChange, PullRequest, Run
from bot.domain.repository import Repository, Tree, blob_name

_GITHUB_ITSELF = "noreply@github.com"
"""The committer of what is committed through its API or its pages, whoever the author is."""

_MOST_TEXT = 1024 * 1024
"""Bytes of text in one request for a tree."""


class GitHub:
    """Every method raises `Failure`; none keeps state of its own."""

    def __init__(self, access: GitHubAccess, clock: Clock) -> None:
        self._transport = Transport(access, clock)
        self._as_app = not hasattr(access.credentials, "token")

    async def close(self) -> None:
        await self._transport.close()

    # Reading the fleet

    async def repositories(self, owners: Sequence[str] | None) -> list[Repository]:
        """All repositories of the installation, or of the named organisations and users (100 to a request).

        None for `owners` means whoever there is, which only an App's installation can tell. Raises `Failure`.
        """
        if self._as_app:
            return await self._listed("/installation/repositories", key="repositories")
        if owners is None:
            raise Failure(
                Trouble.MALFORMED,
                "a token cannot list repositories whose owner is left open",
                where="github.repositories.include",
                advice='write "OWNER/*" for each organisation or user, or use a GitHub App',
            )
        found: list[Repository] = []
        for owner in owners:
            found += await self._owned(owner)
        return found

    async def _owned(self, owner: str) -> list[Repository]:
        try:
            return await self._listed(f"/orgs/{quote(owner)}/repos", {"type": "all"})
        except Failure as failure:
            if failure.trouble is not Trouble.MISSING:
                raise
        # No organisation. The token's own user sees private repositories too, of others only the public ones.
        if await self._login() == owner.lower():
            return await self._listed("/user/repos", {"affiliation": "owner"})
        try:
            return await self._listed(f"/users/{quote(owner)}/repos", {"type": "owner"})
        except Failure as failure:
            if failure.trouble is not Trouble.MISSING:
                raise
            raise Failure(
                Trouble.MISSING,
                f"there is no organisation or user {owner!r} that this token may see",
                where="github.repositories.include",
                advice="check the name, and that the token is authorised for the organisation",
                status=failure.status,
            ) from failure

    async def _login(self) -> str:
        with shaped("user"):
            return str((await self._transport.read("/user"))["login"]).lower()

    async def _listed(
        self, path: str, parameters: Mapping[str, Any] | None = None, key: str | None = None
    ) -> list[Repository]:
        found: list[Repository] = []
        async for page in self._transport.pages(path, parameters):
            with shaped("list of repositories"):
                found += [repository_of(row) for row in rows(page, key)]
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
        with shaped("tree"):
            tree = tree_of(data)
        # PyGithub follows the redirect of a renamed repository without the query, so without what is in folders.
        is_flat = all("/" not in entry.path for entry in tree.entries)
        has_folders = any(entry.kind == "tree" for entry in tree.entries)
        return replace(tree, truncated=True) if is_flat and has_folders else tree

    async def subtree(self, repository: str, sha: str) -> Tree:
        """One folder of a tree, for trees that the host truncates."""
        data = await self._transport.read(f"/repos/{repository}/git/trees/{sha}")
        with shaped("tree"):
            return tree_of(data)

    async def blob(self, repository: str, sha: str) -> bytes:
        """A file's content; raises `Failure` where it is not what its name says."""
        data = await self._transport.read(f"/repos/{repository}/git/blobs/{sha}")
        with shaped("blob"):
            content = str(data["content"])
            body = content.encode() if data.get("encoding") == "utf-8" else base64.b64decode(content)
        if blob_name(body, sha) != sha:
            raise Failure(Trouble.MALFORMED, f"the content is not that of {sha[:12]}", where=repository)
        return body

    # Changing one repository

    async def default_branch(self, repository: str) -> str:
        """Its name as of now."""
        with shaped("repository"):
            return str((await self._transport.read(f"/repos/{repository}"))["default_branch"])

    async def branch_head(self, repository: str, branch: str) -> str | None:
        """The commit at the tip of a branch, None where there is no such branch."""
        try:
            data = await self._transport.read(f"/repos/{repository}/git/ref/heads/{quote(branch)}")
        except Failure as failure:
            if failure.trouble is Trouble.MISSING or failure.status == 409:
                return None
            raise
        with shaped("branch"):
            return str(data["object"]["sha"])

    async def commit(self, repository: str, sha: str) -> tuple[str, tuple[str, ...], str, bool]:
        """Of a commit: its tree, its parents, its message, and whether another than its author has changed it."""
        data = await self._transport.read(f"/repos/{repository}/git/commits/{sha}")
        with shaped("commit"):
            author, committer = (str(data[who].get("email")) for who in ("author", "committer"))
            return (
                str(data["tree"]["sha"]),
                tuple(str(parent["sha"]) for parent in data["parents"]),
                str(data["message"]),
                committer not in (author, _GITHUB_ITSELF),
            )

    async def create_commit(
        self, repository: str, *, parent: str, tree: str, files: Sequence[FileChange], message: str
    ) -> str:
        """A commit on `parent` that changes only `files`; no branch moves.

        Text goes along with the tree: a write for each of many files would take long, and GitHub counts them.
        """
        room = _MOST_TEXT
        entries = []
        for file in files:
            text = _text(file.content) if len(file.content) <= room else None
            room -= len(file.content) if text is not None else 0
            holds = {"sha": await self._new_blob(repository, file.content)} if text is None else {"content": text}
            entries.append({"path": file.path, "mode": file.mode, "type": "blob", **holds})
        with shaped("tree"):
            changed = {"base_tree": tree, "tree": entries}
            new_tree = str((await self._transport.write("POST", f"/repos/{repository}/git/trees", changed))["sha"])
        with shaped("commit"):
            made = {"message": message, "tree": new_tree, "parents": [parent]}
            return str((await self._transport.write("POST", f"/repos/{repository}/git/commits", made))["sha"])

    async def _new_blob(self, repository: str, content: bytes) -> str:
        body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
        with shaped("blob"):
            return str((await self._transport.write("POST", f"/repos/{repository}/git/blobs", body))["sha"])

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
        found = [pull_request_of(row) for row in rows(data, None)]
        return [request for request in found if request.branch == branch]

    async def pull_request(self, repository: str, number: int) -> PullRequest:
        return pull_request_of(await self._transport.read(f"/repos/{repository}/pulls/{number}"))

    async def create_pull_request(
        self, repository: str, *, branch: str, onto: str, title: str, body: str
    ) -> PullRequest:
        data = await self._transport.write(
            "POST",
            f"/repos/{repository}/pulls",
            {"title": title, "body": body, "head": branch, "base": onto, "maintainer_can_modify": True},
        )
        return pull_request_of(data)

    async def update_pull_request(self, repository: str, number: int, *, title: str, body: str) -> None:
        await self._transport.write("PATCH", f"/repos/{repository}/pulls/{number}", {"title": title, "body": body})

    async def close_pull_request(self, repository: str, number: int, *, body: str) -> None:
        await self._transport.write(
            "PATCH", f"/repos/{repository}/pulls/{number}", {"state": "closed", "body": body}
        )

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
        with shaped("run"):
            return int(data["workflow_run_id"]) if isinstance(data, dict) and "workflow_run_id" in data else None

    async def dispatched_runs(
        self, repository: str, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
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
        runs = [run_of(row) for row in rows(data, "workflow_runs")]
        return sorted(runs, key=lambda run: run.id)

    async def run(self, repository: str, run: int) -> Run:
        return run_of(await self._transport.read(f"/repos/{repository}/actions/runs/{run}"))


def _text(content: bytes) -> str | None:
    """None for what JSON cannot carry as it is."""
    try:
        return None if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return None
