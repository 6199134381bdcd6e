"""A small real world on loopback, seen through edges that count requests and fail when told to."""

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bot.domain.clock import Clock, SystemClock
from bot.sandbox.edge import Surroundings
from bot.sandbox.emulator import Emulator
from bot.sandbox.github.edge import GitHubEdge
from bot.sandbox.organisation import Organisation
from bot.sandbox.registry import Registry
from bot.sandbox.serving import Server
from bot.sandbox.slack import SlackEdge, Workspace
from bot.sandbox.traffic import Faults, Traffic


class World:
    """`async with World() as world:` starts everything; leaving ends what was started, and only that.

    Everything listens on 127.0.0.1 alone, on ports that were free, under the name `localhost`. Enter it from a
    thread that lives as long as the world should. With `validate`, what GitHub's edge answers by itself is
    checked against GitHub's OpenAPI description. Raises `parts.MissingPart` where a program is missing.
    """

    registry: Registry
    github: Organisation
    slack: Workspace

    def __init__(self, *, clock: Clock | None = None, validate: bool = False) -> None:
        self._surroundings = Surroundings(clock=clock or SystemClock())
        self._validate = validate
        self._running = ExitStack()

    @property
    def traffic(self) -> Traffic:
        return self._surroundings.traffic

    @property
    def faults(self) -> Faults:
        return self._surroundings.faults

    async def __aenter__(self) -> Self:
        with ExitStack() as starting:
            folder = Path(starting.enter_context(tempfile.TemporaryDirectory(prefix="freshness-world-")))
            self.registry = Registry(folder, self._surroundings)
            starting.callback(self.registry.stop)
            github, slack = Server(), Server()
            starting.callback(github.stop)
            starting.callback(slack.stop)
            emulator = Emulator(folder, github.url, slack.url)
            starting.callback(emulator.stop)
            await asyncio.gather(self.registry.start(), emulator.start())
            github_edge = GitHubEdge(emulator.github, github.url, self._surroundings, validate=self._validate)
            self.github = Organisation(github, github_edge, emulator)
            github.start(github_edge.app())
            slack.start(SlackEdge(emulator.slack, self._surroundings).app())
            self.slack = Workspace(slack.url, emulator.slack)
            self._running = starting.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.close()
