"""`tools/set-up.sh`, in a world where every program that it calls only notes that it was called."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REAL = ("bash", "cat", "dirname", "env", "id", "mkdir", "sha256sum", "tr")
"""What the script takes from the machine."""
QUIET = (
    *("buildah", "chromium", "cosign", "debootstrap", "docker", "docker-registry", "dockerd", "initdb", "kubectl"),
    *("netavark", "openssl", "oras", "promtool", "rpm", "skopeo"),
)
NOTED = ("apt-get", "npm")


class Machine:
    """A checkout with its environment, and the programs on its PATH; `calls` is what was called of these."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.programs = folder / "programs"
        self._notes = folder / "notes"
        self.offline = folder / "offline"
        """While it is there, the environment of the scanners gets no packages."""
        self.programs.mkdir(parents=True)
        (self.checkout / "tools").mkdir(parents=True)
        for name in (
            *("pyproject.toml", "constraints.txt"),
            *("tools/package-lock.json", "tools/scanners.txt", "tools/set-up.sh"),
        ):
            shutil.copy(ROOT / name, self.checkout / name)
        for name in REAL:
            (self.programs / name).symlink_to(str(shutil.which(name)))
        for path in (*(self.programs / name for name in NOTED), self.checkout / ".venv/bin/python"):
            self._program(path, f'echo "{path.name} $*" >>"{self._notes}"\n{self._uv()}')
        for path in (*(self.programs / name for name in QUIET), self.checkout / "tools/node_modules/node/bin/node"):
            self._program(path, ":")

    def set_up(self) -> tuple[list[str], str]:
        """What was called, and what was said."""
        self._notes.write_text("")
        environment = {"PATH": str(self.programs), "HOME": os.devnull}
        script = ["bash", str(self.checkout / "tools/set-up.sh")]
        ended = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr
        return self._notes.read_text().splitlines(), ended.stderr

    def _uv(self) -> str:
        """Makes the folder of an environment, and puts nothing into it."""
        made = f'mkdir -p "{self.checkout}/.venv/scanners"'
        return f'case "$*" in *"uv venv"*) {made} ;; *"uv pip"*) test ! -e "{self.offline}" ;; esac'

    def _program(self, path: Path, does: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/usr/bin/env bash\n{does}\n")
        path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_where_everything_is_there_it_does_nothing(machine: Machine) -> None:
    calls, _ = machine.set_up()
    assert [call for call in calls if call.startswith("npm ci")] == ["npm ci --prefix tools --silent"]
    assert machine.set_up() == ([], "")


def test_other_dependencies_are_brought(machine: Machine) -> None:
    machine.set_up()
    with (machine.checkout / "constraints.txt").open("a") as constraints:
        constraints.write("another==1\n")
    calls, _ = machine.set_up()
    assert any("pip install" in call for call in calls)


@pytest.mark.parametrize(
    ("program", "package"),
    [("oras", "oras"), ("npm", "npm"), ("kubectl", "kubernetes-client"), ("docker", "docker-cli")],
)
def test_a_part_that_cannot_be_had_is_looked_for_once_and_named_each_time(
    machine: Machine, program: str, package: str
) -> None:
    (machine.programs / program).unlink()
    machine.set_up()
    calls, said = machine.set_up()
    assert calls == []
    assert said.startswith("set-up: without ")
    assert package in said.split()
    assert said.endswith("(remove .venv/.set-up to try again)\n")


def test_a_part_that_has_come_since_is_taken_up(machine: Machine) -> None:
    kept = (machine.programs / "oras").rename(machine.programs.parent / "oras")
    machine.set_up()
    kept.rename(machine.programs / "oras")
    calls, _ = machine.set_up()
    assert not [call for call in calls if call.startswith("apt-get")]
    assert machine.set_up() == ([], "")


def test_scanners_that_could_not_be_installed_are_tried_again_and_hold_up_nothing_else(machine: Machine) -> None:
    machine.offline.touch()
    calls, said = machine.set_up()
    assert "checkov and bandit could not be installed; the next run tries again" in said
    assert "npm ci --prefix tools --silent" in calls
    assert "python -m sandbox.programs.parts" in calls
    machine.offline.unlink()
    calls, said = machine.set_up()
    assert [call.split()[:4] for call in calls] == [["python", "-m", "uv", "venv"], ["python", "-m", "uv", "pip"]]
    assert said == ""
    assert machine.set_up() == ([], "")
