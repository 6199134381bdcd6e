"""A small fleet in the sandbox: the kinds of repositories that a real one has, and patches for its bases."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from sandbox.github.actions.runs import Run
from sandbox.images import PLATFORMS, Image, Pushed, dotnet_image, on_top
from sandbox.world import World

WEEKLY_REBUILD = """\
name: weekly rebuild
on:
  schedule:
    - cron: "0 2 * * 1"
  workflow_dispatch:
    inputs:
      correlation:
        description: Tells the run's caller which run is its own
        required: false
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - run: docker build --pull --no-cache -t example .
"""
BUILD_ON_PUSH = """\
name: build
on:
  push:
    branches: [main]
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - run: docker build --pull -t example .
"""
ASPNET = "dotnet/aspnet"
SDK = "dotnet/sdk"
RUNTIME_TAG = "10.0-noble-chiseled"
SDK_TAG = "10.0-noble"
BUILT_ON = dict.fromkeys(("catalog-web", "payments-api"), f"{ASPNET}:{RUNTIME_TAG}")
"""Repositories whose workflows push an image, and the base that it stands on."""
APPLICATION = b'{"libraries": {"Serilog/4.0.0": {"type": "package"}}}'
"""The packages that each application brings with it."""
PATCHES = {"10.0.0": "10.0.100", "10.0.1": "10.0.101", "10.0.2": "10.0.102", "10.0.3": "10.0.103"}
"""Runtime versions and the SDK that each is published with."""


@dataclass(slots=True)
class SampleFleet:
    """Seven repositories and four base tags; `digests` is what the registry answered for the newest push."""

    world: World
    digests: dict[str, str] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    """The newest push of each base."""
    cached: set[str] = field(default_factory=set)
    """Repositories whose builds take the base that they have, whatever the registry shows: a missing `--pull`."""
    built_on: dict[str, str] = field(default_factory=lambda: dict(BUILT_ON))
    """Repositories whose workflows push an image, and what that stands on."""
    tags: dict[str, Callable[[Run], str]] = field(default_factory=dict)
    """What the builds of a repository call their image, where it is not `latest`."""
    platforms: tuple[str, ...] = PLATFORMS
    """Those of its bases, and of what is built on them."""
    _stood_on: dict[str, Image] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world.github.actions.on_finished = self._built

    @property
    def registry(self) -> str:
        return self.world.registry.host

    async def build(self, version: str = "10.0.0") -> None:
        """Publishes the bases at `version`, then creates the repositories that stand on them."""
        await self.publish_runtime(version)
        await self.publish_sdk(version)
        self.announce(version, security=False)
        for name, files in self.repositories(version).items():
            await self.world.github.create_repository(name, files)
        for name in self.built_on:
            await asyncio.to_thread(self.push_image, name, "the first build")

    def push_image(self, name: str, content: str, tag: str = "latest") -> Pushed:
        """What a build of the repository leaves in the registry: its base's layers with one of its own on top."""
        below = self._stood_on[name] if name in self.cached else self.images[self.built_on[name]]
        self._stood_on[name] = below
        application = {"content": f"{name}: {content}".encode(), f"app/{name}.deps.json": APPLICATION}
        image = replace(on_top(below, application), created=datetime.now(UTC).isoformat())
        place = f"{self.world.github.name}/{name}"
        self.images[f"{place}:{tag}"] = image
        pushed = self.world.registry.push_now(place, tag, image)
        self.digests[f"{place}:{tag}"] = pushed.digest
        return pushed

    def _built(self, run: Run) -> None:
        """Called when a workflow run ends."""
        name = run.workflow.repository.rpartition("/")[2]
        if name in self.built_on and run.conclusion == "success":
            tag = self.tags[name](run) if name in self.tags else "latest"
            self.push_image(name, f"run {run.id} of {run.sha}", tag)

    def _pushing(self, workflow: str, name: str) -> str:
        image = f"{self.registry}/{self.world.github.name}/{name}:latest"
        return workflow.replace("-t example .", f"-t {image} --push .")

    async def publish_runtime(self, version: str, *, os: bytes = b"noble 1", upper: bytes = b"") -> Pushed:
        """Moves the floating aspnet tag, and the patch tag of that version, to a new image."""
        image = dotnet_image("aspnet", version, os=os, upper=upper, platforms=self.platforms)
        self.images[f"{ASPNET}:{RUNTIME_TAG}"] = image
        await self.world.registry.push(ASPNET, f"{version}-noble-chiseled", image)
        pushed = await self.world.registry.push(ASPNET, RUNTIME_TAG, image)
        return self._published(ASPNET, RUNTIME_TAG, pushed, version)

    async def publish_sdk(self, version: str, *, os: bytes = b"noble 1", upper: bytes = b"") -> Pushed:
        image = dotnet_image("sdk", PATCHES[version], os=os, upper=upper, platforms=self.platforms)
        self.images[f"{SDK}:{SDK_TAG}"] = image
        pushed = await self.world.registry.push(SDK, SDK_TAG, image)
        return self._published(SDK, SDK_TAG, pushed, PATCHES[version])

    def _published(self, repository: str, tag: str, pushed: Pushed, version: str) -> Pushed:
        """Microsoft lists in the inventory what it pushes."""
        self.digests[f"{repository}:{tag}"] = pushed.digest
        self.world.feeds.publish_image(repository, [tag], pushed, version=version, os_version="noble")
        return pushed

    def announce(self, version: str, *, security: bool, cves: tuple[str, ...] = (), on: date | None = None) -> None:
        """Lists the release in the release feed, as one of today or of the day `on`."""
        self.world.feeds.publish_release(
            "10.0", version, aspnetcore=version, sdks=[PATCHES[version]], security=security, cves=cves, on=on
        )

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        """Returns the files of each repository by its name; their bases are those of .NET `version`."""
        aspnet, sdk = f"{self.registry}/{ASPNET}", f"{self.registry}/{SDK}"
        pinned = self.digests[f"{ASPNET}:{RUNTIME_TAG}"]
        return {
            "payments-api": {
                "Dockerfile": f"FROM {aspnet}:{RUNTIME_TAG}@{pinned}\nCOPY . /app\n",
                "README.md": "Pinned by digest.\n",
                ".github/workflows/build.yml": self._pushing(BUILD_ON_PUSH, "payments-api"),
            },
            "orders-api": {"Dockerfile": f"FROM {aspnet}:{version}-noble-chiseled\nCOPY . /app\n"},
            "catalog-web": {
                "Dockerfile": f"ARG TAG={RUNTIME_TAG}\nFROM {aspnet}:${{TAG}}\nCOPY . /app\n",
                ".github/workflows/weekly-rebuild.yml": self._pushing(WEEKLY_REBUILD, "catalog-web"),
            },
            "search-worker": {"src/Dockerfile": f"# the worker\nFROM {aspnet}:{RUNTIME_TAG}\nCOPY . /app\n"},
            "tools-cli": {
                "Dockerfile": (
                    f"FROM {sdk}:{SDK_TAG} AS build\nRUN dotnet publish -o /app\n\n"
                    "FROM debian:trixie-slim\nCOPY --from=build /app /app\n"
                ),
                ".github/workflows/weekly-rebuild.yml": WEEKLY_REBUILD,
            },
            "website": {"Dockerfile": "FROM nginx:1.29\nCOPY . /usr/share/nginx/html\n"},
            "handbook": {"README.md": "No image here.\n"},
        }
