"""`scan`, `update` and `audit` without what Windows lacks, by the script that a release runs on Windows itself."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.edges.edge import Surroundings
from sandbox.images import dotnet_image
from sandbox.programs import parts
from sandbox.registry import Registry

ROOT = Path(__file__).parents[3]
AS_ON_WINDOWS = Path(__file__).with_name("as_on_windows.py")

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="only Linux tells which files a process has open"
)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program, which finds nothing of POSIX."""
    path = tmp_path / "bin" / "freshness-bot"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -X warn_default_encoding "{AS_ON_WINDOWS}" "$@"\n')
    path.chmod(0o755)
    return path


def run(program: Path, *words: object) -> subprocess.CompletedProcess[str]:
    places = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [str(word) for word in words],
        env={**os.environ, **places},
        cwd=program.parent.parent,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.long
def test_what_runs_on_a_checkout_needs_nothing_that_windows_lacks(program: Path) -> None:
    ended = run(program, sys.executable, ROOT / "tools" / "try_program.py")
    assert ended.returncode == 0, ended.stderr
    assert "answer as they ought to" in ended.stdout


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    registry = Registry(tmp_path, Surroundings())
    await registry.start()
    yield registry
    registry.stop()


@pytest.mark.long
@pytest.mark.skipif(not parts.is_there("docker-registry"), reason="docker-registry is missing")
async def test_nor_do_they_where_a_registry_is_asked(program: Path, registry: Registry, tmp_path: Path) -> None:
    pushed = await registry.push("dotnet/aspnet", "10.0", dotnet_image("aspnet", "10.0.1"))
    settings = tmp_path / "freshness.yaml"
    settings.write_bytes(
        f"registries: {{'{registry.host}': {{insecure: true}}}}\r\nbases: ['{registry.host}/dotnet/*']\r\n".encode()
    )
    shop = tmp_path / "shop"
    shop.mkdir()
    text = f"FROM {registry.host}/dotnet/aspnet:10.0@%s\r\nUSER app\r\n"
    (shop / "Dockerfile").write_bytes((text % f"sha256:{'0' * 64}").encode())

    scanned = await asyncio.to_thread(run, program, program, "scan", shop, "-c", settings)
    assert (scanned.returncode, "1 stale" in scanned.stdout) == (1, True), scanned.stderr
    updated = await asyncio.to_thread(run, program, program, "update", shop, "-c", settings)
    assert updated.returncode == 0, updated.stderr
    assert (shop / "Dockerfile").read_bytes() == (text % pushed.digest).encode()
