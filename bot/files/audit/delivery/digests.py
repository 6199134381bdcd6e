"""Whether a step writes the digest by which a command names an image, where it takes it from steps or variables."""

import re
from collections.abc import Iterable, Iterator

from bot.files.audit.workflows.model import Pipeline, PipelineStep
from bot.files.formats.source.nodes import Mapping

_OF_STEP = re.compile(r"\bsteps\.(?P<step>[\w-]+)\.outputs\.(?P<output>[\w-]+)")
_OF_JOB = re.compile(r"\bneeds\.(?P<job>[\w-]+)\.outputs\.(?P<output>[\w-]+)")
_OF_ENVIRONMENT = re.compile(r"\benv\.(?P<name>\w+)")
_VARIABLE = re.compile(r"@[\"']?\$\{?(?P<name>[A-Za-z_]\w*)")
_BAKE = "docker/bake-action"
_TELL_NONE = re.compile(r"docker/(?:metadata|login|setup-[\w-]+)-action$|^actions/(?:checkout|cache)$")
"""Actions that tell no digest."""


def unwritten_digest(pipeline: Pipeline, step: PipelineStep, names: Iterable[str]) -> str:
    """What names a digest in `names` or the step's script, and is written by nothing; empty where all is."""
    run = step.mapping.scalar("run")
    script = run.value if run is not None else ""
    earlier = pipeline.steps_until(step)
    digests = [name.rpartition("@")[2] for name in names]
    for name in digests:
        for found in _OF_STEP.finditer(name):
            if not _step_tells(step, earlier, found["step"], found["output"]):
                return found.group()
        for found in _OF_JOB.finditer(name):
            if not _job_tells(pipeline, step, found["job"], found["output"]):
                return found.group()
    variables = [found["name"] for found in _VARIABLE.finditer(script)]
    variables += [found["name"] for name in digests for found in _OF_ENVIRONMENT.finditer(name)]
    for variable in variables:
        if variable not in step.environment and not any(_sets(text, variable) for text in _scripts(earlier)):
            return f"${variable}"
    return ""


def _step_tells(step: PipelineStep, earlier: list[PipelineStep], name: str, output: str) -> bool:
    """Whether an earlier step of the job has the output; one that is not read here may have any."""
    earlier_steps = [each for each in earlier if each.id == name and each is not step]
    if not earlier_steps:
        steps = (each for each in step.job.mapping.sequence("steps") if isinstance(each, Mapping))
        return any(written.value == name for each in steps if (written := each.scalar("id")) is not None)
    return any(_tells(each, output) for each in earlier_steps)


def _tells(step: PipelineStep, output: str) -> bool:
    run = step.mapping.scalar("run")
    if run is not None:
        return re.search(rf"(?<![\w-]){re.escape(output)}(?![\w-])", run.value) is not None
    if step.action == _BAKE:
        return output == "metadata"
    return _TELL_NONE.search(step.action) is None


def _job_tells(pipeline: Pipeline, step: PipelineStep, name: str, output: str) -> bool:
    """Whether a job has the output: one beside the step's, or beside the call by which the step was given it."""
    folder = step.job.name
    while folder:
        folder = folder.rpartition("/")[0]
        wanted = f"{folder}/{name}".lstrip("/")
        job = next((each for each in pipeline.jobs if each.name == wanted), None)
        if job is not None:
            is_called = job.mapping.scalar("uses") is not None
            return is_called or output in job.mapping.mapping("outputs").own
    return False


def _scripts(steps: Iterable[PipelineStep]) -> Iterator[str]:
    """The scripts of steps; what other actions put into the environment is not read here."""
    for step in steps:
        run = step.mapping.scalar("run")
        if run is not None:
            yield run.value


def _sets(script: str, variable: str) -> bool:
    name = re.escape(variable)
    return (
        re.search(rf"(?<![\w$])(?:{name}\+?=|for\s+{name}\s|(?:read|mapfile)\b[^\n]*\s{name}\b)", script)
        is not None
    )
