"""Fleets on GitHub and in Azure Repos of which pipelines of Azure DevOps build repositories."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.azure_devops.edge import TOKEN
from sandbox.azure_devops.repos import Home
from sandbox.azure_devops.service import PROJECT, Service
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, SampleFleet
from sandbox.world import World

FLOATING, PINNED, BESIDE, THERE = "catalog-web", "payments-api", "reports-api", "billing-api"
HOME = f"contoso/{PROJECT['name']}"
"""Before the names of repositories in Azure Repos."""
_PATH = "azure-pipelines.yml"
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


def azure_devops_in(world: World, folder: Path, *include: str) -> Mapping[str, object]:
    """The section of the bot's settings for what that world plays, with the repositories there that it is to read;
    its token is put into the folder."""
    token = folder / "azure-token"
    token.write_text(TOKEN)
    organizations = {"contoso": {"token_file": str(token)}}
    read = {"repositories": {"include": list(include)}} if include else {}
    return {"url": world.azure_devops.url, "organizations": organizations, "seconds_between_requests": 0, **read}


@dataclass(slots=True)
class PipelineFleet(SampleFleet):
    """One repository that floats, and is built by hand, and one that is pinned, and is built on each push.

    `definitions` are the numbers of the pipelines by what they build.
    """

    definitions: dict[str, int] = field(default_factory=lambda: {FLOATING: 12, PINNED: 13})

    def __post_init__(self) -> None:
        SampleFleet.__post_init__(self)
        for name, number in self.definitions.items():
            self.service.define(number, f"{self.world.github.name}/{name}", name=name)
        self.service.on_finished = self._built_there

    @property
    def service(self) -> Service:
        return self.world.azure_devops.organizations["contoso"]

    def rule(self, name: str) -> dict[str, object]:
        """The rule by which the bot knows the pipeline of a repository."""
        pipeline = f"azure-pipelines: contoso/{PROJECT['name']}/{self.definitions[name]}"
        return {"match": {"repositories": [f"contoso/{name}"]}, "workflow": pipeline, "settle": "0s"}

    async def build(self, version: str = "10.0.0") -> None:
        await SampleFleet.build(self, version)
        self.service.builds.clear()  # a repository that is made starts nothing

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        return {FLOATING: self._floating(FLOATING), PINNED: self._pinned(PINNED)}

    def _floating(self, name: str) -> Mapping[str, str]:
        text = f"FROM {self.registry}/{ASPNET}:{RUNTIME_TAG}\nCOPY . /app\n"
        return {"Dockerfile": text, _PATH: self._told(_BY_HAND, name)}

    def _pinned(self, name: str) -> Mapping[str, str]:
        base = f"{ASPNET}:{RUNTIME_TAG}"
        text = f"FROM {self.registry}/{base}@{self.digests[base]}\nCOPY . /app\n"
        return {"Dockerfile": text, _PATH: self._told(_ON_PUSH, name)}

    def _told(self, text: str, name: str) -> str:
        return text.replace("IMAGE", f"{self.registry}/{self.world.github.name}/{name}:latest")

    def _built_there(self, build: dict[str, Any]) -> None:
        """Called when a build ends."""
        name = next(name for name, number in self.definitions.items() if number == build["definition"]["id"])
        if build["result"] == "succeeded" and build["sourceBranch"] == "refs/heads/main":
            self.push_image(name, f"build {build['id']} of {build['sourceVersion']}")


@dataclass(slots=True)
class MixedFleet(PipelineFleet):
    """The sample fleet, and beside it a repository on GitHub that a pipeline builds, and one in Azure Repos."""

    definitions: dict[str, int] = field(default_factory=lambda: {BESIDE: 21, THERE: 22})
    there: Home | None = None

    def __post_init__(self) -> None:
        PipelineFleet.__post_init__(self)
        self.built_on = {**self.built_on, **dict.fromkeys((BESIDE, THERE), f"{ASPNET}:{RUNTIME_TAG}")}

    def rule(self, name: str) -> dict[str, object]:
        rule = PipelineFleet.rule(self, name)
        return {**rule, "match": {"repositories": [f"{HOME}/{name}"]}} if name == THERE else rule

    async def build(self, version: str = "10.0.0") -> None:
        await PipelineFleet.build(self, version)
        self.there = self.service.repos.create(THERE, PROJECT)
        files = {path: text.encode() for path, text in self._pinned(THERE).items()}
        self.service.repos.push(self.there, "main", files)
        self.service.define_there(self.definitions[THERE], self.there, name=THERE)
        self.service.builds.clear()

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        return {**SampleFleet.repositories(self, version), BESIDE: self._floating(BESIDE)}


@dataclass(slots=True)
class AzureFleet(PipelineFleet):
    """The same two repositories in Azure Repos, which pipelines build, and nothing on GitHub."""

    homes: dict[str, Home] = field(default_factory=dict)

    def __post_init__(self) -> None:
        SampleFleet.__post_init__(self)
        self.service.on_finished = self._built_there

    def rule(self, name: str) -> dict[str, object]:
        return {**PipelineFleet.rule(self, name), "match": {"repositories": [f"{HOME}/{name}"]}}

    async def build(self, version: str = "10.0.0") -> None:
        await PipelineFleet.build(self, version)
        for name, files in PipelineFleet.repositories(self, version).items():
            home = self.homes[name] = self.service.repos.create(name, PROJECT)
            self.service.repos.push(home, "main", {path: text.encode() for path, text in files.items()})
            self.service.define_there(self.definitions[name], home, name=name)

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        return {}
