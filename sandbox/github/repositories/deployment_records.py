"""Deployment records by REST: where artifacts of an organisation run, one for each deployment of a cluster."""

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.edge import GitHubEdge

Json = Any
OF_CLUSTER = "/orgs/{org}/artifacts/metadata/deployment-record/cluster/{cluster}"


@dataclass(frozen=True, slots=True)
class DeploymentRecords:
    """`kept` are the records of each organisation, by cluster, environment and name; `unwritable` are repositories
    that the bot may not write to."""

    edge: GitHubEdge
    kept: dict[str, dict[tuple[str, str, str], Json]] = field(default_factory=dict)
    unwritable: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.edge.routes.add("POST", OF_CLUSTER, self._set)

    async def _set(self, request: Request, org: str, cluster: str) -> Response:
        body = await request.json()
        environment, errors = body["logical_environment"], []
        records = self.kept.setdefault(org, {})
        for each in body["deployments"]:
            if f"{org}/{each.get('github_repository')}" in self.unwritable:
                errors.append({"cause": "unauthorized", "deployment": each})
                continue
            records[cluster, environment, each["deployment_name"]] = each
        number = len(body["deployments"]) - len(errors)
        if errors:
            return self.edge.reply("POST", OF_CLUSTER, 207, {"total_count": number, "errors": errors})
        return self.edge.reply("POST", OF_CLUSTER, 200, {"total_count": number})
