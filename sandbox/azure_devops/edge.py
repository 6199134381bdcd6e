"""Azure DevOps on loopback: organisations whose pipelines build what the sandbox's GitHub holds."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.azure_devops.asked import Question
from sandbox.azure_devops.service import Service
from sandbox.edges.edge import Edge, Surroundings
from sandbox.organisation import Organisation

TOKEN = "azure-devops-sandbox-token"


@dataclass(frozen=True, slots=True)
class GitHubSources:
    """What the sandbox's GitHub holds, as a service connection reads it."""

    organisation: Organisation

    async def head(self, repository: str, branch: str) -> str | None:
        try:
            return await self.organisation.head(repository, branch)
        except RuntimeError:
            return None

    async def text(self, repository: str, path: str, commit: str) -> str | None:
        try:
            return await self.organisation.read(repository, path, commit)
        except FileNotFoundError:
            return None


class AzureDevOpsEdge(Edge):
    """`organizations` by their names in lower case; of another nobody knows anything."""

    service = "azure"

    def __init__(self, url: str, surroundings: Surroundings, github: Organisation) -> None:
        super().__init__("", surroundings)
        self.url = url
        self.organizations = {
            name: Service(None, surroundings.clock, TOKEN, GitHubSources(github))
            for name in ("contoso", "fabrikam")
        }
        github.actions.on_pushed.append(self._pushed)

    async def answer(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode().partition("?")[0]
        service = self.organizations.get(path.split("/")[1].lower())
        if service is None:
            return Response(status_code=404)
        content = await request.body()
        body: Any = json.loads(content) if content else None
        said = request.headers.get("authorization", "")
        reply = await service.answer(Question(request.method, path, dict(request.query_params), said, body))
        self.surroundings.traffic.violations += service.mistakes
        service.mistakes = []
        if isinstance(reply.content, str | bytes):
            return Response(reply.content, reply.status, dict(reply.headers))
        return JSONResponse(reply.content, reply.status, dict(reply.headers))

    async def _pushed(self, repository: str, branch: str, commit: str) -> None:
        for service in self.organizations.values():
            await service.push(repository, branch, commit)
