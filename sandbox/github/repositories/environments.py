"""The environments of repositories by REST, with what each asks of deployments."""

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.actions.actions import Actions
from sandbox.github.edge import GitHubEdge

Json = Any
ALL = "/repos/{owner}/{repo}/environments"
APPS = "/repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules"


@dataclass(frozen=True, slots=True)
class Environments:
    """`rules` are those of each environment by repository and name: minutes to wait, reviewers, apps.

    An environment into which somebody must let runs has a reviewer.
    """

    edge: GitHubEdge
    actions: Actions
    rules: dict[str, dict[str, tuple[int, tuple[str, ...], tuple[str, ...]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.edge.routes.add("GET", ALL, self._all)
        self.edge.routes.add("GET", APPS, self._apps)

    async def _all(self, request: Request, owner: str, repo: str) -> Response:
        name = f"{owner}/{repo}"
        guarded = dict.fromkeys(sorted(self.actions.environments.get(name, ())), (0, ("ada",), ()))
        rows = [
            _shown(self.edge.url, name, number, environment, wait, reviewers)
            for number, (environment, (wait, reviewers, _)) in enumerate(
                {**guarded, **self.rules.get(name, {})}.items(), start=1
            )
        ]
        return self.edge.reply("GET", ALL, 200, {"total_count": len(rows), "environments": rows})

    async def _apps(self, request: Request, owner: str, repo: str, environment_name: str) -> Response:
        known = {name.lower(): each for name, each in self.rules.get(f"{owner}/{repo}", {}).items()}
        _, _, apps = known.get(environment_name.lower(), (0, (), ()))
        rows = [
            {
                "id": number,
                "node_id": f"GA_{number}",
                "enabled": True,
                "app": {
                    "id": number,
                    "slug": app,
                    "integration_url": f"{self.edge.url}/apps/{app}",
                    "node_id": f"A_{number}",
                },
            }
            for number, app in enumerate(apps, start=1)
        ]
        shown = {"total_count": len(rows), "custom_deployment_protection_rules": rows}
        return self.edge.reply("GET", APPS, 200, shown)


def _shown(url: str, repository: str, number: int, name: str, wait: int, reviewers: tuple[str, ...]) -> Json:
    rules: list[Json] = []
    if wait:
        rules.append({"id": 1, "node_id": "GA_1", "type": "wait_timer", "wait_timer": wait})
    if reviewers:
        people = [{"type": "User", "reviewer": {"login": each}} for each in reviewers]
        rules.append({"id": 2, "node_id": "GA_2", "type": "required_reviewers", "reviewers": people})
    return {
        "id": number,
        "node_id": f"EN_{number}",
        "name": name,
        "url": f"{url}/repos/{repository}/environments/{name}",
        "html_url": f"{url}/{repository}/deployments/activity_log?environments_filter={name}",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "protection_rules": rules,
    }
