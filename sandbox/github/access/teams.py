"""Teams of an organisation, as GitHub shows one that was just made."""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.edge import GitHubEdge
from sandbox.github.refusals import Refused

TEAMS = "/orgs/{org}/teams"


@dataclass(frozen=True, slots=True)
class Teams:
    edge: GitHubEdge

    def __post_init__(self) -> None:
        self.edge.routes.add("POST", TEAMS, self._create)

    async def _create(self, request: Request, org: str) -> Response:
        made = await self.edge.call("POST", f"/orgs/{quote(org)}/teams", await request.json(), like=request)
        if made.status != 201:
            raise Refused(made.status, str(made.body.get("message")), made.body.get("errors"))
        organisation = (await self.edge.call("GET", f"/orgs/{quote(org)}", like=request)).body
        now = self.edge.now()
        counted = {"created_at": now, "updated_at": now, "members_count": 0, "repos_count": 0}
        return self.edge.reply("POST", TEAMS, 201, {**made.body, **counted, "organization": organisation})
