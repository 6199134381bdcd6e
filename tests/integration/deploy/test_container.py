"""The shipped Dockerfile, really built without a network and run as in a cluster: no root, nothing writable."""

import asyncio
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.service.running import GRACE
from sandbox.fleets.fleet import SampleFleet
from sandbox.programs.processes import free_ports
from sandbox.world import World
from tests.docker_engine import Docker, control_groups, engine, make_base

pytestmark = [pytest.mark.long, pytest.mark.together]

ROOT = Path(__file__).parents[3]
BASE = "python:3.13-slim"
IMAGE = "freshness-bot:built"
USER = 64198
PATIENCE = 240
DISPATCHED = 2
LOCKED_DOWN = (
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--network", "host", "--hostname", "pod"),
)


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """An engine that has built the image."""
    with engine() as docker:
        folder = tmp_path_factory.mktemp("container")
        make_base(docker, BASE)
        download_wheels(folder / "wheels")
        version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
        built = ("--network", "none", "--build-context", f"wheels={folder}", "--tag", IMAGE, "--load")
        docker.run("buildx", "build", *built, "--build-arg", f"VERSION={version}", ROOT)
        yield docker


def download_wheels(folder: Path) -> None:
    """What the Dockerfile's own first stage downloads, with the same checks of hashes."""
    files = [
        word for name in ("requirements", "build-requirements") for word in ("-r", f"{ROOT}/deploy/{name}.txt")
    ]
    python = ["--python-version", "3.13", "--implementation", "cp"]
    python += [word for abi in ("cp313", "abi3", "none") for word in ("--abi", abi)]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
    command = [*pip, "--only-binary", ":all:", "--require-hashes", *python, "--dest", str(folder), *files]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]


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

    async def beside(self, *words: str) -> str:
        """What a command beside the service writes to its standard output."""
        return (await asyncio.to_thread(self.docker.run, "exec", self.name, *words)).stdout

    async def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self.beside("freshness-bot", "status", "--format", "json"))
        return found

    async def health(self) -> str:
        """What the engine has found by the image's own HEALTHCHECK."""
        told = await asyncio.to_thread(self.docker.run, "inspect", self.name)
        [container] = json.loads(told.stdout)
        return str(container["State"]["Health"]["Status"])

    def log(self) -> str:
        return self.docker.run("logs", self.name).stderr


@pytest.fixture
def pod(docker: Docker, world: World, tmp_path: Path) -> Iterator[Pod]:
    """The settings of the world in the places of the manifests; secrets are readable by the user's group alone."""
    settings = tmp_path / "settings"
    secrets = settings / "secrets"
    secrets.mkdir(parents=True)
    written = world.config(secrets, "sqlite:////data/freshness.db")
    told = yaml.safe_load(written.read_text().replace(str(secrets), "/run/secrets"))
    told |= {
        "schedule": {"poll": "2s", "feeds": "2s", "follow": "2s", "summary": None},
        "web": {"listen": f"127.0.0.1:{free_ports()}"},
    }
    (settings / "freshness.yaml").write_text(yaml.safe_dump(told))
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


def test_an_engine_leaves_nothing_even_where_a_test_fails() -> None:
    docker = failed_in_its_middle()
    name = docker.folder.name.encode()
    running = [path for path in Path("/proc").glob("[0-9]*/cmdline") if name in _text(path)]
    assert running == []
    assert name not in Path("/proc/self/mountinfo").read_bytes()
    assert control_groups(docker.name) == []
    assert not docker.folder.exists()


def failed_in_its_middle() -> Docker:
    with suppress(RuntimeError), engine() as docker:
        assert docker.run("ps").stdout
        raise RuntimeError
    return docker


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # It has ended by now.
        return b""


def test_the_image_says_what_it_is(docker: Docker) -> None:
    [image] = json.loads(docker.run("image", "inspect", IMAGE).stdout)
    config = image["Config"]
    assert config["User"] == f"{USER}:{USER}"
    assert list(config["Volumes"]) == ["/data"]
    assert config["Healthcheck"]["Test"] == ["CMD", "freshness-bot", "health"]
    assert config["Labels"]["org.opencontainers.image.base.name"] == f"docker.io/library/{BASE}"
    assert {"title", "description", "version", "revision", "licenses"} <= {
        label.removeprefix("org.opencontainers.image.") for label in config["Labels"]
    }
    version = docker.run("run", "--rm", *LOCKED_DOWN, IMAGE, "--version").stdout
    assert version.split() == ["freshness-bot", config["Labels"]["org.opencontainers.image.version"]]


def test_it_adds_at_most_150_megabytes_to_its_base(docker: Docker) -> None:
    assert _unpacked(docker, IMAGE) - _unpacked(docker, BASE) <= 150_000_000


def _unpacked(docker: Docker, image: str) -> int:
    """How many bytes all files of an image have."""
    count = (
        "import os; print(sum(os.lstat(os.path.join(place, name)).st_size"
        " for top in ('/opt', '/usr', '/data', '/etc') for place, _, names in os.walk(top) for name in names))"
    )
    return int(docker.run("run", "--rm", *LOCKED_DOWN, "--entrypoint", "python", image, "-c", count).stdout)


def test_every_module_of_the_bot_can_be_imported_from_what_was_left_in(docker: Docker) -> None:
    imports = (
        "import bot, importlib, pkgutil; names = [each.name for each in pkgutil.walk_packages(bot.__path__, 'bot.')"
        " if '.migrations.' not in each.name]; [importlib.import_module(name) for name in names]; print(len(names))"
    )
    told = docker.run("run", "--rm", *LOCKED_DOWN, "--entrypoint", "python", IMAGE, "-c", imports).stdout
    assert int(told) > 1000


def test_every_command_is_there(docker: Docker) -> None:
    told = docker.run("run", "--rm", *LOCKED_DOWN, IMAGE, "--help", "all").stdout
    assert all(command in told for command in ("once", "run", "health", "status", "verify", "audit"))


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

    async def well() -> bool:
        return await pod.health() == "healthy"

    async def settled() -> bool:
        return [bool(base["digest"]) for base in (await pod.status())["bases"]] == [True, True]

    async def begun() -> bool:
        """Also each dispatch has arrived: one of which nobody knows whether it was sent waits for an hour."""
        return bool(await world.slack.messages()) and len(world.github.runs()) == DISPATCHED

    async def told() -> bool:
        """Beside the message about the rollout, a first look that comes after the patch says what is behind."""
        texts = [message["text"] for message in await world.slack.messages()]
        of_rollout = [text.partition("; ")[2] for text in texts if "behind what their bases show" not in text]
        return of_rollout == [f"5 repositories on 2 bases: {3 + DISPATCHED} under way"]

    await until(well)
    assert (await pod.beside("freshness-bot", "health", "--ready")).strip() == "ok"
    standing = await pod.beside("python", "-c", "print(open('/proc/1/status').read())")
    told_of = dict(line.split(":\t", 1) for line in standing.strip().splitlines())
    assert set(told_of["Uid"].split()) == set(told_of["Gid"].split()) == {str(USER)}
    assert {told_of[name] for name in ("CapPrm", "CapEff", "CapBnd")} == {"0" * 16}

    await until(settled)
    fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
    await fleet.publish_sdk("10.0.1")
    await fleet.publish_runtime("10.0.1")
    await until(begun)
    assert await pod.end("KILL") == 137

    await pod.start()
    await until(well)  # before that it may have no handler yet, and the kernel drops the signal for a first process
    await until(told)
    asked = time.monotonic()
    assert await pod.end("TERM") == 0
    assert time.monotonic() - asked < GRACE.total_seconds() + 5
    log = pod.log()
    assert '"event": "stopped"' in log
    assert "Traceback" not in log
