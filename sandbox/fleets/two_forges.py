"""A large fleet, one half on GitHub and one in Azure Repos, of which workflows and pipelines build all."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.azure_devops.repos import Home
from sandbox.azure_devops.service import PROJECT
from sandbox.fleets.fleet import ASPNET, BUILD_ON_PUSH, RUNTIME_TAG, WEEKLY_REBUILD, SampleFleet
from sandbox.fleets.pipelines import HOME, PipelineFleet

FIRST_PIPELINE = 1_000
PAGE = 1_000
"""As many definitions and builds as Azure DevOps shows at once."""


@dataclass(slots=True)
class TwoForges(PipelineFleet):
    """So many repositories `on_each` forge. Every other one is pinned and built on push, the rest float and are
    built on demand; every fourth pair on GitHub is built by pipelines, as are all in Azure Repos."""

    on_each: int = 200
    definitions: dict[str, int] = field(default_factory=dict)
    homes: dict[str, Home] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_pipelines = [name for name in self.on_github if is_by_pipeline(name)]
        self.definitions = {name: FIRST_PIPELINE + at for at, name in enumerate((*by_pipelines, *self.in_azure))}
        SampleFleet.__post_init__(self)
        for name in by_pipelines:
            built = f"{self.world.github.name}/{name}"
            self.service.define(self.definitions[name], built, name=name)
        self.service.on_finished = self._built_there
        self.service.page = PAGE
        self.built_on = dict.fromkeys(self.names, f"{ASPNET}:{RUNTIME_TAG}")

    @property
    def on_github(self) -> list[str]:
        return [f"shop-{number:03}" for number in range(self.on_each)]

    @property
    def in_azure(self) -> list[str]:
        return [f"bank-{number:03}" for number in range(self.on_each)]

    @property
    def names(self) -> list[str]:
        return [*self.on_github, *self.in_azure]

    def full_name(self, name: str) -> str:
        """As the bot calls a repository."""
        return f"{HOME if name in self.homes else self.world.github.name}/{name}"

    def rule(self, name: str) -> dict[str, object]:
        """The rule by which the bot knows the pipeline of a repository."""
        return {**PipelineFleet.rule(self, name), "match": {"repositories": [self.full_name(name)]}}

    async def build(self, version: str = "10.0.0") -> None:
        await PipelineFleet.build(self, version)
        for name in self.in_azure:
            home = self.homes[name] = self.service.repos.create(name, PROJECT)
            files = self._pinned(name) if is_pinned(name) else self._floating(name)
            self.service.repos.push(home, "main", {path: text.encode() for path, text in files.items()})
            self.service.define_there(self.definitions[name], home, name=name)

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        return {name: self._files(name) for name in self.on_github}

    def _files(self, name: str) -> Mapping[str, str]:
        files = self._pinned(name) if is_pinned(name) else self._floating(name)
        if is_by_pipeline(name):
            return files
        file, text = ("build.yml", BUILD_ON_PUSH) if is_pinned(name) else ("weekly-rebuild.yml", WEEKLY_REBUILD)
        return {"Dockerfile": files["Dockerfile"], f".github/workflows/{file}": self._pushing(text, name)}


def is_pinned(name: str) -> bool:
    return int(name.rpartition("-")[2]) % 2 == 0


def is_by_pipeline(name: str) -> bool:
    """Whether a repository on GitHub is built by a pipeline."""
    return int(name.rpartition("-")[2]) % 8 < 2
