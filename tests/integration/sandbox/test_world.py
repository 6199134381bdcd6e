import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bot.settings.loading import load
from sandbox.edges.edge import PATIENCE
from sandbox.programs import parts, processes
from sandbox.world import World
from tests.children import started

CHILDREN = """
import asyncio, sys
from sandbox.world import World
async def main():
    async with World():
        print("ready", flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc to see child processes")
async def test_everything_ends_with_a_parent_that_is_killed(shared_world: World) -> None:
    command = [sys.executable, "-c", CHILDREN]
    with started(command, stdout=subprocess.PIPE, cwd=parts.ROOT) as (parent,):
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        children = children_of(parent.pid)
        assert len(children) == 2
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert until(lambda: not any(is_running(child) for child in children))


async def test_leaving_the_world_frees_its_ports() -> None:
    async with World() as world:
        ports = [int(world.registry.host.rpartition(":")[2]), int(world.github.url.rpartition(":")[2])]
        assert [await accepts(port) for port in ports] == [True, True]
    assert [await accepts(port) for port in ports] == [False, False]


async def test_a_world_stands_within_a_minute_on_a_busy_machine_too() -> None:
    began = time.monotonic()
    async with World():
        assert time.monotonic() - began < 60


async def test_what_the_world_serves_is_asked_directly_where_a_proxy_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody = "http://127.0.0.1:9"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, nobody)
    monkeypatch.setenv("NO_PROXY", "mirror.example")
    monkeypatch.delenv("no_proxy", raising=False)
    async with World() as world, httpx.AsyncClient(timeout=PATIENCE) as client:
        answers = [await client.get(url) for url in (f"{world.github.url}/meta", *world.feeds.addresses.values())]
    assert {answer.status_code for answer in answers} <= {200, 401, 404}
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == "localhost,127.0.0.1,mirror.example"


async def test_its_configuration_is_one_that_the_bot_accepts(shared_world: World, tmp_path: Path) -> None:
    settings = load(shared_world.config(tmp_path, f"sqlite:///{tmp_path}/freshness.db"))
    assert settings.github.api_url == shared_world.github.url
    assert settings.bases == [f"{shared_world.registry.host}/dotnet/*"]
    assert settings.slack is not None
    assert settings.slack.channel == shared_world.slack.channel


async def test_a_program_that_ends_early_tells_why(tmp_path: Path) -> None:
    child = processes.start([sys.executable, "-c", "raise SystemExit('no room')"], tmp_path / "log")
    with pytest.raises(processes.DidNotStart, match="ended with code 1: no room"):
        await child.ready("ready")


async def test_a_port_that_was_taken_meanwhile_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free = processes.free_ports()
        offered = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(processes, "free_ports", lambda count: next(offered))
        server = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1"]
        child, port = await processes.start_on_free_port(
            lambda port: [*server, str(port)], tmp_path / "log", "Serving HTTP"
        )
    child.stop()
    assert port == free


def test_neighbouring_ports_are_all_free(monkeypatch: pytest.MonkeyPatch) -> None:
    first = processes.free_ports(3)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + 1))
        monkeypatch.setattr(processes, "PORTS", range(first - 100, first + 3))
        found = {processes.free_ports(2) for _ in range(50)}
    assert found.isdisjoint({first, first + 1})


def test_a_missing_program_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(parts.MissingPart, match="docker-registry is missing: apt-get install docker-registry"):
        parts.require("docker-registry")
