"""A Docker engine of a test's own: in namespaces that end with it, so that nothing of it can be left behind.

When the first process of its namespaces ends, the kernel ends all others of the engine and undoes its mounts. That
one is killed when the test ends, and by the kernel where the test is killed. Images and volumes lie in memory.
"""

import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.programs import processes
from tests.debootstrap import PATH, make_root

PROGRAMS = {
    "dockerd": "docker.io",
    "docker": "docker-cli",
    "debootstrap": "debootstrap",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "tar": "tar",
}
_CGROUPS = Path("/sys/fs/cgroup")
_PATIENCE = 600
_START_WITHIN = 60
_END_WITHIN = 30


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

    @property
    def name(self) -> str:
        """What the control groups of the engine are called."""
        return self.folder.name


@contextmanager
def engine(*, attests: bool = False, alone: bool = False) -> Iterator[Docker]:
    """Without a network but the host's. Skips with the reason where it cannot be started; leaves nothing.

    `attests` has it keep images as containerd does, so that builds can attest their provenance. `alone` gives it a
    network of its own instead, with a bridge as steps of a build want it by themselves, from which nothing else is
    reached: not even a registry on this host.
    """
    missing = {package for program, package in PROGRAMS.items() if shutil.which(program, path=PATH) is None}
    if missing:
        pytest.skip(f"not installed: apt-get install {' '.join(sorted(missing))}")
    if os.geteuid() != 0:
        pytest.skip("only root can start an engine of its own")
    # A socket's path is short, so this is not pytest's folder.
    with tempfile.TemporaryDirectory(prefix="engine-", dir="/tmp") as name:
        docker = Docker(Path(name))
        features = {"features": {"containerd-snapshotter": attests}}
        (docker.folder / "daemon.json").write_text(json.dumps(features))
        child = processes.start(_command(docker, alone=alone), docker.folder / "log")
        try:
            _wait_until_it_answers(docker, child)
            yield docker
        finally:
            _end(child)
            _remove_control_groups(docker.name)


def _command(docker: Docker, *, alone: bool) -> list[str]:
    (docker.folder / "memory").mkdir()
    places = {"data-root": "memory/data", "exec-root": "memory/run", "pidfile": "memory/pid"}
    places["config-file"] = "daemon.json"
    options = [f"--{option}={docker.folder / place}" for option, place in places.items()]
    network = [*([] if alone else ["--bridge=none"]), "--iptables=false", "--ip6tables=false"]
    own = ("--mount", "--pid", *(["--net"] if alone else []))
    return [
        *("unshare", *own, "--fork", "--mount-proc", "--kill-child=SIGKILL"),
        *("env", f"PATH={PATH}", "sh", "-c", 'mount -t tmpfs engine "$0" && exec dockerd "$@"'),
        *(str(docker.folder / "memory"), f"--host={docker.host}", f"--cgroup-parent=/{docker.name}"),
        *(*network, *options),
    ]


def _wait_until_it_answers(docker: Docker, child: processes.Child) -> None:
    deadline = time.monotonic() + _START_WITHIN
    while docker.run("info", code=None).returncode:
        assert child.process.poll() is None, child.tail(2000)
        assert time.monotonic() < deadline, child.tail(2000)
        time.sleep(0.2)


def _end(child: processes.Child) -> None:
    """Kills the engine and waits for its last process.

    That `unshare` has ended says only that the kernel was told to kill the first process of the namespaces, which
    ends after all others in them.
    """
    pid = child.process.pid
    firsts = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # It has ended by itself.
        firsts = [os.pidfd_open(int(of)) for of in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    child.process.kill()
    child.process.wait()
    for first in firsts:
        ended, _, _ = select.select([first], [], [], _END_WITHIN)
        os.close(first)
        assert ended, f"the engine did not end within {_END_WITHIN} s"


def control_groups(name: str) -> list[Path]:
    """Those of an engine, the innermost first."""
    tops = [*_CGROUPS.glob(name), *_CGROUPS.glob(f"*/{name}")]
    return [Path(folder) for top in tops for folder, _, _ in os.walk(top, topdown=False)]


def _remove_control_groups(name: str) -> None:
    """The kernel keeps one until the last of its processes has ended."""
    deadline = time.monotonic() + _END_WITHIN
    while left := control_groups(name):
        for group in left:
            with contextlib.suppress(OSError):
                group.rmdir()
        assert time.monotonic() < deadline, f"not removed: {left}"
        time.sleep(0.05)


def make_base(docker: Docker, name: str) -> None:
    """Tags as `name` what Debian's own Python makes of it: `python` and pip, as in Python's official image."""
    with tempfile.TemporaryDirectory(prefix="base-", dir="/tmp") as root:
        make_root(Path(root), "python3", "python3-pip", "python3-venv")
        Path(root, "usr/local/bin/python").symlink_to("/usr/bin/python3")
        for marker in Path(root, "usr/lib").glob("python3*/EXTERNALLY-MANAGED"):
            marker.unlink()
        packed = ["tar", "-C", root, "--exclude=./dev", "--exclude=./var/cache/apt", "--numeric-owner", "-c", "."]
        with subprocess.Popen(packed, stdout=subprocess.PIPE) as tar:
            docker.run("import", "-", name, stdin=tar.stdout.fileno() if tar.stdout else None)
        assert tar.returncode == 0
