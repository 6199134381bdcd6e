"""Pull requests as GitHub keeps them, by REST.

The emulator accepts a second pull request for the same head, forgets to follow the head branch, and merges what the
branches were when the pull request was opened.
"""

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.edge import GitHubEdge
from sandbox.github.pull_requests.pull_requests import PullRequests
from sandbox.github.refusals import Refused

Json = Any

PULLS = "/repos/{owner}/{repo}/pulls"
PULL = PULLS + "/{pull_number}"


@dataclass(frozen=True, slots=True)
class Pulls:
    edge: GitHubEdge
    requests: PullRequests

    def __post_init__(self) -> None:
        add = self.edge.routes.add
        add("POST", PULLS, self._open)
        add("GET", PULLS, self._list)
        add("GET", PULLS + "/{number}", self._get)
        add("PATCH", PULLS + "/{number}", self._change)
        add("PUT", PULLS + "/{number}/merge", self._merge)
        add("POST", PULLS + "/{number}/reviews", self._review)
        add("POST", PULLS + "/{number}/requested_reviewers", self._request_reviews)

    async def _open(self, request: Request, owner: str, repo: str) -> Response:
        pull = await self.requests.open(request, f"{owner}/{repo}", await request.json())
        return self.edge.reply("POST", PULLS, 201, pull)

    async def _review(self, request: Request, owner: str, repo: str, number: str) -> Response:
        """The emulator answers 201 where GitHub does not."""
        response = await self.edge.forward(request)
        if response.status_code == 201:
            response.status_code = 200
        return response

    async def _list(self, request: Request, owner: str, repo: str) -> Response:
        response = await self.edge.forward(request)
        return await self._followed(response, f"{owner}/{repo}", "GET", PULLS)

    async def _get(self, request: Request, owner: str, repo: str, number: str) -> Response:
        name = f"{owner}/{repo}"
        pull = await self._found(name, number)
        if pull["state"] == "open":
            mergeable = {"MERGEABLE": True, "CONFLICTING": False, "UNKNOWN": None}[
                await self.requests.mergeable(name, pull)
            ]
            state = "unknown" if mergeable is None else await self.requests.merge_state(name, pull)
            pull = {**pull, "mergeable": mergeable, "mergeable_state": state}
        return self.edge.reply("GET", PULL, 200, pull)

    async def _change(self, request: Request, owner: str, repo: str, number: str) -> Response:
        pull = await self.requests.change(request, f"{owner}/{repo}", number, await request.json())
        return self.edge.reply("PATCH", PULL, 200, pull)

    async def _merge(self, request: Request, owner: str, repo: str, number: str) -> Response:
        body = json.loads(await request.body() or b"{}")
        sha = await self.requests.merge(request, f"{owner}/{repo}", number, body)
        merged = {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}
        return self.edge.reply("PUT", PULL + "/merge", 200, merged)

    async def _request_reviews(self, request: Request, owner: str, repo: str, number: str) -> Response:
        name, body = f"{owner}/{repo}", await request.json()
        pull = await self._found(name, number)
        people, teams = body.get("reviewers") or [], body.get("team_reviewers") or []
        pull = await self.requests.request_reviews(request, name, pull, people=people, teams=teams)
        return self.edge.reply("POST", PULL + "/requested_reviewers", 201, pull)

    async def _found(self, name: str, number: str) -> Json:
        pull = await self.requests.current(name, number)
        if pull is None:
            raise Refused(404, "Not Found")
        return pull

    async def _followed(self, response: Response, name: str, method: str, path: str) -> Response:
        if response.status_code not in (200, 201):
            return response
        body = json.loads(bytes(response.body))
        rows = [await self.requests.follow(name, pull) for pull in (body if isinstance(body, list) else [body])]
        links = {"link": response.headers["link"]} if "link" in response.headers else {}
        shown = rows if isinstance(body, list) else rows[0]
        return self.edge.reply(method, path, response.status_code, shown, links)
