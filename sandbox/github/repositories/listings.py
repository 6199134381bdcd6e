"""Which repositories an organisation, an installation or a user has; the emulator answers none of these in full."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.access.asked import token_of
from sandbox.github.edge import GitHubEdge
from sandbox.github.emulated import State
from sandbox.github.refusals import Refused

Json = Any


@dataclass(frozen=True, slots=True)
class Listings:
    edge: GitHubEdge
    _found: dict[tuple[str, str], tuple[State, list[Json]]] = field(default_factory=dict)
    """Account and token → what the emulator showed, and when: who reads on finds it here on the next page."""

    def __post_init__(self) -> None:
        add = self.edge.routes.add
        add("GET", "/orgs/{org}/repos", self._organisation_repositories)
        add("GET", "/installation/repositories", self._installation_repositories)
        add("GET", "/user/repos", self._user_repositories)

    async def _organisation_repositories(self, request: Request, org: str) -> Response:
        path = "/orgs/{org}/repos"
        if (await self.edge.call("GET", f"/orgs/{quote(org)}", like=request)).status != 200:
            raise Refused(404, "Not Found")
        kind = request.query_params.get("type", "all")
        wanted = {"public": ("private", False), "private": ("private", True)}
        wanted |= {"forks": ("fork", True), "sources": ("fork", False)}
        rows = await self._owned(org, request)
        if kind in wanted:
            field, value = wanted[kind]
            rows = [row for row in rows if row[field] is value]
        rows, links = self.edge.page(request, _sorted(request, rows, "created"))
        return self.edge.reply("GET", path, 200, rows, links)

    async def _installation_repositories(self, request: Request) -> Response:
        grant = self.edge.grant(request)
        if grant is None:
            raise Refused(
                403, "You must authenticate with an installation access token in order to list repositories"
            )
        rows = await self._owned(grant.account, request)
        if grant.repository_ids is not None:
            rows = [row for row in rows if row["id"] in grant.repository_ids]
        shown, links = self.edge.page(request, sorted(rows, key=lambda row: str(row["full_name"])))
        selection = "all" if grant.repository_ids is None else "selected"
        body = {"total_count": len(rows), "repository_selection": selection, "repositories": shown}
        return self.edge.reply("GET", "/installation/repositories", 200, body, links)

    async def _user_repositories(self, request: Request) -> Response:
        if self.edge.grant(request) is not None:
            raise Refused(403, "Resource not accessible by integration")
        own = await self.edge.call("GET", "/user/repos?per_page=100", like=request)
        if own.status != 200:
            raise Refused(own.status, "Requires authentication")
        rows = list(own.body)
        for organisation in (await self.edge.call("GET", "/user/orgs", like=request)).body:
            rows += await self._owned(organisation["login"], request)
        shown, links = self.edge.page(request, _sorted(request, rows, "full_name"))
        return self.edge.reply("GET", "/user/repos", 200, shown, links)

    async def _owned(self, account: str, request: Request) -> list[Json]:
        """All that the caller may see of the account's repositories, oldest first."""
        caller, state = (account, token_of(request)), self.edge.state()
        before, rows = self._found.get(caller, (None, []))
        if before != state:
            rows = await self._searched(account, request)
            self._found[caller] = state, rows
        return list(rows)

    async def _searched(self, account: str, request: Request) -> list[Json]:
        rows: list[Json] = []
        while True:
            page = len(rows) // 100 + 1
            query = f"/search/repositories?q={quote(f'user:{account}')}&per_page=100&page={page}"
            answer = await self.edge.call("GET", query, like=request)
            rows += answer.body["items"]
            if len(answer.body["items"]) < 100:
                return sorted(rows, key=lambda row: int(row["id"]))


def _sorted(request: Request, rows: list[Json], default: str) -> list[Json]:
    field = {"created": "created_at", "updated": "updated_at", "pushed": "pushed_at", "full_name": "full_name"}
    wanted = request.query_params.get("sort", default)
    descending = request.query_params.get("direction", "asc" if wanted == "full_name" else "desc") == "desc"
    key = field.get(wanted, "full_name")
    return sorted(rows, key=lambda row: (row[key] or "", row["id"]), reverse=descending)
