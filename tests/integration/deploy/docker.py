"""An engine of the test's own, without a network, and the base of the Dockerfile, made from Debian's packages."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.children import started

ROOT = Path(__file__).parents[3]
PROGRAMS = {"dockerd": "docker.io", "docker": "docker-cli", "debootstrap": "debootstrap", "tar": "tar"}
_PATIENCE = 600


@dataclass(frozen=True, slots=True)
class Docker:
    """The engine behind one socket; its client reads no settings of whoever runs the test."""

    folder: Path

    def run(
        self, *words: object, code: int | None = 0, stdin: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`docker WORDS`, which must end with `code`; None takes any."""
        environment = {**os.environ, "DOCKER_HOST": self.host, "DOCKER_CONFIG": str(self.folder / "client")}
        ended = subprocess.run(
            ["docker", *map(str, words)],
            env=environment,
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        assert code is None or ended.returncode == code, ended.stdout + ended.stderr
        return ended

    @property
    def host(self) -> str:
        return f"unix://{self.folder / 'docker.sock'}"


@contextmanager
def engine() -> Iterator[Docker]:
    """Skips with the reason where it cannot be started. Nothing of it is left at the end."""
    path = os.environ["PATH"] + ":/usr/sbin"
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program, path=path) is None]
    if missing:
        pytest.skip(f"not installed: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("only root can start an engine of its own")
    # A socket's path is short, so this is not pytest's folder.
    with tempfile.TemporaryDirectory(prefix="engine-") as name, (Path(name) / "log").open("w") as log:
        docker = Docker(Path(name))
        command = ["dockerd", "--host", docker.host, "--bridge=none", "--iptables=false", "--ip6tables=false"]
        for option, place in (("data-root", "data"), ("exec-root", "run"), ("pidfile", "pid")):
            command += [f"--{option}", str(docker.folder / place)]
        with started(command, stdout=log, stderr=log, env={**os.environ, "PATH": path}) as [daemon]:
            deadline = time.monotonic() + 60
            while docker.run("info", code=None).returncode:
                said = (docker.folder / "log").read_text()[-2000:]
                assert daemon.poll() is None, said
                assert time.monotonic() < deadline, said
                time.sleep(0.2)
            yield docker
            daemon.terminate()
            daemon.wait(timeout=60)
            # Of the containers on the host's network it leaves a namespace mounted.
            for namespace in docker.folder.glob("run/netns/*"):
                _done("umount", str(namespace))


def make_base(docker: Docker, folder: Path, name: str) -> None:
    """Tags as `name` what Debian's own Python makes of it: `python` and pip, as in Python's official image."""
    root = folder / "root"
    included = "--include=python3,python3-pip,python3-venv"
    _done("debootstrap", "--variant=minbase", included, "trixie", str(root))
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    for marker in (root / "usr/lib").glob("python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    command = ["tar", "-C", str(root), "--exclude=./dev", "--exclude=./var/cache/apt", "--numeric-owner", "-c", "."]
    with started(command, stdout=subprocess.PIPE) as [tar]:
        docker.run("import", "-", name, stdin=tar.stdout.fileno() if tar.stdout else None)
        assert tar.wait() == 0
    shutil.rmtree(root)


def download_wheels(folder: Path) -> None:
    """What the Dockerfile's own first stage downloads, with the same checks of hashes."""
    files = [
        word for name in ("requirements", "build-requirements") for word in ("-r", f"{ROOT}/deploy/{name}.txt")
    ]
    python = (
        "--python-version",
        "3.13",
        "--implementation",
        "cp",
        "--abi",
        "cp313",
        "--abi",
        "abi3",
        "--abi",
        "none",
    )
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps")
    _done(*pip, "--only-binary", ":all:", "--require-hashes", *python, "--dest", str(folder), *files)


def _done(*words: str) -> None:
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    assert ended.returncode == 0, (ended.stdout + ended.stderr)[-2000:]
