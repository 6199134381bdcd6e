"""Pull requests as GitHub keeps them.

The emulator accepts a second pull request for the same head, forgets to follow the head branch, and merges what the
branches were when the pull request was opened.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.actions import Actions
from sandbox.github.edge import GitHubEdge, Refused

Json = Any
Files = dict[str, tuple[str, str]]
"""Path → mode and blob."""

PULLS = "/repos/{owner}/{repo}/pulls"
PULL = PULLS + "/{pull_number}"
REFS = "/repos/{owner}/{repo}/git/refs"


@dataclass(slots=True)
class Pulls:
    edge: GitHubEdge
    actions: Actions
    _kept: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)
    """Head and merge commit of pull requests that are closed."""

    def __post_init__(self) -> None:
        add = self.edge.routes.add
        add("POST", PULLS, self._open)
        add("GET", PULLS, self._list)
        add("GET", PULLS + "/{number}", self._get)
        add("PATCH", PULLS + "/{number}", self._change)
        add("PUT", PULLS + "/{number}/merge", self._merge)
        add("POST", PULLS + "/{number}/requested_reviewers", self._request_reviews)
        add("POST", REFS, self._create_reference)
        add("PATCH", REFS + "/heads/{branch:path}", self._move_branch)
        add("DELETE", REFS + "/heads/{branch:path}", self._delete_branch)
        add("PUT", "/repos/{owner}/{repo}/contents/{path:path}", self._write_file)

    # --- handlers ---

    async def _open(self, request: Request, owner: str, repo: str) -> Response:
        body = await request.json()
        name, base = f"{owner}/{repo}", str(body.get("base", ""))
        head = str(body.get("head", "")).removeprefix(f"{owner}:")
        tips = {}
        for role, branch in (("head", head), ("base", base)):
            tips[role] = await self._tip(name, branch)
            if tips[role] is None:
                raise _invalid(role)
        label = f"{owner}:{head}"
        query = f"?state=open&head={quote(label)}&base={quote(base)}"
        if (await self.edge.call("GET", f"/repos/{name}/pulls{query}")).body:
            raise _unprocessable(f"A pull request already exists for {label}.")
        compared = await self.edge.call("GET", f"/repos/{name}/compare/{tips['base']}...{tips['head']}")
        if tips["head"] == tips["base"] or (compared.status == 200 and compared.body["ahead_by"] == 0):
            raise _unprocessable(f"No commits between {base} and {head}")
        response = await self.edge.forward(request)
        if response.status_code == 201:
            opened = json.loads(bytes(response.body))
            await self.actions.event(request, name, "pull_request", head, opened["head"]["sha"])
        return await self._followed(response, name, "POST", PULLS)

    async def _list(self, request: Request, owner: str, repo: str) -> Response:
        return await self._followed(await self.edge.forward(request), f"{owner}/{repo}", "GET", PULLS)

    async def _get(self, request: Request, owner: str, repo: str, number: str) -> Response:
        response = await self._followed(await self.edge.forward(request), f"{owner}/{repo}", "GET", PULL)
        pull = json.loads(bytes(response.body))
        if response.status_code != 200 or pull["state"] != "open":
            return response
        clean = await self._merged_files(f"{owner}/{repo}", pull) is not None
        judged = {"mergeable": clean, "mergeable_state": "clean" if clean else "dirty"}
        return self.edge.reply("GET", PULL, 200, {**pull, **judged})

    async def _change(self, request: Request, owner: str, repo: str, number: str) -> Response:
        name = f"{owner}/{repo}"
        if (await request.json()).get("state") == "closed":
            await self._keep(name, number)
        return await self._followed(await self.edge.forward(request), name, "PATCH", PULL)

    async def _merge(self, request: Request, owner: str, repo: str, number: str) -> Response:
        name, body = f"{owner}/{repo}", json.loads(await request.body() or b"{}")
        pull = await self._current(name, number)
        if pull is None or pull["state"] != "open":
            raise Refused(405 if pull else 404, "Pull Request is not mergeable" if pull else "Not Found")
        if body.get("sha") not in (None, pull["head"]["sha"]):
            raise Refused(409, "Head branch was modified. Review and try the merge again.")
        tip = await self._tip(name, pull["base"]["ref"])
        files = await self._merged_files(name, pull)
        if files is None or tip is None:
            raise Refused(405, "Pull Request is not mergeable")
        await self._keep(name, number)
        response = await self._forward_merge(request, name, number)
        if response.status_code != 200:
            return response
        merged = json.loads(bytes(response.body))
        squashed = body.get("merge_method") in ("squash", "rebase")
        parents = [tip] if squashed else [tip, pull["head"]["sha"]]
        sha = await self._commit(name, files, parents, merged["sha"])
        ref = f"/repos/{name}/git/refs/heads/{quote(pull['base']['ref'])}"
        await self.edge.call("PATCH", ref, {"sha": sha, "force": True})
        self._kept[name, int(number)]["merge_commit_sha"] = sha
        await self._moved(request, name, pull["base"]["ref"], sha)
        return self.edge.reply("PUT", PULL + "/merge", 200, {**merged, "sha": sha})

    async def _request_reviews(self, request: Request, owner: str, repo: str, number: str) -> Response:
        response = await self.edge.forward(request)
        if response.status_code == 200:  # GitHub says that it created something
            response.status_code = 201
        return await self._followed(response, f"{owner}/{repo}", "POST", PULL + "/requested_reviewers")

    async def _create_reference(self, request: Request, owner: str, repo: str) -> Response:
        response = await self.edge.forward(request)
        if response.status_code == 201:
            body = await request.json()
            await self._moved(request, f"{owner}/{repo}", body["ref"].removeprefix("refs/heads/"), body["sha"])
        return response

    async def _move_branch(self, request: Request, owner: str, repo: str, branch: str) -> Response:
        if await self._tip(f"{owner}/{repo}", branch) is None:
            raise Refused(422, "Reference does not exist")
        response = await self.edge.forward(request)
        if response.status_code == 200:
            sha = json.loads(bytes(response.body))["object"]["sha"]
            await self._moved(request, f"{owner}/{repo}", branch, sha)
        return response

    async def _delete_branch(self, request: Request, owner: str, repo: str, branch: str) -> Response:
        """GitHub closes the pull requests of a branch that goes away."""
        name = f"{owner}/{repo}"
        if await self._tip(name, branch) is None:
            raise Refused(422, "Reference does not exist")
        query = f"/repos/{name}/pulls?state=open&head={quote(f'{owner}:{branch}')}"
        pulls = (await self.edge.call("GET", query)).body
        for pull in pulls:
            await self._keep(name, pull["number"])
        response = await self.edge.forward(request)
        if response.status_code == 204:
            for pull in pulls:
                await self.edge.call("PATCH", f"/repos/{name}/pulls/{pull['number']}", {"state": "closed"})
        return response

    async def _write_file(self, request: Request, owner: str, repo: str, path: str) -> Response:
        response = await self.edge.forward(request)
        if response.status_code in (200, 201):
            sha = json.loads(bytes(response.body))["commit"]["sha"]
            repository = (await self.edge.call("GET", f"/repos/{owner}/{repo}")).body
            branch = (await request.json()).get("branch") or repository["default_branch"]
            await self._moved(request, f"{owner}/{repo}", branch, sha)
        return response

    # --- what they share ---

    async def _moved(self, request: Request, name: str, branch: str, sha: str) -> None:
        self.edge.pushed(name)
        await self.actions.event(request, name, "push", branch, sha)

    async def _tip(self, name: str, branch: str) -> str | None:
        answer = await self.edge.call("GET", f"/repos/{name}/git/ref/heads/{quote(branch)}")
        return str(answer.body["object"]["sha"]) if branch and answer.status == 200 else None

    async def _current(self, name: str, number: str | int) -> Json:
        answer = await self.edge.call("GET", f"/repos/{name}/pulls/{number}")
        return await self._follow(name, answer.body) if answer.status == 200 else None

    async def _keep(self, name: str, number: str | int) -> None:
        if (pull := await self._current(name, number)) is not None:
            self._kept.setdefault((name, int(number)), {})["head"] = pull["head"]["sha"]

    async def _followed(self, response: Response, name: str, method: str, path: str) -> Response:
        if response.status_code not in (200, 201):
            return response
        body = json.loads(bytes(response.body))
        rows = [await self._follow(name, pull) for pull in (body if isinstance(body, list) else [body])]
        links = {"link": response.headers["link"]} if "link" in response.headers else {}
        shown = rows if isinstance(body, list) else rows[0]
        return self.edge.reply(method, path, response.status_code, shown, links)

    async def _follow(self, name: str, pull: Json) -> Json:
        """The pull request with the head that its branch has now, or had when it was closed."""
        kept = self._kept.get((name, pull["number"]), {})
        head = await self._tip(name, pull["head"]["ref"]) if pull["state"] == "open" else kept.get("head")
        head = head or pull["head"]["sha"]
        changed: dict[str, Json] = {"head": {**pull["head"], "sha": head}}
        if "merge_commit_sha" in kept:
            changed["merge_commit_sha"] = kept["merge_commit_sha"]
        return {**pull, **changed}

    async def _merged_files(self, name: str, pull: Json) -> Files | None:
        """The files after a three-way merge; None where both sides changed a file differently."""
        base = await self._tip(name, pull["base"]["ref"])
        compared = await self.edge.call("GET", f"/repos/{name}/compare/{base}...{pull['head']['sha']}")
        ancestor = compared.body["merge_base_commit"]["sha"]
        before, ours, theirs = [await self._files(name, sha) for sha in (ancestor, base, pull["head"]["sha"])]
        merged = dict(ours)
        for path in before.keys() | theirs.keys():
            if theirs.get(path) == before.get(path):
                continue
            if ours.get(path) not in (before.get(path), theirs.get(path)):
                return None
            if path in theirs:
                merged[path] = theirs[path]
            else:
                merged.pop(path, None)
        return merged

    async def _files(self, name: str, sha: str | None) -> Files:
        tree = (await self.edge.call("GET", f"/repos/{name}/git/trees/{sha}?recursive=1")).body["tree"]
        return {entry["path"]: (entry["mode"], entry["sha"]) for entry in tree if entry["type"] == "blob"}

    async def _commit(self, name: str, files: Mapping[str, tuple[str, str]], parents: list[str], like: str) -> str:
        """A commit of exactly `files`, with the message of commit `like`."""
        entries = [{"path": p, "mode": mode, "type": "blob", "sha": sha} for p, (mode, sha) in files.items()]
        tree = (await self.edge.call("POST", f"/repos/{name}/git/trees", {"tree": entries})).body["sha"]
        message = (await self.edge.call("GET", f"/repos/{name}/git/commits/{like}")).body["message"]
        commit = {"message": message, "tree": tree, "parents": parents}
        return str((await self.edge.call("POST", f"/repos/{name}/git/commits", commit)).body["sha"])

    async def _forward_merge(self, request: Request, name: str, number: str) -> Response:
        """The emulator compares `sha` with a head that it does not follow, so it is asked without one."""
        body = {key: value for key, value in json.loads(await request.body() or b"{}").items() if key != "sha"}
        answer = await self.edge.call("PUT", f"/repos/{name}/pulls/{number}/merge", body, like=request)
        headers = {"content-type": "application/json; charset=utf-8"}
        return Response(json.dumps(answer.body).encode(), answer.status, headers)


def _unprocessable(message: str) -> Refused:
    return Refused(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}])


def _invalid(field_name: str) -> Refused:
    return Refused(422, "Validation Failed", [{"resource": "PullRequest", "field": field_name, "code": "invalid"}])
