"""The shipped Dockerfile, really built without a network and run as in a cluster: no root, nothing writable."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.service.running import GRACE
from sandbox.fleet import SampleFleet
from sandbox.world import World
from tests.integration.deploy.docker import ROOT, Docker, download_wheels, engine, make_base

pytestmark = pytest.mark.long

BASE = "python:3.13-slim"
IMAGE = "freshness-bot:built"
USER = 64198
PATIENCE = 90
LOCKED_DOWN = (
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--network", "host", "--hostname", "pod"),
)


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """An engine that has built the image."""
    with engine() as docker:
        folder = tmp_path_factory.mktemp("container")
        make_base(docker, folder, BASE)
        download_wheels(folder / "context/wheels")
        context = f"wheels={folder / 'context'}"
        docker.run(
            "buildx", "build", "--network", "none", "--build-context", context, "--tag", IMAGE, "--load", ROOT
        )
        yield docker


class Pod:
    """Containers of the image that share one volume, one after the other."""

    def __init__(self, docker: Docker, settings: Path) -> None:
        self.docker = docker
        self.volume = docker.run("volume", "create").stdout.strip()
        mounts = (
            f"{settings}:/etc/freshness:ro",
            f"{settings / 'secrets'}:/run/secrets:ro",
            f"{self.volume}:/data",
        )
        self._options = (*LOCKED_DOWN, *(word for mount in mounts for word in ("--volume", mount)))
        self.name = ""

    async def once(self, *words: str) -> str:
        """What a command of the image writes to its standard output."""
        ended = await asyncio.to_thread(self.docker.run, "run", "--rm", *self._options, IMAGE, *words)
        return ended.stdout

    async def start(self) -> None:
        """The service, as the image starts it by itself."""
        ended = await asyncio.to_thread(self.docker.run, "run", "--detach", *self._options, IMAGE)
        self.name = ended.stdout.strip()

    async def end(self, signal: str) -> int:
        """Sends the signal; the exit code."""
        await asyncio.to_thread(self.docker.run, "kill", "--signal", signal, self.name)
        ended = await asyncio.to_thread(self.docker.run, "wait", self.name)
        return int(ended.stdout)

    async def status(self) -> dict[str, Any]:
        """As the readiness probe of the manifests asks for it, beside the service."""
        words = ("exec", self.name, "freshness-bot", "status", "--format", "json")
        ended = await asyncio.to_thread(self.docker.run, *words)
        found: dict[str, Any] = json.loads(ended.stdout)
        return found

    def log(self) -> str:
        return self.docker.run("logs", self.name).stderr


@pytest.fixture
def pod(docker: Docker, world: World, tmp_path: Path) -> Iterator[Pod]:
    """The settings of the world in the places of the manifests; secrets are readable by the user's group alone."""
    settings = tmp_path / "settings"
    secrets = settings / "secrets"
    secrets.mkdir(parents=True)
    written = world.config(secrets, "sqlite:////data/freshness.db")
    text = written.read_text().replace(str(secrets), "/run/secrets")
    (settings / "freshness.yaml").write_text(text + "schedule: {poll: 2s, feeds: 2s, follow: 2s}\n")
    written.unlink()
    for secret in secrets.iterdir():
        secret.chmod(0o440)
        os.chown(secret, 0, USER)
    settings.chmod(0o755)
    pod = Pod(docker, settings)
    yield pod
    if pod.name:
        docker.run("rm", "--force", pod.name, code=None)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.5)


def test_the_image_says_what_it_is(docker: Docker) -> None:
    [image] = json.loads(docker.run("image", "inspect", IMAGE).stdout)
    config = image["Config"]
    assert config["User"] == f"{USER}:{USER}"
    assert list(config["Volumes"]) == ["/data"]
    assert config["Labels"]["org.opencontainers.image.base.name"] == f"docker.io/library/{BASE}"
    assert {"title", "description", "version", "revision", "licenses"} <= {
        label.removeprefix("org.opencontainers.image.") for label in config["Labels"]
    }
    version = docker.run("run", "--rm", *LOCKED_DOWN, IMAGE, "--version").stdout
    assert version.split() == ["freshness-bot", config["Labels"]["org.opencontainers.image.version"]]


async def test_one_pass_leaves_its_store_on_the_volume(pod: Pod, world: World) -> None:
    fleet = SampleFleet(world)
    await fleet.build("10.0.0")
    await pod.once("once")
    status = json.loads(await pod.once("status", "--format", "json"))
    assert status["repositories"] == len(fleet.repositories("10.0.0"))


async def test_a_killed_service_goes_on_and_a_stopped_one_ends_in_order(pod: Pod, world: World) -> None:
    fleet = SampleFleet(world)
    await fleet.build("10.0.0")
    await pod.start()

    async def settled() -> bool:
        return [bool(base["digest"]) for base in (await pod.status())["bases"]] == [True, True]

    async def begun() -> bool:
        return bool(await world.slack.messages())

    async def told() -> bool:
        said = [message["text"].partition(": ")[2] for message in await world.slack.messages()]
        return said == ["5 repositories: 3 open, 2 dispatched"]

    await until(settled)
    fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    await fleet.publish_sdk("10.0.1")
    await fleet.publish_runtime("10.0.1")
    await until(begun)
    assert await pod.end("KILL") == 137

    await pod.start()
    await until(told)
    asked = time.monotonic()
    assert await pod.end("TERM") == 0
    assert time.monotonic() - asked < GRACE.total_seconds() + 5
    log = pod.log()
    assert '"event": "stopped"' in log
    assert "Traceback" not in log
