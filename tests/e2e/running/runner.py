"""The steps of action.yml as GitHub's runner executes them: expressions put in, `bash` started, files read back."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

ACTION = Path(__file__).parents[3] / "action.yml"
_CONDITION = re.compile(r"\$\{\{ always\(\) && steps\.freshness\.outputs\.([a-z-]+) == '([a-z-]*)' \}\}")
_EXPRESSION = re.compile(r"\$\{\{ *([A-Za-z._-]+)(?: \|\| ([a-z]+))? *\}\}")


def written() -> dict[str, Any]:
    """What action.yml says."""
    action: dict[str, Any] = yaml.safe_load(ACTION.read_text())
    return action


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run of the step has left: its exit code, its log, and the files that the runner shows."""

    code: int
    log: str
    summary: str
    outputs: Mapping[str, str]

    @property
    def passes(self) -> int:
        """How many passes the summary tells of."""
        told = re.search(r"(\d+) pass(?:es)? in ", self.summary)
        assert told is not None, self.summary
        return int(told[1])

    def annotations(self, level: str) -> list[str]:
        """The lines that people see beside the run, as far as the runner heeds commands at that moment."""
        heeded, stopped = [], None
        for line in self.log.splitlines():
            if stopped is not None:
                stopped = None if line == f"::{stopped}::" else stopped
            elif line.startswith("::stop-commands::"):
                stopped = line.rpartition("::")[2]
            elif line.startswith(f"::{level} "):
                heeded.append(line.partition("::")[2].partition("::")[2])
        return heeded


@dataclass(slots=True)
class Runner:
    """A machine for one job after the other of a workflow in `repository`; `api_url` is where GitHub is played."""

    folder: Path
    api_url: str
    repository: str
    token: str
    number: int = 0
    has_cache: bool = True
    """Whether GitHub's cache is within reach."""
    cached: dict[str, Path] = field(default_factory=dict)
    """What the cache keeps, by its key; the newest last. A key that is taken stays what it is."""
    environment: dict[str, str] = field(default_factory=dict)
    _program: Path = Path(sys.prefix)
    _after: dict[Path, tuple[Mapping[str, str], list[Any]]] = field(default_factory=dict)

    async def install(self) -> Ran:
        """The step that installs the program, on a machine that is kept for the runs after it."""
        folder = self.folder / "kept"
        folder.mkdir(exist_ok=True)
        [step] = [step for step in written()["runs"]["steps"] if step["name"] == "Install"]
        known = {
            "steps.python.outputs.python-path": shutil.which("python3.13") or sys.executable,
            "github.action_path": str(ACTION.parent),
        }
        given = {name: self._put_in(value, known) for name, value in step["env"].items()}
        of_pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
        process = await _bash(step["run"], folder, self._environment(folder) | of_pip | given)
        log, _ = await asyncio.wait_for(process.communicate(), 600)
        self._program = folder / "freshness-bot-program"
        return Ran(process.returncode or 0, log.decode(), "", {})

    async def run_workflow(self, text: str, known: Mapping[str, str], **inputs: str) -> Ran:
        """One run of a workflow file that calls the action in its only step; `known` are the variables and secrets
        of the repository, `inputs` what whoever starts it by hand chooses."""
        [job] = yaml.safe_load(text)["jobs"].values()
        [step] = job["steps"]
        known = {**known, "github.token": self.token, **{f"inputs.{name}": value for name, value in inputs.items()}}
        given = {name.replace("-", "_"): self._put_in(value, known) for name, value in step["with"].items()}
        return await self.run(**given)

    async def run(self, **inputs: str) -> Ran:
        """One run with these inputs, `_` for `-` in their names."""
        process, folder = await self.start(**inputs)
        return await self.result(process, folder)

    async def start(self, **inputs: str) -> tuple[asyncio.subprocess.Process, Path]:
        """Begins a run on a fresh machine with the program of the tests, or that which `install` has installed."""
        self.number += 1
        folder = self.folder / f"run-{self.number}"
        folder.mkdir()
        (folder / "freshness-bot-program").symlink_to(self._program)
        for name in ("summary", "output"):
            (folder / name).touch()
        steps = iter(written()["runs"]["steps"])
        for step in steps:
            if step.get("id") == "freshness":
                break
            self._cache(step, folder, inputs)
        self._after[folder] = inputs, list(steps)
        environment = self._environment(folder) | self._given(step["env"], inputs) | self.environment
        return await _bash(step["run"], folder, environment), folder

    async def result(self, process: asyncio.subprocess.Process, folder: Path) -> Ran:
        """Waits for the end of a run that was started."""
        log, _ = await asyncio.wait_for(process.communicate(), 180)
        assert process.returncode is not None
        outputs = dict(line.split("=", 1) for line in (folder / "output").read_text().splitlines())
        inputs, after = self._after.pop(folder)
        for step in after:
            self._cache(step, folder, inputs, outputs)
        return Ran(process.returncode, log.decode(), (folder / "summary").read_text(), outputs)

    def _cache(
        self,
        step: Mapping[str, Any],
        folder: Path,
        inputs: Mapping[str, str],
        outputs: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """What a step of `actions/cache` does: it brings what was kept under the key, or else the newest whose key
        begins as asked for; and it keeps what there is. Any other step does nothing here."""
        action, _, _ = step.get("uses", "").partition("@")
        if not self.has_cache or not action.startswith("actions/cache"):
            return
        known = {"runner.temp": str(folder), "github.run_id": str(1000 + self.number), "github.run_attempt": "1"}
        given = self._given(step["with"], inputs, known)
        path = Path(given["path"])
        if action == "actions/cache/restore":
            prefixes = given.get("restore-keys", "").splitlines()
            matching = [key for key in self.cached if key == given["key"] or key.startswith(tuple(prefixes))]
            if matching:
                shutil.copytree(self.cached[matching[-1]], path)
        elif _holds(step["if"], outputs) and path.is_dir() and given["key"] not in self.cached:
            kept = self.folder / f"cache-{len(self.cached)}"
            shutil.copytree(path, kept)
            self.cached[given["key"]] = kept

    def _environment(self, folder: Path) -> dict[str, str]:
        own = {name: os.environ[name] for name in ("PATH", "HOME", "NO_PROXY", "no_proxy") if name in os.environ}
        return own | {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.api_url,
            "GITHUB_SERVER_URL": self.api_url,
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_RUN_ID": str(1000 + self.number),
            "GITHUB_RUN_NUMBER": str(self.number),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_WORKSPACE": str(folder),
            "RUNNER_TEMP": str(folder),
        }

    def _given(
        self,
        environment: Mapping[str, str],
        inputs: Mapping[str, str],
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, str]:
        """What the step is given, with the inputs and their defaults put in, and what `more` is known."""
        declared = {name: str(row.get("default", "")) for name, row in written()["inputs"].items()}
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() <= declared.keys()
        known = {"github.token": self.token, **more}
        known |= {f"inputs.{name}": self._put_in(value, known) for name, value in (declared | given).items()}
        return {name: self._put_in(value, known) for name, value in environment.items()}

    def _put_in(self, text: str, known: Mapping[str, str]) -> str:
        """Expressions as far as action.yml and the workflow files use them: a name, and what holds without it."""
        return _EXPRESSION.sub(lambda found: known.get(found[1]) or found[2] or known[found[1]], text)


def _holds(condition: str, outputs: Mapping[str, str]) -> bool:
    """Whether a step runs after one that has left these outputs, by the one form that action.yml uses."""
    asked = _CONDITION.fullmatch(condition)
    assert asked is not None, condition
    return outputs.get(asked[1], "") == asked[2]


async def _bash(script: str, folder: Path, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """As the runner starts a step whose shell is bash."""
    return await asyncio.create_subprocess_exec(
        *("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script),
        cwd=folder,
        env=dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
