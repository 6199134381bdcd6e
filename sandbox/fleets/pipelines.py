"""A fleet on GitHub that pipelines of Azure DevOps build."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure_devops.service import PROJECT, Service
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, SampleFleet

FLOATING, PINNED = "catalog-web", "payments-api"
DEFINITIONS = {FLOATING: 12, PINNED: 13}
PATH = "azure-pipelines.yml"
_BY_HAND = """\
trigger: none
parameters:
- {name: correlation, type: string, default: ''}
steps:
- script: docker buildx build --pull -t IMAGE --push .
"""
_ON_PUSH = """\
trigger: [main]
steps:
- script: docker buildx build --pull -t IMAGE --push .
"""


def pipeline(name: str) -> str:
    """What settings call the pipeline of a repository."""
    return f"azure-pipelines: contoso/{PROJECT['name']}/{DEFINITIONS[name]}"


@dataclass(slots=True)
class PipelineFleet(SampleFleet):
    """One repository that floats, and is built by hand, and one that is pinned, and is built on each push."""

    def __post_init__(self) -> None:
        SampleFleet.__post_init__(self)
        for name, number in DEFINITIONS.items():
            self.service.define(number, f"{self.world.github.name}/{name}", name=name)
        self.service.on_finished = self._built_there

    @property
    def service(self) -> Service:
        return self.world.azure_devops.organizations["contoso"]

    async def build(self, version: str = "10.0.0") -> None:
        await SampleFleet.build(self, version)
        self.service.builds.clear()  # a repository that is made starts nothing

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        base = f"{self.registry}/{ASPNET}:{RUNTIME_TAG}"
        pinned = self.digests[f"{ASPNET}:{RUNTIME_TAG}"]
        return {
            FLOATING: {"Dockerfile": f"FROM {base}\nCOPY . /app\n", PATH: self._told(_BY_HAND, FLOATING)},
            PINNED: {"Dockerfile": f"FROM {base}@{pinned}\nCOPY . /app\n", PATH: self._told(_ON_PUSH, PINNED)},
        }

    def _told(self, text: str, name: str) -> str:
        return text.replace("IMAGE", f"{self.registry}/{self.world.github.name}/{name}:latest")

    def _built_there(self, build: dict[str, Any]) -> None:
        """Called when a build ends."""
        name = next(name for name, number in DEFINITIONS.items() if number == build["definition"]["id"])
        if build["result"] == "succeeded" and build["sourceBranch"] == "refs/heads/main":
            self.push_image(name, f"build {build['id']} of {build['sourceVersion']}")
