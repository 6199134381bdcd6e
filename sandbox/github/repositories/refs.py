"""Branches: what GitHub does beyond moving a name when one is made, moved or deleted."""

import asyncio
import base64
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.access.permissions import require_for_workflows
from sandbox.github.edge import GitHubEdge
from sandbox.github.pull_requests.pull_requests import PullRequests
from sandbox.github.pull_requests.requirements import GOOD
from sandbox.github.refusals import Refused
from sandbox.github.repositories.git import GITHUB_ITSELF
from sandbox.github.repositories.rules import Move

Json = Any
REFS = "/repos/{owner}/{repo}/git/refs"
HEADS = "refs/heads/"


@dataclass(slots=True)
class Lag:
    """A read right after a write may show what was before: `looks` times for each branch that moves."""

    looks: int = 0
    _before: dict[tuple[str, str], tuple[str | None, int]] = field(default_factory=dict)

    def moved(self, name: str, ref: str, before: str | None) -> None:
        if self.looks:
            self._before[name, ref] = (before, self.looks)

    def shown(self, name: str, ref: str, now: str | None) -> str | None:
        """The commit that a read is shown."""
        before, left = self._before.get((name, ref), (now, 0))
        if not left:
            return now
        self._before[name, ref] = (before, left - 1)
        return before


@dataclass(frozen=True, slots=True)
class Refs:
    """Branches by REST and by whatever else makes, moves or deletes them.

    Whoever compares before it changes holds the repository's `locks` for both, so that of two one is refused.
    """

    edge: GitHubEdge
    requests: PullRequests
    lag: Lag = field(default_factory=Lag)
    locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def __post_init__(self) -> None:
        add = self.edge.routes.add
        add("POST", REFS, self._create)
        add("PATCH", REFS + "/heads/{branch:path}", self._moved)
        add("DELETE", REFS + "/heads/{branch:path}", self._delete)
        add("POST", "/repos/{owner}/{repo}/git/commits", self._commit)
        add("POST", "/repos/{owner}/{repo}/git/blobs", self._content)
        add("POST", "/repos/{owner}/{repo}/git/trees", self._content)
        add("PUT", "/repos/{owner}/{repo}/contents/{path:path}", self._write_file)

    # --- by REST ---

    async def _create(self, request: Request, owner: str, repo: str) -> Response:
        body = await request.json()
        made = await self.create(request, f"{owner}/{repo}", str(body.get("ref")), str(body.get("sha")))
        return self.edge.reply("POST", REFS, 201, made)

    async def _moved(self, request: Request, owner: str, repo: str, branch: str) -> Response:
        body = await request.json()
        moved = await self.move(
            request, f"{owner}/{repo}", HEADS + branch, str(body.get("sha")), force=bool(body.get("force"))
        )
        return self.edge.reply("PATCH", REFS + "/{ref}", 200, moved)

    async def _delete(self, request: Request, owner: str, repo: str, branch: str) -> Response:
        await self.delete(request, f"{owner}/{repo}", HEADS + branch)
        return self.edge.reply("DELETE", REFS + "/{ref}", 204, None)

    async def _commit(self, request: Request, owner: str, repo: str) -> Response:
        """What an App commits without a name or signature of its own is signed by GitHub."""
        body = await request.json()
        signed = self.edge.grant(request) is not None and not {"author", "committer", "signature"} & body.keys()
        path = f"/repos/{owner}/{repo}/git/commits"
        committer = {"committer": GITHUB_ITSELF} if signed else {}
        made = await self._asked("POST", path, {**body, **committer}, request)
        if signed:
            self.edge.signed.add(made["sha"])
            made = (await self.edge.call("GET", f"{path}/{made['sha']}")).body
        return self.edge.reply("POST", "/repos/{owner}/{repo}/git/commits", 201, made)

    async def _content(self, request: Request, owner: str, repo: str) -> Response:
        """A blob, or a tree that brings texts along: what push protection looks into."""
        body = await request.json()
        for given in (body, *(body.get("tree") or ())):
            text = str(given.get("content") or "")
            content = base64.b64decode(text) if given.get("encoding") == "base64" else text.encode()
            self.requests.requirements.rules.check_content(
                self.edge.identities.number_of(f"{owner}/{repo}") or 0, content
            )
        return await self.edge.forward(request)

    async def _write_file(self, request: Request, owner: str, repo: str, path: str) -> Response:
        require_for_workflows(self.edge.rights(request), [path])
        response = await self.edge.forward(request)
        if response.status_code in (200, 201):
            sha = json.loads(bytes(response.body))["commit"]["sha"]
            repository = (await self.edge.call("GET", f"/repos/{owner}/{repo}")).body
            branch = (await request.json()).get("branch") or repository["default_branch"]
            await self.pushed(request, f"{owner}/{repo}", HEADS + branch, sha)
        return response

    # --- whichever way it is asked for; all raise `Refused` ---

    async def check(self, request: Request, name: str, ref: str, before: str | None, after: str | None) -> None:
        """Whether this may be done to a branch that is at `before`; `after` is None where it is to go."""
        if before is not None and ref.startswith(HEADS):
            await self.requests.check_unlocked(name, ref.removeprefix(HEADS))
        if after is not None:
            await self._check_workflows(request, name, before, after)
        if ref.startswith(HEADS) and not self.edge.is_operator(request):
            move = await self._move(name, ref.removeprefix(HEADS), before, after)
            number = self.edge.identities.number_of(name) or 0
            self.requests.requirements.rules.check(number, move)

    async def _move(self, name: str, branch: str, before: str | None, after: str | None) -> Move:
        git = self.requests.git
        commit = await git.commit(name, after) if after else None
        compared = await git.compare(name, before, after) if before and after else None
        is_forward = compared is None or not compared["behind_by"]
        checks = self.requests.requirements.checks(self.edge.identities.number_of(name) or 0, after or "")
        passed = frozenset(check for check, conclusion in checks.items() if conclusion in GOOD)
        message = commit["message"] if commit else ""
        return Move(branch, before, after, message, is_forward, after in self.edge.signed, passed)

    async def _check_workflows(self, request: Request, name: str, before: str | None, after: str) -> None:
        grant = self.edge.rights(request)
        if grant is None or grant.may("workflows", "write"):
            return
        git = self.requests.git
        known = [before] if before else list((await git.refs(name, HEADS)).values())
        files = await git.files(name, after)
        old = [await git.files(name, sha) for sha in dict.fromkeys(known)]
        changed = [path for path in files if all(there.get(path) != files[path] for there in old)]
        require_for_workflows(grant, changed)

    async def create(self, request: Request, name: str, ref: str, sha: str) -> Json:
        await self.check(request, name, ref, None, sha)
        made = await self._asked("POST", f"/repos/{name}/git/refs", {"ref": ref, "sha": sha}, request)
        self.lag.moved(name, ref, None)
        await self.pushed(request, name, ref, sha)
        return made

    async def move(self, request: Request, name: str, ref: str, sha: str, *, force: bool) -> Json:
        before = await self._require(name, ref)
        await self.check(request, name, ref, before, sha)
        self.lag.moved(name, ref, before)
        moved = await self._asked("PATCH", _address(name, ref), {"sha": sha, "force": force}, request)
        await self.pushed(request, name, ref, sha)
        return moved

    async def delete(self, request: Request, name: str, ref: str) -> None:
        """GitHub closes the pull requests of a branch that goes away."""
        await self.check(request, name, ref, await self._require(name, ref), None)
        pulls = await self.requests.of_branch(name, ref.removeprefix(HEADS)) if ref.startswith(HEADS) else []
        for pull in pulls:
            await self.requests.keep(name, pull["number"])
        await self._asked("DELETE", _address(name, ref), None, request)
        for pull in pulls:
            await self.edge.call("PATCH", f"/repos/{name}/pulls/{pull['number']}", {"state": "closed"})

    async def pushed(self, request: Request, name: str, ref: str, sha: str) -> None:
        """What follows from a branch that points to another commit now."""
        if not ref.startswith(HEADS):
            return
        branch = ref.removeprefix(HEADS)
        self.edge.pushed(name)
        await self.requests.actions.event(request, name, "push", branch, sha)
        for pull in await self.requests.of_branch(name, branch):
            if not await self.requests.close_if_empty(name, pull):
                await self.requests.actions.event(request, name, "pull_request", branch, sha)

    async def _require(self, name: str, ref: str) -> str:
        found = await self.requests.git.ref(name, ref)
        if found is None:
            raise Refused(422, "Reference does not exist")
        return found

    async def _asked(self, method: str, path: str, body: Json, request: Request) -> Json:
        answer = await self.edge.call(method, path, body, like=request)
        if answer.status >= 400:
            raise Refused(answer.status, str(answer.body.get("message", "")), answer.body.get("errors"))
        return answer.body


def _address(name: str, ref: str) -> str:
    return f"/repos/{name}/git/refs/{quote(ref.removeprefix('refs/'))}"
