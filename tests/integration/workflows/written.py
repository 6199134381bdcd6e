"""The workflows of this repository, as they are written."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / ".github" / "workflows"


@dataclass(frozen=True, slots=True)
class RunStep:
    """`environment` is what the job and the step write down, expressions as they stand."""

    file: str
    name: str
    script: str
    environment: dict[str, str]


def workflows() -> dict[str, dict[Any, Any]]:
    return {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yml"))}


def steps() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each step with its file and its job."""
    for file, workflow in workflows().items():
        for job in workflow["jobs"].values():
            for step in job.get("steps", ()):
                yield file, job, step


def run_steps() -> dict[tuple[str, str], RunStep]:
    """By file and name."""
    return {
        (file, step["name"]): RunStep(
            file, step["name"], step["run"], {**job.get("env", {}), **step.get("env", {})}
        )
        for file, job, step in steps()
        if "run" in step
    }
