"""A small real world on loopback, seen through edges that count requests and fail when told to."""

import asyncio
import copy
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self, TypeVar

import yaml

from bot.domain.clock import Clock, SystemClock
from sandbox.azure_devops.edge import AzureDevOpsEdge
from sandbox.edges.edge import Edge, Surroundings
from sandbox.edges.serving import Server, ask_directly
from sandbox.edges.traffic import Faults, Traffic
from sandbox.feeds.feeds import Feeds, FeedsEdge
from sandbox.github.edge import ENTERPRISE_PREFIX, GitHubEdge
from sandbox.github.openapi import DOTCOM
from sandbox.organisation import Organisation
from sandbox.programs.emulator import ORGANISATION, Emulator
from sandbox.programs.processes import ANY_PORT
from sandbox.registry import Registry
from sandbox.slack import SlackEdge, Workspace

T = TypeVar("T")


class World:
    """`async with World() as world:` starts everything; leaving ends what was started, and only that.

    Everything listens on 127.0.0.1 alone, on ports that were free, under the name `localhost`. Enter it from a
    thread that lives as long as the world should. `github` is the server that is played: github.com, or a version
    of GitHub Enterprise Server such as ghes-3.19. What is asked of it against its published description is in
    `traffic.violations`; with `validate` so is what its edge answers by itself. The App is installed in each of
    `organisations`; the first is the one that `github` speaks for. Raises `parts.MissingPart` where a program is
    missing.
    """

    registry: Registry
    github: Organisation
    slack: Workspace
    feeds: Feeds
    azure_devops: AzureDevOpsEdge

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        validate: bool = False,
        github: str = "github.com",
        organisations: Sequence[str] = (ORGANISATION,),
    ) -> None:
        self._surroundings = Surroundings(clock=clock or SystemClock())
        self._validate = validate
        self._server = DOTCOM if github == "github.com" else github
        self._organisations = organisations
        self._folder = tempfile.TemporaryDirectory(prefix="freshness-world-")
        self._stops: list[Callable[[], None]] = []
        self._served: list[tuple[Server, Edge]] = []

    def __getstate__(self) -> dict[str, object]:
        """A copy has nothing to end, and no folder yet."""
        return {**self.__dict__, "_folder": None, "_stops": []}

    @property
    def traffic(self) -> Traffic:
        return self._surroundings.traffic

    @property
    def faults(self) -> Faults:
        return self._surroundings.faults

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """What was answered against GitHub's description is in the traffic's violations from now on."""
        exchanges = self.github.edge.exchanges if hasattr(self, "github") else None
        if exchanges is not None:
            self.traffic.violations += exchanges.complaints
            exchanges.complaints = []
        await asyncio.gather(*(asyncio.to_thread(stop) for stop in self._stops))
        self._stops.clear()
        self._folder.cleanup()

    async def _start(self) -> None:
        ask_directly()
        github, slack, feeds, azure = Server(), Server(), Server(), Server()
        self.registry = Registry(Path(self._folder.name), self._surroundings)
        api = github.url if self._server == DOTCOM else github.url + ENTERPRISE_PREFIX
        emulator = self._emulator = Emulator(api, slack.url, self._organisations)
        self._stops += [self.registry.stop, emulator.stop, github.stop, slack.stop, feeds.stop, azure.stop]
        await asyncio.gather(self.registry.start(), emulator.start())
        github_edge = GitHubEdge(
            emulator.github,
            github.url,
            self._surroundings,
            private_key=emulator.private_key,
            server=self._server,
            validate=self._validate,
        )
        feeds_edge = FeedsEdge(self._surroundings)
        self.github = Organisation(github_edge, emulator)
        self.feeds = Feeds(feeds, feeds_edge)
        self.azure_devops = AzureDevOpsEdge(azure.url, self._surroundings, self.github)
        self._served = [
            (github, github_edge),
            (slack, SlackEdge(emulator.slack, self._surroundings)),
            (feeds, feeds_edge),
            (azure, self.azure_devops),
        ]
        self._serve()
        self.slack = await Workspace.of(slack.url, emulator.slack)

    def _serve(self) -> None:
        for server, edge in self._served:
            server.start(edge.app())

    async def keep(self, folder: Path, beside: T) -> "tuple[World, T]":
        """Puts this world down in `folder`, as it is between two requests: a world for `going_on` to take up.

        With it comes a copy of what stands `beside` it and speaks of it, such as a fleet. The ports of this world
        are kept for that one: nobody but whoever takes it up listens there.
        """
        await self._emulator.keep(folder / "emulator")
        await asyncio.to_thread(self.registry.keep, folder / "registry")
        self._stops = [self.registry.pause, self._emulator.stop, *(server.pause for server, _ in self._served)]
        return _copied(self, beside)

    @asynccontextmanager
    async def going_on(self, folder: Path, beside: T) -> "AsyncIterator[tuple[World, T]]":
        """A world like this, which was kept in that folder, with what stands beside it. One at a time: each has the
        same addresses."""
        world, beside = _copied(self, beside)
        await world._take_up(folder)
        try:
            yield world, beside
        finally:
            await world.__aexit__()

    async def _take_up(self, folder: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="freshness-world-")
        try:
            await asyncio.to_thread(self.registry.take_up, folder / "registry", Path(self._folder.name))
            self._stops = [self.registry.pause, self._emulator.stop, *(server.pause for server, _ in self._served)]
            await asyncio.gather(self.registry.start(), self._emulator.start(folder / "emulator"))
            upstreams = {"github": self._emulator.github, "slack": self._emulator.slack}
            for _, edge in self._served:
                edge.upstream = upstreams.get(edge.service, edge.upstream)
            self.slack = replace(self.slack, upstream=self._emulator.slack)
            self._serve()
        except BaseException:
            await self.__aexit__()
            raise

    def give_back(self) -> None:
        """The ports of a world that nobody takes up any more."""
        self.registry.stop()
        for server, _ in self._served:
            server.stop()

    def config(self, folder: Path, store_url: str) -> Path:
        """Writes a configuration of the bot for this world, with its secrets in files, and answers where.

        Nothing settles: what is found is acted on in the same pass.
        """
        token, bot_token = folder / "github-token", folder / "slack-token"
        token.write_text(self.github.token)
        bot_token.write_text(self.slack.token)
        settings = {
            "github": {
                "api_url": self.github.url,
                "token_file": str(token),
                "repositories": {"include": [f"{self.github.name}/*"]},
                "seconds_between_writes": 0,
            },
            "registries": {self.registry.host: {"insecure": True}},
            "bases": [f"{self.registry.host}/dotnet/*"],
            "feeds": {name: {"url": url} for name, url in self.feeds.addresses.items()},
            "store": {"url": store_url},
            "policy": [{"settle": "0s"}],
            "slack": {
                "bot_token_file": str(bot_token),
                "channel": self.slack.channel,
                "api_url": f"{self.slack.url}/api",
            },
            "web": {"listen": ANY_PORT},
        }
        path = folder / "freshness.yaml"
        path.write_text(yaml.safe_dump(settings, sort_keys=False))
        return path


def _copied(world: World, beside: T) -> tuple[World, T]:
    """Together, so that what is beside the world speaks of the copy."""
    return copy.deepcopy((world, beside))
